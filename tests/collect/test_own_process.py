"""A process that hid its environment, as other processes of the same user see it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from collect import own_process

KEY = "key-of-this-test-only"
PYTHON = "/usr/bin/python3"
NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="this system has no /proc"
)


@contextmanager
def hidden(*command: str) -> Iterator[tuple[int, str]]:
    """A process that hid its environment; its id, and what it then sees itself."""
    source = Path(own_process.__file__).read_text(encoding="utf-8")
    shown = "print(hide_environment(), os.environ['API_KEY'], os.getenv('OTHER'), flush=True)"
    process = subprocess.Popen(
        [*command, "-c", f"{source}\nimport sys\n{shown}\nsys.stdin.read()"],
        env={"API_KEY": KEY, "OTHER": "other", "PATH": os.environ["PATH"]},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        yield process.pid, process.stdout.readline()
        process.kill()


def test_the_variables_are_out_of_sight_and_still_there() -> None:
    with hidden(sys.executable) as (number, said):
        assert said == f"True {KEY} other\n"
        assert not Path(f"/proc/{number}/environ").read_bytes().strip(b"\0")


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None or not Path(PYTHON).exists(),
    reason="another user can be had by root alone, with setpriv and the system's Python",
)
@pytest.mark.parametrize("name", ["environ", "mem", "maps", "fd", "auxv"])
def test_a_process_of_the_same_user_reads_neither_memory_nor_descriptors(name: str) -> None:
    look = "import os, sys; (os.listdir if sys.argv[1][-2:] == 'fd' else open)(sys.argv[1])"
    with hidden(*NOBODY, PYTHON) as (number, said):
        assert KEY in said
        looked = subprocess.run(
            [*NOBODY, PYTHON, "-c", look, f"/proc/{number}/{name}"],
            capture_output=True,
            text=True,
            check=False,
        )
    assert "PermissionError" in looked.stderr
