"""The files of a family's folder: what lies there, and the reading of each file."""

from dataclasses import dataclass
from typing import Protocol

from bagen_data.locations import Location, StoreUrl
from bagen_data.reading.folder_listing import FolderListing, list_folder, list_stored
from bagen_data.source_folders import LocalFolder, SourceFolder
from bagen_data.store_folder import StoreFolder


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


@dataclass(frozen=True)
class StoreSource(StoreFolder):
    """A family's folder in a store."""

    def listing(self) -> FolderListing:
        """List every file of the folder, and remember what each of them is."""
        listing = list_stored(self.list())
        self.read_in_order(listing.files)
        return listing


def family_source(folder: Location) -> FamilySource:
    """Return what reads the files of a family's folder."""
    return StoreSource(folder) if isinstance(folder, StoreUrl) else LocalSource(folder)
