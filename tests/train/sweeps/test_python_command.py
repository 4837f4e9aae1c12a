"""A command that a sweep runs ends by itself on Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.making import REPO
from train.sweeps.python_command import run_python

CHILD = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
try:
    (folder / "started").touch()
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(1)  # longer than the quarter of a second that subprocess.run leaves
    (folder / "ended").touch()
"""
PARENT = "import sys; from train.sweeps.python_command import run_python; run_python(sys.argv[1:])"


def test_the_exit_code_is_returned() -> None:
    assert run_python(["-c", "raise SystemExit(3)"]) == 3


def test_a_command_has_the_time_to_end_what_it_started(tmp_path: Path) -> None:
    command = [sys.executable, "-c", PARENT, "-c", CHILD, str(tmp_path)]
    with subprocess.Popen(
        command, cwd=REPO, start_new_session=True, stderr=subprocess.PIPE, text=True
    ) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "started").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        _, errors = process.communicate(timeout=60)
    assert errors.rstrip().endswith("KeyboardInterrupt")
    assert (tmp_path / "ended").exists()


def test_a_command_ends_with_its_caller(tmp_path: Path) -> None:
    """The command went on alone, and held its folder, when the caller was terminated."""
    parent = PARENT.replace("run_python(sys.argv[1:])", "print(run_python(sys.argv[1:]))")
    command = [sys.executable, "-c", parent, "-c", CHILD, str(tmp_path)]
    with subprocess.Popen(command, cwd=REPO, stdout=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not (tmp_path / "started").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        process.terminate()
        written, _ = process.communicate(timeout=60)
    assert written == f"{-signal.SIGTERM}\n"
