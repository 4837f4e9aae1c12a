"""Early stop: what is saved, and lost, by stopping a rollout at its first `impossible` [6.1]."""

from collections.abc import Mapping, Sequence
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
    ratio,
)
from bagen_data.scoring.scores.feasibility import FEASIBLE, IMPOSSIBLE, SAMPLES


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


def _is_failed(family: AnsweredFamily) -> Mask:
    """(m,) which rollouts are infeasible."""
    return ~family.samples.feasible[family.samples.first]


def _stopped_failed(family: AnsweredFamily) -> Mask:
    return family.once(_stops).is_stopped & family.once(_is_failed)


def _stopped_feasible(family: AnsweredFamily) -> Mask:
    return family.once(_stops).is_stopped & ~family.once(_is_failed)


def _alarm_progress(family: AnsweredFamily) -> Floats:
    """(m,) k / T at the first `impossible` of a failed rollout; 0 elsewhere, or if T is unknown."""
    samples, stops = family.samples, family.once(_stops)
    progress = np.zeros(len(samples.first))
    if samples.total_turns is not None:
        k, total = samples.completed_turns[stops.rows], samples.total_turns[stops.rows]
        progress[stops.rollouts] = k / total
    return progress * family.once(_is_failed)


def _has_alarm(family: AnsweredFamily) -> Mask:
    """(m,) which failed rollouts have an `impossible`; none if T is unknown."""
    return _stopped_failed(family) & (family.samples.total_turns is not None)


def _saved(family: AnsweredFamily) -> Floats:
    """(r, m) what a failed rollout spent after its first `impossible`."""
    stops, remaining = family.once(_stops), family.samples.remaining
    saved = np.zeros((len(remaining), len(stops.is_stopped)))
    saved[:, stops.rollouts] = remaining[:, stops.rows]
    return saved * family.once(_is_failed)


def _spent(family: AnsweredFamily) -> Floats:
    """(r, m) what a failed rollout spent in total."""
    samples = family.samples
    spent = samples.used[:, samples.first] + samples.remaining[:, samples.first]
    return spent * family.once(_is_failed)


def _saved_rate(
    saved: Mapping[tuple[str, ...], Floats], spent: Mapping[tuple[str, ...], Floats]
) -> Floats:
    """The mean over resources of `saved / spent`, then over tasks that count different ones.

    A resource that was not spent at all is left out.
    """
    shares = (divided(saved[resources], spent[resources]) for resources in spent)
    return _mean_of_known([_mean_of_known(share) for share in shares])


def _mean_of_known(values: Floats | Sequence[Floats]) -> Floats:
    """The mean over those with a value; a resample in which one of them has none has none."""
    stacked = np.array(values)
    is_known = ~np.isnan(stacked[..., :1])
    return divided(
        np.where(is_known, stacked, 0).sum(axis=0),
        is_known.sum(axis=0) * np.ones(stacked.shape[-1]),
    )


ROLLOUTS = RolloutSum(lambda family: np.ones(len(family.samples.first)))
FAILED = RolloutSum(_is_failed)
STOPPED_FAILED = RolloutSum(_stopped_failed)
STOPPED_FEASIBLE = RolloutSum(_stopped_feasible)
ALARMS = RolloutSum(_has_alarm)
ALARM_PROGRESS = RolloutSum(_alarm_progress)
SAVED = ResourceSum(_saved)
SPENT = ResourceSum(_spent)

EARLY_STOP_SCORES = {
    "false_abort_rate": ratio(
        "share of samples that are feasible and answered `impossible`",
        FEASIBLE & IMPOSSIBLE,
        SAMPLES,
        "lower",
        pooled=True,
    ),
    "stopped_failed": ratio(
        "share of infeasible rollouts with an `impossible`", STOPPED_FAILED, FAILED, pooled=True
    ),
    "saved_rate": Definition(
        "usage of infeasible rollouts after their first `impossible` / their total usage",
        _saved_rate,
        (SAVED, SPENT),
        FAILED,
        pooled=True,
    ),
    "success_drop": ratio(
        "share of rollouts that are feasible and have an `impossible`",
        STOPPED_FEASIBLE,
        ROLLOUTS,
        "lower",
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
