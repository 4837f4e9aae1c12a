"""List what lies beside the families of an origin folder and may be a family's, but is not read."""

import os
from collections.abc import Sequence
from pathlib import Path

from bagen_data.family_name import parse_family_name
from bagen_data.folder_staging import is_beside
from builders.formats import known_suffixes
from builders.reading.folder_listing import NOTES, NamedReason, has_suffix
from builders.reading.origin import Family


def lost_entries(
    origin: Path, families: Sequence[Family], tasks: Sequence[str] | None
) -> list[NamedReason]:
    """Return links that lead nowhere, hidden families, and logs outside of families.

    Args:
        origin: the folder.
        families: those found in it; nothing is lost if the folder is a family itself.
        tasks: names of other tasks' families are left out; None for all tasks.
    """
    origin = Path(os.path.abspath(origin))
    if any(family.folder == origin for family in families):
        return []
    reasons = ((path, _reason(path, tasks)) for path in sorted(origin.iterdir()))
    return [NamedReason(path.name, reason) for path, reason in reasons if reason]


def _reason(path: Path, tasks: Sequence[str] | None) -> str:
    """Return why an entry is not read; empty if it is read, or is not a family's."""
    name = parse_family_name(path.name.lstrip("."))
    if is_beside(path.name) or (name and tasks is not None and name.task not in tasks):
        return ""
    if path.is_symlink() and not os.path.exists(path):
        return f"is a link to {os.readlink(path)}, which cannot be followed; mend or remove it"
    is_hidden = path.name.startswith(".")
    if path.is_dir():
        return (
            "is hidden: its name begins with a dot; rename or remove it"
            if name and is_hidden
            else ""
        )
    if name and not is_hidden:
        return "is not a folder; expected a folder of logs; rename or remove it"
    if path.name not in NOTES and not is_hidden and has_suffix(path.name, known_suffixes()):
        return "lies outside of a family's folder; move it into one, or remove it"
    return ""
