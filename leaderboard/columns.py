"""The columns of the main table."""

from collections.abc import Sequence
from dataclasses import dataclass

from bagen_data.scoring.all_scores import SCORES


@dataclass(frozen=True)
class Column:
    """One score."""

    score: str
    title: str
    low: float = 0.0
    """The left end of its bars."""
    high: float = 1.0
    shows_n: bool = False
    """Whether n is shown, as it depends on the answers."""

    @property
    def meaning(self) -> str:
        """In a sentence."""
        return SCORES[self.score].meaning

    @property
    def better(self) -> str:
        """Which way."""
        return SCORES[self.score].better


@dataclass(frozen=True)
class ColumnGroup:
    """Columns under one heading."""

    title: str
    columns: Sequence[Column]


GROUPS = (
    ColumnGroup(
        "Can it be finished?",
        (
            Column("macro_f1", "Macro-F1"),
            Column("macro_f1_open", "Macro-F1, open probes"),
            Column("fail_f1", "Fail-F1"),
        ),
    ),
    ColumnGroup(
        "How much is needed?",
        (
            Column("hit_rate", "Hit rate"),
            Column("coverage", "Coverage", shows_n=True),
            Column("reward", "Reward"),
            Column("interval_skill", "Interval skill", low=-1.0, shows_n=True),
        ),
    ),
    ColumnGroup(
        "In use",
        (
            Column("saved_below_cap", "Saved below the budget"),
            Column("valid_rate", "Valid answers"),
        ),
    ),
    ColumnGroup(
        "As the paper counts",
        (
            Column("macro_f1_first_turn", "Macro-F1, first turn"),
            Column("paper_hit_rate", "Hit rate"),
            Column("paper_reward", "Reward"),
        ),
    ),
)
COLUMNS = tuple(column for group in GROUPS for column in group.columns)
HEADLINE = "macro_f1"
"""What the table is sorted and ranked by at first."""
