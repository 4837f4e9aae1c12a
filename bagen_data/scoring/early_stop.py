"""Early stop: what is saved, and lost, by stopping a rollout at its first `impossible` [6.1]."""

import numpy as np

from bagen_data.answer_columns import INFEASIBLE, AnswerColumns
from bagen_data.array_types import Floats
from bagen_data.scoring.sample_table import Family

SAVED, SPENT = "saved", "spent"


def rollout_sums(family: Family, answers: AnswerColumns) -> dict[str, Floats]:
    """By name, (m,) what each rollout adds to a count or a sum.

    `rollouts` is 1 for each; `failed` for infeasible ones; `stopped_failed` and `stopped_feasible`
    for those with an `impossible`. `alarm_progress` is k / T at the first `impossible` of a failed
    rollout, and `alarms` 1, where T is known. `saved/NAMES/NAME` is what a failed rollout
    whose resources are NAMES spent of one after it, `spent/NAMES/NAME` what it spent in total.
    """
    rollouts = len(family.first)
    feasible = family.feasible[family.first]
    alarms = np.flatnonzero(answers.verdict == INFEASIBLE)
    rollout = family.rollout.take(alarms)
    is_first = np.diff(rollout, prepend=-1) != 0  # the rows of a rollout lie together
    alarms, stopped = alarms[is_first], rollout[is_first]
    is_stopped = np.zeros(rollouts, bool)
    is_stopped[stopped] = True
    sums = {
        "rollouts": np.ones(rollouts),
        "failed": ~feasible,
        "stopped_failed": is_stopped & ~feasible,
        "stopped_feasible": is_stopped & feasible,
    }
    alarm = np.zeros((2, rollouts))
    if family.total_turns is not None:
        progress = family.completed_turns[alarms] / family.total_turns[alarms]
        alarm[:, stopped] = progress, np.ones(len(stopped))
    sums |= {"alarm_progress": alarm[0] * ~feasible, "alarms": alarm[1] * ~feasible}
    together = "+".join(family.resources)
    for position, name in enumerate(family.resources):
        saved = np.zeros(rollouts)
        saved[stopped] = family.remaining[position, alarms]
        spent = family.used[position, family.first] + family.remaining[position, family.first]
        sums |= {
            f"{SAVED}/{together}/{name}": saved * ~feasible,
            f"{SPENT}/{together}/{name}": spent * ~feasible,
        }
    return {name: values.astype(np.float64) for name, values in sums.items()}
