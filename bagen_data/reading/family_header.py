"""The header of a family, which every shard needs: made once, and loaded once by each process."""

import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from bagen_data.locations import Location
from bagen_data.reading.family_files import FamilyFiles
from bagen_data.reading.family_source import FamilySource
from bagen_data.reading.labels import FamilyLabels, read_labels
from bagen_data.reading.noticed import Looks, Notice
from bagen_data.reading.origin import Family
from bagen_data.reading.outcomes import OutcomeRules
from bagen_data.reading.reading_options import ReadingOptions
from bagen_data.stores import read_location, remove_file, staged_file

_KEPT = 2
"""Headers that a process keeps; the jobs of families come one family after the other."""
_headers: OrderedDict[Location, "FamilyHeader"] = OrderedDict()
"""Headers of this process by their files, the one that was used last at the end."""


@dataclass(frozen=True)
class FamilyHeader:
    """A family before its rollouts are read."""

    files: FamilyFiles
    """The listing, and what an evaluation report says."""
    outcomes: OutcomeRules
    options: ReadingOptions
    notices: tuple[Notice, ...]
    """Notices from before any rollout."""
    looks: Looks
    """The files that were looked at before any rollout was read."""


def read_header(
    family: Family,
    scratch: Path | None,
    options: ReadingOptions,
    source: FamilySource | None = None,
) -> FamilyHeader:
    """Read what a family's folder states beside its rollouts.

    Args:
        family: which.
        scratch: the folder of temporary copies; the system's if None.
        options: how the family is read.
        source: what reads its files; the reader of such a folder if None.
    """
    files = FamilyFiles(family, scratch, source)
    labels = read_labels(files.label_lines()) if files.has_labels else FamilyLabels()
    notices = tuple(files.taken_notices())
    outcomes = OutcomeRules(options.success, labels)
    return FamilyHeader(files, outcomes, options, notices, files.taken_looks())


def stored_header(header: FamilyHeader, folder: Location) -> Location:
    """Write a header to a file below a folder, for other processes; return the file.

    A process keeps what its formats survey of the whole family with the header.
    """
    path = folder / f"header-{uuid4().hex}"
    with staged_file(path) as local:
        local.write_bytes(pickle.dumps(header, pickle.HIGHEST_PROTOCOL))
    _keep(path, header)
    return path


def remove_header(path: Location) -> None:
    """Remove the file of a header, and what this process keeps of it."""
    _headers.pop(path, None)
    remove_file(path)


def loaded_header(path: Location) -> FamilyHeader:
    """Return the header of a file, loaded if this process did not keep it."""
    if path not in _headers:
        _keep(path, pickle.loads(read_location(path)))  # noqa: S301  our own
    _headers.move_to_end(path)
    return _headers[path]


def _keep(path: Location, header: FamilyHeader) -> None:
    _headers[path] = header
    if len(_headers) > _KEPT:
        _headers.popitem(last=False)
