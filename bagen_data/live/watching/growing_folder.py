"""A folder of logs that agents write to while they are read."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from bagen_data.reading.folder_listing import FolderListing
from bagen_data.source_folders import LocalFolder, OpenFile
from bagen_data.steady_files import FileDigest, HeldCopy, HeldFile, HeldPrefix, Mark


@dataclass(frozen=True)
class GrowingFolder(LocalFolder):
    """Some files of a folder, each as it stood at the first look at it.

    A JSONL file is read up to where it ended then, however quickly lines are appended. Any other
    file is refused if it changes while it is read, as half of it may be of another state.
    """

    paths: Sequence[str] = ()
    """The files, relative to the folder."""
    _held: dict[str, HeldCopy] = field(default_factory=dict)

    def listing(self) -> FolderListing:
        """List the files that exist."""
        return FolderListing(sorted(path for path in self.paths if (self.path / path).is_file()))

    @contextmanager
    def opened(self, relative: str) -> Iterator[OpenFile]:
        """Open a file as it stood at the first look."""
        held = self.held(relative)
        with held.open() as stream:
            yield OpenFile(stream, held.digest.mark)

    def held(
        self, relative: str, *, memory: int = 1 << 24, scratch: Path | None = None
    ) -> HeldCopy:
        """Return a copy of a file as it stood at the first look.

        Args:
            relative: the file.
            memory: bytes of a copy that stays in memory.
            scratch: the folder of longer copies; the system's if None.
        """
        if relative not in self._held:
            is_appended = relative.lower().endswith(".jsonl")
            copy = HeldPrefix if is_appended else HeldFile
            self._held[relative] = copy(self.path / relative, memory=memory, scratch=scratch)
        return self._held[relative]

    def copied(self, relative: str, target: IO[bytes]) -> FileDigest:
        """Copy a file as it stood at the first look."""
        held = self.held(relative)
        with held.open() as stream:
            while block := stream.read(_BLOCK):
                target.write(block)
        return held.digest

    def mark(self, relative: str) -> Mark:
        """Return the facts of a file at the first look."""
        return self.held(relative).digest.mark


_BLOCK = 1 << 20
