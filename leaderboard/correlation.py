"""How much two scores go together over estimators: the paper's decoupling."""

from collections.abc import Sequence
from dataclasses import dataclass

from leaderboard.columns import HEADLINE
from leaderboard.main_table import EstimatorRow

_FEWEST = 4
"""Estimators below which there is no interval."""


@dataclass(frozen=True)
class Correlation:
    """Of `macro_f1` and another score."""

    score: str
    n: int
    """Estimators that have both."""
    pearson: float
    low: float | None
    """Of Pearson's 95% interval, by Fisher's transformation."""
    high: float | None
    spearman: float


def correlation(rows: Sequence[EstimatorRow], score: str) -> Correlation | None:
    """Over the rows that are submissions; None with fewer than three, or a score that is constant.

    Args:
        rows: of the main table.
        score: the other one.
    """
    from scipy.stats import pearsonr, spearmanr

    pairs = [
        (row.cell(HEADLINE)["value"], row.cell(score)["value"])
        for row in rows
        if row.folder and row.cell(HEADLINE)["value"] is not None
    ]
    complete = [(first, second) for first, second in pairs if second is not None]
    first, second = ([pair[place] for pair in complete] for place in (0, 1))
    if len(complete) < 3 or len(set(first)) < 2 or len(set(second)) < 2:
        return None
    pearson = pearsonr(first, second)
    low, high = pearson.confidence_interval(0.95) if len(complete) >= _FEWEST else (None, None)
    return Correlation(
        score,
        len(complete),
        float(pearson.statistic),
        None if low is None else float(low),
        None if high is None else float(high),
        float(spearmanr(first, second).statistic),
    )
