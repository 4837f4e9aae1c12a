"""The blocks of a table of estimators: submitted ones first, then what to compare them with."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from leaderboard.paper import MARK

Row = TypeVar("Row")


@dataclass(frozen=True)
class Block(Generic[Row]):
    """Rows of one standing under one heading."""

    standing: str
    """The standing of the rows: `submitted`, `learned`, `baseline` or `paper`."""
    title: str
    about: str
    """A sentence on the rows; empty where the title says enough."""
    rows: list[Row]


_HEADINGS = {
    "submitted": ("Submitted estimators", ""),
    "learned": (
        "Models that learned from the benchmark",
        "Not ranked: the answers were in what they learned from.",
    ),
    "baseline": (
        "Baselines",
        "Reference lines, not ranked: rules and statistics without a language model.",
    ),
    "paper": ("In the paper", f"Not ranked: {MARK}."),
}
"""Title and sentence of each block, in the order of the table."""
_WITHOUT_LINES = "paper"
"""The standing of the block that no line crosses."""


def blocks_of(rows: Iterable[Row], standing_of: Callable[[Row], str]) -> list[Block[Row]]:
    """Return the blocks that have rows, whose order within a block stays.

    A row of another standing is a line across the scores, such as the reference or the noise
    ceiling. It is in every block but the paper's, so that the rows above it and below it can be
    seen in each one. The paper's numbers are of other runs than the line.

    Args:
        rows: the rows of a table.
        standing_of: returns the standing of a row.

    >>> blocks = blocks_of(["baseline 2", "line 1", "submitted 0"], lambda row: row.split()[0])
    >>> [each.rows for each in blocks]
    [['line 1', 'submitted 0'], ['baseline 2', 'line 1']]
    """
    rows = list(rows)
    standings = [standing_of(row) for row in rows]
    blocks = []
    for name, heading in _HEADINGS.items():
        if name not in standings:
            continue
        own = [
            row
            for row, standing in zip(rows, standings, strict=True)
            if standing == name or (standing not in _HEADINGS and name != _WITHOUT_LINES)
        ]
        blocks.append(Block(name, *heading, own))
    return blocks
