"""Find the row of each prediction's sample by its id, in bounded memory.

Up to a million ids are compared at once. More of them are first spread over temporary files by a
hash, so that equal ids lie in one file; within a file whole ids are compared, never hashes.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.array_types import Ints, Words
from bagen_data.errors import InputError, UnansweredError
from bagen_data.spilled_rows import SpilledRows
from bagen_data.wording import numbered

_START = "/0"
"""End of the sample_id of a start probe."""
_LISTED_IDS = 10
_SHOWN_CHARACTERS = 200
"""Characters of an id in a message."""
_AT_ONCE = 1 << 20
"""Samples whose ids are compared at once."""
_MOST_FILES = 256
_WEIGHTS = np.random.default_rng(0).integers(0, 1 << 63, 256, np.uint64)
"""Factors of a text's bytes, by position, in the hash."""


def find_positions(
    sample_ids: Iterable[Any], samples: int, predicted_ids: Iterable[Any], name: str
) -> Ints:
    """Return the row of each prediction's sample.

    Args:
        sample_ids: Arrow arrays of strings, one or more, all of one type.
        samples: the number of all ids in them.
        predicted_ids: Arrow arrays of strings.
        name: what an error calls the predictions.

    Raises:
        UnansweredError: samples have no prediction, and nothing else is wrong.
        InputError: not every sample is predicted exactly once; the message lists the first ten of
            each kind and their count.
        OutputError: temporary files cannot be written.
    """
    remaining = iter(sample_ids)
    first = next(remaining)
    kind = first.type
    every_id = chain([first], remaining)
    predicted = (ids.cast(kind) for ids in predicted_ids)
    join = _Join(name)
    if samples > _AT_ONCE:
        positions = _joined_by_hash(join, every_id, samples, predicted, kind)
    else:
        known = pa.concat_arrays(list(every_id))
        asked = pa.chunked_array(list(predicted), kind)
        positions = join.add(known, np.arange(len(known)), asked, np.arange(len(asked)))
    join.refuse_problems()
    return positions


def positions_of(sample_ids: Any, predicted_ids: Any, name: str) -> Ints:
    """Return the row of each prediction's sample, as `find_positions` does, from two arrays."""
    join = _Join(name)
    rows = np.arange(len(predicted_ids))
    positions = join.add(
        sample_ids, np.arange(len(sample_ids)), pc.cast(predicted_ids, sample_ids.type), rows
    )
    join.refuse_problems()
    return positions


def _joined_by_hash(
    join: "_Join", sample_ids: Iterable[Any], samples: int, predicted: Iterable[Any], text: Any
) -> Ints:
    files = min(-(-samples // _AT_ONCE), _MOST_FILES)
    schema = pa.schema([("id", text), ("row", pa.int64())])
    with SpilledRows(files, schema) as known, SpilledRows(files, schema) as asked:
        _spread(known, sample_ids, schema, files)
        size = _spread(asked, predicted, schema, files)
        kind = np.int32 if samples < 1 << 31 else np.int64
        positions: Ints = np.full(size, -1, kind)
        for number in range(files):
            (ids, rows), (asked_ids, asked_rows) = (
                _columns(each, number, schema) for each in (known, asked)
            )
            positions[asked_rows] = join.add(ids, rows, asked_ids, asked_rows)
    return positions


def _spread(target: SpilledRows, ids: Iterable[Any], schema: pa.Schema, files: int) -> int:
    """Spread ids over files by their hashes; return the number of ids."""
    row = 0
    for array in ids:
        for start in range(0, len(array), _AT_ONCE >> 4):
            part = array.slice(start, _AT_ONCE >> 4)
            rows = pa.array(np.arange(row, row + len(part)))
            batch = pa.RecordBatch.from_arrays([part, rows], schema=schema)
            target.add(batch, (hashes(part) % np.uint64(files)).astype(np.int64))
            row += len(part)
    return row


def _columns(spilled: SpilledRows, number: int, schema: pa.Schema) -> tuple[Any, Ints]:
    table = pa.Table.from_batches(spilled.read(number), schema)
    ids = table["id"].combine_chunks()
    if isinstance(ids, pa.ChunkedArray):
        ids = pa.concat_arrays(ids.chunks or [pa.array([], schema.field("id").type)])
    return ids, table["row"].to_numpy()


def hashes(texts: Any) -> Words:
    """Return a hash of each text, the same for equal texts in every process.

    Args:
        texts: an Arrow array of n strings.

    >>> a, b, again = hashes(pa.array(["t/m/r/1", "t/m/r/2", "t/m/r/1"])).tolist()
    >>> a == again, a == b
    (True, False)
    """
    if not len(texts):
        return np.zeros(0, np.uint64)
    texts = texts.cast(pa.large_string())
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int64)[texts.offset :][: len(texts) + 1]
    starts, lengths = bounds[:-1] - bounds[0], np.diff(bounds)
    size = int(bounds[-1] - bounds[0])
    sums = np.zeros(len(texts), np.uint64)
    if size:
        text = np.frombuffer(data, np.uint8)[bounds[0] :][:size]
        place = np.arange(size) - np.repeat(starts, lengths)
        weighted = text * _WEIGHTS[place & (len(_WEIGHTS) - 1)]
        has_text = lengths > 0
        sums[has_text] = np.add.reduceat(weighted, starts[has_text])
    mixed: Words = (sums + lengths.astype(np.uint64)) >> np.uint64(32)
    return mixed


@dataclass
class _Problem:
    """Some ids that do not fit."""

    thing: str
    what: str
    number: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)
    """The first ten, (row, id)."""

    def add(self, rows: Ints, ids: Any) -> None:
        """Add ids, by ascending rows."""
        self.number += len(rows)
        own = zip(rows[:_LISTED_IDS].tolist(), ids[:_LISTED_IDS].to_pylist(), strict=True)
        self.first = sorted([*self.first, *own])[:_LISTED_IDS]

    def __str__(self) -> str:
        first = "".join(f"\n  {_printable(name)}" for _, name in self.first)
        rest = self.number - _LISTED_IDS
        more = f"\n  ... and {rest:,} more" if rest > 0 else ""
        return f"{numbered(self.number, self.thing)} {self.what}:{first}{more}"


