"""A Python that lacks what Windows lacks, in a process of its own.

    python tests/windows_like.py -m bagen_data score ...      a module, as `python -m` runs it
    python tests/windows_like.py -c "import bagen_data"       code

It is not Windows: paths, open files that cannot be renamed, and the console are those of this
system. It finds calls that only POSIX systems have.
"""

import ctypes
import os
import runpy
import shutil
import signal
import sys
from typing import Any

MODULES = ("fcntl", "grp", "pwd", "resource", "termios", "tty", "pty", "syslog")
CALLS = (
    *("fork", "forkpty", "getuid", "geteuid", "getgid", "getpgid", "killpg", "setsid", "setpgid"),
    *("pread", "preadv", "pwrite", "posix_fadvise", "sched_getaffinity", "mkfifo", "statvfs"),
    *("sysconf", "fchown", "chown", "wait3", "WNOHANG", "copy_file_range"),
    *("O_CLOEXEC", "O_DIRECTORY", "O_NOFOLLOW", "O_NONBLOCK", "O_SYNC", "O_NOCTTY"),
)
SIGNALS = ("SIGKILL", "SIGHUP", "SIGALRM", "SIGCHLD", "SIGPIPE", "SIGQUIT", "SIGUSR1", "alarm")


def become_windows_like() -> None:
    """Take away modules, calls and signals."""
    sys.modules.update(dict.fromkeys(MODULES))
    for name in CALLS:
        if hasattr(os, name):
            delattr(os, name)
    for name in SIGNALS:
        if hasattr(signal, name):
            delattr(signal, name)
    shutil._use_fd_functions = False  # type: ignore[attr-defined]
    for name in ("open", "stat", "link", "unlink", "rename", "mkdir", "scandir", "listdir"):
        setattr(os, name, _without_descriptors(name, getattr(os, name)))
    ctypes.CDLL = _no_own_symbols(ctypes.CDLL)  # type: ignore[assignment, misc]


def _without_descriptors(name: str, call: Any) -> Any:
    """Return a call of `os` that takes no descriptor of a folder, and opens no folder."""

    def called(path: Any, *rest: Any, **options: Any) -> Any:
        if any(options.get(key) is not None for key in ("dir_fd", "src_dir_fd", "dst_dir_fd")):
            raise NotImplementedError("dir_fd unavailable on this platform")
        if name == "link" and options.get("follow_symlinks") is False:
            raise NotImplementedError("link: follow_symlinks unavailable on this platform")
        if name in {"listdir", "scandir"} and isinstance(path, int):
            raise TypeError(f"{name}: path should be string, not int")
        if name == "open" and os.path.isdir(path):
            raise PermissionError(13, "Permission denied", str(path))
        return call(path, *rest, **options)

    return called


def _no_own_symbols(library: Any) -> Any:
    def loaded(name: Any, *rest: Any, **options: Any) -> Any:
        if name is None:
            raise TypeError("bad argument type for built-in operation")
        return library(name, *rest, **options)

    return loaded


def main(kind: str, what: str, *rest: str) -> None:
    """Run a module or code in what is left."""
    import encodings.idna  # noqa: F401  the standard library imports what it needs of POSIX first
    import multiprocessing.popen_spawn_posix  # noqa: F401
    import random  # noqa: F401
    import subprocess  # noqa: F401
    import tempfile  # noqa: F401
    import threading  # noqa: F401

    become_windows_like()
    sys.argv = [what, *rest]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(what)  # noqa: S102


if __name__ == "__main__":
    main(*sys.argv[1:])
