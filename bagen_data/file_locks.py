"""Locks on files, so that two processes never write to one place at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from bagen_data.errors import OutputError

HAS_LOCKS = find_spec("fcntl") is not None
"""Whether the system has locks on files that end with their process; Windows has none."""
if HAS_LOCKS:
    import fcntl


@contextmanager
def held_lock(path: Path, busy: str) -> Iterator[None]:
    """Hold the lock of a file for the length of a block; the file is there as long as it is held.

    The kernel keeps the lock with the file, not with a process id, so it is good between containers
    that share a folder, and it ends with the process, however that ends. On NFS it is good between
    machines whose mount has locks (version 4, or version 3 with lockd; not with `nolock`), and on
    file systems without locks the block is refused.

    Windows has no such locks. There the file itself is the lock: what a killed process left has to
    be removed by hand, and the error says so.

    Args:
        path: the lock file, made and removed; its folder must exist.
        busy: the error's text where another process holds the lock.

    Raises:
        OutputError: another process holds it, it has content and so is not a lock of this project,
            or the file system has no locks.
    """
    if not HAS_LOCKS:
        with _made_file(path, busy):
            yield
        return
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        try:
            _take(file, path, busy)
            if _is_at(file, path):
                _refuse_content(file, path)
                break
        except BaseException:
            os.close(file)
            raise
        os.close(file)  # its holder removed the file meanwhile: take the new one
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(file)


@contextmanager
def _made_file(path: Path, busy: str) -> Iterator[None]:
    """Make a file for the length of a block, which no other process can make meanwhile.

    Raises:
        OutputError: the file exists.
    """
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    except FileExistsError as error:
        raise OutputError(
            f"{busy}; this system has no file locks, so if no process is running, one was ended "
            f"before it could remove {path}: remove it, or use WSL, where locks end by themselves"
        ) from error
    os.close(file)  # an open file cannot be removed there
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _take(file: int, path: Path, busy: str) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(busy) from error
    except OSError as error:
        raise OutputError(
            f"{path}: cannot be locked: {error.strerror}; give a folder of a file system with locks"
        ) from error


def _refuse_content(file: int, path: Path) -> None:
    size = os.fstat(file).st_size
    if size:
        raise OutputError(
            f"{path}: holds {size:,} bytes; expected no such file, or an empty one; its name is "
            "needed for a lock that is removed afterwards; move the file elsewhere"
        )


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
