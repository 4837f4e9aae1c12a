"""The worth of one forecast, as columns: every formula of a single probe, proper scores all.

Arrays are (n,), a column a sample, and quantiles (5, n), a row a level of `QUANTILE_LEVELS`.
Probabilities are 0 .. 1. Nothing here raises or warns, whatever finite numbers come.
"""

import numpy as np

from bagen_data.array_types import Floats, Mask
from bagen_data.schema import QUANTILE_LEVELS
from bagen_data.scoring.interval_formulas import interval_score

LEAST_CHANCE = 0.001
"""Probabilities are clipped to this and 1 minus this before their logarithm is taken."""
WORST_LOG_SCORE = -float(np.log(LEAST_CHANCE))
CURVE_BUDGETS = (0.5, 0.75, 1.0, 1.5, 2.0, float("inf"))
"""Budgets at which the curve is scored, in budgets of the probe."""


def brier(chance: Floats, happened: Mask) -> Floats:
    """Return the squared difference of a probability and what happened, 1 or 0 (Brier, 1950).

    >>> brier(np.array([0.5, 1.0]), np.array([True, False])).tolist()
    [0.25, 1.0]
    """
    return (chance - happened) ** 2


def log_score(chance: Floats, happened: Mask) -> Floats:
    """Return -ln of the probability given to what happened, clipped to 0.001 .. 0.999 (Good, 1952).

    >>> log_score(np.array([0.5, 1.0]), np.array([True, False])).round(3).tolist()
    [0.693, 6.908]
    """
    given = np.where(happened, chance, 1.0 - chance)
    return -np.log(np.clip(given, LEAST_CHANCE, 1.0 - LEAST_CHANCE))


def weighted_interval_score(quantiles: Floats, value: Floats) -> Floats:
    """Return the weighted interval score of five quantiles; at least 0, lower is better.

    `(0.5 abs(value - median) + 0.1 IS_0.2 + 0.25 IS_0.5) / 2.5`, IS_a the interval score of the
    central 1 - a interval (Bracher et al., 2021, eq. 1). It is proper, and twice the mean pinball
    loss of the quantiles.

    >>> quantiles = np.array([[1.0], [2.0], [3.0], [4.0], [5.0]])
    >>> weighted_interval_score(quantiles, np.array([3.0])).round(3).tolist()
    [0.36]
    """
    lowest, low, median, high, highest = quantiles
    spread = 0.1 * interval_score(lowest, highest, value, alpha=0.2)
    spread += 0.25 * interval_score(low, high, value, alpha=0.5)
    return (0.5 * np.abs(value - median) + spread) / 2.5


def chance_within(quantiles: Floats, amount: Floats) -> Floats:
    """Return the distribution function at an amount, 0 .. 1, read off five quantiles of amounts.

    On the scale log(1 + amount) it is linear between two quantiles and goes on beyond the outer
    ones with the slope of the outer pair, within 0 .. 1. Where quantiles are equal it jumps, and
    has the upper value there.

    >>> quantiles = np.exp([[1.0], [2.0], [3.0], [4.0], [5.0]]) - 1
    >>> amounts = np.exp([0.0, 1.001, 2.5, 5.5, 9.0]) - 1
    >>> [round(float(chance_within(quantiles, np.array([x]))[0]), 3) for x in amounts]
    [0.0, 0.1, 0.375, 0.975, 1.0]
    """
    last_pair = len(QUANTILE_LEVELS) - 2
    reached = (quantiles <= amount).sum(axis=0, dtype=np.intp)
    pair = np.clip(reached - 1, 0, last_pair)
    place = pair * len(amount) + np.arange(len(amount))
    flat = quantiles.ravel()
    low, high = flat.take(place), flat.take(place + len(amount))
    levels = np.array(QUANTILE_LEVELS)
    with np.errstate(all="ignore"):
        steps = _log_distance(low, amount) / _log_distance(low, high)
        chance = levels.take(pair) + steps * np.diff(levels).take(pair)
    # 0 / 0: the amount is the highest quantile and the one below it too, where the curve ends.
    return np.where(np.isnan(chance), 1.0, np.clip(chance, 0.0, 1.0))


def _log_distance(start: Floats, end: Floats) -> Floats:
    """Return log(1 + end) - log(1 + start), exact also where the two are almost the same."""
    distance = np.log1p(np.abs(end - start) / (1.0 + np.minimum(start, end)))
    return np.copysign(distance, end - start)
