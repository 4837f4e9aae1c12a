"""List what lies beside the families of an origin folder and may be a family's, but is not read."""

from collections.abc import Sequence

from bagen_data.family_name import parse_family_name
from bagen_data.folder_staging import is_beside
from bagen_data.locations import Location
from bagen_data.log_formats import known_suffixes
from bagen_data.reading.folder_listing import NOTES, NamedReason, has_suffix
from bagen_data.reading.origin import Family
from bagen_data.reading.origin_entries import OriginEntry, absolute, entries


def lost_entries(
    origin: Location, families: Sequence[Family], tasks: Sequence[str] | None
) -> list[NamedReason]:
    """Return links that lead nowhere, hidden families, and logs outside of families.

    Args:
        origin: the folder.
        families: those found in it; nothing is lost if the folder is a family itself.
        tasks: names of other tasks' families are left out; None for all tasks.
    """
    origin = absolute(origin)
    if any(family.folder == origin for family in families):
        return []
    reasons = ((entry.name, _reason(entry, tasks)) for entry in entries(origin))
    return [NamedReason(name, reason) for name, reason in reasons if reason]


def _reason(entry: OriginEntry, tasks: Sequence[str] | None) -> str:
    """Return why an entry is not read; empty if it is read, or is not a family's."""
    name = parse_family_name(entry.name.lstrip("."))
    if is_beside(entry.name) or (name and tasks is not None and name.task not in tasks):
        return ""
    if entry.kind == "broken link":
        return f"is a link to {entry.target}, which cannot be followed; correct or remove it"
    is_hidden = entry.name.startswith(".")
    if entry.kind == "folder":
        return (
            "is hidden: its name begins with a dot; rename or remove it"
            if name and is_hidden
            else ""
        )
    if name and not is_hidden:
        return "is not a folder; expected a folder of logs; rename or remove it"
    if entry.name not in NOTES and not is_hidden and has_suffix(entry.name, known_suffixes()):
        return "lies outside of a family's folder; move it into one, or remove it"
    return ""
