"""Files that are written whole or not at all."""

import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bagen_data.file_locks import HAS_LOCKS

if HAS_LOCKS:
    import fcntl

_STAGING = re.compile(r"\.bagen-[0-9a-f]{16}\.partial")


@contextmanager
def replaced_file(path: Path) -> Iterator[Path]:
    """Give a file to write that becomes `path` when the block ends, or vanishes if it fails.

    Killed at any moment, `path` is the old file or the new one, and of two processes that write it
    at once the later one's stands. What a killed process left is removed by the next that writes
    into the folder; the file that a living one writes is locked, and so left alone. A link is
    followed, the mode of the old file is kept, and a device, a pipe or an open file's descriptor,
    as `/dev/stdout`, is written as it is. Windows has no such locks, so nothing is removed there.

    Args:
        path: the file; its folder is made if it is missing.

    Raises:
        OSError: the folder or the file cannot be written.
    """
    if _is_written_through(path):
        yield path
        return
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    if not HAS_LOCKS:
        with _staged(target) as staging:
            yield staging
        return
    _remove_leftovers(target.parent)
    staging, lock = _locked_staging(target.parent)
    try:
        with suppress(FileNotFoundError):
            staging.chmod(stat.S_IMODE(target.stat().st_mode))
        yield staging
        staging.replace(target)
    finally:
        staging.unlink(missing_ok=True)
        os.close(lock)


@contextmanager
def _staged(target: Path) -> Iterator[Path]:
    """Give a file that becomes `target`, and that no descriptor holds open when it does."""
    staging = _new_staging(target.parent)
    try:
        yield staging
        staging.replace(target)
    finally:
        staging.unlink(missing_ok=True)


def _new_staging(folder: Path) -> Path:
    """Return the path of a file that nobody else has; nothing is made."""
    return folder / f".bagen-{secrets.token_hex(8)}.partial"


def _is_written_through(path: Path) -> bool:
    """Return whether a path leads to a device, a pipe, or an open file, as `/dev/stdout` does."""
    return path.exists() and (not path.is_file() or _is_open_file(path))


def _is_open_file(path: Path) -> bool:
    """Return whether a path leads over a file descriptor, which `>>` may have opened to append."""
    while path.is_symlink():
        folder = path.parent.resolve()
        if folder.is_relative_to("/proc") and folder.name == "fd":
            return True
        path = folder / os.readlink(path)
    return path.parent == Path("/dev/fd")


def write_file(path: Path, text: str) -> None:
    """Write a file whole or not at all, in UTF-8, and have the disk keep it before it is shown.

    Raises:
        OSError: it cannot be written; the file that was there stays.
    """
    with replaced_file(path) as staging, staging.open("wb") as file:
        file.write(text.encode())
        file.flush()
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            os.fsync(file.fileno())


def _locked_staging(folder: Path) -> tuple[Path, int]:
    """Return a new file of a name that nobody else has, and the descriptor that locks it."""
    while True:
        path = _new_staging(folder)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        if _is_kept(path, file):
            return path, file
        os.close(file)


def _is_kept(path: Path, file: int) -> bool:
    """Lock a new file; returns False if it was taken for a leftover before it was locked."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # a file system without locks: nothing is removed there
    return path.exists()


def _remove_leftovers(folder: Path) -> None:
    """Remove files of killed processes: those that nobody has locked."""
    for path in folder.iterdir():
        if _STAGING.fullmatch(path.name):
            with suppress(OSError):  # it is locked, it was just removed, or it is not ours
                file = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    path.unlink()
                finally:
                    os.close(file)
