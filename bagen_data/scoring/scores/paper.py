"""Scores as the paper counts, for comparison with its tables only; never ranked on."""

from bagen_data.array_types import Floats
from bagen_data.scoring.definitions import (
    Definition,
    IntervalColumns,
    IntervalSum,
    divided,
    ratio,
)
from bagen_data.scoring.interval_formulas import covered, paper_reward
from bagen_data.scoring.scores.feasibility import INFEASIBLE_IMPOSSIBLE, SUCCESS, is_success
from bagen_data.scoring.scores.intervals import COVERING, reward


def _paper_reward(intervals: IntervalColumns) -> Floats:
    is_covered = covered(intervals.low, intervals.high, intervals.remaining)
    earned = paper_reward(is_covered, intervals.once(reward))
    return earned * is_success(intervals.family.samples).take(intervals.rows)


PAPER_REWARD = IntervalSum(_paper_reward)

SCORES = {
    "paper_hit_rate": ratio(
        "share covered of samples of rollouts that succeeded, within the budget or not",
        SUCCESS & COVERING,
        SUCCESS,
    ),
    "paper_reward": Definition(
        "the paper's mean reward of samples of rollouts that succeeded, within the budget or not; "
        "1 for `impossible` where the budget was overrun",
        lambda rewards, stops, samples: divided(rewards + stops, samples),
        (PAPER_REWARD, SUCCESS & INFEASIBLE_IMPOSSIBLE, SUCCESS),
        SUCCESS,
    ),
}
