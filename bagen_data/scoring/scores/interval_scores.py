"""The proper score of intervals, the skill it gives, and where R lies beside the interval."""

import numpy as np

from bagen_data.answer_columns import FEASIBLE as SAYS_FEASIBLE
from bagen_data.array_types import Floats
from bagen_data.scoring.definitions import (
    Definition,
    IntervalColumns,
    IntervalSum,
    divided,
    intervals_where,
    ratio,
    samples_where,
)
from bagen_data.scoring.interval_formulas import (
    interval_score,
    mean_over_resources,
    overrun,
    within_2x,
)
from bagen_data.scoring.resampling import central_interval
from bagen_data.scoring.scores.feasibility import FEASIBLE, FEASIBLE_INTERVAL
from bagen_data.scoring.scores.intervals import FEASIBLE_WITH_INTERVAL


def _log_remaining(intervals: IntervalColumns) -> Floats:
    return np.log1p(intervals.remaining)


def _log_score(intervals: IntervalColumns) -> Floats:
    """(a,) the interval score of log(1 + amount), the mean over resources."""
    low, high = np.log1p(intervals.low), np.log1p(intervals.high)
    remaining = intervals.once(_log_remaining)
    return mean_over_resources(interval_score(low, high, remaining, intervals.family.alpha))


def _constant_score(intervals: IntervalColumns) -> Floats:
    """(a,) the same score of the constant interval between the quantiles of these samples' R."""
    remaining, alpha = intervals.once(_log_remaining), intervals.family.alpha
    constant = np.array([central_interval(amounts, alpha) for amounts in remaining])
    return mean_over_resources(interval_score(constant[:, :1], constant[:, 1:], remaining, alpha))


def _overrun(intervals: IntervalColumns) -> Floats:
    return overrun(intervals.high, intervals.remaining)


def _overrun_resources(intervals: IntervalColumns) -> Floats:
    """(a,) the number of resources with R > high."""
    return np.count_nonzero(intervals.once(_overrun), axis=0).astype(np.float64)


def _shared_score(intervals: IntervalColumns) -> Floats:
    is_shared = intervals.family.other_answers.verdict[intervals.rows] == SAYS_FEASIBLE
    return intervals.once(_log_score) * is_shared


INTERVAL_SCORE = IntervalSum(_log_score)
CONSTANT_SCORE = IntervalSum(_constant_score)
OVERRUN_BY = IntervalSum(lambda intervals: intervals.once(_overrun).sum(axis=0))
OVERRUN_RESOURCES = IntervalSum(_overrun_resources)
OVERRUN_SHARE = IntervalSum(
    lambda intervals: intervals.once(_overrun_resources) / len(intervals.remaining)
)
WITHIN_2X = FEASIBLE & intervals_where(
    lambda intervals: within_2x(intervals.low, intervals.high, intervals.remaining)
)
SHARED = FEASIBLE_INTERVAL & samples_where(
    lambda family: family.other_answers.verdict == SAYS_FEASIBLE
)
"""Feasible samples that both estimators of a comparison answered with an interval."""
SHARED_SCORE = IntervalSum(_shared_score)

SCORES = {
    "interval_score": ratio(
        f"mean interval score of log(1 + amount) of {FEASIBLE_WITH_INTERVAL}; proper",
        INTERVAL_SCORE,
        FEASIBLE_INTERVAL,
        "lower",
    ),
    "interval_skill": Definition(
        "1 - interval_score / that of the constant interval between the same samples' quantiles",
        lambda own, constant: 1 - divided(own, constant),
        (INTERVAL_SCORE, CONSTANT_SCORE),
        FEASIBLE_INTERVAL,
    ),
    "within_2x": ratio(
        f"share of {FEASIBLE_WITH_INTERVAL} whose midpoints are within a factor of 2 of R",
        WITHIN_2X,
        FEASIBLE_INTERVAL,
    ),
    "exceed_rate": ratio(
        f"mean share of resources with R > high, of {FEASIBLE_WITH_INTERVAL}",
        OVERRUN_SHARE,
        FEASIBLE_INTERVAL,
        "lower",
    ),
    "exceed_by": ratio(
        "mean of (R - high) / R where R > high", OVERRUN_BY, OVERRUN_RESOURCES, "lower"
    ),
}
COMPARISON_SCORES = {
    "interval_score_shared": ratio(
        "interval_score over the samples that both estimators answered with an interval",
        SHARED_SCORE,
        SHARED,
        "lower",
    ),
}
"""Scores that only a comparison has."""
