"""A choice of logs: the family to read for a path that a user gives, and the file that is meant."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bagen_data.errors import InputError
from bagen_data.logs.harbor import trial_folder
from bagen_data.reading.labels import LABELS
from bagen_data.reading.origin import Family, family_at


@dataclass(frozen=True)
class LogChoice:
    """A family to read, and the one file of it that is meant, if any."""

    family: Family
    """The family; its task and model are empty where the folder has no family's name."""
    file: str | None
    """The file that is meant, relative to the family's folder; None for all files."""

    @property
    def is_alone(self) -> bool:
        """Whether the file is read without the others of its folder.

        The files of a family are read together, as all of them decide what bare counts mean.
        """
        return self.file is not None and not self.family.task

    def files(self, paths: Sequence[str]) -> Sequence[str]:
        """Return the files of the family that are to be read: one that stands alone, or all."""
        if self.file is None or (self.file in paths and not self.is_alone):
            return paths
        return [self.file]

    def is_meant(self, where: str) -> bool:
        """Return whether a place is in the file that is meant."""
        if self.file is None or where in (".", self.file):
            return True
        return where.startswith(self.file) and where[len(self.file)] in ":[ "


def choose_logs(path: Path) -> LogChoice:
    """Return what to read for a path.

    A file in a family's folder is read with its family; any other file is read alone, with the
    labels of the nearest folder above it that has some, or the result of its trial in Harbor.

    Args:
        path: a log, a family's folder, or any folder of logs.

    Raises:
        InputError: the path does not exist.
    """
    if not path.exists():
        raise InputError(f"{path}: does not exist; expected a log file or a folder of logs")
    path = Path(os.path.abspath(path))
    for folder in (path, *path.parents):
        family = family_at(folder) if folder.is_dir() else None
        if family is not None:
            return LogChoice(family, None if folder == path else str(path.relative_to(folder)))
    if path.is_dir():
        return LogChoice(Family(path, "", "", "benchmark"), None)
    labelled = (each for each in path.parents if (each / LABELS).is_file())
    folder = next(labelled, None) or trial_folder(path) or path.parent
    return LogChoice(Family(folder, "", "", "benchmark"), str(path.relative_to(folder)))
