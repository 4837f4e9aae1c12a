"""Kills and a full disk in the midst of writing: the old output stands or the new one, never a mix.

Predictions and their metadata were two renames once: killed between them, a folder held the
metadata of one estimator and the predictions of another, and a full disk did the same. Here each
command that writes an output replaces an earlier one, and is killed at each of its moments (see
`tests/attacks/dying_command.py`), or finds the disk full at some size of a file. Where folders
cannot be exchanged, what counts is what a reader finds who puts the folder right first. In the end
the command is given again, and must leave the new output and nothing else.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from bagen_data.held_folder import put_right
from bagen_data.replaced_folder import bring_back
from tests.attacks.dying_command import CRASHED, PlannedFault
from tests.attacks.tallies import LONG, Tally
from tests.forks import Forks
from tests.making import build, contents, dialogue, write_json

KILLED = -9
RENAMES = ("os.rename", "ctypes.dlsym")
"""Events of the moments that matter most: what is written is shown."""


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    started = Forks(
        "bagen_data.cli",
        "bagen_data.forecasters.learning.predictions",
        "bagen_data.submission_writer",
        "collect.cli",
        "leaderboard.baseline_submissions",
        "leaderboard.build_results",
        "leaderboard.exports.every_eval_ever",
        "leaderboard.site",
        environment=os.environ,
    )
    yield started
    started.close()


@pytest.fixture(scope="module")
def datasets(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Path]:
    """Two builds of one family, the second with more rollouts."""
    folder = tmp_path_factory.mktemp("datasets")
    rows = [dialogue([(9, 5)] * 3, name=f"row {n}", rollout_success=n % 2 == 0) for n in range(6)]
    write_json(folder / "origin" / "sokoban-origin-m" / "a.json", rows)
    built = [folder / "4", folder / "6"]
    for out in built:
        assert build(folder / "origin", out, "--limit", out.name) == 0
    return built


@dataclass(frozen=True)
class RepeatedCommand:
    """A command that is given twice, with other input the second time."""

    commands: tuple[Sequence[object], Sequence[object]]
    """A module and its arguments; the first writes the old output, the second the new one."""
    out: Path
    """The output, or a folder of outputs."""
    is_fast: bool = True
    """Whether the command takes well under a second."""
    is_set: bool = False
    """Whether each folder in `out` is an output of its own."""

    def outputs(self, root: Path) -> list[Path]:
        """Return the folders of which each is old or new."""
        if not self.is_set:
            return [root]
        return sorted(path for path in root.iterdir() if path.name[0] != ".")


def predict(folder: Path, datasets: Sequence[Path]) -> RepeatedCommand:
    """`bagen predict baseline`, under one name for two baselines."""
    names = ("always_infeasible", "always_feasible")
    out = folder / "out"
    command = ("bagen_data.cli", "predict", "baseline")
    more = ("--dataset", datasets[1], "--name", "one", "--out", out)
    first, second = ((*command, name, *more) for name in names)
    return RepeatedCommand((first, second), out)


def baselines(folder: Path, datasets: Sequence[Path]) -> RepeatedCommand:
    """`leaderboard baselines`: each estimator's folder is an output of its own."""
    out = folder / "out"
    first, second = (
        ("leaderboard.cli", "baselines", "--dataset", dataset, "--out", out, "--workers", 1)
        for dataset in datasets
    )
    return RepeatedCommand((first, second), out, is_fast=False, is_set=True)


def site(folder: Path, datasets: Sequence[Path]) -> RepeatedCommand:
    """`leaderboard build`, with a cache of its own."""
    out, submissions = folder / "out", folder / "in"
    shutil.copytree(datasets[1].parent / "submissions", submissions)
    command = ("leaderboard.cli", "build", "--dataset", datasets[1], "--out", out, "--workers", 1)
    more = ("--submissions", submissions, "--cache", folder / "cache")
    first, second = ((*command, *more, "--resamples", resamples) for resamples in (0, 9))
    return RepeatedCommand((first, second), out, is_fast=False)


def export(folder: Path, datasets: Sequence[Path]) -> RepeatedCommand:
    """`leaderboard export` of two sites."""
    out = folder / "out"
    first, second = (
        ("leaderboard.cli", "export", name, "--format", "eee", "--out", out)
        for name in sorted(datasets[1].parent.glob("site-*"))
    )
    return RepeatedCommand((first, second), out)


def family(folder: Path, _: Sequence[Path]) -> RepeatedCommand:
    """`collect sokoban`, and more rollouts of the same family."""
    out = folder / "sokoban-origin-scripted"
    command = ("collect.cli", "sokoban", "--agent", "scripted", "--out", out, "--resume")
    first, second = ((*command, "--rollouts", rollouts) for rollouts in (1, 3))
    return RepeatedCommand((first, second), out)


WRITERS = [predict, family, export, site, baselines]


@pytest.fixture(scope="module", autouse=True)
def _sites(forks: Forks, datasets: Sequence[Path]) -> None:
    """A folder of submissions, and two sites of it."""
    if not os.environ.get(LONG):
        return
    root = datasets[1].parent
    for name in ("always_feasible", "over_budget"):
        out = root / "submissions" / name
        command = ("predict", "baseline", name, "--dataset", datasets[1], "--out", out)
        assert _run(forks, PlannedFault(""), "bagen_data.cli", *command) == 0
    for resamples in (0, 9):
        out = root / f"site-{resamples}"
        command = ("--submissions", root / "submissions", "--dataset", datasets[1], "--out", out)
        more = ("--no-cache", "--workers", 1, "--resamples", resamples)
        assert _run(forks, PlannedFault(""), "leaderboard.cli", "build", *command, *more) == 0


