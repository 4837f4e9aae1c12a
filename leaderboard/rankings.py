"""The two rankings of a board: forecasts, and intervals as in the paper.

A forecast is an interval estimate too, so a submission of forecasts is in both.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from bagen_data.schema import Question
from leaderboard.columns import Column, ColumnGroup

ALWAYS_STOP = "always answering impossible"


@dataclass(frozen=True)
class Ranking:
    """A ranking: the questions of its estimators, its scores, and the columns of its table."""

    name: str
    """The id of the ranking's table in a page."""
    title: str
    questions: Sequence[Question]
    """Questions whose estimators are in the ranking."""
    ranked: Sequence[str]
    """Scores to rank by; the table is sorted by the first of them at first."""
    first_columns: Sequence[Column]
    """Columns that are shown at first."""
    more: Sequence[ColumnGroup]
    """Columns that are shown when a reader chooses them."""

    @property
    def headline(self) -> str:
        """The score that the ranking's table is sorted by at first."""
        return self.ranked[0]

    @property
    def columns(self) -> list[Column]:
        """The columns of the ranking's table, with those that a reader chooses."""
        return [*self.first_columns, *chain.from_iterable(group.columns for group in self.more)]


_IN_USE = ColumnGroup(
    "In use",
    (
        Column("saved_below_cap", "Saved below the budget"),
        Column("net_benefit", "Net benefit", low=-1.0),
        Column("valid_rate", "Valid answers"),
    ),
)
FORECASTS = Ranking(
    "forecasts",
    "Forecasts",
    questions=("forecast",),
    ranked=("brier_skill", "wis_skill"),
    first_columns=(
        Column("brier_skill", "Brier skill", low=-1.0, asks="will it finish?"),
        Column("wis_skill", "WIS skill", low=-1.0, asks="how much more?"),
        Column("curve_skill", "Curve skill", low=-1.0, asks="within other budgets?"),
    ),
    more=(
        ColumnGroup(
            "Proper scores",
            (
                Column("brier", "Brier"),
                Column("log_score", "Log score", high=2.0),
                Column("success_brier", "Brier of success"),
                Column("wis", "WIS", high=2.0),
                Column("curve_brier", "Brier of budgets"),
            ),
        ),
        ColumnGroup(
            "Calibration",
            (
                Column("coverage_80", "Within 10 to 90%"),
                Column("coverage_50", "Within 25 to 75%"),
            ),
        ),
        _IN_USE,
    ),
)
INTERVALS = Ranking(
    "intervals",
    "Intervals, as in the paper",
    questions=("forecast", "interval", "point"),
    ranked=("macro_f1_open",),
    first_columns=(
        Column("macro_f1_open", "Macro-F1, open probes", asks="within the budget so far"),
        Column("macro_f1", "Macro-F1, all probes", asks="over the budget too"),
    ),
    more=(
        ColumnGroup(
            "As the paper counts",
            (
                Column("macro_f1_first_turn", "Macro-F1, first turn"),
                Column("fail_f1", "Fail-F1", topped_by=ALWAYS_STOP),
                Column("paper_hit_rate", "Paper's hit rate"),
                Column("paper_reward", "Paper's reward"),
            ),
        ),
        ColumnGroup(
            "How much is needed?",
            (
                Column("hit_rate", "Hit rate", topped_by="intervals from 0 to the budget"),
                Column("coverage", "Coverage", shows_n=True),
                Column(
                    "reward", "Reward", topped_by="intervals of the median \N{PLUS-MINUS SIGN}22%"
                ),
                Column("interval_skill", "Interval skill", low=-1.0, shows_n=True),
            ),
        ),
        _IN_USE,
    ),
)
RANKINGS = (FORECASTS, INTERVALS)
TRICKS = {
    column.score: column.topped_by
    for ranking in RANKINGS
    for column in ranking.columns
    if column.topped_by
}
"""The trick that tops a score that is shown and never ranked on."""


def rankings_of(question: Question) -> list[Ranking]:
    """Return the rankings that estimators who answer a question are in.

    >>> [ranking.name for ranking in rankings_of("point")]
    ['intervals']
    """
    return [ranking for ranking in RANKINGS if question in ranking.questions]


def ranked_scores(question: Question) -> list[str]:
    """Return the scores that estimators who answer a question are ranked by.

    >>> ranked_scores("forecast"), ranked_scores("interval")
    (['brier_skill', 'wis_skill', 'macro_f1_open'], ['macro_f1_open'])
    """
    return [score for ranking in rankings_of(question) for score in ranking.ranked]
