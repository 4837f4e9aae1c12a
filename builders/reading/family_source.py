"""The files of a family's folder: what lies there, and the reading of each file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bagen_data.source_folders import LocalFolder, SourceFolder
from builders.reading.folder_listing import FolderListing, list_folder


class FamilySource(SourceFolder, Protocol):
    """A family's folder, wherever it lies."""

    def listing(self) -> FolderListing:
        """List every file of the folder."""


@dataclass(frozen=True)
class LocalSource(LocalFolder):
    """A family's folder in this machine's file system."""

    def listing(self) -> FolderListing:
        """List every file of the folder. Links to folders are never followed."""
        return list_folder(str(self.path))


def family_source(folder: Path) -> FamilySource:
    """Return what reads the files of a family's folder."""
    return LocalSource(folder)
