"""Workers, nodes and drivers of a build are killed at random moments, on every engine.

The output is the old one, the new one or absent, and the same command given again writes the new
one and leaves nothing beside it.
"""

import os
import random
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.attacks.killable_engines import (
    DRIVER,
    DaskEngine,
    LocalEngine,
    RayEngine,
    descendants,
    outlive,
)
from tests.attacks.tallies import LONG, Tally
from tests.forks import Forks
from tests.making import build, contents, dialogue, write_json

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")

_SECONDS = 180
"""Seconds after which a command counts as hung."""
_ENGINES = ("local", "dask", "ray")


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    started = Forks("builders.cli", "builders.build", environment=os.environ)
    yield started
    started.close()


@pytest.fixture
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LocalEngine]:
    match request.param:
        case "dask":
            engine: LocalEngine = DaskEngine(tmp_path_factory.mktemp("dask"))
        case "ray":
            engine = RayEngine()
        case _:
            engine = LocalEngine()
    yield engine
    engine.close()


class EngineAttack:
    """A build that replaces another, and what becomes of both when processes are killed."""

    def __init__(self, forks: Forks, engine: LocalEngine, folder: Path) -> None:
        self._forks, self._engine, self._folder = forks, engine, folder
        self._out = folder / "out"
        origin = folder / "origin"
        for model in "abc":
            rows = [dialogue([(9, 5)] * 12, name=f"row {n}") for n in range(40)]
            write_json(origin / f"sokoban-origin-{model}" / "a.json", rows)
        assert build(origin, self._out, "--limit", 2) == 0
        self._old = contents(self._out)
        shutil.copytree(self._out, folder / "old")
        assert build(origin, folder / "new") == 0
        self._new = contents(folder / "new")
        self._command = ["-m", "builders", "build", "--origin", origin, "--out", self._out]
        self.seconds = 0.0
        """The time that a build takes which nothing happens to."""

    def run_whole(self) -> bool:
        """Give the command; returns whether it leaves the new output and nothing else."""
        self._engine.put_right()
        command = [*self._command, "--executor", self._engine.executor]
        begun = time.monotonic()
        done = self._forks.run(command, os.environ)
        self.seconds = time.monotonic() - begun
        names = sorted(path.name for path in self._folder.iterdir())
        is_alone = names == ["new", "old", "origin", "out"]
        if done.returncode or not is_alone:
            print(done.returncode, names, done.stderr)
        return done.returncode == 0 and contents(self._out) == self._new and is_alone

    def put_back(self) -> None:
        """Put the old output back."""
        shutil.rmtree(self._out)
        shutil.copytree(self._folder / "old", self._out)

    def kill(self, victim: str, moment: float, tally: Tally) -> None:
        """Give the command, kill a victim after a share of its time, and count what became of it.

        Args:
            victim: the kind of process.
            moment: from 0 to 1.
            tally: takes the counts.
        """
        command = [*self._command, "--executor", self._engine.executor]
        process = self._forks.start(command, os.environ)
        time.sleep(moment * self.seconds)
        own = descendants(process.pid) if self._engine.ends_with_command else ()
        victims = self._engine.pids(victim, process.pid)
        if victims and process.poll() is None:
            with suppress(ProcessLookupError):
                os.kill(random.Random(moment).choice(victims), 9)
        tally.tried += 1
        try:
            process.wait(_SECONDS)
        except TimeoutError:
            tally.hung += 1
            process.kill()
        _, said = process.communicate()
        is_killed = victim == DRIVER and process.returncode == -9
        is_known = process.returncode in (0, 1) or is_killed
        tally.crashed += "Traceback" in said or not is_known
        there = contents(self._out) if self._out.exists() else None
        is_right = there == self._new if process.returncode == 0 else there in (self._old, None)
        if is_killed:
            is_right = there in (self._old, self._new, None)
        left = outlive(own)
        if "Traceback" in said or not is_known or not is_right or left:
            print(victim, moment, process.returncode, left, said[-3000:])
        tally.wrong += not is_right or bool(left)


@pytest.mark.attack("kills of workers, nodes and drivers")
@pytest.mark.parametrize(
    "engine", _ENGINES if os.environ.get(LONG) else _ENGINES[:2], indirect=True
)
def test_of_a_build(forks: Forks, engine: LocalEngine, tmp_path: Path, tally: Tally) -> None:
    attack = EngineAttack(forks, engine, tmp_path)
    assert attack.run_whole()
    chance = random.Random(5)
    most = int(os.environ.get("BAGEN_KILLS", "50"))
    for number in range(tally.size(len(engine.victims), most)):
        attack.put_back()
        attack.kill(engine.victims[number % len(engine.victims)], chance.random(), tally)
        tally.wrong += not attack.run_whole()
