"""Folders whose files are read: all that a reader asks of a file system goes through one object."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, NamedTuple, Protocol

from bagen_data.steady_files import (
    FileDigest,
    FileMark,
    HeldCopy,
    HeldFile,
    Mark,
    copy_file,
    steady_file,
)


class OpenFile(NamedTuple):
    """A file that is open for reading."""

    stream: BufferedReader
    mark: Mark


class SourceFolder(Protocol):
    """A folder whose files others may change while they are read; it can be pickled.

    Files are named by paths relative to the folder, with `/`. Each method raises an `OSError`
    where a file cannot be read, and one that `has_changed` knows where it did not stay as it was.
    """

    def place(self, relative: str) -> object:
        """Return the path or URL of a file, for messages."""

    def opened(self, relative: str) -> AbstractContextManager[OpenFile]:
        """Open a file, and refuse it at the end of the block if it changed since."""

    def held(self, relative: str, *, memory: int, scratch: Path | None) -> HeldCopy:
        """Return a copy of a file, read once.

        Args:
            relative: the file.
            memory: bytes of a copy that stays in memory.
            scratch: the folder of longer copies; the system's if None.
        """

    def copied(self, relative: str, target: IO[bytes]) -> FileDigest:
        """Copy a file, and hash what is copied."""

    def part(self, relative: str, start: int, stop: int) -> tuple[bytes, Mark]:
        """Return the bytes of a file from `start` up to `stop`, and the facts of the whole file."""

    def mark(self, relative: str) -> Mark:
        """Return the facts of a file as it is now."""

    def size(self, relative: str) -> int:
        """Return the bytes of a file, as it is now or was listed."""


@dataclass(frozen=True)
class LocalFolder:
    """A folder of this machine's file system."""

    path: Path

    def place(self, relative: str) -> Path:
        """Return the path of a file."""
        return self.path / relative

    @contextmanager
    def opened(self, relative: str) -> Iterator[OpenFile]:
        """Open a file, and refuse it at the end of the block if it changed since."""
        with steady_file(self.path / relative) as file:
            yield OpenFile(file.stream, file.mark)

    def held(self, relative: str, *, memory: int, scratch: Path | None) -> HeldCopy:
        """Return a copy of a file, read once."""
        return HeldFile(f"{self.path}/{relative}", memory=memory, scratch=scratch)

    def copied(self, relative: str, target: IO[bytes]) -> FileDigest:
        """Copy a file, and hash what is copied."""
        return copy_file(self.path / relative, target)

    def part(self, relative: str, start: int, stop: int) -> tuple[bytes, Mark]:
        """Return the bytes of a file from `start` up to `stop`, and the facts of the whole file."""
        with self.opened(relative) as file:
            file.stream.seek(start)
            return file.stream.read(stop - start), file.mark

    def mark(self, relative: str) -> Mark:
        """Return the facts of a file as it is now."""
        return FileMark.of((self.path / relative).stat())

    def size(self, relative: str) -> int:
        """Return the bytes of a file."""
        return os.stat(f"{self.path}/{relative}").st_size
