"""Files of one folder that are moved into place together, on systems that cannot exchange folders.

The files are written into a hidden folder first. One rename gives that folder the name `COMMITTED`:
from then on the new files stand, and whoever finds them moves what is left of them into place.
"""

import os
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from bagen_data.errors import OutputError
from bagen_data.folder_staging import TOKEN_PATTERN, new_token

COMMITTED = ".replacement"
"""Name of the folder with files that stand instead of those of the same names beside it."""
_STAGING = f"{COMMITTED}-"
_STAGING_NAME = re.compile(rf"{re.escape(_STAGING)}{TOKEN_PATTERN}")


def new_staging(folder: Path) -> Path:
    """Make a hidden folder in another one, to write the files into."""
    staging = folder / f"{_STAGING}{new_token()}"
    staging.mkdir()
    return staging


def is_staging(name: str) -> bool:
    """Return whether a name in a folder is that of a replacement, committed or not."""
    return name == COMMITTED or _STAGING_NAME.fullmatch(name) is not None


def is_interrupted(folder: Path) -> bool:
    """Return whether files of a folder are only partly moved into place."""
    return os.path.lexists(folder / COMMITTED)


def commit(staging: Path, folder: Path) -> None:
    """Let written files stand, and move them into place."""
    staging.rename(folder / COMMITTED)
    finish(folder)


def finish(folder: Path) -> None:
    """Move what a committed replacement holds into place, and remove what an uncommitted one left.

    Raises:
        OutputError: what lies there is not what `commit` leaves.
        OSError: a file cannot be moved; the rest is moved by the next call.
    """
    for path in folder.glob(f"{_STAGING}{TOKEN_PATTERN}"):
        shutil.rmtree(path, ignore_errors=True)
    committed = folder / COMMITTED
    if not os.path.lexists(committed):
        return
    if not _is_folder(committed):
        raise OutputError(f"{committed}: is not a folder; remove it, it was not written by BAGEN")
    files = [(path, folder / path.relative_to(committed)) for path in files_of(committed)]
    for _, target in files:
        check_target(target, folder)
    for path, target in files:
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
    shutil.rmtree(committed)


def files_of(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder.

    Raises:
        OutputError: something else than files and folders lies there.
    """
    for path in sorted(folder.iterdir()):
        if _is_folder(path):
            yield from files_of(path)
        elif stat.S_ISREG(path.lstat().st_mode):
            yield path
        else:
            raise OutputError(f"{path}: is not a plain file; remove it")


def check_target(target: Path, folder: Path) -> None:
    """Refuse to move a file where a folder lies, or through a link out of its folder.

    Raises:
        OutputError: the message names what is in the way.
    """
    for path in (target, *target.parents):
        if path == folder:
            return
        is_folder = _is_folder(path)
        if os.path.lexists(path) and is_folder == (path == target):
            kind, expected = ("a folder", "a file") if is_folder else ("not a folder", "a folder")
            raise OutputError(f"{path}: is {kind}; expected {expected}; move it elsewhere")


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        return False
