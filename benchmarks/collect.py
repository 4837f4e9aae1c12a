"""The speed of collecting rollouts of scripted agents, and the growth of memory with them.

    python benchmarks/collect.py                   about a minute
    python benchmarks/collect.py --warehouse 10000 with a larger family of it

Prints steps a second of each environment, with its agent and the record that is kept; what a
Sokoban solver on bit masks saves over one on the states themselves; and time and memory of a whole
Warehouse collection, in a process of its own, against one a quarter as large.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from benchmarks.measuring import peak_memory  # noqa: E402
from collect.family_run import Play  # noqa: E402
from collect.scripted_rollouts import Scripted  # noqa: E402
from collect.searchr1.search_game import searchr1  # noqa: E402
from collect.sokoban.level import STEPS, Level  # noqa: E402
from collect.sokoban.level_solver import solve  # noqa: E402
from collect.sokoban.sokoban_game import Sokoban  # noqa: E402
from collect.swebench.local_rollout import Limits  # noqa: E402
from collect.warehouse.warehouse_game import Warehouse  # noqa: E402
from sample.actors.swebench_agents import ScriptedToys  # noqa: E402
from sample.actors.toy_repositories import make_repositories, toys  # noqa: E402

ROLLOUTS = len(toys())
"""Different rollouts of each environment; they are played again and again."""
SECONDS = 5.0
"""Seconds for each environment."""
SEARCH = REPO / "sample" / "search"


def main() -> None:
    """Print all measurements."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--warehouse", type=int, default=1_000, help="rollouts of the collection")
    options = parser.parse_args()
    print("steps a second, on one core:")
    games = {
        "sokoban 6x6, 1 box": Scripted(Sokoban(), 0),
        "sokoban 8x8, 2 boxes": Scripted(Sokoban(8, 8, 2), 0),
        "searchr1": Scripted(
            searchr1(SEARCH / "questions.jsonl", SEARCH / "corpus.jsonl", 0, 3), 0
        ),
        "warehouse": Scripted(Warehouse(), 0),
    }
    for name, play in games.items():
        print(f"  {name:22}{steps_a_second(play, len_turns):10,.0f}")
    with tempfile.TemporaryDirectory() as folder:
        instances = make_repositories(toys(), Path(folder))
        play = ScriptedToys(toys(), instances, 0, None, Limits(steps=30))
        print(f"  {'swebench, real tool':22}{steps_a_second(play, len_assistant):10,.0f}")
    plain, masks = solvers()
    print(
        f"solver: states / bit masks, in time: {plain / masks:.1f} ({plain:.2f} s / {masks:.2f} s)"
    )
    quarter, whole = collected(options.warehouse // 4), collected(options.warehouse)
    print(
        f"{options.warehouse:,} Warehouse rollouts / a quarter of them, on two cores: time "
        f"{whole[0] / quarter[0]:.1f} ({whole[0]:.0f} s), memory {whole[1] / quarter[1]:.2f} "
        f"({whole[1]:.0f} MB)"
    )


def steps_a_second(play: Play, steps: Callable[[Mapping[str, Any]], int]) -> float:
    """Return the steps a second of whole rollouts, played one after another."""
    play(0)  # a first time, for files and modules that are read once
    began, done = time.perf_counter(), 0
    for number in count():
        done += steps(play(number % ROLLOUTS))
        if time.perf_counter() - began > SECONDS:
            break
    return done / (time.perf_counter() - began)


def len_turns(rollout: Mapping[str, Any]) -> int:
    """Return the number of turns of a rollout in the dialogues layout."""
    return len(rollout["turns"])


def len_assistant(rollout: Mapping[str, Any]) -> int:
    """Return the number of assistant messages of a trajectory."""
    return sum(message["role"] == "assistant" for message in rollout["messages"])


def solvers(levels: int = 40) -> tuple[float, float]:
    """Return the seconds of the plain solver and of ours, on the same levels."""
    made_levels = [Sokoban(8, 8, 2).environment(0, number).level for number in range(levels)]
    seconds = []
    for solver in (plain_solution, lambda level: len(solve(level) or ())):
        began = time.perf_counter()
        lengths = [solver(level) for level in made_levels]
        seconds.append(time.perf_counter() - began)
    assert lengths == [plain_solution(level) for level in made_levels]  # noqa: S101
    return seconds[0], seconds[1]


def plain_solution(level: Level) -> int:
    """Return the moves of a shortest solution, by breadth-first search on states as they are."""
    seen, edge, moves = {level}, [level], 0
    while edge:
        if any(each.is_solved for each in edge):
            return moves
        edge = list({each.after(move) for each in edge for move in STEPS} - seen)
        seen.update(edge)
        moves += 1
    return -1


def collected(rollouts: int) -> tuple[float, float]:
    """Return the seconds of the command, and the peak memory of its main process in MB."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "warehouse-origin-scripted"
        options = ["--agent", "scripted", "--rollouts", str(rollouts), "--workers", "2"]
        command = [sys.executable, __file__, "--only", *options, "--out", str(out)]
        began = time.perf_counter()
        done = subprocess.run(command, cwd=REPO, check=True, capture_output=True, text=True)
        return time.perf_counter() - began, int(done.stdout.split()[-1]) / 1024


def only(options: list[str]) -> None:
    """Collect, and print the process's own peak in KiB."""
    from collect.cli import main as collect

    try:
        collect(["warehouse", *options])
    except SystemExit as end:
        if end.code:
            raise
    print(peak_memory())


if __name__ == "__main__":
    if sys.argv[1:2] == ["--only"]:
        only(sys.argv[2:])
    else:
        main()
