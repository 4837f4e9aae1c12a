"""Keep this process's keys from other processes of its user.

Linux shows the variables that a process was started with in /proc/PID/environ, whatever the process
does to its variables later, and its memory in /proc/PID/mem.
"""

import ctypes
import os
from pathlib import Path

_SET_DUMPABLE = 4
"""Option of prctl(2)."""
_ENVIRONMENT = Path("/proc/self/environ")
_STATE = Path("/proc/self/stat")
_START, _END = 47, 48
"""Places of `env_start` and `env_end` in the state, counted from the field after the name."""


def hide_environment() -> bool:
    """Take the variables out of what other processes can read; `os.environ` keeps them.

    The process also becomes one that only root may trace, and whose memory and descriptors only
    root may read. Call it before any other process is started.

    Returns:
        Whether the variables are out of sight; False on systems without /proc.
    """
    try:
        state = _STATE.read_bytes().rpartition(b")")[2].split()
        start, end = int(state[_START]), int(state[_END])
        for name, value in os.environ.items():
            os.putenv(name, value)  # C code gets a copy of its own, elsewhere in memory
        if 0 < start < end:
            ctypes.memset(start, 0, end - start)
        is_hidden = not _ENVIRONMENT.read_bytes().strip(b"\0")
        ctypes.CDLL(None).prctl(_SET_DUMPABLE, 0, 0, 0, 0)
    except (OSError, AttributeError):
        return False
    return is_hidden