@dataclass(frozen=True)
class WriterAttack:
    """A writer, what it writes, and a folder to attack it in."""

    forks: Forks
    writer: RepeatedCommand
    folder: Path
    outputs: Sequence[dict[str, dict[str, bytes]]]
    """The files of each output by its name, old and new."""

    def case(self, plan: PlannedFault) -> int:
        """Put the old output back, and write the new one as planned; returns the exit code."""
        kept = self.folder / "kept"
        for path in self.folder.iterdir():
            if path.name not in ("kept", "in"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(kept, self.writer.out)
        return _run(self.forks, plan, *self.writer.commands[1])

    def moments(self, most: int, exchanges: bool) -> list[int]:
        """Return moments of the run, so many at most, first those before and after a rename."""
        listed = self.folder.parent / "moments"
        plan = PlannedFault(str(self.folder), listed_in=str(listed), exchanges=exchanges)
        assert self.case(plan) == 0
        events = listed.read_text().split("\n")
        renames = [at for at, event in enumerate(events, 1) if event in RENAMES]
        near = sorted({*renames, *(at + 1 for at in renames if at < len(events))})
        others = [at for at in range(1, len(events) + 1) if at not in near]
        return _spread(near, most) + _spread(others, most - len(near))

    def is_whole(self, old: bool = True) -> bool:
        """Whether each output is the new one, or the old one where that may be."""
        outputs = _outputs(self.writer)
        allowed = self.outputs if old else self.outputs[1:]
        return outputs.keys() == self.outputs[1].keys() and all(
            any(files == one[name] for one in allowed) for name, files in outputs.items()
        )

    def is_put_right(self) -> bool:
        """Give the command again; returns whether it leaves the new output and nothing else."""
        code = _run(self.forks, PlannedFault(""), *self.writer.commands[1])
        roots = [self.folder, self.writer.out] if self.writer.is_set else [self.folder]
        hidden = [path for root in roots for path in root.iterdir() if path.name[0] == "."]
        inside = [path for out in self.writer.outputs(self.writer.out) for path in out.iterdir()]
        left = [path for path in inside if path.name[0] == "." or path.suffix == ".partial"]
        return code == 0 and self.is_whole(old=False) and not hidden + left


def _run(forks: Forks, plan: PlannedFault, module: str, *arguments: object) -> int:
    done = forks.run(plan.command(module, *arguments), os.environ)
    return done.returncode


def _spread(values: Sequence[int], most: int) -> list[int]:
    """Return so many of some values at most, evenly.

    >>> _spread([1, 2, 3, 4, 5], 2), _spread([1, 2], 3), _spread([1, 2], -1)
    ([1, 4], [1, 2], [])
    """
    return list(values[:: -(-len(values) // most)]) if most > 0 and values else []


def _outputs(writer: RepeatedCommand) -> dict[str, dict[str, bytes]]:
    """The files of each output, but for locks and for what is a record of a run in progress."""
    return {
        out.name: {
            name: content
            for name, content in contents(out).items()
            if name != ".lock" and not name.startswith(".replacement-")
            if not name.endswith(".partial")
        }
        for out in writer.outputs(writer.out)
    }


@pytest.fixture(
    params=WRITERS if os.environ.get(LONG) else WRITERS[:2], ids=lambda writer: writer.__name__
)
def attack(
    request: pytest.FixtureRequest, forks: Forks, datasets: Sequence[Path], tmp_path: Path
) -> WriterAttack:
    make: Callable[[Path, Sequence[Path]], RepeatedCommand] = request.param
    writer = make(tmp_path, datasets)
    outputs = []
    for number, command in enumerate(writer.commands):
        assert _run(forks, PlannedFault(""), *command) == 0
        outputs.append(_outputs(writer))
        if number == 0:
            shutil.copytree(writer.out, tmp_path / "kept")
    assert outputs[0] != outputs[1]
    return WriterAttack(forks, writer, tmp_path, outputs)


@pytest.mark.attack("kills while an output is replaced")
@pytest.mark.parametrize("exchanges", [True, False], ids=["exchanged", "journalled"])
def test_killed_writers(attack: WriterAttack, exchanges: bool, tally: Tally) -> None:
    most = tally.size(4, 40 if attack.writer.is_fast else 8)
    for moment in attack.moments(most, exchanges):
        code = attack.case(PlannedFault(str(attack.folder), dies_at=moment, exchanges=exchanges))
        tally.tried += 1
        tally.crashed += code != KILLED
        if not exchanges:
            bring_back(attack.writer.out)
            for out in attack.writer.outputs(attack.writer.out):
                put_right(out)
        tally.wrong += not attack.is_whole()
        tally.wrong += not attack.is_put_right()


@pytest.mark.attack("full disk while an output is replaced")
def test_full_disk(attack: WriterAttack, tally: Tally) -> None:
    sizes = {len(each) for files in attack.outputs[1].values() for each in files.values()}
    limits = _spread(sorted({size - 1 for size in sizes}), tally.size(2, 8))
    for most in limits:
        code = attack.case(PlannedFault(str(attack.folder), most_bytes=most))
        tally.tried += 1
        tally.crashed += code == CRASHED
        tally.wrong += code == 0 and not attack.is_whole(old=False)
        tally.wrong += not attack.is_whole()
        tally.wrong += not attack.is_put_right()
