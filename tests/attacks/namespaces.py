"""Commands in PID namespaces of their own, as in two containers: each of them is process 1."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence

import pytest

from tests.making import REPO

_NAMESPACE = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc")


def _has_namespaces() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode == 0


needs_namespaces = pytest.mark.skipif(
    not _has_namespaces(), reason="PID namespaces cannot be made here"
)


def at_once(
    commands: Sequence[Sequence[object]],
) -> Iterator["subprocess.CompletedProcess[str]"]:
    """Run `python ARGUMENT...` for each command at once, each in a namespace."""
    started = [
        subprocess.Popen(
            [*_NAMESPACE, sys.executable, *map(str, command)],
            cwd=REPO,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in commands
    ]
    for process in started:
        out, err = process.communicate()
        yield subprocess.CompletedProcess(process.args, process.returncode, out, err)
