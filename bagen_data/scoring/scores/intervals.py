"""Scores of the intervals of feasible samples: do they cover what remains, and how tightly?"""

import numpy as np

from bagen_data.array_types import Floats, some
from bagen_data.scoring.definitions import (
    Definition,
    IntervalColumns,
    IntervalSum,
    divided,
    intervals_where,
    ratio,
    samples_where,
)
from bagen_data.scoring.interval_formulas import interval_reward, relative_width
from bagen_data.scoring.scores.feasibility import (
    FEASIBLE,
    FEASIBLE_INTERVAL,
    INFEASIBLE,
    INFEASIBLE_IMPOSSIBLE,
    INTERVAL,
    SAMPLES,
)

RL_INTERVAL, RL_IMPOSSIBLE = 1.8, 0.2
"""Weights of the reward of reinforcement learning [E]."""
FEASIBLE_WITH_INTERVAL = "feasible samples answered with an interval"

TOO_LOW = intervals_where(lambda intervals: some(intervals.high < intervals.remaining))
"""Samples in which some resource's R is above its interval."""
TOO_HIGH = intervals_where(lambda intervals: some(intervals.low > intervals.remaining))
"""Samples in which some resource's R is below its interval."""
COVERING = INTERVAL & ~TOO_LOW & ~TOO_HIGH
"""Samples whose intervals cover every resource, feasible or not."""
COVERED = FEASIBLE & COVERING


def reward(intervals: IntervalColumns) -> Floats:
    """Coverage x tightness, (a,)."""
    return interval_reward(intervals.low, intervals.high, intervals.remaining)


REWARD = IntervalSum(reward)
NOTHING_LEFT = samples_where(lambda family: some(family.samples.remaining == 0))
"""Samples in which some resource's R is 0, so that nothing is relative to it."""
RELATIVE_WIDTH = IntervalSum(
    lambda intervals: np.nan_to_num(
        relative_width(intervals.low, intervals.high, intervals.remaining), copy=False
    )
)


def _rl_reward(rewards: Floats, right_impossible: Floats, samples: Floats) -> Floats:
    return divided(RL_INTERVAL * rewards + RL_IMPOSSIBLE * right_impossible, samples)


SCORES = {
    "hit_rate": ratio(
        "share of feasible samples whose intervals cover every resource; no interval is a miss",
        COVERED,
        FEASIBLE,
    ),
    "coverage": ratio(
        f"share of {FEASIBLE_WITH_INTERVAL} that are covered in every resource; the nominal level "
        "is right",
        COVERED,
        FEASIBLE_INTERVAL,
        "neither",
    ),
    "reward": ratio(
        "mean coverage x tightness of feasible samples; 0 without an interval", REWARD, FEASIBLE
    ),
    "optimistic": ratio(
        f"share of {FEASIBLE_WITH_INTERVAL} with a high < R",
        FEASIBLE & TOO_LOW,
        FEASIBLE_INTERVAL,
        "lower",
    ),
    "conservative": ratio(
        f"share of {FEASIBLE_WITH_INTERVAL} with a low > R",
        FEASIBLE & TOO_HIGH,
        FEASIBLE_INTERVAL,
        "lower",
    ),
    "rl_reward": Definition(
        "1.8 x coverage x tightness where feasible, 0.2 for `impossible` where not, else 0",
        _rl_reward,
        (REWARD, INFEASIBLE_IMPOSSIBLE, SAMPLES),
        SAMPLES,
    ),
}
PROGRESS_SCORES = {
    "coverage": SCORES["coverage"],
    "optimistic": SCORES["optimistic"],
    "conservative": SCORES["conservative"],
    "predicted_feasible_on_infeasible": ratio(
        "share of infeasible samples answered with an interval",
        INFEASIBLE & INTERVAL,
        INFEASIBLE,
        "lower",
    ),
    "relative_width": ratio(
        f"mean of (high - low) / R of {FEASIBLE_WITH_INTERVAL}",
        RELATIVE_WIDTH,
        FEASIBLE_INTERVAL & ~NOTHING_LEFT,
        "neither",
    ),
}
"""Scores by progress, k / T, which show how answers change along a rollout."""
