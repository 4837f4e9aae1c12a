"""Files of one folder that belong together, and are replaced together or not at all."""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bagen_data.exchange import exchange
from bagen_data.folder_staging import BUILDING, new_beside
from bagen_data.held_folder import HeldFolder
from bagen_data.replacement_journal import (
    check_target,
    commit,
    files_of,
    is_staging,
    new_staging,
)

_MOST_OTHERS = 1_000
"""Entries beside the replaced files up to which the whole folder is exchanged."""


@contextmanager
def replaced_set(held: HeldFolder) -> Iterator[Path]:
    """Give a folder to write files into, which all become those of `held` when the block ends.

    Files of other names stay as they are. If the block fails, nothing changes. Killed at any
    moment, all files are the old ones or all are the new ones: the folder is exchanged for one with
    the new files and hard links to the others. Where that cannot be (another system, no hard links,
    a mount, the current folder, more than 1,000 other files), a kill between two renames leaves
    new files that the next writer or reader moves into place: see `put_right`.

    Args:
        held: the folder; if it is absent, it appears with all its files.

    Raises:
        OutputError: a folder lies where a file is to be.
        OSError: the folder cannot be written.
    """
    folder = held.path
    exists = folder.is_dir()
    staging = new_staging(folder) if exists else new_beside(folder, BUILDING)
    staging.mkdir(exist_ok=True)
    try:
        yield staging
        _sync(staging)
        if exists:
            _replace(staging, folder)
        else:
            staging.rename(folder)
        _sync_folder(folder.parent)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _replace(staging: Path, folder: Path) -> None:
    for path in files_of(staging):
        target = folder / path.relative_to(staging)
        check_target(target, folder)
        if target.is_file():
            path.chmod(stat.S_IMODE(target.stat().st_mode))
    if not _exchanged(staging, folder):
        commit(staging, folder)


def _exchanged(staging: Path, folder: Path) -> bool:
    """Exchange the folder for one with the new files; returns False if that cannot be here."""
    if folder.is_mount() or _is_current(folder):
        return False
    whole = new_beside(folder, BUILDING)
    try:
        _link_new(staging, whole)
        if _link_others(folder, whole) > _MOST_OTHERS or not _is_alike(folder, whole):
            return False
        return exchange(whole, folder)
    except (OSError, NotImplementedError):  # Windows links no links
        return False
    finally:
        shutil.rmtree(whole, ignore_errors=True)  # once exchanged, what was there before


def _link_new(staging: Path, whole: Path) -> None:
    whole.mkdir()
    for path in files_of(staging):
        target = whole / path.relative_to(staging)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(path, target)


def _link_others(folder: Path, whole: Path) -> int:
    """Link what a folder holds besides the new files; returns how much, or stops at too much."""
    linked = 0
    whole.mkdir(exist_ok=True)
    with os.scandir(folder) as entries:
        for entry in entries:
            target = whole / entry.name
            if entry.is_dir(follow_symlinks=False):
                linked += 0 if is_staging(entry.name) else _link_others(Path(entry.path), target)
            elif not target.exists():
                os.link(entry.path, target, follow_symlinks=False)
                linked += 1
            if linked > _MOST_OTHERS:
                return linked
    shutil.copystat(folder, whole)
    return linked


def _is_alike(folder: Path, whole: Path) -> bool:
    """Return whether the new folder has the owner, group and mode of the one it replaces."""
    old, new = folder.stat(), whole.stat()
    return (old.st_uid, old.st_gid, old.st_mode) == (new.st_uid, new.st_gid, new.st_mode)


def _is_current(folder: Path) -> bool:
    try:
        return Path.cwd().is_relative_to(folder)
    except FileNotFoundError:  # it was removed
        return False


def _sync(folder: Path) -> None:
    """Have the disk keep the files of a folder before they are shown."""
    for path in files_of(folder):
        with path.open("r+b") as file:  # Windows syncs only what may be written
            os.fsync(file.fileno())
    _sync_folder(folder)


def _sync_folder(folder: Path) -> None:
    """Have the disk keep the names in a folder; Windows opens no folders."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    file = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
