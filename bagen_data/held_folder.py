"""Folders that one process at a time writes to, and that the next one puts right."""

import errno
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bagen_data.errors import OutputError
from bagen_data.file_locks import held_lock
from bagen_data.folder_staging import lock_beside, remove_leftovers
from bagen_data.replacement_journal import finish, is_interrupted

LOCK = ".lock"
"""The lock file in a folder, as long as a process writes to it."""
_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)
"""Errors of a folder whose parent may not be written, as that of a mounted one."""


@dataclass(frozen=True)
class HeldFolder:
    """A folder that no other process of the project writes to; `held_folder` gives one."""

    path: Path
    """The folder, resolved; it may be absent."""


@contextmanager
def held_folder(folder: Path) -> Iterator[HeldFolder]:
    """Hold a folder for the length of a block, after what a killed process left is put right.

    There are two locks: a file beside the folder, and one in it if it exists. So two processes
    share one even where the folder is mounted, or where only one of them may write its parent.
    `held_lock` says how far a lock reaches.

    Args:
        folder: the folder, which may be absent; its parent is made if it is missing.

    Raises:
        OutputError: another process writes to it, it is not a folder, or it cannot be written.
    """
    with ExitStack() as stack:
        yield _hold(folder, stack, _leave)


@contextmanager
def made_folder(folder: Path) -> Iterator[HeldFolder]:
    """Hold a folder as `held_folder` does, made if it is absent, removed again if it stays empty.

    Raises:
        OutputError: as `held_folder`.
    """
    with ExitStack() as stack:
        yield _hold(folder, stack, _make)


def put_right(folder: Path) -> None:
    """Put a folder right of which some files were moved into place when their writer was killed.

    Readers call it first. Nothing is done, and no lock is taken, where nothing is to be put right.

    Raises:
        OutputError: a process is writing the folder just now, or it may not be written.
    """
    if not is_interrupted(folder):
        return
    try:
        with held_folder(folder):
            pass  # taking hold of it is what puts it right
    except OutputError as error:
        raise OutputError(
            f"{folder}: only some of its new files are in place, and the rest cannot be moved "
            f"there: {error}"
        ) from error


def _hold(folder: Path, stack: ExitStack, prepare: Callable[[Path, ExitStack], None]) -> HeldFolder:
    """Take both locks; in between, with that beside the folder held, prepare the folder."""
    path = folder.resolve()
    busy = f"{folder}: another process is writing it; wait for its end, or give another --out"
    if path.exists() and not path.is_dir():
        raise OutputError(f"{folder}: is not a folder; give another --out")
    try:
        _hold_beside(path, busy, stack)
        prepare(path, stack)
        if path.is_dir():
            stack.enter_context(held_lock(path / LOCK, busy))
            finish(path)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return HeldFolder(path)


def _hold_beside(path: Path, busy: str, stack: ExitStack) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        stack.enter_context(held_lock(lock_beside(path), busy))
        remove_leftovers(path)
    except OSError as error:
        if error.errno not in _CLOSED or not path.is_dir():
            raise


def _leave(_path: Path, _stack: ExitStack) -> None:
    """Leave a folder absent or as it is."""


def _make(path: Path, stack: ExitStack) -> None:
    if not path.exists():
        path.mkdir()
        stack.callback(_remove_if_empty, path)


def _remove_if_empty(path: Path) -> None:
    with suppress(OSError):  # the folder is not empty
        path.rmdir()
