"""Folders that are written whole or not at all."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bagen_data.errors import OutputError
from bagen_data.exchange import exchange
from bagen_data.file_locks import held_lock
from bagen_data.folder_staging import (
    BUILDING,
    REPLACED,
    is_moved_away,
    lock_beside,
    new_beside,
    remove_leftovers,
)


@contextmanager
def replaced_folder(out: Path, may_replace: Iterable[str]) -> Iterator[Path]:
    """Give a folder to write into that becomes `out` when the block ends, or vanishes if it fails.

    Killed at any moment, `out` is the old folder or the new one. Where the file system can exchange
    two folders, as those of Linux do, `out` is never absent; elsewhere it is for a moment, and a
    run that was killed in it is put right by the next reader or writer of `out`: see `bring_back`.
    What an interrupted run left beside `out` is removed by the next one. One process at a time
    writes to `out`: see `held_lock`.

    Args:
        out: absent, empty, or a folder whose files are all named in `may_replace`.
        may_replace: paths relative to `out`, with `/`.

    Raises:
        OutputError: `out` holds other files, linked or empty folders, is not a folder, cannot be
            read or written, or another process is writing it.
    """
    out = out.resolve()
    ours = set(may_replace)
    _refuse_foreign(out, ours)
    with ExitStack() as stack:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(held_lock(lock_beside(out), _busy(out)))
            _refuse_foreign(out, ours)  # the one before us may have changed it
            remove_leftovers(out)
            staging = new_beside(out, BUILDING)
            staging.mkdir()
        except OSError as error:
            raise OutputError(f"{out}: cannot be written: {error.strerror or error}") from error
        stack.callback(shutil.rmtree, staging, ignore_errors=True)
        yield staging
        _swap(staging, out)


def bring_back(out: Path) -> None:
    """Undo the first of the two renames of a process that was killed before the second.

    Readers call it before they say that `out` is missing; nothing is done where it is not, or
    where nothing was moved away.

    Raises:
        OutputError: a process is writing `out` just now, or `out` cannot be brought back.
    """
    out = out.resolve()
    if not is_moved_away(out):
        return
    try:
        with held_lock(lock_beside(out), _busy(out)):
            remove_leftovers(out)
    except OSError as error:
        raise OutputError(
            f"{out}: was moved away by a process that was killed, and cannot be brought back: "
            f"{error.strerror or error}; give the command that writes it again"
        ) from error


def _busy(out: Path) -> str:
    return f"{out}: another process is writing it; wait for its end, or give another --out"


def _refuse_foreign(out: Path, ours: set[str]) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(f"{out}: is not a folder; give another --out")
    if out.is_mount() or Path.cwd().is_relative_to(out):
        raise OutputError(f"{out}: is in use as a mount or the current folder; give another --out")
    foreign = sorted(_entries(out, ours) - ours)
    if foreign:
        listed = ", ".join(foreign[:5]) + (" ..." if len(foreign) > 5 else "")
        raise OutputError(
            f"{out}: holds {len(foreign)} file(s), linked or empty folder(s) that no build wrote "
            f"({listed}); nothing was touched; give an empty or new folder as --out"
        )


def _entries(out: Path, ours: set[str]) -> set[str]:
    """Return what a folder holds: files, links, and empty folders that end in `/`.

    An empty folder that files of ours are in otherwise is left out.
    """
    parents = {parent for path in ours for parent in Path(path).parents}
    entries: set[str] = set()
    try:
        for folder, folders, files in os.walk(out, onerror=_raise):
            inside = Path(folder).relative_to(out)
            links = [name for name in folders if (out / inside / name).is_symlink()]
            entries.update((inside / name).as_posix() for name in (*files, *links))
            if not folders and not files and inside not in (Path(), *parents):
                entries.add(f"{inside.as_posix()}/")
    except OSError as error:
        raise OutputError(
            f"{error.filename}: cannot be read: {error.strerror or error}; expected only files "
            "that a build wrote; nothing was touched; give an empty or new folder as --out"
        ) from error
    return entries


def _raise(error: OSError) -> None:
    raise error


def _swap(staging: Path, out: Path) -> None:
    if not out.exists():
        staging.rename(out)
    elif not exchange(staging, out):
        replaced = new_beside(out, REPLACED)
        out.rename(replaced)
        try:
            staging.rename(out)
        except OSError:
            replaced.rename(out)
            raise
        shutil.rmtree(replaced)
