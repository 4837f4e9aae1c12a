"""Early stop: what is saved, and lost, by stopping a rollout at its first `impossible` [6.1]."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from bagen_data.answer_columns import INFEASIBLE as SAYS_IMPOSSIBLE
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.scoring.definitions import (
    AnsweredFamily,
    Definition,
    ResourceSum,
    RolloutSum,
    divided,
    mean_of_known,
    ratio,
)
from bagen_data.scoring.scores.feasibility import FEASIBLE, IMPOSSIBLE, SAMPLES

SUCCESS_WORTH = 2
"""Worth of a success in `net_benefit`, in budgets. At another worth v the benefit is that at this
one plus `(SUCCESS_WORTH - v) * success_drop`."""


@dataclass(frozen=True)
class _Stops:
    """The rollouts of a family that have an `impossible`: s of m."""

    rollouts: Ints
    """(s,)."""
    rows: Ints
    """(s,) the sample of the first `impossible` of each."""
    is_stopped: Mask
    """(m,) which rollouts they are."""


def _stops(family: AnsweredFamily) -> _Stops:
    rows = np.flatnonzero(family.answers.verdict == SAYS_IMPOSSIBLE)
    rollouts = family.samples.rollout.take(rows)
    is_first = np.diff(rollouts, prepend=-1) != 0  # the rows of a rollout lie together
    is_stopped = np.zeros(len(family.samples.first), bool)
    is_stopped[rollouts[is_first]] = True
    return _Stops(rollouts[is_first], rows[is_first], is_stopped)


def _is_infeasible(family: AnsweredFamily) -> Mask:
    """(m,) which rollouts are infeasible."""
    return ~family.samples.feasible[family.samples.first]


def _is_feasible(family: AnsweredFamily) -> Mask:
    """(m,) which rollouts are feasible."""
    return ~family.once(_is_infeasible)


def _is_successful(family: AnsweredFamily) -> Mask:
    """(m,) which rollouts succeeded, within the budget or not; none if that is unknown."""
    success = family.samples.rollout_success
    return np.zeros(_rollouts(family), bool) if success is None else success[family.samples.first]


def _is_unsuccessful(family: AnsweredFamily) -> Mask:
    """(m,) which rollouts did not succeed; none if that is unknown."""
    return _has_outcome(family) & ~family.once(_is_successful)


def _has_outcome(family: AnsweredFamily) -> Mask:
    """(m,) which rollouts are known to have succeeded or not: all of a family, or none."""
    return np.full(_rollouts(family), family.samples.rollout_success is not None)


def _rollouts(family: AnsweredFamily) -> int:
    return len(family.samples.first)


def _stopped(which: Callable[[AnsweredFamily], Mask]) -> RolloutSum:
    """Return the number of the stopped ones among some rollouts."""
    return RolloutSum(lambda family: family.once(_stops).is_stopped & family.once(which))


def _alarm_progress(family: AnsweredFamily) -> Floats:
    """(m,) k / T at the first `impossible` of an infeasible rollout; 0 elsewhere and without T."""
    samples, stops = family.samples, family.once(_stops)
    progress = np.zeros(_rollouts(family))
    if samples.total_turns is not None:
        k, total = samples.completed_turns[stops.rows], samples.total_turns[stops.rows]
        progress[stops.rollouts] = k / total
    return progress * family.once(_is_infeasible)


def _has_alarm(family: AnsweredFamily) -> Mask:
    """(m,) which infeasible rollouts have an `impossible`; none if T is unknown."""
    is_known = family.samples.total_turns is not None
    return family.once(_stops).is_stopped & family.once(_is_infeasible) & is_known


def _saved(family: AnsweredFamily) -> Floats:
    """(r, m) the usage of each rollout after its first `impossible`; 0 without one."""
    stops, remaining = family.once(_stops), family.samples.remaining
    saved = np.zeros((len(remaining), _rollouts(family)))
    saved[:, stops.rollouts] = remaining[:, stops.rows]
    return saved


def _total(family: AnsweredFamily) -> Floats:
    """(r, m) the usage of each rollout in total."""
    samples = family.samples
    return samples.used[:, samples.first] + samples.remaining[:, samples.first]


def _budget(family: AnsweredFamily) -> Floats:
    """(r, m) the budget of each rollout."""
    return family.samples.budget[:, family.samples.first]


def _capped(family: AnsweredFamily) -> Floats:
    """(r, m) what each rollout spends under a hard cap at its budget."""
    return np.minimum(family.once(_total), family.once(_budget))


def _saved_below_cap(family: AnsweredFamily) -> Floats:
    """(r, m) the usage after the first `impossible` that no hard cap at the budget saves."""
    stops, samples = family.once(_stops), family.samples
    saved = np.zeros((len(samples.used), _rollouts(family)))
    capped, budget = (of(family)[:, stops.rollouts] for of in (_capped, _budget))
    saved[:, stops.rollouts] = capped - np.minimum(samples.used[:, stops.rows], budget)
    return saved


def saved_budgets(family: AnsweredFamily) -> Floats:
    """Return (m,) the usage that stopping saves each rollout and a hard cap does not, in budgets.

    The mean over resources.
    """
    return in_budgets(family.once(_saved_below_cap), family.once(_budget))


def capped_budgets(family: AnsweredFamily) -> Floats:
    """Return (m,) the usage of each rollout under a hard cap, in budgets.

    The mean over resources.
    """
    return in_budgets(family.once(_capped), family.once(_budget))


def in_budgets(amounts: Floats, budget: Floats) -> Floats:
    """(r, m) to (m,): amounts over budgets, the mean over resources; 0 of a budget of 0."""
    shares = np.zeros(amounts.shape)
    np.divide(amounts, budget, out=shares, where=budget > 0)
    return shares.mean(axis=0)


def _net_benefit(family: AnsweredFamily) -> Floats:
    """(m,) what stopping is worth beyond a hard cap: budgets not spent less successes lost."""
    is_lost = family.once(_stops).is_stopped & family.once(_is_feasible)
    return family.once(saved_budgets) - SUCCESS_WORTH * is_lost


def _of(
    which: Callable[[AnsweredFamily], Mask], amounts: Callable[[AnsweredFamily], Floats]
) -> ResourceSum:
    """Return the sum of amounts over some rollouts."""
    return ResourceSum(lambda family: family.once(amounts) * family.once(which))


def _saved_rate(
    saved: Mapping[tuple[str, ...], Floats], spent: Mapping[tuple[str, ...], Floats]
) -> Floats:
    """The mean over resources of `saved / spent`, then over tasks that count different ones.

    A resource that was not spent at all is left out.
    """
    shares = (divided(saved[resources], spent[resources]) for resources in spent)
    return mean_of_known([mean_of_known(share) for share in shares])


ROLLOUTS = RolloutSum(lambda family: np.ones(_rollouts(family)))
INFEASIBLE = RolloutSum(_is_infeasible)
UNSUCCESSFUL = RolloutSum(_is_unsuccessful)
WITH_OUTCOME = RolloutSum(_has_outcome)
STOPPED_INFEASIBLE = _stopped(_is_infeasible)
STOPPED_UNSUCCESSFUL = _stopped(_is_unsuccessful)
STOPPED_FEASIBLE = _stopped(_is_feasible)
STOPPED_SUCCESSFUL = _stopped(_is_successful)
ALARMS = RolloutSum(_has_alarm)
ALARM_PROGRESS = RolloutSum(_alarm_progress)
NET_BENEFIT = RolloutSum(_net_benefit)

EARLY_STOP_SCORES = {
    "false_abort_rate": ratio(
        "share of samples that are feasible and answered `impossible`",
        FEASIBLE & IMPOSSIBLE,
        SAMPLES,
        "lower",
        pooled=True,
    ),
    "paper_stopped_failed": ratio(
        "share of rollouts that did not succeed with an `impossible`, as in the paper",
        STOPPED_UNSUCCESSFUL,
        UNSUCCESSFUL,
        pooled=True,
    ),
    "paper_saved_rate": Definition(
        "usage of rollouts that did not succeed after their first `impossible` / their total "
        "usage, as in the paper",
        _saved_rate,
        (_of(_is_unsuccessful, _saved), _of(_is_unsuccessful, _total)),
        UNSUCCESSFUL,
        pooled=True,
    ),
    "stopped_failed": ratio(
        "share of infeasible rollouts with an `impossible`",
        STOPPED_INFEASIBLE,
        INFEASIBLE,
        pooled=True,
    ),
    "saved_rate": Definition(
        "usage of infeasible rollouts after their first `impossible` / their total usage",
        _saved_rate,
        (_of(_is_infeasible, _saved), _of(_is_infeasible, _total)),
        INFEASIBLE,
        pooled=True,
    ),
    "saved_below_cap": Definition(
        "usage of infeasible rollouts after their first `impossible` and below the budget / their "
        "usage below the budget; what lies beyond a budget, any hard cap saves",
        _saved_rate,
        (_of(_is_infeasible, _saved_below_cap), _of(_is_infeasible, _capped)),
        INFEASIBLE,
        pooled=True,
    ),
    "success_drop": ratio(
        "share of rollouts that are feasible and have an `impossible`",
        STOPPED_FEASIBLE,
        ROLLOUTS,
        "lower",
        pooled=True,
    ),
    "any_success_drop": ratio(
        "share of rollouts that succeeded, within the budget or not, and have an `impossible`",
        STOPPED_SUCCESSFUL,
        WITH_OUTCOME,
        "lower",
        pooled=True,
    ),
    "net_benefit": ratio(
        f"budgets that stopping saves a rollout beyond a hard cap, less {SUCCESS_WORTH} for each "
        "feasible rollout that is stopped; 0 is the hard cap alone",
        NET_BENEFIT,
        ROLLOUTS,
        pooled=True,
    ),
}
"""Scores of stopping at the first `impossible`; tasks and overall sum the counts."""
SCORES = EARLY_STOP_SCORES | {
    "first_alarm": ratio(
        "mean progress, k / T, at the first `impossible` of infeasible rollouts",
        ALARM_PROGRESS,
        ALARMS,
        "lower",
    ),
}
