"""How much two scores go together over estimators: the paper's decoupling."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bagen_data.array_types import Floats
from leaderboard.columns import HEADLINE
from leaderboard.main_table import EstimatorRow

_FEWEST = 4
"""Estimators below which there is no interval."""
_LEVEL = 0.95


@dataclass(frozen=True)
class Correlation:
    """The correlation of `macro_f1` and another score."""

    score: str
    n: int
    """Estimators that have both."""
    pearson: float
    low: float | None
    """The lower end of Pearson's 95% interval, by Fisher's transformation."""
    high: float | None
    spearman: float


def correlation(rows: Sequence[EstimatorRow], score: str) -> Correlation | None:
    """Correlate over submissions; None with fewer than three, or a score that is constant.

    Args:
        rows: rows of the main table.
        score: the other score.
    """
    pairs = [
        (row.cell(HEADLINE)["value"], row.cell(score)["value"])
        for row in rows
        if row.folder and row.cell(HEADLINE)["value"] is not None
    ]
    complete = [(first, second) for first, second in pairs if second is not None]
    if len(complete) < 3:
        return None
    first, second = np.array(complete, np.float64).T
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return None
    pearson = _pearson(first, second)
    low, high = _interval(pearson, len(complete)) if len(complete) >= _FEWEST else (None, None)
    spearman = _pearson(_mean_ranks(first), _mean_ranks(second))
    return Correlation(score, len(complete), pearson, low, high, spearman)


def _pearson(first: Floats, second: Floats) -> float:
    """Return Pearson's r, -1 .. 1, of two scores that vary."""
    one, other = first - first.mean(), second - second.mean()
    r = (one / np.linalg.norm(one)) @ (other / np.linalg.norm(other))
    return float(np.clip(r, -1, 1))


def _interval(pearson: float, n: int) -> tuple[float, float]:
    """Return Fisher's (1921) 95% interval of a correlation over n > 3 pairs.

    >>> low, high = _interval(0.5, 28)
    >>> round(low, 3), round(high, 3)
    (0.156, 0.736)
    """
    from scipy.special import ndtri  # scipy.stats, which has all of this, takes a second to import

    with np.errstate(divide="ignore"):  # 1 has the interval [1, 1]
        middle = np.arctanh(pearson)
    reach = ndtri((1 + _LEVEL) / 2) / np.sqrt(n - 3)
    return float(np.tanh(middle - reach)), float(np.tanh(middle + reach))


def _mean_ranks(values: Floats) -> Floats:
    """Return the rank of each value from 1; equal values share the mean of theirs.

    >>> _mean_ranks(np.array([5.0, 1.0, 5.0])).tolist()
    [2.5, 1.0, 2.5]
    """
    _, place, times = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Floats = (times.cumsum() - (times - 1) / 2)[place]
    return ranks
