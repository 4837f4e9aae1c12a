"""Folders that are written whole or not at all."""

import ctypes
import errno
import glob
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bagen_data.errors import OutputError
from bagen_data.file_locks import held_lock

_HERE = -100
"""`AT_FDCWD` of the kernel's calls: paths are relative to the current folder."""
_EXCHANGE = 2
"""`RENAME_EXCHANGE`: two paths swap what they name in one step."""
_NO_EXCHANGE = (errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.EPERM)
"""Answers of kernels and file systems that cannot exchange."""


@contextmanager
def replaced_folder(out: Path, may_replace: Iterable[str]) -> Iterator[Path]:
    """Give a folder to write into that becomes `out` when the block ends, or vanishes if it fails.

    Killed at any moment, `out` is the old folder or the new one. Where the file system can exchange
    two folders, as those of Linux do, `out` is never absent; elsewhere it is for a moment, and a
    run that was killed in it is put right by the next. What an interrupted run left beside `out` is
    removed by the next one. One process at a time writes to `out`: see `held_lock`.

    Args:
        out: absent, empty, or a folder whose files are all named in `may_replace`.
        may_replace: paths relative to `out`, with `/`.

    Raises:
        OutputError: `out` holds other files, is not a folder, cannot be written, or another process
            is writing it.
    """
    out = out.resolve()
    ours = set(may_replace)
    _refuse_foreign(out, ours)
    lock = out.parent / f".{out.name}.lock"
    busy = f"{out}: another process is writing it; wait for its end, or give another --out"
    with ExitStack() as stack:
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            stack.enter_context(held_lock(lock, busy))
            _refuse_foreign(out, ours)  # the one before us may have changed it
            _remove_leftovers(out)
            staging = _beside(out, "building")
            staging.mkdir()
        except OSError as error:
            raise OutputError(f"{out}: cannot be written: {error.strerror or error}") from error
        stack.callback(shutil.rmtree, staging, ignore_errors=True)
        yield staging
        _swap(staging, out)


def _refuse_foreign(out: Path, ours: set[str]) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise OutputError(f"{out}: is not a folder; give another --out")
    if out.is_mount() or Path.cwd().is_relative_to(out):
        raise OutputError(f"{out}: is in use as a mount or the current folder; give another --out")
    present = {path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir()}
    foreign = sorted(present - ours)
    if foreign:
        listed = ", ".join(foreign[:5]) + (" ..." if len(foreign) > 5 else "")
        raise OutputError(
            f"{out}: holds {len(foreign)} file(s) that no build wrote ({listed}); "
            "nothing was touched; give an empty or new folder as --out"
        )


def _swap(staging: Path, out: Path) -> None:
    if not out.exists():
        staging.rename(out)
    elif not _exchange(staging, out):
        replaced = _beside(out, "replaced")
        out.rename(replaced)
        try:
            staging.rename(out)
        except OSError:
            replaced.rename(out)
            raise
        shutil.rmtree(replaced)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; returns whether the system can do that."""
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "renameat2"):
        return False
    if library.renameat2(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0:
        return True
    number = ctypes.get_errno()
    if number in _NO_EXCHANGE:
        return False
    raise OSError(number, os.strerror(number))


def _beside(out: Path, kind: str) -> Path:
    return out.parent / f".{out.name}.{kind}-{secrets.token_hex(8)}"


def _remove_leftovers(out: Path) -> None:
    """Remove what killed runs left; one killed between its two renames had moved `out` away."""
    for kind in ("replaced", "building"):
        for path in out.parent.glob(f".{glob.escape(out.name)}.{kind}-*"):
            if kind == "replaced" and not out.exists():
                path.rename(out)
            else:
                shutil.rmtree(path, ignore_errors=True)
