"""Relative errors of midpoints and of extrapolation, as quantiles over samples with R > 0."""

import numpy as np

from bagen_data.array_types import Floats
from bagen_data.scoring.definitions import AnsweredFamily, IntervalColumns, QuantileDefinition
from bagen_data.scoring.interval_formulas import (
    linear_extrapolation,
    relative_difference,
    relative_error,
)
from bagen_data.scoring.scores.intervals import FEASIBLE_WITH_INTERVAL


def _midpoint_error(intervals: IntervalColumns) -> Floats:
    return relative_error(intervals.low, intervals.high, intervals.remaining)


def _extrapolation_error(intervals: IntervalColumns) -> Floats:
    """(a,) the error of linear extrapolation instead of the answer; NaN if T is not known."""
    samples, rows = intervals.family.samples, intervals.rows
    if samples.total_turns is None:
        return np.full(len(rows), np.nan)
    guess = linear_extrapolation(
        samples.used.take(rows, axis=1),
        intervals.family.once(_used_first).take(samples.rollout.take(rows), axis=1),
        samples.completed_turns.take(rows),
        samples.total_turns.take(rows),
    )
    return relative_difference(guess, intervals.remaining)


def _used_first(family: AnsweredFamily) -> Floats:
    """(r, m) spent after the first turn of each rollout; NaN if it has no such sample."""
    samples = family.samples
    used = np.full((len(samples.resources), len(samples.first)), np.nan)
    rows = np.flatnonzero(samples.completed_turns == 1)
    used[:, samples.rollout[rows]] = samples.used[:, rows]
    return used


SCORES = {
    "mre_p50": QuantileDefinition(
        f"median of abs(midpoint - R) / R of {FEASIBLE_WITH_INTERVAL}", _midpoint_error, 0.5
    ),
    "mre_p90": QuantileDefinition(
        f"90% quantile of abs(midpoint - R) / R of {FEASIBLE_WITH_INTERVAL}", _midpoint_error, 0.9
    ),
    "extrapolation_mre_p50": QuantileDefinition(
        "median relative error of linear extrapolation instead of the answer, of "
        f"{FEASIBLE_WITH_INTERVAL}",
        _extrapolation_error,
        0.5,
    ),
}
