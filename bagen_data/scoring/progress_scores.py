"""Scores by progress, k / T: how answers change along a rollout."""

import numpy as np

from bagen_data.array_types import some
from bagen_data.scoring.definitions import IntervalSum, ratio, samples_where
from bagen_data.scoring.interval_formulas import relative_width
from bagen_data.scoring.scores.feasibility import FEASIBLE_INTERVAL, INFEASIBLE, INTERVAL
from bagen_data.scoring.scores.intervals import OVER_INTERVALS
from bagen_data.scoring.scores.intervals import SCORES as INTERVAL_SCORES

NOTHING_LEFT = samples_where(lambda family: some(family.samples.remaining == 0))
"""Samples in which some resource's R is 0, so that nothing is relative to it."""
RELATIVE_WIDTH = IntervalSum(
    lambda intervals: np.nan_to_num(
        relative_width(intervals.low, intervals.high, intervals.remaining), copy=False
    )
)

PROGRESS_SCORES = {
    "coverage": INTERVAL_SCORES["coverage"],
    "optimistic": INTERVAL_SCORES["optimistic"],
    "conservative": INTERVAL_SCORES["conservative"],
    "predicted_feasible_on_infeasible": ratio(
        "share of infeasible samples answered with an interval",
        INFEASIBLE & INTERVAL,
        INFEASIBLE,
        "lower",
    ),
    "relative_width": ratio(
        f"{OVER_INTERVALS}, mean of (high - low) / R",
        RELATIVE_WIDTH,
        FEASIBLE_INTERVAL & ~NOTHING_LEFT,
        "neither",
    ),
}
