"""Rollouts wait here between reading and writing, as columns in memory or on disk.

Budgets and splits need to know a whole family before the first of its samples can be written. A
spool has the columns of the rollouts' table, so that the table is made of it without a Python
object for each turn.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain, islice
from sys import intern
from types import TracebackType
from typing import Any, Self

import numpy as np
import pyarrow as pa

from bagen_data.array_types import Ints, Mask
from bagen_data.arrow_lists import (
    encoded_array,
    list_array,
    numbers_of,
    plain_array,
    run_ends,
    truths_of,
)
from bagen_data.errors import InputError
from bagen_data.locations import Location
from bagen_data.schema import PAIRS, ROLLOUTS, Amounts, Rollout, Turn
from bagen_data.stores import fetched, staged_file

MEMORY_BYTES = 1_000_000
"""Most bytes of a part that stay in memory; a larger part is a file."""
_BATCH_TEXT = 4_000_000
"""Characters of turns and system messages after which a batch ends."""
_BATCH_ROWS = 2_048
_MOST = 2**53
"""Whole numbers below this one are exact in a column of floats."""


def text_size(rollout: Rollout) -> int:
    """Return the characters of a rollout's turns."""
    return sum([len(turn.user) + len(turn.assistant) for turn in rollout.turns])


def _amounts_type() -> pa.ListType:
    """`PAIRS`, and of each amount whether it is a whole number, an int in Python."""
    is_whole = pa.field("is_whole", pa.bool_(), nullable=False)
    record = pa.struct([*PAIRS.value_type, is_whole])
    return pa.list_(pa.field("element", record, nullable=False))


def _turns_type() -> pa.ListType:
    """The turns of `ROLLOUTS`, with amounts of the type `_AMOUNTS`."""
    fields = [
        field.with_type(_AMOUNTS) if field.type == PAIRS else field
        for field in ROLLOUTS.field("turns").type.value_type
    ]
    return pa.list_(pa.field("element", pa.struct(fields), nullable=False))


_AMOUNTS = _amounts_type()
_SPOOLED = pa.schema(
    [
        *map(
            ROLLOUTS.field,
            (
                "task",
                "rollout_model",
                "rollout_id",
                "instance_id",
                "rollout_success",
                "total_turns",
                "dropped_turns",
                "system",
            ),
        ),
        pa.field("turns", _turns_type(), nullable=False),
        pa.field("initial_state", _AMOUNTS, nullable=False),
    ]
)
"""The columns of a spool; `rollout_success` is the recorded outcome, before any budget."""
_TEXTS = ("task", "rollout_model", "rollout_id", "instance_id", "system")
_TABLE_COLUMNS = [field.name for field in _SPOOLED if field.name in ROLLOUTS.names]


@dataclass(frozen=True)
class SpoolPart:
    """The rollouts of one spool writer; it can be sent to another process."""

    content: bytes
    """The bytes of a small part; empty where the part is a file."""
    path: Location | None
    """The file of a larger part, which another process must be able to read."""
    rows: int

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the part's rollouts in the columns of a spool."""
        if not self.rows:
            return
        if self.path is None:
            with pa.BufferReader(self.content) as content:
                yield from pa.ipc.open_stream(content)
        else:
            with fetched(self.path) as path, pa.memory_map(str(path)) as source:
                yield from pa.ipc.open_stream(source)


class SpoolWriter:
    """Takes rollouts in their order; use it as a context manager, and close it for its part.

    Args:
        path: of the file, or its URL, which is not written where the rollouts are few.
    """

    def __init__(self, path: Location) -> None:
        self._path = path
        self._staged = ExitStack()
        self._rows = 0
        self._file: pa.NativeFile | None = None
        self._stream: pa.ipc.RecordBatchStreamWriter | None = None
        self._start_batch()

    def _start_batch(self) -> None:
        self._rollouts: list[Rollout] = []
        self._text_size = 0

    def add(self, rollout: Rollout, size: int) -> int:
        """Add a rollout; return the number of its row, which counts from 0.

        Args:
            rollout: the rollout.
            size: the characters of its turns, as `text_size` counts them.

        Raises:
            InputError: the rollout has a whole amount that a column of floats cannot hold.
        """
        self._rollouts.append(rollout)
        self._text_size += size + len(rollout.system)
        self._rows += 1
        if self._text_size >= _BATCH_TEXT or len(self._rollouts) >= _BATCH_ROWS:
            self._write(self._batch())
        return self._rows - 1

    def close(self) -> SpoolPart:
        """Write what is left, and return the part."""
        if self._rollouts:
            batch = self._batch()
            if self._stream is None and pa.ipc.get_record_batch_size(batch) <= MEMORY_BYTES:
                return SpoolPart(_in_memory(batch), None, self._rows)
            self._write(batch)
        if self._stream is None:
            return SpoolPart(b"", None, 0)
        self._end()
        self._staged.close()
        return SpoolPart(b"", self._path, self._rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end()
        self._staged.__exit__(kind, error, traceback)  # a file in a store is left out, if it failed

    def _end(self) -> None:
        if self._stream is not None and self._file is not None:
            self._stream.close()
            self._file.close()
            self._stream = self._file = None

    def _write(self, batch: pa.RecordBatch) -> None:
        if self._stream is None:
            path = self._staged.enter_context(staged_file(self._path))
            self._file = pa.OSFile(str(path), "wb")
            self._stream = pa.ipc.new_stream(self._file, _SPOOLED)
        self._stream.write_batch(batch)

    def _batch(self) -> pa.RecordBatch:
        """Return the rollouts that wait, and forget them."""
        rollouts = self._rollouts
        columns: dict[str, Any] = {
            name: _text_array(getattr(rollout, name) for rollout in rollouts) for name in _TEXTS
        }
        columns |= {
            "rollout_success": [rollout.success for rollout in rollouts],
            "total_turns": [len(rollout.turns) for rollout in rollouts],
            "dropped_turns": [rollout.dropped_turns for rollout in rollouts],
            "turns": _turns_array(rollouts),
            "initial_state": _amounts_array([rollout.initial_state for rollout in rollouts]),
        }
        arrays = [
            column if isinstance(column, pa.Array) else plain_array(column, field.type)
            for field, column in ((field, columns[field.name]) for field in _SPOOLED)
        ]
        self._start_batch()
        return pa.RecordBatch.from_arrays(arrays, schema=_SPOOLED)


def _in_memory(batch: pa.RecordBatch) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, _SPOOLED) as stream:
        stream.write_batch(batch)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _text_array(texts: Iterable[str]) -> pa.Array:
    return encoded_array(list(map(str.encode, texts)))


