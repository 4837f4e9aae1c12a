"""A launched script says once what went wrong, and the launcher ends with its exit code."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.train.running import fail, started

LAUNCHER = ("train/launcher.py", "--config_file", "train/accelerate/cpu.yaml")


def command(end: str, processes: int, folder: Path) -> tuple[object, ...]:
    count = ("--num_processes", processes)
    return (*LAUNCHER, *count, "-m", "tests.train.toy_worker", end, folder)


@pytest.mark.parametrize(
    ("end", "processes", "code", "message"),
    [
        ("done", 2, 0, ""),
        ("input", 1, 1, "dataset: cannot be read\n"),
        ("input", 2, 1, "dataset: cannot be read\n"),
        ("usage", 2, 2, "options: unknown option targt\n"),
        ("second", 2, 1, "process 1: dataset: the second process cannot read it\n"),
    ],
)
def test_a_script_that_ends(
    tmp_path: Path, end: str, processes: int, code: int, message: str
) -> None:
    with started(*command(end, processes, tmp_path)) as process:
        written = process.communicate(300)[1]
    if end != "second":  # either process may be the first to say it
        written = written.removeprefix("process 1: ")
    assert (process.returncode, written) == (code, message)
    begun = len(list(tmp_path.iterdir()))
    assert begun == processes if code == 0 else 1 <= begun <= processes  # others end by the first


@pytest.mark.parametrize("processes", [1, 2])
def test_a_script_that_is_interrupted(tmp_path: Path, processes: int) -> None:
    with started(*command("never", processes, tmp_path)) as process:
        while len(list(tmp_path.iterdir())) < processes:
            assert process.poll() is None
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        written = process.communicate(300)[1]
    assert (process.returncode, written) == (130, "interrupted; what was written so far stays\n")


def test_a_script_ends_with_its_launcher(tmp_path: Path) -> None:
    """The script went on, and held the run's folder, when the launcher alone was terminated."""
    with started(*command("never", 1, tmp_path)) as process:
        while not list(tmp_path.iterdir()):
            assert process.poll() is None
            time.sleep(0.05)
        (worker,) = psutil.Process(process.pid).children()
        os.kill(process.pid, signal.SIGTERM)
        process.communicate(300)
    assert process.returncode == 128 + signal.SIGTERM
    assert not worker.is_running()


def test_a_launch_of_no_script() -> None:
    assert fail(*LAUNCHER, "train/stf.py") == "train/stf.py: cannot find this script\n"
