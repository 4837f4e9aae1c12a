"""Ctrl-C while processes start: it is not lost, and does not reach them before they are ready."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bagen_data.models.run_interrupts import interrupts_held
from tests.making import REPO

TWO_PROCESSES = """
import multiprocessing
import os
import signal

from bagen_data.models.run_interrupts import heed_interrupts, interrupts_held


def begin(pipe):
    os.kill(os.getpid(), signal.SIGINT)
    pipe.send("deaf")
    heed_interrupts()
    pipe.send("ready")
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        pipe.send("interrupted")


if __name__ == "__main__":
    spawn = multiprocessing.get_context("spawn")
    pipes = []
    with interrupts_held():
        for _ in range(2):
            ours, theirs = spawn.Pipe()
            spawn.Process(target=begin, args=(theirs,)).start()
            theirs.close()
            pipes.append(ours)
    print([[pipe.recv() for _ in range(3)] for pipe in pipes])
"""


@pytest.fixture(autouse=True)
def _heeded() -> Iterator[None]:
    """Heed Ctrl-C, also where the tests were started deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_acts_when_the_block_ends() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), interrupts_held():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        done.append("to the end")
    assert done == ["to the end"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_an_interrupt_of_a_block_that_fails_is_not_lost() -> None:
    with pytest.raises(KeyboardInterrupt), interrupts_held():  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        raise BrokenPipeError


def test_processes_that_start_meanwhile_are_deaf_until_they_are_ready(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(TWO_PROCESSES)
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    done = subprocess.run(
        [sys.executable, program], env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == f"{[['deaf', 'ready', 'interrupted']] * 2}\n", done.stderr