def _turns_array(rollouts: Sequence[Rollout]) -> pa.ListArray:
    turns = [turn for rollout in rollouts for turn in rollout.turns]
    columns = (
        _text_array([turn.user for turn in turns]),
        _text_array([turn.assistant for turn in turns]),
        _amounts_array([turn.usage for turn in turns]),
        _amounts_array([turn.state for turn in turns]),
    )
    lengths = [len(rollout.turns) for rollout in rollouts]
    return list_array(_SPOOLED.field("turns").type, lengths, columns)


def _amounts_array(rows: Sequence[Amounts]) -> pa.ListArray:
    values = [value for row in rows for value in row.values()]
    numbers = np.array(values, np.float64)
    is_whole = _are_whole(values)
    if (np.abs(numbers[is_whole]) >= _MOST).any():
        most = max((value for value in values if type(value) is int), key=abs)
        raise InputError(f"an amount is {most}; expected whole amounts below {_MOST}")
    return list_array(_AMOUNTS, list(map(len, rows)), (_names_array(rows), numbers, is_whole))


def _are_whole(values: Sequence[float]) -> Mask:
    """Return whether each amount is a whole number, an int in Python."""
    kinds = set(map(type, values))
    if len(kinds) == 1:
        return np.full(len(values), kinds == {int}, np.bool_)
    return np.array([type(value) is int for value in values], np.bool_)


def _names_array(rows: Sequence[Amounts]) -> pa.StringArray:
    """Return the names of amounts, row by row; mostly all rows have the same ones."""
    if len(set(map(tuple, rows))) == 1:
        return encoded_array([name.encode() for name in rows[0]] * len(rows))
    return _text_array(chain.from_iterable(rows))


@dataclass(frozen=True)
class SpoolRows:
    """Rows of a part."""

    part: SpoolPart
    rows: Ints
    """(n,) their numbers, ascending."""


@dataclass(frozen=True)
class RolloutSpool:
    """The rollouts of a family, or of a run of it, in order; it can be sent to another process.

    Iterating over it yields each `Rollout`, any number of times.
    """

    parts: tuple[SpoolRows, ...] = ()

    def __len__(self) -> int:
        return sum(len(part.rows) for part in self.parts)

    def __iter__(self) -> Iterator[Rollout]:
        for batch, rows in self._batches():
            yield from _rollouts(batch, rows, numbers_of(batch["total_turns"])[rows])

    def slice(self, start: int, stop: int) -> "RolloutSpool":
        """Return the rollouts from `start` on, up to but without `stop`."""
        return self.take(np.arange(start, stop))

    def take(self, places: Ints) -> "RolloutSpool":
        """Return some of the rollouts.

        Args:
            places: (n,) their places in the spool, ascending, each once.
        """
        ends = run_ends([len(part.rows) for part in self.parts])
        cuts = np.searchsorted(places, ends)
        return RolloutSpool(
            tuple(
                SpoolRows(part.part, part.rows[places[first:last] - end])
                for part, first, last, end in zip(
                    self.parts, cuts[:-1], cuts[1:], ends[:-1], strict=True
                )
                if first < last
            )
        )

    def heads(self, turns: Sequence[int] | Ints) -> Iterator[Rollout]:
        """Yield each rollout as if it had ended after some turns: the rest is not decoded.

        Args:
            turns: (n,) how many turns each of the spool's rollouts has, at most its own.
        """
        wanted = np.asarray(turns, np.int64)
        start = 0
        for batch, rows in self._batches():
            yield from _rollouts(batch, rows, wanted[start : start + len(rows)])
            start += len(rows)

    def tables(self) -> Iterator[pa.RecordBatch]:
        """Yield the rollouts in the columns of `ROLLOUTS` that they have, batch by batch.

        `rollout_success` is the recorded outcome; there is no budget and no condition yet.
        """
        for batch, rows in self._batches():
            table = _table_batch(batch)
            for run in np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1):
                yield table.slice(run[0], len(run))

    def _batches(self) -> Iterator[tuple[pa.RecordBatch, Ints]]:
        """Yield each batch of which there are rollouts, and the numbers of their rows in it."""
        for part in self.parts:
            start = 0
            for batch in part.part.batches():
                first, last = np.searchsorted(part.rows, (start, start + len(batch)))
                if first < last:
                    yield batch, part.rows[first:last] - start
                start += len(batch)
                if last == len(part.rows):
                    break


