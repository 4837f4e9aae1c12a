"""Scores of the intervals of feasible samples: do they cover what remains, and how tightly?"""

from bagen_data.array_types import Floats, some
from bagen_data.scoring.answered_family import IntervalColumns
from bagen_data.scoring.definitions import (
    Definition,
    IntervalSum,
    divided,
    intervals_where,
    ratio,
)
from bagen_data.scoring.interval_formulas import interval_reward
from bagen_data.scoring.scores.feasibility import (
    FEASIBLE,
    FEASIBLE_INTERVAL,
    INFEASIBLE_IMPOSSIBLE,
    INTERVAL,
    SAMPLES,
)

RL_INTERVAL, RL_IMPOSSIBLE = 1.8, 0.2
"""Weights of the reward of reinforcement learning [E]."""
OVER_INTERVALS = "over feasible samples answered with an interval"

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


def _rl_reward(rewards: Floats, right_impossible: Floats, samples: Floats) -> Floats:
    return divided(RL_INTERVAL * rewards + RL_IMPOSSIBLE * right_impossible, samples)


SCORES = {
    "hit_rate": ratio(
        "over feasible samples, share whose intervals cover; no interval is a miss",
        COVERED,
        FEASIBLE,
    ),
    "coverage": ratio(
        f"{OVER_INTERVALS}, share covered in every resource", COVERED, FEASIBLE_INTERVAL
    ),
    "reward": ratio(
        "over feasible samples, coverage x tightness; 0 without an interval", REWARD, FEASIBLE
    ),
    "optimistic": ratio(
        f"{OVER_INTERVALS}, share with a high < R", FEASIBLE & TOO_LOW, FEASIBLE_INTERVAL, "lower"
    ),
    "conservative": ratio(
        f"{OVER_INTERVALS}, share with a low > R", FEASIBLE & TOO_HIGH, FEASIBLE_INTERVAL, "lower"
    ),
    "rl_reward": Definition(
        "1.8 x coverage x tightness where feasible, 0.2 for `impossible` where not, else 0",
        _rl_reward,
        (REWARD, INFEASIBLE_IMPOSSIBLE, SAMPLES),
        SAMPLES,
    ),
}
