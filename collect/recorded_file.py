"""Files that a family is made of: the bytes that are used are those that its settings name."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bagen_data.errors import InputError
from bagen_data.steady_files import digest_of, steady_file


@dataclass(frozen=True)
class RecordedFile:
    """A file as it was when it was first read."""

    path: Path
    sha256: str

    @property
    def settings(self) -> Mapping[str, Any]:
        """The file by its name and content, wherever it lies."""
        return {"name": self.path.name, "sha256": self.sha256}

    @contextmanager
    def unchanged(self) -> Iterator[Path]:
        """Give the path for a block that reads the file, which must still be what it was.

        Raises:
            InputError: the file is another one, or changes during the block.
        """
        try:
            with steady_file(self.path) as file:
                if digest_of(file).sha256 != self.sha256:
                    raise InputError(
                        f"{self.path}: was changed since the command began; run again when "
                        "nothing writes to it"
                    )
                yield self.path
        except OSError as error:
            raise InputError(f"{self.path}: cannot be read: {error.strerror}") from error


def recorded_file(path: Path) -> RecordedFile:
    """Return a file as it is now.

    Raises:
        InputError: it cannot be read, or is being written.
    """
    try:
        with steady_file(path) as file:
            return RecordedFile(path, digest_of(file).sha256)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
