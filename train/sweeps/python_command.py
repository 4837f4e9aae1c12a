"""Run a Python command of the project to its end, whatever interrupts the caller."""

import signal
import subprocess
import sys
from collections.abc import Sequence


def run_python(command: Sequence[str]) -> int:
    """Run a command of this Python, and return its exit code.

    Ctrl-C reaches the command as well, which ends what it started itself (processes on other GPUs,
    a file that is being written): it is waited for, where `subprocess.run` kills it after a quarter
    of a second. SIGTERM is sent on to it, which would go on alone and hold its folder.

    Args:
        command: the arguments of the interpreter.

    Raises:
        KeyboardInterrupt: the user interrupted it, and it has ended.
    """
    with subprocess.Popen([sys.executable, *command]) as process:  # noqa: S603
        before = signal.signal(signal.SIGTERM, lambda number, _: process.send_signal(number))
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.wait()
            raise
        finally:
            signal.signal(signal.SIGTERM, before)
