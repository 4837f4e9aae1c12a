"""Read a column of answers at once: what `answers.parse` says of each, as columns.

Almost every answer ends in a plain form, which `plain_answers` reads of all rows at a time.
Whatever looks different in any way is given to `answer_reading.read`, which alone decides what an
answer is.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from bagen_data.answer_columns import INVALID, REASONS, VERDICTS, AnswerColumns
from bagen_data.answer_reading import read
from bagen_data.plain_answers import read_plain
from bagen_data.schema import Question

_VERDICT_CODES = {name: code for code, name in enumerate(VERDICTS)}
_REASON_CODES = {name: code for code, name in enumerate(REASONS)}
_BATCH = 1 << 15
"""Rows that are read at once, so that their columns stay in the processor's cache."""


def parse_column(
    responses: Any, resources: Sequence[str], question: Question = "interval"
) -> AnswerColumns:
    """Read a column of answers, each as `parse(text, resources, question)` reads it.

    Args:
        responses: an Arrow array of strings, or a sequence of them, of length n.
        resources: the r resources each answer must name.
        question: what was asked.

    Raises:
        ValueError: a response is missing (null), or `resources` is empty.

    >>> answers = parse_column(["<answer>[1, 2]</answer>", "<answer>2</answer>"], ["tokens"])
    >>> [VERDICTS[code] for code in answers.verdict], REASONS[answers.reason[1]]
    (['feasible', 'invalid'], 'scalar')
    >>> answers.high
    array([[ 2., nan]])
    """
    if isinstance(resources, str) or not resources:
        raise ValueError(f"resources is {resources!r}; expected a list of at least one name")
    column = responses
    if not isinstance(column, pa.Array | pa.ChunkedArray):
        column = pa.array(column, pa.large_string())
    if column.null_count:
        raise ValueError(
            f"{column.null_count} of {len(column)} responses are missing; "
            "an answer without text is an empty string"
        )
    answers = AnswerColumns.unwritten(len(column), len(resources), question)
    fill(answers, column, resources, question)
    return answers


def fill(
    answers: AnswerColumns, column: Any, resources: Sequence[str], question: Question = "interval"
) -> None:
    """Write the answers of an Arrow array of n strings into n answers of r resources or more."""
    for start, batch in _batches(column):
        part = answers.at(slice(start, start + len(batch)))
        _read_batch(batch, part, tuple(resources), question)


def _batches(column: Any) -> Iterator[tuple[int, Any]]:
    """(position, array) of each part, without copying text."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    position = 0
    for chunk in chunks:
        texts = chunk.cast(pa.large_string())
        for start in range(0, len(texts), _BATCH):
            batch = texts.slice(start, _BATCH)
            yield position + start, batch
        position += len(texts)


def _read_batch(
    texts: Any, answers: AnswerColumns, resources: tuple[str, ...], question: Question
) -> None:
    """Fill in the estimates of one batch."""
    answers.verdict[:], answers.reason[:] = INVALID, 0
    answers.low[: len(resources)] = answers.high[: len(resources)] = np.nan
    if answers.forecasts:
        answers.forecasts.finish[:] = answers.forecasts.success[:] = np.nan
        answers.forecasts.quantiles[: len(resources)] = np.nan
    unread = np.flatnonzero(~read_plain(texts, answers, resources, question))
    for row, text in zip(unread.tolist(), _bytes_of(texts.take(pa.array(unread))), strict=True):
        reading = read(text, resources, question)
        answers.verdict[row] = _VERDICT_CODES[reading.verdict]
        answers.reason[row] = _REASON_CODES[reading.reason]
        for position, name in enumerate(resources if reading.bounds else ()):
            answers.low[position, row], answers.high[position, row] = reading.bounds[name]
        if answers.forecasts and reading.quantiles:
            answers.forecasts.finish[row] = reading.finish
            answers.forecasts.success[row] = reading.success
            for position, name in enumerate(resources):
                answers.forecasts.quantiles[position, :, row] = reading.quantiles[name]


def _bytes_of(texts: Any) -> Iterator[bytes]:
    """The UTF-8 of each text."""
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int64)[texts.offset :][: len(texts) + 1].tolist()
    text = data.to_pybytes() if data is not None else b""
    return (text[start:stop] for start, stop in pairwise(bounds))
