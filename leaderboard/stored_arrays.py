"""Arrays of many submissions on disk, which are needed again, but never all at once."""

import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import SEEK_END
from tempfile import TemporaryFile, gettempdir
from typing import IO

import numpy as np

from bagen_data.array_types import Floats
from bagen_data.errors import OutputError


class ArrayFile:
    """A temporary file of arrays, which vanishes with the last of them."""

    def __init__(self) -> None:
        self._file: IO[bytes] = TemporaryFile()  # noqa: SIM115  closed when nobody holds us
        self._end = 0
        weakref.finalize(self, self._file.close)

    def keep(self, arrays: Mapping[str, Floats]) -> "StoredArrays":
        """Write arrays of one dimension, and return them as a mapping that reads them.

        Raises:
            OutputError: the disk of temporary files is full.
        """
        places = {}
        contents = []
        for name, array in arrays.items():
            contents.append(np.ascontiguousarray(array, np.float64).tobytes())
            places[name] = (self._end, len(contents[-1]))
            self._end += len(contents[-1])
        try:
            self._file.seek(0, SEEK_END)
            self._file.writelines(contents)
            self._file.flush()
        except OSError as error:
            raise OutputError(
                f"{gettempdir()}: resampled scores cannot be kept there: {error.strerror}; make "
                "room, or name another folder in TMPDIR"
            ) from error
        return StoredArrays(self, places)

    def read(self, start: int, size: int) -> Floats:
        """Return the array at an offset; offset and size are in bytes."""
        self._file.seek(start)
        return np.frombuffer(self._file.read(size), np.float64)


@dataclass(frozen=True)
class StoredArrays(Mapping[str, Floats]):
    """Arrays by name, each read from a file when it is asked for."""

    file: ArrayFile
    places: Mapping[str, tuple[int, int]]
    """The offset and the bytes of each array."""

    def __getitem__(self, name: str) -> Floats:
        return self.file.read(*self.places[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.places)

    def __len__(self) -> int:
        return len(self.places)
