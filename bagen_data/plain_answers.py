"""Read answers in their plain form, from each row's end, eight bytes of all rows at a time.

The plain form is lower case, with plain numbers, labels in their order and at most one space after
a comma: `<answer>[600, 900]</answer>`. Any other answer is left to `answer_reading.read`.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from bagen_data.answer_columns import FEASIBLE, INFEASIBLE, INVALID, REASONS, AnswerColumns
from bagen_data.answer_reading import PROBABILITIES
from bagen_data.array_types import Floats, Ints, Mask, some
from bagen_data.schema import FINISH_THRESHOLD, QUANTILE_LEVELS, Question
from bagen_data.swar import Scanner


def read_plain(
    texts: Any, answers: AnswerColumns, resources: tuple[str, ...], question: Question
) -> Mask:
    """Fill in the answers in the plain form; returns (n,) which those are.

    Args:
        texts: an Arrow array of n large strings.
        answers: room for n answers, all invalid so far.
        resources: the r resources each answer must name.
        question: the question that was asked.
    """
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    scanner = Scanner(data, bounds[:-1], bounds[1:])
    scanner.skip_whitespace(before=b">")
    scanner.literal(b"</answer>")
    is_read = np.zeros(len(texts), bool)
    for read_some in _READERS[question]:
        is_read[read_some(scanner, answers, resources)] = True
    return is_read


def _read_impossible(
    scanner: Scanner,
    answers: AnswerColumns,
    resources: tuple[str, ...],  # noqa: ARG001  as readers
) -> Ints:
    rows = scanner.rows_where(scanner.last_is(b"eE"))
    word = scanner.at_rows(rows)
    word.literal(b"impossible", any_case=True)
    word.literal(b"<answer>")
    rows = rows[word.matches()]
    answers.verdict[rows] = INFEASIBLE
    return rows


def _read_intervals(scanner: Scanner, answers: AnswerColumns, resources: tuple[str, ...]) -> Ints:
    rows = scanner.rows_where(scanner.last_is(b"]"))
    word = scanner.at_rows(rows)
    low, high = _intervals(word, resources)
    word.literal(b"<answer>")
    matches = np.flatnonzero(word.matches())
    rows, low, high = rows[matches], low.take(matches, axis=1), high.take(matches, axis=1)
    is_reversed = some(low > high)
    answers.verdict[rows] = FEASIBLE
    if is_reversed.any():
        answers.verdict[rows[is_reversed]] = INVALID
        answers.reason[rows[is_reversed]] = REASONS.index("reversed")
        low[:, is_reversed] = high[:, is_reversed] = np.nan
    for position in range(len(resources)):
        answers.low[position][rows] = low[position]
        answers.high[position][rows] = high[position]
    return rows


def _intervals(scanner: Scanner, resources: tuple[str, ...]) -> tuple[Floats, Floats]:
    """(r, n) bounds, read backward from the last resource to the first."""
    low, high = np.empty((2, len(resources), len(scanner)))
    for position in reversed(range(len(resources))):
        scanner.literal(b"]")
        high[position] = scanner.number()
        scanner.optional(b" ")
        scanner.literal(b",")
        low[position] = scanner.number()
        scanner.literal(b"[")
        if len(resources) > 1:
            _step_over_label(scanner, resources, position, b":")
    return low, high


def _read_points(scanner: Scanner, answers: AnswerColumns, resources: tuple[str, ...]) -> Ints:
    rows = scanner.rows_where(scanner.last_is(b"0123456789"))
    word = scanner.at_rows(rows)
    amounts = np.empty((len(resources), len(word)))
    for position in reversed(range(len(resources))):
        amounts[position] = word.number()
        if len(resources) > 1:
            _step_over_label(word, resources, position, b":")
    word.literal(b"<answer>")
    matches = np.flatnonzero(word.matches())
    rows = rows[matches]
    answers.verdict[rows] = FEASIBLE
    for position in range(len(resources)):
        answers.low[position][rows] = answers.high[position][rows] = amounts[position][matches]
    return rows


def _read_forecasts(scanner: Scanner, answers: AnswerColumns, resources: tuple[str, ...]) -> Ints:
    """Fill in forecasts whose labels are in the order of the grammar."""
    columns = answers.forecasts
    if columns is None:
        raise ValueError("no room for forecasts")
    rows = scanner.rows_where(scanner.last_is(b"]"))
    word = scanner.at_rows(rows)
    levels = len(QUANTILE_LEVELS)
    labels = (*PROBABILITIES, *resources)
    quantiles = np.empty((len(resources), levels, len(word)))
    for position in reversed(range(len(resources))):
        word.literal(b"]")
        for level in reversed(range(levels)):
            quantiles[position, level] = word.number()
            if level:
                word.optional(b" ")
                word.literal(b",")
        word.literal(b"[")
        _step_over_label(word, labels, position + len(PROBABILITIES), b"=")
    success = word.number()
    _step_over_label(word, labels, 1, b"=")
    finish = word.number()
    _step_over_label(word, labels, 0, b"=")
    word.literal(b"<answer>")
    matches = np.flatnonzero(word.matches())
    rows = rows[matches]
    finish, success, quantiles = finish[matches], success[matches], quantiles[:, :, matches]
    is_incoherent = ~((finish <= success) & (success <= 1))
    falls = (quantiles[:, :-1] > quantiles[:, 1:]).any(axis=(0, 1))
    is_valid = ~is_incoherent & ~falls
    answers.reason[rows[falls]] = REASONS.index("unordered")
    answers.reason[rows[is_incoherent]] = REASONS.index("incoherent")
    valid = rows[is_valid]
    columns.finish[valid], columns.success[valid] = finish[is_valid], success[is_valid]
    columns.quantiles[: len(resources), :, valid] = quantiles[:, :, is_valid]
    finishes = is_valid & (finish >= FINISH_THRESHOLD)
    answers.verdict[valid] = INFEASIBLE
    answers.verdict[rows[finishes]] = FEASIBLE
    answers.low[: len(resources), rows[finishes]] = quantiles[:, 0, finishes]
    answers.high[: len(resources), rows[finishes]] = quantiles[:, -1, finishes]
    return rows


def _step_over_label(scanner: Scanner, labels: tuple[str, ...], position: int, sign: bytes) -> None:
    """Expect a label with its sign, and before it the comma that separates it from another."""
    scanner.literal(labels[position].encode() + sign)
    if position:
        scanner.optional(b" ")
        scanner.literal(b",")


_READERS: Mapping[Question, tuple[Callable[[Scanner, AnswerColumns, tuple[str, ...]], Ints], ...]]
_READERS = {
    "interval": (_read_impossible, _read_intervals),
    "point": (_read_impossible, _read_points),
    "forecast": (_read_forecasts,),
}
