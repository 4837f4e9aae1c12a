"""Make the bundled sample: small families of all four tasks, collected from scripted agents.

    python sample/make.py            writes sample/origin/, the same bytes every time

Agents are scripted and their token counts simulated. It is there to try the tools on, not to draw
conclusions from.
"""

import shutil
import sys
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path[0] = str(REPO)  # not this folder

from collect.cli import main as collect

ORIGIN = REPO / "sample" / "origin"
MODEL = "scripted"
BENCHMARK, TRAINING = 8, 10
"""Rollouts of a family of the benchmark, and of one of the training data."""
OPTIONS = {
    "sokoban": (["--seed", "10"], ["--seed", "9"]),
    "searchr1": (["--seed", "5"], ["--seed", "5", "--first", str(BENCHMARK)]),
    "swebench": (
        ["--seed", "4", "--steps", "24"],
        ["--seed", "4", "--steps", "24", "--first", str(BENCHMARK)],
    ),
    "warehouse": ([], ["--seed", "1"]),
}
"""Options of each task's two families: they share no instance, and are feasible now and then."""


def main(origin: Path = ORIGIN) -> None:
    """Write every family anew."""
    shutil.rmtree(origin, ignore_errors=True)
    for task, (benchmark, training) in OPTIONS.items():
        _collect(task, origin / f"{task}-origin-{MODEL}", BENCHMARK, benchmark)
        _collect(task, origin / f"{task}-train-{MODEL}", TRAINING, training)


def _collect(task: str, out: Path, rollouts: int, options: list[str]) -> None:
    command = [task, "--agent", "scripted", "--rollouts", str(rollouts)]
    try:
        collect([*command, "--out", str(out), *options])
    except SystemExit as end:
        if end.code:
            raise


if __name__ == "__main__":
    main()
