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


def blocks_of(rows: Iterable[Row], standing_of: Callable[[Row], str]) -> list[Block[Row]]:
    """Return the blocks that have rows, whose order within a block stays.

    A row of another standing is a line across the scores, such as the noise ceiling. It is among
    the rows of the first block.

    Args:
        rows: the rows of a table.
        standing_of: returns the standing of a row.

    >>> [(each.standing, each.rows) for each in blocks_of(["baseline", "line"], str)]
    [('baseline', ['baseline', 'line'])]
    """
    rows = list(rows)
    used = [name for name in _HEADINGS if any(standing_of(row) == name for row in rows)]
    by_standing: dict[str, list[Row]] = {name: [] for name in used}
    for row in rows:
        standing = standing_of(row)
        by_standing[standing if standing in by_standing else used[0]].append(row)
    return [Block(name, *_HEADINGS[name], by_standing[name]) for name in used]
