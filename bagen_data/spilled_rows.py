"""Rows that wait in temporary files, one file for each group of rows that is read at once."""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa

from bagen_data.array_types import Ints
from bagen_data.errors import OutputError

_PENDING = 1 << 25
"""Bytes that gather in memory before they are written."""
_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")


class SpilledRows:
    """Rows by group, in a temporary folder that is gone after the block.

    Args:
        groups: the number of groups.
        schema: the columns of the rows.
    """

    def __init__(self, groups: int, schema: pa.Schema) -> None:
        self._schema = schema
        self._pending: list[list[pa.RecordBatch]] = [[] for _ in range(groups)]
        self._size = 0
        self._writers: dict[int, Any] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        name = self._open.enter_context(tempfile.TemporaryDirectory(prefix="bagen-"))
        self._folder = Path(name)
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def add(self, batch: pa.RecordBatch, group: Ints) -> None:
        """Add rows in their order.

        Args:
            batch: n rows.
            group: (n,) the group of each row; rows of group -1 are dropped.

        Raises:
            OutputError: the temporary files cannot be written.
        """
        order = np.argsort(group, kind="stable")
        ordered = batch.take(pa.array(order))
        bounds = np.searchsorted(group[order], np.arange(len(self._pending) + 1))
        for number in np.flatnonzero(np.diff(bounds)).tolist():
            size = int(bounds[number + 1] - bounds[number])
            self._pending[number].append(ordered.slice(int(bounds[number]), size))
        self._size += ordered.nbytes
        if self._size > _PENDING:
            self._write()

    def read(self, number: int) -> Iterator[pa.RecordBatch]:
        """Yield the rows of a group in the order in which they were added; no more can be added.

        Raises:
            OutputError: as `add`.
        """
        self._write()
        writer = self._writers.pop(number, None)
        if writer is None:
            return
        writer.close()
        path = self._path(number)
        with pa.OSFile(str(path)) as file, pa.ipc.open_file(file) as reader:
            for position in range(reader.num_record_batches):
                yield reader.get_batch(position)
        path.unlink()

    def _write(self) -> None:
        try:
            for number, batches in enumerate(self._pending):
                if batches:
                    table = pa.Table.from_batches(batches, self._schema).combine_chunks()
                    self._writer(number).write_table(table)
                    self._pending[number] = []
        except OSError as error:
            raise OutputError(
                f"{self._folder}: rows cannot be put into temporary files: {error}; make room, or "
                "set TMPDIR to a folder that has some"
            ) from error
        self._size = 0

    def _writer(self, number: int) -> Any:
        if number not in self._writers:
            file = self._open.enter_context(pa.OSFile(str(self._path(number)), "wb"))
            writer = pa.ipc.new_file(file, self._schema, options=_OPTIONS)
            self._writers[number] = self._open.enter_context(writer)
        return self._writers[number]

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.arrow"
