"""Read a column of answers at once: what `answers.parse` says of each, as columns.

Almost every answer ends with `<answer>[low, high]</answer>` or `<answer>impossible</answer>`, in
lower case and with plain numbers. Those are read here from each row's end, eight bytes of all rows
at a time. Whatever looks different in any way is given to `answers.parse`, which alone decides what
an answer is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from bagen_data.answers import read
from bagen_data.array_types import Codes, Floats, Ints, Mask, some
from bagen_data.schema import INVALID_REASONS
from bagen_data.swar import Scanner

VERDICTS = ("invalid", "infeasible", "feasible")
INVALID, INFEASIBLE, FEASIBLE = range(3)
"""Codes of `AnswerColumns.verdict`: positions in `VERDICTS`."""
REASONS: tuple[str, ...] = ("", *INVALID_REASONS)
"""Codes of `AnswerColumns.reason`: positions here, 0 where the answer is valid."""
_VERDICT_CODES = {name: code for code, name in enumerate(VERDICTS)}
_REASON_CODES = {name: code for code, name in enumerate(REASONS)}

_BATCH = 1 << 15
"""Rows that are read at once, so that their columns stay in the processor's cache."""


@dataclass(frozen=True)
class AnswerColumns:
    """The estimates of n answers about r resources."""

    verdict: Codes
    """(n,): `INVALID`, `INFEASIBLE` or `FEASIBLE`."""
    reason: Codes
    """(n,): why an answer is invalid, a position in `REASONS`."""
    low: Floats
    """(r, n): in the order of the resources; NaN where there is no interval."""
    high: Floats
    """(r, n): likewise."""

    def __len__(self) -> int:
        return len(self.verdict)

    def at(self, rows: slice | npt.NDArray[Any]) -> Self:
        """The answers of these rows; of a slice, the very same, to write to."""
        return type(self)(
            self.verdict[rows], self.reason[rows], self.low[:, rows], self.high[:, rows]
        )

    def of_resources(self, number: int) -> Self:
        """The answers about the first resources only."""
        return type(self)(self.verdict, self.reason, self.low[:number], self.high[:number])

    def put(self, rows: npt.NDArray[Any], answers: "AnswerColumns") -> None:
        """Write answers of as many resources or fewer into these rows."""
        self.verdict[rows], self.reason[rows] = answers.verdict, answers.reason
        for own, other in ((self.low, answers.low), (self.high, answers.high)):
            own[: len(other), rows] = other

    @classmethod
    def unwritten(cls, rows: int, resources: int) -> Self:
        """Room for that many answers, to be filled."""
        codes = np.empty((2, rows), np.uint8)
        bounds = np.empty((2, resources, rows))
        return cls(codes[0], codes[1], bounds[0], bounds[1])


def parse_column(responses: Any, resources: Sequence[str]) -> AnswerColumns:
    """Read a column of answers, each as `parse(text, resources)` reads it.

    Args:
        responses: an Arrow array of strings, or a sequence of them, of length n.
        resources: the r resources each answer must name.

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
    answers = AnswerColumns.unwritten(len(column), len(resources))
    fill(answers, column, resources)
    return answers


def fill(answers: AnswerColumns, column: Any, resources: Sequence[str]) -> None:
    """Write the answers of an Arrow array of n strings into n answers of r resources or more."""
    for start, batch in _batches(column):
        _read_batch(batch, answers.at(slice(start, start + len(batch))), tuple(resources))


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


def _read_batch(texts: Any, answers: AnswerColumns, resources: tuple[str, ...]) -> None:
    """Fill in the estimates of one batch."""
    answers.verdict[:], answers.reason[:] = INVALID, 0
    answers.low[: len(resources)] = answers.high[: len(resources)] = np.nan
    unread = np.flatnonzero(~_read_plain(texts, answers, resources))
    for row, text in zip(unread.tolist(), _bytes_of(texts.take(pa.array(unread))), strict=True):
        verdict, reason, bounds = read(text, resources)
        answers.verdict[row] = _VERDICT_CODES[verdict]
        answers.reason[row] = _REASON_CODES[reason]
        for position, name in enumerate(resources if bounds else ()):
            answers.low[position, row], answers.high[position, row] = bounds[name]


def _bytes_of(texts: Any) -> Iterator[bytes]:
    """The UTF-8 of each text."""
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int64)[texts.offset :][: len(texts) + 1].tolist()
    text = data.to_pybytes() if data is not None else b""
    return (text[start:stop] for start, stop in pairwise(bounds))


def _read_plain(texts: Any, answers: AnswerColumns, resources: tuple[str, ...]) -> Mask:
    """Fill in the answers in the plain form; which those are."""
    _, offsets, data = texts.buffers()
    bounds = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    scanner = Scanner(data, bounds[:-1], bounds[1:])
    scanner.skip_whitespace(before=b">")
    scanner.literal(b"</answer>")
    impossible = _read_impossible(scanner, answers)
    intervals = _read_intervals(scanner, answers, resources)
    is_read = np.zeros(len(texts), bool)
    is_read[impossible] = is_read[intervals] = True
    return is_read


def _read_impossible(scanner: Scanner, answers: AnswerColumns) -> Ints:
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
            scanner.literal(f"{resources[position]}:".encode())
            if position:
                scanner.optional(b" ")
                scanner.literal(b",")
    return low, high
