"""Match predictions with samples: which answer belongs to which sample."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa

from bagen_data.answer_columns import FEASIBLE, INFEASIBLE, AnswerColumns
from bagen_data.answer_parsing import fill, parse_column
from bagen_data.array_types import Ints, some
from bagen_data.errors import InputError
from bagen_data.schema import Question
from bagen_data.scoring.input_columns import Rows, as_strings, as_table
from bagen_data.scoring.sample_positions import find_positions
from bagen_data.scoring.sample_source import SampleSource
from bagen_data.scoring.sample_table import FamilyColumns, SampleTable
from bagen_data.spilled_rows import SpilledRows

PredictionReader = Callable[[], Iterable[pa.RecordBatch]]
"""Reads predictions from their beginning, in batches with columns `sample_id` and `response`."""


def reader_in_memory(predictions: Any, name: str = "predictions") -> PredictionReader:
    """Return a reader of predictions that are in memory.

    Args:
        predictions: as in `score`.
        name: what an error calls them.

    Raises:
        InputError: they have no columns of strings `sample_id` and `response`, or a null in them.
    """
    try:
        table = as_table(predictions, ("sample_id", "response"))
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    table = pa.table({name: as_strings(table[name]) for name in table.column_names})
    for field in table.schema:
        if not (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)):
            raise InputError(f"{name}: {field.name} is of type {field.type}; expected strings")
    return table.to_batches


def match_predictions(
    samples: SampleSource,
    predictions: PredictionReader,
    name: str,
    question: Question = "interval",
) -> Iterator[tuple[FamilyColumns, AnswerColumns]]:
    """Each family and the answers to its samples, in the order of the families' rows.

    Predictions in the samples' order are read once, and one family's answers are held at a time.
    Others are read twice more, to find each one's sample and to sort them; the answers to one part
    of the samples are held at a time, and the text of the others waits in temporary files. A number
    that answers `point` is judged infeasible where it goes beyond the budget, and keeps its bounds.

    Args:
        samples: the samples.
        predictions: reads the predictions.
        name: what an error calls them.
        question: what was asked.

    Raises:
        InputError: samples without a prediction, predictions of no sample, or several of one; the
            message lists the first ten and the count of each.
        OutputError: temporary files cannot be written.
    """
    ordered = _OrderedResponses(predictions, len(samples))
    parts = samples.parts()
    for number in range(len(samples.part_sizes)):
        unread = yield from _next_in_order(number, parts, ordered, question)
        if unread is not None:
            break
    else:
        return
    read = unread.families_read
    for table, every_answer in _in_any_order(samples, unread, predictions, name, question):
        for family in _by_row(table)[read:]:
            answers = every_answer.at(family.rows).of_resources(len(family.resources))
            yield family, _judged(family, answers, question)
        read = 0


def _next_in_order(
    number: int, parts: Iterator[SampleTable], ordered: "_OrderedResponses", question: Question
) -> Generator[tuple[FamilyColumns, AnswerColumns], None, "_Unread | None"]:
    """Yield the families of the next part, as long as predictions are in the samples' order."""
    part = next(parts)
    families = _by_row(part)
    read = 0
    for answers in _in_order(part, families, ordered, question):
        yield families[read], _judged(families[read], answers, question)
        read += 1
    return _Unread(number, read, chain([part], parts)) if read < len(families) else None


def _judged(family: FamilyColumns, answers: AnswerColumns, question: Question) -> AnswerColumns:
    """Return the answers, with points beyond the budget judged infeasible."""
    if question == "point":
        is_over = some(family.used + answers.low > family.budget)  # False of NaN
        answers.verdict[is_over & (answers.verdict == FEASIBLE)] = INFEASIBLE
    return answers


