"""Worker processes: they leave Ctrl-C to their parent, and do not outlive it."""

import ctypes
import os
import signal
import sys

_SET_DEATH_SIGNAL = 1
"""prctl's PR_SET_PDEATHSIG."""


def die_with(parent: int) -> None:
    """Set a worker up: the kernel kills it when its parent dies, where it can.

    Args:
        parent: the process that started it.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
