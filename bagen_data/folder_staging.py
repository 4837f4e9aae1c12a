"""Folders beside an output folder while it is replaced, and what killed processes left of them."""

import glob
import os
import re
import secrets
import shutil
from pathlib import Path

BUILDING, REPLACED = "building", "replaced"
"""Kinds of folders beside an output: the next one, until it is complete, and the one before."""
_TOKEN_BYTES = 8
TOKEN_PATTERN = "[0-9a-f]" * (2 * _TOKEN_BYTES)
"""The end of a staging folder's name, as a glob and as a regular expression: 16 hex digits."""
_BESIDE = re.compile(rf"\..+\.(lock|({BUILDING}|{REPLACED})-{TOKEN_PATTERN})", re.DOTALL)


def new_token() -> str:
    """Return a new end of a staging folder's name, which fits `TOKEN_PATTERN`."""
    return secrets.token_hex(_TOKEN_BYTES)


def lock_beside(out: Path) -> Path:
    """Return the lock file of the writer of an output folder, in the folder's parent."""
    return out.parent / f".{out.name}.lock"


def new_beside(out: Path, kind: str) -> Path:
    """Return a path beside an output folder that nobody else has; nothing is made."""
    return out.parent / f".{out.name}.{kind}-{new_token()}"


def is_beside(name: str) -> bool:
    """Return whether a name is that of a lock or a staging folder beside an output folder.

    >>> is_beside(".out.lock"), is_beside(".out.building-0123456789abcdef"), is_beside(".out")
    (True, True, False)
    """
    return _BESIDE.fullmatch(name) is not None


def remove_leftovers(out: Path) -> None:
    """Remove what killed processes left beside an output folder; its lock must be held.

    A process that was killed between two renames had moved the output away: that is undone.
    """
    for kind in (REPLACED, BUILDING):
        for path in _beside(out, kind):
            if kind == REPLACED and not out.exists():
                path.rename(out)
            else:
                shutil.rmtree(path, ignore_errors=True)


def is_moved_away(out: Path) -> bool:
    """Return whether a process was killed, or is now, between the two renames of its output."""
    return not os.path.exists(out) and bool(_beside(out, REPLACED))


def _beside(out: Path, kind: str) -> list[Path]:
    """Return the folders that `new_beside` named; files, links and other names are left alone."""
    pattern = f"{glob.escape(str(out.parent))}/.{glob.escape(out.name)}.{kind}-{TOKEN_PATTERN}"
    paths = (Path(path) for path in glob.glob(pattern))
    return [path for path in paths if path.is_dir() and not path.is_symlink()]
