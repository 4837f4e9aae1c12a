"""A table of `datasets` that holds each repeated string once, and gives it out as a string.

`datasets` knows no columns of dictionaries: `Dataset(table)` writes them out, which makes 1.2 GB of
the 0.1 GB that prompts of a config take. The table here says that its columns are strings, and
writes out the rows that are asked for.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa
from datasets.table import InMemoryTable

from bagen_data.array_types import Ints
from bagen_data.encoded_arrays import compacted, decoded, decoded_bytes

_GATHERED_ROWS = 1_000
"""Rows that are brought into another order at once, which makes one array of their strings."""


class EncodedTable(InMemoryTable):  # type: ignore[misc]  # a package without types
    """A table in memory whose repeated strings are dictionaries, which readers see as strings.

    What is not overridden here works on `table`, which writes everything out.

    Args:
        batches: the rows, with dictionaries at any depth; what each takes when it is written out
            must fit an Arrow array.
        schema: the columns as readers see them.
    """

    def __init__(self, batches: Sequence[pa.RecordBatch], schema: pa.Schema) -> None:
        self._batches = [batch for batch in batches if len(batch)]
        self._offsets = np.cumsum([0, *map(len, self._batches)], dtype=np.int64)
        self._schema = schema

    @property
    def encoded(self) -> list[pa.RecordBatch]:
        """The rows as they are held."""
        return self._batches

    @property
    def table(self) -> pa.Table:
        """The whole table, written out anew each time."""
        return self._written_out(self._batches)

    def fast_slice(self, offset: int = 0, length: int | None = None) -> pa.Table:
        """Return consecutive rows, written out."""
        if offset < 0:
            raise IndexError("Offset must be non-negative")
        return self._written_out(self._sliced(offset, length))

    def fast_gather(self, indices: Sequence[int] | Ints) -> pa.Table:
        """Return the rows at these positions, in their order, written out."""
        rows = np.asarray(indices, np.int64)
        if not len(rows):
            raise ValueError("Indices must be non-empty")
        starts = range(0, len(rows), _GATHERED_ROWS)
        return pa.concat_tables(
            self._gathered(rows[start : start + _GATHERED_ROWS]) for start in starts
        )

    def slice(self, offset: int = 0, length: int | None = None) -> Self:
        """Return consecutive rows as a table of this kind."""
        return type(self)(self._sliced(offset, length), self._schema)

    def select(self, columns: Sequence[str | int]) -> Self:
        """Return some of the columns."""
        places = [
            place if isinstance(place, int) else self._schema.get_field_index(place)
            for place in columns
        ]
        if -1 in places:
            raise KeyError(f"column {columns[places.index(-1)]} is missing")
        schema = pa.schema([self._schema.field(place) for place in places], self._schema.metadata)
        return type(self)([batch.select(places) for batch in self._batches], schema)

    def drop(self, columns: str | Sequence[str]) -> Self:
        """Return the table without some columns."""
        dropped = [columns] if isinstance(columns, str) else list(columns)
        if missing := [name for name in dropped if name not in self._schema.names]:
            raise KeyError(f"column {missing[0]} is missing")
        return self.select([name for name in self._schema.names if name not in dropped])

    def remove_column(self, i: int) -> Self:
        """Return the table without the column at a place."""
        return self.select([place for place in range(self.num_columns) if place != i])

    def rename_columns(self, names: Sequence[str]) -> Self:
        """Return the table with other names for its columns."""
        named = zip(self._schema, names, strict=True)
        schema = pa.schema([field.with_name(name) for field, name in named], self._schema.metadata)
        return type(self)(self._batches, schema)

    def replace_schema_metadata(self, metadata: Any = None) -> Self:
        """Return the table with other metadata in its schema."""
        return type(self)(self._batches, self._schema.with_metadata(metadata))

    def cast(self, target_schema: pa.Schema, *args: Any, **kwargs: Any) -> InMemoryTable:
        """Return the table in another schema; one of the same types writes nothing out."""
        if target_schema.equals(self._schema):
            return self.replace_schema_metadata(target_schema.metadata)
        return InMemoryTable(self.table).cast(target_schema, *args, **kwargs)

    def column(self, i: int | str) -> pa.ChunkedArray:
        """Return one column, written out."""
        return self.select([i]).table.column(0)

    def field(self, i: int | str) -> pa.Field:
        """Return a column's field in the schema."""
        return self._schema.field(i)

    def to_reader(self, max_chunksize: int | None = None) -> pa.RecordBatchReader:
        """Return a reader of all rows, which writes out a batch when it is asked for."""
        return pa.RecordBatchReader.from_batches(self._schema, self._in_parts(max_chunksize))

    def to_batches(self, max_chunksize: int | None = None) -> list[pa.RecordBatch]:
        """Return all rows, written out."""
        return list(self._in_parts(max_chunksize))

    @property
    def schema(self) -> pa.Schema:
        """The columns, as strings."""
        return self._schema

    @property
    def num_columns(self) -> int:
        """The number of columns."""
        return len(self._schema.names)

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        return int(self._offsets[-1])

    @property
    def shape(self) -> tuple[int, int]:
        """The numbers of rows and of columns."""
        return self.num_rows, self.num_columns

    @property
    def column_names(self) -> list[str]:
        """The names of the columns."""
        return list(self._schema.names)

    @property
    def nbytes(self) -> int:
        """Bytes of the table when it is written out, as it is to files that are split by size."""
        return sum(decoded_bytes(column) for batch in self._batches for column in batch.columns)

    @property
    def held_bytes(self) -> int:
        """Bytes of the table as it is held; dictionaries that batches share count for each."""
        return sum(batch.nbytes for batch in self._batches)

    def __len__(self) -> int:
        return self.num_rows

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.num_rows} rows)\n{self._schema.to_string()}"

    __str__ = __repr__

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return type(self)(self._batches, self._schema)

    def __getstate__(self) -> dict[str, Any]:
        """Return the rows as streams of Arrow, which hold no more of a slice than its rows."""
        return {"schema": self._schema, "batches": [_to_stream(each) for each in self._batches]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        batches = [_from_stream(each) for each in state["batches"]]
        EncodedTable.__init__(self, batches, state["schema"])

    def _sliced(self, offset: int, length: int | None) -> list[pa.RecordBatch]:
        stop = self.num_rows if length is None else min(offset + length, self.num_rows)
        if offset >= stop:
            return []
        first, last = np.searchsorted(self._offsets, [offset, stop - 1], side="right") - 1
        parts = self._batches[first : last + 1]
        parts[-1] = parts[-1].slice(0, stop - int(self._offsets[last]))
        parts[0] = parts[0].slice(offset - int(self._offsets[first]))
        return parts

    def _gathered(self, rows: Ints) -> pa.Table:
        places = np.searchsorted(self._offsets, rows, side="right") - 1
        order = np.argsort(places, kind="stable")
        starts = np.flatnonzero(np.diff(places[order], prepend=-1))
        parts = []
        for own in np.split(order, starts[1:]):
            place = places[own[0]]
            taken = self._batches[place].take(pa.array(rows[own] - self._offsets[place]))
            parts.append(self._decoded(taken))
        gathered = pa.Table.from_batches(parts, self._schema)
        if (np.diff(order) == 1).all():
            return gathered
        return gathered.take(pa.array(np.argsort(order)))

    def _in_parts(self, rows: int | None) -> Iterator[pa.RecordBatch]:
        for batch in self._batches:
            size = rows or len(batch)
            for start in range(0, len(batch), size):
                yield self._decoded(batch.slice(start, size))

    def _written_out(self, batches: Sequence[pa.RecordBatch]) -> pa.Table:
        return pa.Table.from_batches([self._decoded(each) for each in batches], self._schema)

    def _decoded(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = [
            decoded(column, field.type)
            for column, field in zip(batch.columns, self._schema, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=self._schema)


def _to_stream(batch: pa.RecordBatch) -> bytes:
    columns = [compacted(column) for column in batch.columns]
    compact = pa.RecordBatch.from_arrays(columns, batch.schema.names)
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, compact.schema) as stream:
        stream.write_batch(compact)
    return bytes(sink.getvalue())


def _from_stream(data: bytes) -> pa.RecordBatch:
    with pa.ipc.open_stream(data) as stream:
        return stream.read_next_batch()
