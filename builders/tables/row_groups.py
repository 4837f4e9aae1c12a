"""The base of the writers of samples and of rollouts: rows gather until they are a row group."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

import pyarrow as pa

from bagen_data.tables import ParquetFile


class RowGroupWriter(ABC):
    """A Parquet file of row groups; leaving the context writes what is left and closes it."""

    def __init__(
        self, path: Path, schema: pa.Schema, *, dictionary_columns: list[str], level: int
    ) -> None:
        self._file = ParquetFile(path, schema, dictionary_columns=dictionary_columns, level=level)

    @property
    def loaded_bytes(self) -> int:
        """Return the bytes in memory of the rows so far, with each string written out."""
        return self._file.loaded_bytes

    @abstractmethod
    def flush(self) -> None:
        """Start to write what was added as a row group."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        try:
            if kind is None:
                self.flush()
        finally:
            self._file.__exit__(kind, *error)