class _Join:
    """The join of samples and predictions by id, some ids at a time."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._missing = _Problem("sample", "without a prediction")
        self._unknown = _Problem("prediction", "of no sample")
        self._repeated = _Problem("sample", "predicted more than once")
        self._unknown_start_probes = 0
        self._has_start_probes = False
        self._answered = 0

    def add(self, sample_ids: Any, rows: Ints, predicted_ids: Any, predicted_rows: Ints) -> Ints:
        """Return the row of each prediction's sample, -1 where it is of none.

        Args:
            sample_ids: an Arrow array of n strings.
            rows: (n,) their rows, ascending.
            predicted_ids: p strings of the same type; all that are equal to one of the samples' in
                all predictions, and any others.
            predicted_rows: (p,) their rows, ascending.
        """
        indices = pc.index_in(predicted_ids, value_set=sample_ids).fill_null(-1).to_numpy()
        times = np.bincount(indices + 1, minlength=len(sample_ids) + 1)[1:]
        self._answered += int((times > 0).sum())
        for problem, is_wrong in ((self._missing, times == 0), (self._repeated, times > 1)):
            wrong = np.flatnonzero(is_wrong)
            problem.add(rows[wrong], sample_ids.take(pa.array(wrong[:_LISTED_IDS])))
        self._has_start_probes = self._has_start_probes or _start_probes(sample_ids) > 0
        is_unknown = indices < 0
        if is_unknown.any():
            self._add_unknown(
                predicted_ids.filter(pa.array(is_unknown)), predicted_rows[is_unknown]
            )
            rows = np.append(rows, -1)
        positions: Ints = rows[indices]
        return positions

    def _add_unknown(self, ids: Any, rows: Ints) -> None:
        distinct = pc.unique(ids)
        first = pc.index_in(distinct, value_set=ids).to_numpy()
        self._unknown.add(rows[first], distinct)
        self._unknown_start_probes += _start_probes(distinct)

    def refuse_problems(self) -> None:
        """Refuse the predictions unless each sample has one.

        Raises:
            UnansweredError: samples have none, and nothing else is wrong.
            InputError: as `find_positions`.
        """
        problems = [each for each in (self._missing, self._unknown, self._repeated) if each.number]
        if not problems:
            return
        fix = "predict each sample once; an answer without text is an empty response"
        lines = [f"{self._name}: do not fit the samples; {fix}"]
        for problem in problems:
            lines.append(str(problem))
            if problem is self._unknown:
                lines.extend(self._advice())
        is_partial = problems == [self._missing] and self._answered > 0
        raise (UnansweredError if is_partial else InputError)("\n".join(lines))

    def _advice(self) -> Iterator[str]:
        """Say which predictions are of start probes, where the samples hold none."""
        if self._unknown_start_probes and not self._has_start_probes:
            yield (
                f"{self._unknown_start_probes:,} of these end in {_START} and are of start probes; "
                "put them into a file of their own, <task>_start.jsonl, and score it with "
                "--config <task>_start"
            )


def _start_probes(ids: Any) -> int:
    return pc.sum(pc.ends_with(ids, _START)).as_py() or 0


def _printable(sample_id: str) -> str:
    text = sample_id if sample_id.isprintable() else repr(sample_id)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