def _table_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the columns of a batch that the rollouts' table has, in its types."""
    schema = pa.schema([ROLLOUTS.field(name) for name in _TABLE_COLUMNS])
    lists = batch["turns"]
    turns = lists.values
    kinds = ROLLOUTS.field("turns").type.value_type
    fields = [
        _without_kinds(column) if kind.type == PAIRS else column
        for kind, column in ((kind, turns.field(kind.name)) for kind in kinds)
    ]
    structs = pa.StructArray.from_arrays(fields, fields=list(kinds))
    columns = {
        "turns": pa.ListArray.from_arrays(lists.offsets, structs, type=ROLLOUTS.field("turns").type)
    }
    arrays = [columns.get(name, batch[name]) for name in _TABLE_COLUMNS]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _without_kinds(amounts: pa.ListArray) -> pa.ListArray:
    """Return amounts as `PAIRS`."""
    pairs = amounts.values
    fields = list(PAIRS.value_type)
    structs = pa.StructArray.from_arrays([pairs.field(f.name) for f in fields], fields=fields)
    return pa.ListArray.from_arrays(amounts.offsets, structs, type=PAIRS)


def _rollouts(batch: pa.RecordBatch, rows: Ints, turns: Ints) -> Iterator[Rollout]:
    """Yield rollouts of a batch; nothing else of it is decoded.

    Args:
        batch: the batch.
        rows: (n,) the numbers of their rows.
        turns: (n,) how many of its turns each has, the first ones.
    """
    structs = batch["turns"].values
    places = _runs(numbers_of(batch["turns"].offsets)[rows], turns)
    every_turn = map(
        Turn,
        _texts(structs.field("user"), places),
        _texts(structs.field("assistant"), places),
        _amounts(structs.field("usage"), places),
        _amounts(structs.field("state"), places),
    )
    for task, model, rollout_id, instance_id, system, count, success, state, dropped in zip(
        *(_texts(batch[name], rows) for name in _TEXTS),
        turns.tolist(),
        truths_of(batch["rollout_success"])[rows].tolist(),
        _amounts(batch["initial_state"], rows),
        numbers_of(batch["dropped_turns"])[rows].tolist(),
        strict=True,
    ):
        yield Rollout(
            task=task,
            rollout_model=model,
            rollout_id=rollout_id,
            instance_id=instance_id,
            system=system,
            turns=tuple(islice(every_turn, count)),
            success=success,
            initial_state=state,
            dropped_turns=dropped,
        )


def _texts(array: pa.StringArray, rows: Ints) -> Iterator[str]:
    """Yield strings of a column, decoded one by one."""
    _, buffer, data = array.buffers()
    offsets = np.frombuffer(buffer, np.int32)[array.offset :]
    content = memoryview(data if data is not None else b"")
    for first, last in zip(offsets[rows].tolist(), offsets[rows + 1].tolist(), strict=True):
        yield str(content[first:last], "utf-8")


def _amounts(array: pa.ListArray, rows: Ints) -> Iterator[dict[str, float]]:
    """Yield amounts of a column, decoded row by row."""
    offsets = numbers_of(array.offsets)
    lengths = offsets[rows + 1] - offsets[rows]
    pairs, places = array.values, _runs(offsets[rows], lengths)
    values = numbers_of(pairs.field("value"))[places].tolist()
    is_whole = truths_of(pairs.field("is_whole"))[places].tolist()
    names = map(intern, _texts(pairs.field("name"), places))
    every_pair = zip(
        names,
        (int(value) if whole else value for value, whole in zip(values, is_whole, strict=True)),
        strict=True,
    )
    for length in lengths.tolist():
        yield dict(islice(every_pair, length))


def _runs(starts: Ints, lengths: Ints) -> Ints:
    """Return the numbers of several runs, one run after the other.

    >>> _runs(np.array([4, 9]), np.array([2, 3])).tolist()
    [4, 5, 9, 10, 11]
    """
    ends = np.cumsum(lengths)
    return np.arange(lengths.sum()) + np.repeat(starts - ends + lengths, lengths)