def _in_order(
    part: SampleTable,
    families: Sequence[FamilyColumns],
    ordered: "_OrderedResponses",
    question: Question,
) -> Iterator[AnswerColumns]:
    """The families' answers, as long as samples and predictions come in the same order."""
    done = 0
    for family in families:
        if not isinstance(family.rows, slice) or family.rows.start != done:
            return
        size = family.rows.stop - done
        answers = AnswerColumns.unwritten(size, len(family.resources), question)
        filled = 0
        while filled < size:
            responses = ordered.next(part.sample_id.slice(done + filled, size - filled))
            if responses is None:
                return
            room = answers.at(slice(filled, filled + len(responses)))
            fill(room, responses, family.resources, question)
            filled += len(responses)
        done = family.rows.stop
        if not ordered.ends_well():
            return
        yield answers


class _OrderedResponses:
    """Responses in the order of the samples, as many at a time as are asked for and at hand."""

    def __init__(self, predictions: PredictionReader, samples: int) -> None:
        self._batches = iter(predictions())
        self._rest: Any = ()
        self._unread = samples

    def ends_well(self) -> bool:
        """Whether samples are left, or neither samples nor predictions."""
        if self._unread:
            return True
        return not len(self._rest) and not any(len(batch) for batch in self._batches)

    def next(self, ids: Any) -> Any:
        """Return the next responses, to one or more of these ids; None if they are to others."""
        while not len(self._rest):
            self._rest = next(self._batches, None)
            if self._rest is None:
                return None
        part = self._rest.slice(0, len(ids))
        if not part["sample_id"].cast(ids.type).equals(ids.slice(0, len(part))):
            return None
        self._rest = self._rest.slice(len(part))
        self._unread -= len(part)
        return part["response"]


@dataclass(frozen=True)
class _Unread:
    """The parts whose answers are not read, or not all of them."""

    number: int
    """The number of the first one, from 0."""
    families_read: int
    """The number of families that are read of the first one."""
    parts: Iterator[SampleTable]


def _in_any_order(
    samples: SampleSource,
    unread: _Unread,
    predictions: PredictionReader,
    name: str,
    question: Question,
) -> Iterator[tuple[SampleTable, AnswerColumns]]:
    """Each unread part and the answers to its samples."""
    ids = (batch["sample_id"] for batch in predictions())
    positions = find_positions(samples.ids(), len(samples), ids, name)
    if len(samples.part_sizes) == 1:
        table = next(unread.parts)
        yield table, _answers(table, _with_rows(predictions, positions), question)
        return
    starts = np.cumsum([0, *samples.part_sizes])
    schema = pa.schema([("response", pa.large_string()), ("row", pa.int64())])
    with SpilledRows(len(samples.part_sizes), schema) as spilled:
        for responses, rows in _with_rows(predictions, positions):
            part = np.searchsorted(starts, rows, side="right") - 1
            columns = [responses.cast(pa.large_string()), pa.array(rows - starts[part])]
            batch = pa.RecordBatch.from_arrays(columns, schema=schema)
            spilled.add(batch, np.where(part < unread.number, -1, part))
        for number, table in enumerate(unread.parts, unread.number):
            own = ((each["response"], each["row"].to_numpy()) for each in spilled.read(number))
            yield table, _answers(table, own, question)


def _with_rows(predictions: PredictionReader, positions: Ints) -> Iterator[tuple[Any, Ints]]:
    """The responses of each batch, and the rows of their samples."""
    start = 0
    for batch in predictions():
        yield batch["response"], positions[start : start + len(batch)].astype(np.int64)
        start += len(batch)


def _answers(
    table: SampleTable, responses: Iterable[tuple[Any, Ints]], question: Question
) -> AnswerColumns:
    """The answers to all samples of a table, from responses and the rows of their samples."""
    width = max(map(len, table.resources), default=1)
    answers = AnswerColumns.unwritten(len(table), width, question)
    for texts, rows in responses:
        for code, resources in enumerate(table.resources):
            own = np.flatnonzero(table.resources_of[rows] == code)
            answers.put(rows[own], parse_column(texts.take(pa.array(own)), resources, question))
    return answers


def _by_row(table: SampleTable) -> list[FamilyColumns]:
    """The families of a table in the order of their first rows."""
    return sorted(table.families, key=lambda family: _first_row(family.rows))


def _first_row(rows: Rows) -> int:
    return rows.start if isinstance(rows, slice) else int(rows[0])
