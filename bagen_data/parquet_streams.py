"""Parquet files that are read from a stream of Python by the calling thread alone.

Arrow's own threads would read the stream and release its bytes some time after the reading, which
may be while Python exits. Python then ends a thread that asks for the interpreter, in the middle of
a destructor of C++, and the whole process aborts: "terminate called without an active exception".
"""

from collections.abc import Iterator, Sequence
from typing import IO, Self

import pyarrow as pa
import pyarrow.parquet as pq

_ROWS = 1 << 17
"""Rows of a batch of a whole file, at most."""


class ParquetStream:
    """A Parquet file in a stream; it stays usable for as long as the stream is open.

    Args:
        stream: the file's bytes, from its beginning to its end.
        dictionary_columns: paths of the columns that are read as dictionaries; the file may lack
            some.
        buffer_bytes: read ahead of a column's pages; 0 to read a row group's column at once.

    Raises:
        ArrowInvalid: the bytes are not a Parquet file.
    """

    def __init__(
        self, stream: IO[bytes], dictionary_columns: Sequence[str] = (), buffer_bytes: int = 0
    ) -> None:
        metadata = pq.read_metadata(stream)
        paths = {metadata.schema.column(number).path for number in range(metadata.num_columns)}
        self._file = pq.ParquetFile(
            stream,
            metadata=metadata,
            read_dictionary=[path for path in dictionary_columns if path in paths],
            buffer_size=buffer_bytes,
            pre_buffer=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def schema(self) -> pa.Schema:
        """The columns as Arrow reads them."""
        return self._file.schema_arrow

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(self._file.metadata.num_rows)

    @property
    def row_groups(self) -> int:
        """The number of row groups."""
        return int(self._file.metadata.num_row_groups)

    def read(self, columns: Sequence[str] | None = None) -> pa.Table:
        """Return all rows, with these columns in this order; with all columns if None.

        Raises:
            ValueError: a column is missing.
        """
        names = list(self.schema.names if columns is None else columns)
        if missing := [name for name in names if name not in self.schema.names]:
            raise ValueError(f"column {missing[0]} is missing")
        batches = list(self.batches(_ROWS, names))
        if not batches:
            return self._file.read(names, use_threads=False).select(names)
        return pa.Table.from_batches(batches).select(names)

    def read_row_group(self, group: int, columns: Sequence[str]) -> pa.Table:
        """Return the rows of one row group, counted from 0, with these columns."""
        return self._file.read_row_group(group, list(columns), use_threads=False)

    def batches(self, rows: int, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows in batches of this many at most, each of one row group.

        Arrow gives a nested dictionary of one row group alone. All columns are read if None.
        """
        names = None if columns is None else list(columns)
        for group in range(self.row_groups):
            yield from self._file.iter_batches(
                rows, row_groups=[group], columns=names, use_threads=False
            )
