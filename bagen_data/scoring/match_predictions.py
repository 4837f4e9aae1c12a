"""Match predictions with samples: which answer belongs to which sample."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.answer_columns import FEASIBLE, INFEASIBLE, AnswerColumns
from bagen_data.answer_parsing import fill, parse_column
from bagen_data.array_types import Ints, some
from bagen_data.errors import InputError
from bagen_data.schema import Question
from bagen_data.scoring.input_columns import Rows, as_strings, as_table
from bagen_data.scoring.sample_table import FamilyColumns, SampleTable
from bagen_data.wording import numbered

PredictionReader = Callable[[], Iterable[pa.RecordBatch]]
"""Reads predictions from their beginning, in batches with columns `sample_id` and `response`."""

_START = "/0"
"""End of the sample_id of a start probe."""
_LISTED_IDS = 10
_SHOWN_CHARACTERS = 200
"""Characters of an id in a message."""


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
    samples: SampleTable,
    predictions: PredictionReader,
    name: str,
    question: Question = "interval",
) -> Iterator[tuple[FamilyColumns, AnswerColumns]]:
    """Each family and the answers to its samples, in the order of the families' rows.

    Predictions in the samples' order are read once, and one family's answers are held at a time;
    others are read once more to sort them. A number that answers `point` is judged infeasible where
    it goes beyond the budget, and keeps its bounds.

    Args:
        samples: the samples.
        predictions: reads the predictions.
        name: what an error calls them.
        question: what was asked.

    Raises:
        InputError: samples without a prediction, predictions of no sample, or several of one; the
            message lists the first ten and the count of each.
    """
    families = sorted(samples.families, key=lambda family: _first_row(family.rows))
    read = 0
    for answers in _in_order(samples, families, predictions, question):
        yield families[read], _judged(families[read], answers, question)
        read += 1
    if read < len(families) or not families:
        every_answer = _in_any_order(samples, predictions, name, question)
        for family in families[read:]:
            answers = every_answer.at(family.rows).of_resources(len(family.resources))
            yield family, _judged(family, answers, question)


def _judged(family: FamilyColumns, answers: AnswerColumns, question: Question) -> AnswerColumns:
    """Return the answers, with points beyond the budget judged infeasible."""
    if question == "point":
        is_over = some(family.used + answers.low > family.budget)  # False of NaN
        answers.verdict[is_over & (answers.verdict == FEASIBLE)] = INFEASIBLE
    return answers


def _in_order(
    samples: SampleTable,
    families: Sequence[FamilyColumns],
    predictions: PredictionReader,
    question: Question,
) -> Iterator[AnswerColumns]:
    """The families' answers, as long as samples and predictions come in the same order."""
    batches = _OrderedResponses(samples.sample_id, predictions)
    done = 0
    for number, family in enumerate(families):
        if not isinstance(family.rows, slice) or family.rows.start != done:
            return
        size = family.rows.stop - done
        answers = AnswerColumns.unwritten(size, len(family.resources), question)
        filled = 0
        while filled < size:
            part = batches.next(size - filled)
            if part is None:
                return
            room = answers.at(slice(filled, filled + len(part)))
            fill(room, part, family.resources, question)
            filled += len(part)
        done = family.rows.stop
        if number == len(families) - 1 and not batches.at_end():
            return
        yield answers


class _OrderedResponses:
    """Responses in the order of the samples, as many at a time as are asked for and at hand."""

    def __init__(self, sample_ids: Any, predictions: PredictionReader) -> None:
        self._ids = sample_ids
        self._batches = iter(predictions())
        self._rest: Any = ()
        self._position = 0

    def at_end(self) -> bool:
        """Whether there is nothing more, of any sample."""
        return not len(self._rest) and not any(len(batch) for batch in self._batches)

    def next(self, most: int) -> Any:
        """An array of 1 to `most` responses; None at the end, or where ids differ."""
        while not len(self._rest):
            batch = next(self._batches, None)
            if batch is None:
                return None
            ids = self._ids.slice(self._position, len(batch))
            if not batch["sample_id"].cast(ids.type).equals(ids):
                return None
            self._position += len(batch)
            self._rest = batch["response"]
        part = self._rest.slice(0, most)
        self._rest = self._rest.slice(most)
        return part


def _in_any_order(
    samples: SampleTable, predictions: PredictionReader, name: str, question: Question
) -> AnswerColumns:
    """The answers to all samples."""
    kind = samples.sample_id.type
    ids = [batch["sample_id"].cast(kind) for batch in predictions()]
    positions = positions_of(samples.sample_id, pa.chunked_array(ids, kind), name)
    width = max(map(len, samples.resources), default=1)
    answers = AnswerColumns.unwritten(len(samples), width, question)
    start = 0
    for batch in predictions():
        rows = positions[start : start + len(batch)]
        for code, resources in enumerate(samples.resources):
            part = np.flatnonzero(samples.resources_of[rows] == code)
            responses = batch["response"].take(pa.array(part))
            answers.put(rows[part], parse_column(responses, resources, question))
        start += len(batch)
    return answers


def _first_row(rows: Rows) -> int:
    return rows.start if isinstance(rows, slice) else int(rows[0])


def positions_of(sample_ids: Any, predicted_ids: Any, name: str) -> Ints:
    """Where each prediction's sample is.

    Raises:
        InputError: not every sample is predicted exactly once; the message lists the first ten of
            each kind and their count.
    """
    kind = sample_ids.type
    indices = pc.index_in(pc.cast(predicted_ids, kind), value_set=sample_ids)
    problems = []
    is_unknown = pc.is_null(indices)
    positions = indices.fill_null(-1).to_numpy()
    times = np.bincount(positions + 1, minlength=len(sample_ids) + 1)[1:]
    missing = np.flatnonzero(times == 0)
    if len(missing):
        problems.append(_listed("sample", "without a prediction", sample_ids.take(missing)))
    if pc.any(is_unknown).as_py():
        unknown = pc.unique(pc.filter(predicted_ids, is_unknown))
        problems.append(_listed("prediction", "of no sample", unknown))
        problems.extend(_start_probes(sample_ids, unknown))
    repeated = np.flatnonzero(times > 1)
    if len(repeated):
        problems.append(_listed("sample", "predicted more than once", sample_ids.take(repeated)))
    if problems:
        fix = "predict each sample once; an answer without text is an empty response"
        raise InputError("\n".join([f"{name}: do not fit the samples; {fix}", *problems]))
    return positions.astype(np.int64)


def _start_probes(sample_ids: Any, unknown: Any) -> Iterator[str]:
    """Say which predictions are of start probes, where the samples hold none."""
    number = pc.sum(pc.ends_with(unknown, _START)).as_py() or 0
    if number and not pc.any(pc.ends_with(sample_ids, _START)).as_py():
        yield (
            f"{number:,} of these end in {_START} and are of start probes; put them into a file of "
            "their own, <task>_start.jsonl, and score it with --config <task>_start"
        )


def _listed(thing: str, what: str, ids: Any) -> str:
    first = "".join(f"\n  {_printable(name)}" for name in ids[:_LISTED_IDS].to_pylist())
    more = f"\n  ... and {len(ids) - _LISTED_IDS:,} more" if len(ids) > _LISTED_IDS else ""
    return f"{numbered(len(ids), thing)} {what}:{first}{more}"


def _printable(sample_id: str) -> str:
    text = sample_id if sample_id.isprintable() else repr(sample_id)
    return text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
