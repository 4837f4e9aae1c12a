"""Two folders that swap their names in one step, where the system can do that."""

import ctypes
import errno
import os
from pathlib import Path

_HERE = -100
"""`AT_FDCWD` of the kernel's calls: paths are relative to the current folder."""
_EXCHANGE = 2
"""`RENAME_EXCHANGE`: two paths swap what they name in one step."""
_NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM)
"""Answers of kernels and file systems that cannot exchange."""


def exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; returns whether the system can do that.

    Raises:
        OSError: the system can, and this swap failed.
    """
    try:
        library = ctypes.CDLL(None, use_errno=True)
    except TypeError:  # of Windows, whose calls are not those of a process's own library
        return False
    if not hasattr(library, "renameat2"):
        return False
    if library.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NO_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number))
