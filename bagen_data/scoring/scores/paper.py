"""Scores as the paper counts, for comparison with its tables only; never ranked on.

The test set of its Table 7 is balanced: as many feasible samples as infeasible ones. The scores
named `_balanced` weigh the two classes alike in any set, so they can stand beside that table.
"""

from bagen_data.array_types import Floats
from bagen_data.scoring.definitions import (
    Definition,
    IntervalColumns,
    IntervalSum,
    divided,
    ratio,
)
from bagen_data.scoring.interval_formulas import covered, paper_reward
from bagen_data.scoring.scores.feasibility import (
    FEASIBLE,
    FEASIBLE_INTERVAL,
    INFEASIBLE,
    INFEASIBLE_IMPOSSIBLE,
    SAMPLES,
    SUCCESS,
    is_success,
)
from bagen_data.scoring.scores.intervals import (
    COVERING,
    REWARD,
    RL_IMPOSSIBLE,
    RL_INTERVAL,
    reward,
)


def _paper_reward(intervals: IntervalColumns) -> Floats:
    is_covered = covered(intervals.low, intervals.high, intervals.remaining)
    earned = paper_reward(is_covered, intervals.once(reward))
    return earned * is_success(intervals.family.samples).take(intervals.rows)


PAPER_REWARD = IntervalSum(_paper_reward)


def _balanced(feasible: Floats, infeasible: Floats) -> Floats:
    """Return the mean of a score of the feasible samples and one of the infeasible ones."""
    return (feasible + infeasible) / 2


def _accuracy_balanced(
    right_interval: Floats, feasible: Floats, right_impossible: Floats, infeasible: Floats
) -> Floats:
    return _balanced(divided(right_interval, feasible), divided(right_impossible, infeasible))


def _rl_reward_balanced(
    rewards: Floats, feasible: Floats, right_impossible: Floats, infeasible: Floats
) -> Floats:
    return _balanced(
        RL_INTERVAL * divided(rewards, feasible),
        RL_IMPOSSIBLE * divided(right_impossible, infeasible),
    )


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
    "accuracy_balanced": Definition(
        "mean of recall_feasible and recall_infeasible: accuracy with both classes alike",
        _accuracy_balanced,
        (FEASIBLE_INTERVAL, FEASIBLE, INFEASIBLE_IMPOSSIBLE, INFEASIBLE),
        SAMPLES,
        classes=(FEASIBLE, INFEASIBLE),
    ),
    "rl_reward_balanced": Definition(
        "rl_reward with both classes alike: 0.9 x the mean coverage x tightness of feasible "
        "samples + 0.1 x recall_infeasible",
        _rl_reward_balanced,
        (REWARD, FEASIBLE, INFEASIBLE_IMPOSSIBLE, INFEASIBLE),
        SAMPLES,
        classes=(FEASIBLE, INFEASIBLE),
    ),
}
