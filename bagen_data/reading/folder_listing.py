"""List what lies in a family's folder: each file is to be read, refused or ignored, by name."""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from bagen_data.log_formats import known_suffixes
from bagen_data.reading.labels import LABEL_LAYOUT, LABELS, is_other_labels

NOTES = ("collection.yaml", "README.md", "LICENSE", "LICENSE.md", ".gitattributes")
"""Files about a family, in its folder, that hold no rollout and no outcome."""

_HIDDEN = "is hidden: its name begins with a dot"


@dataclass(frozen=True)
class NamedReason:
    """A path relative to the family's folder, and why it is not used."""

    path: str
    reason: str


@dataclass
class FolderListing:
    """The content of a folder; paths are relative to it, with `/`, in order."""

    files: list[str] = field(default_factory=list)
    """Files that may hold rollouts."""
    refused: list[NamedReason] = field(default_factory=list)
    """Folders that cannot be listed, and links that leave the folder."""
    ignored: list[NamedReason] = field(default_factory=list)
    """Files of no known ending, hidden files and folders, and links to folders of the family."""


def list_folder(folder: str) -> FolderListing:
    """List every file below a folder. Links to folders are never followed."""
    listing = FolderListing()
    _list(folder, "", os.path.realpath(folder), known_suffixes(), listing)
    for part in (listing.refused, listing.ignored):
        part.sort(key=lambda each: each.path)
    listing.files.sort()
    return listing


def list_stored(paths: Iterable[str]) -> FolderListing:
    """Sort the files of a store's folder, which has neither links nor empty folders."""
    listing, suffixes = FolderListing(), known_suffixes()
    hidden = set()
    for path in sorted(paths):
        parts = path.split("/")
        depth = next((n for n, part in enumerate(parts[:-1], 1) if part.startswith(".")), 0)
        if depth:
            hidden.add("/".join(parts[:depth]))
        else:
            _list_file(path, suffixes, listing)
    listing.ignored += [NamedReason(path, _HIDDEN) for path in hidden]
    listing.ignored.sort(key=lambda each: each.path)
    return listing


def _list(
    folder: str, below: str, root: str, suffixes: tuple[str, ...], listing: FolderListing
) -> None:
    try:
        with os.scandir(f"{folder}/{below}") as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
    except OSError as error:
        reason = f"cannot be listed: {error.strerror}; make it readable, or remove it"
        listing.refused.append(NamedReason(below.rstrip("/") or ".", reason))
        return
    for entry in entries:
        path = f"{below}{entry.name}"
        real = os.path.realpath(entry.path) if entry.is_symlink() else ""
        if real and not _is_within(real, root):
            reason = "is a link that leaves the family; copy what it names, or link the family"
            listing.refused.append(NamedReason(path, reason))
        elif real and os.path.islink(real):
            reason = "is a link that leads back to itself; remove it"
            listing.refused.append(NamedReason(path, reason))
        elif not entry.is_dir():
            _list_file(path, suffixes, listing)
        elif real:
            listing.ignored.append(NamedReason(path, "is a link to a folder of the family itself"))
        elif entry.name.startswith("."):
            listing.ignored.append(NamedReason(path, _HIDDEN))
        else:
            _list(folder, f"{path}/", root, suffixes, listing)


def _is_within(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")


def _list_file(path: str, suffixes: tuple[str, ...], listing: FolderListing) -> None:
    if path in NOTES:
        return
    if os.path.basename(path).startswith("."):
        listing.ignored.append(NamedReason(path, _HIDDEN))
    elif has_suffix(path, suffixes):
        listing.files.append(path)
    else:
        reason = f"does not end in {', '.join(suffixes)}"
        if is_other_labels(path):
            reason += f"; labels are lines of {LABELS}: {LABEL_LAYOUT}"
        listing.ignored.append(NamedReason(path, reason))


def has_suffix(path: str, suffixes: Iterable[str]) -> bool:
    """Return whether a path ends in one of the suffixes, in any case.

    >>> has_suffix("a.JSON", [".json"])
    True
    """
    return path.lower().endswith(tuple(suffixes))
