"""Entries of an origin, a folder or one of a store: folders of families, and others beside them."""

import os
from pathlib import Path
from typing import Literal, NamedTuple

from bagen_data.errors import InputError
from bagen_data.locations import Location, StoreUrl
from bagen_data.replacement_journal import COMMITTED, is_interrupted
from bagen_data.stores import list_folders, list_names


class OriginEntry(NamedTuple):
    """A file, folder or link in an origin folder."""

    name: str
    kind: Literal["folder", "file", "broken link"]
    """The kind of what a link leads to, where it leads to something."""
    target: str = ""
    """The path that a broken link names."""


def whole(origin: Location) -> Location:
    """Return the absolute place of an origin folder.

    Raises:
        InputError: it is absent, or is not a folder.
        StoreError: its store does not answer.
    """
    if isinstance(origin, StoreUrl):
        problem = _store_problem(origin)
    else:
        problem = "does not exist" if not origin.exists() else ""
        problem = "is not a folder" if not problem and not origin.is_dir() else problem
    if problem:
        advice = ""
        if isinstance(origin, Path) and origin.is_file():
            advice = f"; give the folder that holds it, {origin.parent}"
        raise InputError(f"--origin {origin}: {problem}; expected a folder of logs{advice}")
    return absolute(origin)


def absolute(origin: Location) -> Location:
    """Return a place that does not depend on the current folder; links are kept."""
    return Path(os.path.abspath(origin)) if isinstance(origin, Path) else origin


def _store_problem(origin: StoreUrl) -> str:
    try:
        names = list_names(origin)
        is_file = names == [origin.name] and not list_folders(origin)
    except FileNotFoundError:
        return "does not exist"
    except OSError as error:
        return f"cannot be listed: {error.strerror or error}"
    return "is not a folder" if is_file else ""


def entries(origin: Location) -> list[OriginEntry]:
    """List an origin folder, in order of the names."""
    if isinstance(origin, StoreUrl):
        folders = [OriginEntry(name, "folder") for name in list_folders(origin)]
        return sorted([*folders, *(OriginEntry(name, "file") for name in list_names(origin))])
    return sorted(_entry(path) for path in origin.iterdir())


def _entry(path: Path) -> OriginEntry:
    if path.is_symlink() and not os.path.exists(path):
        return OriginEntry(path.name, "broken link", os.readlink(path))
    return OriginEntry(path.name, "folder" if path.is_dir() else "file")


def is_half_replaced(folder: Location) -> bool:
    """Return whether files of a family's folder are only partly moved into place."""
    if isinstance(folder, StoreUrl):
        return COMMITTED in list_folders(folder)
    return is_interrupted(folder)
