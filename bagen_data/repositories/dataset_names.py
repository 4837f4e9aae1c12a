"""Names of datasets: a folder, a URL, `ORG/NAME` or `ORG/NAME@REV`, and the revisions they name.

A dataset is what its rows are: its revision is `revision` in `build.json`, the content revision,
wherever it lies. A commit of the Hub is a place where a content revision can be found.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.locations import Location, StoreUrl, parse_location
from bagen_data.replaced_folder import bring_back
from bagen_data.stores import read_location
from bagen_data.tables import BUILD_RECORD
from bagen_data.unique_keys import parse_json

_HUB_NAME = re.compile(r"(?P<id>\w[\w.-]*/\w[\w.-]*)(?:@(?P<revision>.*))?", re.ASCII | re.DOTALL)
_NOT_AN_ID = re.compile(r".*(?:--|\.\.).*|.*(?:[-.]|\.git)|.{97,}|.*[-.]/.*", re.DOTALL)
"""Ids that the Hub refuses."""
_REVISION = re.compile(r"\w(?:[\w.+/-]*[\w+-])?", re.ASCII)
"""The name of a branch, tag, commit or content revision."""
SHORTEST = 7
"""Characters of a commit or content revision that name it."""


@dataclass(frozen=True)
class DatasetName:
    """The parts of a dataset's name."""

    place: str
    """A folder, a URL, or an id on the Hub."""
    revision: str | None
    """The named revision: a branch, tag, commit, content revision or its beginning."""
    is_on_hub: bool
    """Whether `place` is an id on the Hub."""


def parse_dataset(text: str) -> DatasetName:
    """Return the parts of a dataset's name; a folder of the very name wins over an id.

    Raises:
        InputError: it is neither a folder, nor a URL, nor ORG/NAME or ORG/NAME@REV.
        WrongUsageError: the part after `@` names no revision.
        OutputError: the folder was moved away by a killed build, and cannot be brought back.
    """
    if is_folder(text):
        return DatasetName(text, None, False)
    folder, _, revision = text.rpartition("@")
    if folder and isinstance(parse_location(folder), Path) and is_folder(folder):
        return DatasetName(folder, _checked(revision), False)
    match = _HUB_NAME.fullmatch(text)
    is_id = match is not None and not _NOT_AN_ID.fullmatch(match["id"])
    if match is None or not is_id or os.path.exists(text.partition("/")[0]):
        raise InputError(
            f"{text}: no such folder; expected one that holds a built dataset, its URL, "
            "or a dataset on the Hub as ORG/NAME or ORG/NAME@REVISION"
        )
    named = match["revision"]
    return DatasetName(match["id"], None if named is None else _checked(named), True)


def at_revision(dataset: str, revision: object) -> str:
    """Join a dataset's name and a revision that was given apart from it.

    Args:
        dataset: a folder, a URL, `ORG/NAME` or `ORG/NAME@REV`.
        revision: a branch, tag, commit, content revision or its beginning; None leaves the name as
            it is. Tools that read options as YAML or JSON may give a number.

    Returns:
        `ORG/NAME@REV`; of a folder or URL, which holds one revision, its name alone.

    Raises:
        WrongUsageError: the revision is a number, the name has another one already, or the folder
            is of another one.
        InputError: as `parse_dataset`.
    """
    if revision is None:
        return dataset
    if not isinstance(revision, str):
        raise WrongUsageError(
            f"revision {revision!r}: was read as a number; give the dataset as ORG/NAME@REVISION"
        )
    name = parse_dataset(dataset)
    _checked(revision)
    if name.revision not in {None, revision}:
        raise WrongUsageError(
            f"{dataset}: names another revision than --revision {revision}; leave one of them out"
        )
    if name.is_on_hub:
        return f"{name.place}@{revision}"
    check_folder(parse_location(name.place), revision)
    return name.place


def check_folder(folder: Location, revision: str) -> None:
    """Refuse a folder or URL whose content revision is another one than is asked for.

    Raises:
        WrongUsageError: the content revision does not begin so.
    """
    try:
        actual = content_revision(parse_json(read_location(folder / BUILD_RECORD)))
    except (OSError, ValueError):
        actual = None
    if actual is None or not is_revision(revision, actual):
        stated = "states no revision" if actual is None else f"is of revision {actual}"
        raise WrongUsageError(
            f"{folder}: {stated}, and revision {revision} was asked for; expected the beginning of "
            "'revision' in its build.json, or a dataset on the Hub; leave the revision out"
        )


def is_revision(declared: str, actual: str) -> bool:
    """Return whether a text names a revision: the whole of it, or its beginning.

    >>> is_revision("531ad17", "531ad17e2c50"), is_revision("5", "531ad17e2c50")
    (True, False)
    """
    return declared == actual or (len(declared) >= SHORTEST and actual.startswith(declared))


def content_revision(record: Any) -> str | None:
    """Return the revision in the content of a `build.json`: an older build's is its seal.

    >>> content_revision({"revision": "531ad17e2c50"}), content_revision({"rows": 3})
    ('531ad17e2c50', None)
    """
    revision = record.get("revision", record.get("seal")) if isinstance(record, dict) else None
    return revision if isinstance(revision, str) else None


def is_folder(dataset: str) -> bool:
    """Return whether a dataset is a folder or a URL.

    A folder that a killed build had moved away is one, too.

    Raises:
        OutputError: it was moved away, and cannot be brought back.
    """
    location = parse_location(dataset)
    if isinstance(location, StoreUrl):
        return True
    bring_back(location)
    return location.is_dir()


def whole_name(dataset: str) -> str:
    """Return the name of a dataset that holds in any current folder.

    Raises:
        InputError, WrongUsageError, OutputError: as `parse_dataset`.
    """
    name = parse_dataset(dataset)
    location = parse_location(name.place)
    if name.is_on_hub or isinstance(location, StoreUrl):
        return dataset
    whole = os.path.realpath(location)
    return whole if name.revision is None else f"{whole}@{name.revision}"


def _checked(revision: str) -> str:
    if not _REVISION.fullmatch(revision) or ".." in revision:
        raise WrongUsageError(
            f"revision {revision!a:.80}: cannot name one; expected a branch, a tag, a commit, or "
            "'revision' of build.json, or the first 7 characters or more of these two"
        )
    return revision
