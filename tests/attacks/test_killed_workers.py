"""Workers are killed at random moments, as the system does when its memory runs out.

A build whose worker was killed ended in a traceback of the pool that said neither which family nor
why, and now and then it did not end at all. A command ends well, or with one message that names
what was lost, and neither half an output nor a process is left. A board asks once more for a
submission whose worker died.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from bagen_data.tables import sha256_of
from tests.attacks.tallies import LONG, Tally
from tests.leaderboard.made_submissions import gold, results, submit
from tests.making import REPO, SAMPLE, build, contents, dialogue, run, write_json

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")

_SECONDS = 180
"""Seconds after which a command counts as hung."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("killed") / "built"
    assert build(SAMPLE, out) == 0
    return out


def workers_of(pid: int) -> list[int]:
    """Return the processes that a command works with, but not the one that counts them."""
    try:
        threads = Path(f"/proc/{pid}/task").glob("*/children")
        return [
            int(child)
            for thread in threads
            for child in thread.read_text().split()
            if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
        ]
    except OSError:
        return []


def is_group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def attack(
    tally: Tally, chance: random.Random, command: list[object], is_right: Callable[[int], bool]
) -> None:
    """Run a command, kill one of its workers, and count what became of it."""
    process = subprocess.Popen(
        [sys.executable, "-m", *map(str, command)],
        cwd=REPO,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    while process.poll() is None and not workers_of(process.pid):
        time.sleep(0.01)
    time.sleep(chance.random() * 2)
    workers = workers_of(process.pid)
    if workers:
        with suppress(ProcessLookupError):
            os.kill(chance.choice(workers), signal.SIGKILL)
    tally.tried += 1
    try:
        _, said = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        tally.hung += 1
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return
    tally.crashed += "Traceback" in said or process.returncode not in (0, 1)
    is_told = process.returncode == 0 or " ".join(said.split()).count("worker process") == 1
    for _ in range(100):  # what tracks resources ends after the command
        if not is_group_alive(process.pid):
            break
        time.sleep(0.1)
    tally.wrong += not is_told or is_group_alive(process.pid) or not is_right(process.returncode)


@pytest.mark.attack("killed workers")
def test_of_a_build(tmp_path: Path, tally: Tally) -> None:
    chance = random.Random(1)
    origin, out = tmp_path / "origin", tmp_path / "out"
    for model in "abcd":
        rows = [dialogue([(9, 5)] * 30, name=f"row {n}") for n in range(100)]
        write_json(origin / f"sokoban-origin-{model}" / "a.json", rows)
    assert build(origin, out, "--limit", 2) == 0
    earlier = contents(out)
    assert build(origin, tmp_path / "whole") == 0
    whole = contents(tmp_path / "whole")
    shutil.rmtree(tmp_path / "whole")
    command = ["builders", "build", "--origin", origin, "--out", out, "--workers", 2]

    def is_right(code: int) -> bool:
        is_one = contents(out) == (earlier if code else whole)
        is_alone = sorted(path.name for path in tmp_path.iterdir()) == ["origin", "out"]
        return is_one and is_alone and run("verify", out) == 0

    for _ in range(tally.size(1, 30)):
        attack(tally, chance, command, is_right)
        assert build(origin, out, "--limit", 2) == 0


@pytest.mark.attack("killed workers")
def test_of_a_board(tmp_path: Path, dataset: Path, tally: Tally) -> None:
    chance = random.Random(2)
    for number in range(6):
        submit(tmp_path / "submissions" / f"s{number}", dataset, gold)
    command = ["leaderboard", "build", "--submissions", tmp_path / "submissions", "--no-cache"]
    command += ["--dataset", dataset, "--out", tmp_path / "site", "--workers", 2]

    def is_right(code: int) -> bool:
        if code:
            return not (tmp_path / "site").exists()
        board = results(tmp_path / "site")
        scores = {str(each["scores"]) for each in board["submissions"]}
        return len(board["submissions"]) == 6 and len(scores) == 1

    for _ in range(tally.size(1, 20)):
        attack(tally, chance, command, is_right)
        shutil.rmtree(tmp_path / "site", ignore_errors=True)


@pytest.mark.attack("killed workers")
@pytest.mark.skipif(not os.environ.get(LONG), reason="of what the others try, and slow")
def test_of_baselines(tmp_path: Path, dataset: Path, tally: Tally) -> None:
    chance = random.Random(3)
    out = tmp_path / "out"
    command = ["leaderboard", "baselines", "--dataset", dataset, "--out", out, "--workers", 2]

    def is_right(code: int) -> bool:
        return (not out.exists()) if code else len(list(out.glob("*/metadata.yaml"))) > 1

    for _ in range(tally.size(1, 10)):
        attack(tally, chance, command, is_right)
        shutil.rmtree(out, ignore_errors=True)


@pytest.mark.attack("killed workers")
def test_of_a_collection(tmp_path: Path, tally: Tally) -> None:
    chance = random.Random(4)
    options: list[object] = ["--agent", "scripted", "--rollouts", 60, "--workers", 2]
    name = "sokoban-origin-scripted"
    whole = tmp_path / "whole" / name
    command = [sys.executable, "-m", "collect", "sokoban", *map(str, options), "--out", str(whole)]
    assert subprocess.run(command, cwd=REPO, check=False, capture_output=True).returncode == 0
    for number in range(tally.size(1, 15)):
        out = tmp_path / str(number) / name

        def is_right(_code: int, out: Path = out) -> bool:
            again = [*command[:-1], str(out), "--resume"]
            subprocess.run(again, cwd=REPO, check=False, capture_output=True)
            file = "collection.yaml"
            names = sorted(path.name for path in out.iterdir() if path.name != file)
            return names == sorted(p.name for p in whole.iterdir() if p.name != file) and all(
                sha256_of(out / each) == sha256_of(whole / each) for each in names
            )

        attack(tally, chance, ["collect", "sokoban", *options, "--out", out], is_right)
