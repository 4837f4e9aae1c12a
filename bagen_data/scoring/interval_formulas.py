"""The worth of one answer, as columns: every formula of a single sample (the paper's 3.3 and E).

Arrays are (r, n): a row a resource, a column a sample. `low` and `high` are the bounds of the
answer, NaN where it has no interval; `remaining` is what the recorded rollout went on to spend, R,
finite and at least 0. Nothing here raises or warns, whatever finite numbers come.
"""

import numpy as np

from bagen_data.array_types import Floats, Ints, Mask, every, some

LARGEST = 1e250
"""Ratios end here, so that sums of them stay finite."""


def covered(low: Floats, high: Floats, remaining: Floats) -> Mask:
    """`low <= R <= high`, both ends inclusive.

    >>> covered(np.array([1.0, 3.0]), np.array([2.0, 4.0]), np.array([2.0, 2.0])).tolist()
    [True, False]
    """
    return (low <= remaining) & (remaining <= high)


def tightness(low: Floats, high: Floats, remaining: Floats) -> Floats:
    """`max(0, 1 - (high - low) / R)`, 0 .. 1; where R is 0, 1 for [0, 0] and else 0.

    >>> tightness(np.array([90.0, 0.0]), np.array([110.0, 0.0]), np.array([100.0, 0.0])).tolist()
    [0.8, 1.0]
    """
    with np.errstate(all="ignore"):
        shares = np.maximum(0.0, 1.0 - (high - low) / remaining)
    is_zero = remaining == 0
    if is_zero.any():
        shares[is_zero] = (low[is_zero] == 0) & (high[is_zero] == 0)
    return shares


def interval_reward(low: Floats, high: Floats, remaining: Floats) -> Floats:
    """Mean over resources of coverage x tightness, 0 .. 1, (n,); 0 without an interval [Eq. 4].

    >>> interval_reward(np.array([[90.0]]), np.array([[110.0]]), np.array([[100.0]])).tolist()
    [0.8]
    """
    is_covered = covered(low, high, remaining)
    return mean_over_resources(np.where(is_covered, tightness(low, high, remaining), 0.0))


def relative_error(low: Floats, high: Floats, remaining: Floats) -> Floats:
    """Mean over resources of `abs(midpoint - R) / R`, (n,); NaN where any R is 0.

    >>> relative_error(np.array([[90.0]]), np.array([[130.0]]), np.array([[100.0]])).tolist()
    [0.1]
    """
    return relative_difference(midpoint(low, high), remaining)


def relative_difference(estimate: Floats, remaining: Floats) -> Floats:
    """Mean over resources of `abs(estimate - R) / R`, (n,); NaN where any R is 0."""
    return _mean_ratio(np.abs(estimate - remaining), remaining)


def relative_width(low: Floats, high: Floats, remaining: Floats) -> Floats:
    """Mean over resources of `(high - low) / R`, (n,); NaN where any R is 0.

    >>> relative_width(np.array([[90.0]]), np.array([[130.0]]), np.array([[100.0]])).tolist()
    [0.4]
    """
    return _mean_ratio(high - low, remaining)


def midpoint(low: Floats, high: Floats) -> Floats:
    """`(low + high) / 2`, and no overflow."""
    return 0.5 * low + 0.5 * high


def within_2x(low: Floats, high: Floats, remaining: Floats) -> Mask:
    """Return whether the midpoint is within a factor of 2 of R, for every resource, (n,).

    >>> within_2x(np.array([[0.0]]), np.array([[100.0]]), np.array([[100.0]])).tolist()
    [True]
    """
    middle = midpoint(low, high)
    return every((middle >= 0.5 * remaining) & (0.5 * middle <= remaining))


def overrun(high: Floats, remaining: Floats) -> Floats:
    """Return by how much R exceeds `high`: `(R - high) / R` where it does, else 0; (r, n), 0 .. 1.

    >>> overrun(np.array([[80.0, 110.0]]), np.array([[100.0, 100.0]])).tolist()
    [[0.2, 0.0]]
    """
    with np.errstate(all="ignore"):
        return np.where(remaining > high, (remaining - high) / remaining, 0.0)


def interval_score(low: Floats, high: Floats, value: Floats, alpha: float) -> Floats:
    """The interval (Winkler) score of a central 1 - alpha interval; at least 0, lower is better.

    `(high - low) + 2/alpha * max(0, low - value) + 2/alpha * max(0, value - high)` (Gneiting and
    Raftery, 2007, eq. 43). It is proper: who knows the distribution does best with its quantiles
    alpha/2 and 1 - alpha/2.

    >>> interval_score(np.array([1.0]), np.array([3.0]), np.array([4.0]), alpha=0.2).tolist()
    [12.0]
    """
    outside = np.maximum(0.0, low - value) + np.maximum(0.0, value - high)
    return (high - low) + (2.0 / alpha) * outside


def paper_reward(is_covered: Mask, reward: Floats) -> Floats:
    """The paper's reward of feasible samples answered with intervals, 0 .. 1, (n,).

    With one resource the reward of 3.3. With several, the paper's Warehouse: the mean of the
    feasibility judgment, 1 here, and of each resource's coverage, 0 or 1.

    Args:
        is_covered: (r, n).
        reward: (n,) coverage x tightness.
    """
    resources = len(is_covered)
    return reward if resources == 1 else (1 + is_covered.sum(axis=0)) / (1 + resources)


def mean_over_resources(values: Floats) -> Floats:
    """(r, n) to (n,)."""
    return values[0] if len(values) == 1 else values.sum(axis=0) / len(values)


def linear_extrapolation(
    used: Floats, used_first: Floats, completed_turns: Ints, total_turns: Ints
) -> Floats:
    """Return what is left if every turn costs as much as those so far, and there are T of them.

    `used_k / k * (T - k)` where several resources are counted; NaN at k = 0. With a single one,
    tokens, the first turn carries the task's text and is left out: `(used_k - used_1) / (k - 1) *
    (T - k)`, NaN before the second turn.

    Args:
        used: (r, n) spent after k turns.
        used_first: (r, n) spent after the first turn of the same rollout; NaN if unknown.
        completed_turns: (n,) k.
        total_turns: (n,) T, which is known beforehand only where the horizon is fixed.

    >>> one = np.array([[40.0]])
    >>> linear_extrapolation(one * 4, one, np.array([4]), np.array([6])).tolist()
    [[80.0]]
    """
    left = total_turns - completed_turns
    with np.errstate(all="ignore"):
        if len(used) == 1:
            rate = (used - used_first) / (completed_turns - 1)
            return np.where(completed_turns >= 2, rate * left, np.nan)
        return np.where(completed_turns >= 1, used / completed_turns * left, np.nan)


def _mean_ratio(values: Floats, remaining: Floats) -> Floats:
    with np.errstate(all="ignore"):
        ratios = np.minimum(values / remaining, LARGEST)
    mean = mean_over_resources(ratios)
    is_zero = some(remaining == 0)
    return np.where(is_zero, np.nan, mean) if is_zero.any() else mean
