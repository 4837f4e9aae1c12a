"""The columns of the tables of estimators."""

from collections.abc import Sequence
from dataclasses import dataclass

from bagen_data.scoring.all_scores import SCORES


@dataclass(frozen=True)
class Column:
    """A score as a column of the tables of estimators."""

    score: str
    title: str
    low: float = 0.0
    """The left end of the column's bars."""
    high: float = 1.0
    shows_n: bool = False
    """True where cells show n, because it depends on the answers."""
    topped_by: str = ""
    """The trick that has the best value of the score, which is never ranked on for that reason."""
    asks: str = ""
    """The question that the score answers, or its probes; empty where the title says it."""

    @property
    def meaning(self) -> str:
        """The meaning of the score, in a sentence."""
        meaning = SCORES[self.score].meaning
        return (
            f"{meaning}; not ranked on: topped by {self.topped_by}" if self.topped_by else meaning
        )

    @property
    def better(self) -> str:
        """The direction that is better: `higher`, `lower` or `neither`."""
        return SCORES[self.score].better

    @property
    def zero(self) -> int | None:
        """The place of 0 in the column's bars, 0 .. 100; None where that is an end."""
        return round(-100 * self.low / (self.high - self.low)) if self.low < 0 < self.high else None


@dataclass(frozen=True)
class ColumnGroup:
    """Columns under one heading, shown when a reader chooses them."""

    title: str
    columns: Sequence[Column]
