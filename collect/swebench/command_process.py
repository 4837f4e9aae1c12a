"""Processes of shell commands: started in a session of their own, and ended as a group."""

import os
import signal
import subprocess
from contextlib import suppress

from collect.swebench.containment import Launch


def start(launch: Launch, output: int) -> "subprocess.Popen[str]":
    """Start a command, which reads nothing and sees no variable of this process.

    Args:
        launch: the way in which the command is started.
        output: a value of `subprocess`: where the command's standard output and errors go.
    """
    return subprocess.Popen(
        launch.argv,
        cwd=launch.folder,
        env=launch.environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    )


def kill_group(process: "subprocess.Popen[str]") -> None:
    """End a command with all that it left running, as far as it stayed in its session."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
