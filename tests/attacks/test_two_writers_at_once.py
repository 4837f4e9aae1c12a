"""Two containers write one output: one of them is refused by name, or both end and one stands.

Staging names were process ids once, so of two containers, both process 1, each wrote into the
other's files. Here pairs of commands predict, build a site, export it and collect a family into one
output; each pair has other options, so that a mix of the two outputs shows.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bagen_data.cli import main as bagen
from collect.cli import main as collect
from leaderboard.cli import main as leaderboard
from tests.attacks.namespaces import at_once, needs_namespaces
from tests.attacks.tallies import LONG, Tally
from tests.leaderboard.made_submissions import build_site
from tests.making import build, contents, dialogue, exit_code, write_json

pytestmark = needs_namespaces
Command = Sequence[object]


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset, submissions and two sites."""
    folder = tmp_path_factory.mktemp("given")
    rows = [dialogue([(9, 5)] * 9, name=f"row {n}") for n in range(9)]
    write_json(folder / "origin" / "sokoban-origin-m" / "a.json", rows)
    dataset = folder / "dataset"
    assert build(folder / "origin", dataset) == 0
    for name in ("always_feasible", "over_budget"):
        out = folder / "in" / name
        assert (
            exit_code(bagen, "predict", "baseline", name, "--dataset", dataset, "--out", out) == 0
        )
    for resamples in (0, 9) if os.environ.get(LONG) else ():
        build_site(folder / "in", dataset, folder / f"site-{resamples}", "--resamples", resamples)
    return folder


def predicts(given: Path, out: Path) -> list[Command]:
    """`bagen predict baseline` with two baselines of one name."""
    more = ("--dataset", given / "dataset", "--name", "one", "--out", out)
    names = ("always_feasible", "over_budget")
    return [("-m", "bagen_data", "predict", "baseline", name, *more) for name in names]


def sites(given: Path, out: Path) -> list[Command]:
    """`leaderboard build` with one cache."""
    command = ("-m", "leaderboard", "build", "--submissions", given / "in", "--workers", 1)
    more = ("--dataset", given / "dataset", "--cache", out.parent / "cache", "--out", out)
    return [(*command, *more, "--resamples", resamples) for resamples in (0, 9)]


def exports(given: Path, out: Path) -> list[Command]:
    """`leaderboard export` of two sites."""
    more = ("--format", "eee", "--out", out)
    return [("-m", "leaderboard", "export", site, *more) for site in sorted(given.glob("site-*"))]


def families(_: Path, out: Path) -> list[Command]:
    """`collect sokoban`, two numbers of rollouts."""
    command = ("-m", "collect", "sokoban", "--agent", "scripted", "--resume", "--out", out)
    return [(*command, "--rollouts", rollouts) for rollouts in (2, 4)]


PAIRS = [predicts, families, exports, sites]


def alone(command: Command) -> int:
    """Run a command in this process."""
    _, module, *arguments = command
    mains = {"bagen_data": bagen, "leaderboard": leaderboard, "collect": collect}
    return exit_code(mains[str(module)], *arguments)


@pytest.mark.attack("two writers at once")
@pytest.mark.parametrize("commands", PAIRS if os.environ.get(LONG) else PAIRS[:2])
def test_two_writers_at_once(
    commands: Callable[[Path, Path], list[Command]], given: Path, tmp_path: Path, tally: Tally
) -> None:
    out = tmp_path / "sokoban-origin-scripted"
    whole = []
    for command in commands(given, out):
        assert alone(command) == 0
        whole.append(contents(out))
        shutil.rmtree(out)
    assert whole[0] != whole[1]
    for _ in range(tally.size(1, 10)):
        pair = list(at_once(commands(given, out)))
        codes = sorted(process.returncode for process in pair)
        errors = "".join(process.stderr for process in pair)
        tally.tried += 1
        tally.crashed += "Traceback" in errors
        is_refused = codes == [0, 1] and "another process is writing it" in errors
        left = {path.name for path in tmp_path.iterdir()} - {"cache"}
        tally.wrong += not (
            (codes == [0, 0] or is_refused) and contents(out) in whole and left == {out.name}
        )
        shutil.rmtree(out)
