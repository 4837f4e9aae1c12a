"""Folders beside an output folder while it is replaced, and what killed processes left of them."""

import glob
import os
import secrets
import shutil
from pathlib import Path

BUILDING, REPLACED = "building", "replaced"
"""Kinds of folders beside an output: the next one, until it is complete, and the one before."""


def lock_beside(out: Path) -> Path:
    """Return the lock file of whoever writes to an output folder, in the folder's parent."""
    return out.parent / f".{out.name}.lock"


def new_beside(out: Path, kind: str) -> Path:
    """Return a path beside an output folder that nobody else has; nothing is made."""
    return out.parent / f".{out.name}.{kind}-{secrets.token_hex(8)}"


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
    """Whether a process was killed, or is just now, between the two renames of its output."""
    return not os.path.exists(out) and bool(_beside(out, REPLACED))


def _beside(out: Path, kind: str) -> list[Path]:
    pattern = f"{glob.escape(str(out.parent))}/.{glob.escape(out.name)}.{kind}-*"
    return [Path(path) for path in glob.glob(pattern)]
