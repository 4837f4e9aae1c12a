"""The correlation of two scores, over all tasks and within tasks: the paper's decoupling."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bagen_data.array_types import Floats

_FEWEST = 3
"""Fewest points of a correlation."""
_LEVEL = 0.95
_ALIKE = 1e-12
"""Largest norm, relative to that of the values, that may be rounding errors alone."""


@dataclass(frozen=True)
class ScorePair:
    """Two scores of one estimator, or of one family, on one task."""

    task: str
    first: float
    second: float


@dataclass(frozen=True)
class Correlation:
    """The correlation of two scores."""

    n: int
    """Number of points with both scores."""
    pearson: float
    low: float | None
    """The lower end of Pearson's 95% interval, by Fisher's transformation; None of few points."""
    high: float | None
    spearman: float


def pooled(points: Sequence[ScorePair]) -> Correlation | None:
    """Correlate over all points; None with fewer than three, or a score that is constant."""
    return _correlation(*_columns(points), lost=0)


def within_tasks(points: Sequence[ScorePair]) -> Correlation | None:
    """Correlate what is left of each score without its task's mean.

    A task that is easy in both scores lifts the pooled correlation, and one that is easy in one of
    them lowers it; neither says whether an estimator with more of one has more of the other.
    """
    names = sorted({point.task for point in points})
    of_task = np.array([names.index(point.task) for point in points], np.int64)
    first, second = _columns(points)
    if not len(of_task):
        return None
    counts = np.bincount(of_task)
    centred = [
        values - (np.bincount(of_task, values) / counts)[of_task] for values in (first, second)
    ]
    return _correlation(centred[0], centred[1], lost=len(names) - 1)


def _columns(points: Sequence[ScorePair]) -> tuple[Floats, Floats]:
    first = np.array([point.first for point in points], np.float64)
    second = np.array([point.second for point in points], np.float64)
    return first, second


def _correlation(first: Floats, second: Floats, lost: int) -> Correlation | None:
    """Correlate two columns; means of tasks take some of the degrees of freedom."""
    n = len(first)
    if n - lost < _FEWEST or _is_constant(first) or _is_constant(second):
        return None
    pearson = _pearson(first, second)
    low, high = _interval(pearson, n - lost) if n - lost > _FEWEST else (None, None)
    return Correlation(n, pearson, low, high, _pearson(_mean_ranks(first), _mean_ranks(second)))


def _is_constant(values: Floats) -> bool:
    return bool(np.ptp(values) <= _ALIKE * (1 + np.abs(values).max()))


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
