"""Scores of the feasibility judgment: can this still be finished within the budget?"""

import numpy as np

from bagen_data.answer_columns import FEASIBLE as SAYS_FEASIBLE
from bagen_data.answer_columns import INVALID
from bagen_data.array_types import Floats, Mask, every
from bagen_data.scoring.definitions import (
    AnsweredFamily,
    Condition,
    Definition,
    divided,
    ratio,
    samples_where,
)
from bagen_data.scoring.sample_table import FamilyColumns


def is_success(samples: FamilyColumns) -> Mask:
    """(n,) samples of rollouts that succeeded, within the budget or not; none if unknown."""
    success = samples.rollout_success
    return np.zeros(len(samples.rollout), bool) if success is None else success


def _is_within(family: AnsweredFamily) -> Mask:
    """(n,) samples of rollouts whose totals are within every budget."""
    samples = family.samples
    return every(samples.used + samples.remaining <= samples.budget)


def _has_outcome(family: AnsweredFamily) -> Mask:
    """(n,) samples of rollouts known to have succeeded or not: all of a family, or none."""
    return np.full(len(family.answers), family.samples.rollout_success is not None)


SAMPLES = Condition()
"""The condition that every sample meets."""
FEASIBLE = samples_where(lambda family: family.samples.feasible)
INFEASIBLE = ~FEASIBLE
OPEN = samples_where(lambda family: family.samples.is_open)
"""Samples within every budget so far."""
FIRST_TURN = samples_where(lambda family: family.samples.completed_turns == 1)
VALID = samples_where(lambda family: family.answers.verdict != INVALID)
INTERVAL = samples_where(lambda family: family.answers.verdict == SAYS_FEASIBLE)
"""Samples answered with an interval."""
IMPOSSIBLE = VALID & ~INTERVAL
"""Samples answered `impossible`."""
WITH_OUTCOME = samples_where(_has_outcome)
SUCCESS = samples_where(lambda family: is_success(family.samples))
WITHIN = samples_where(_is_within)
FAILED = INFEASIBLE & WITHIN & ~SUCCESS & WITH_OUTCOME
"""Infeasible samples of rollouts that stayed within the budget and failed."""
OVER_BUDGET = INFEASIBLE & ~WITHIN & SUCCESS
"""Infeasible samples of rollouts that succeeded beyond the budget."""
FAILED_OVER_BUDGET = INFEASIBLE & ~WITHIN & ~SUCCESS & WITH_OUTCOME
"""Infeasible samples of rollouts that failed beyond the budget."""
FEASIBLE_INTERVAL = FEASIBLE & INTERVAL
INFEASIBLE_IMPOSSIBLE = INFEASIBLE & IMPOSSIBLE


def _f1(right: Floats, predicted: Floats, actual: Floats, samples: Floats) -> Floats:
    """`2 TP / (predicted + actual)`: 0 where the class is neither, as scikit-learn has it.

    A resample that happens to be without the class has NaN.
    """
    both = predicted + actual
    without = np.where(both[..., :1] > 0, np.nan, 0.0)
    return np.where(samples > 0, np.where(both > 0, divided(2 * right, both), without), np.nan)


def _mean_f1(*sums: Floats) -> Floats:
    """The mean of both classes' F1, from the sums of `_class_counts` of each, and all samples."""
    feasible = _f1(sums[0], sums[1], sums[2], sums[6])
    infeasible = _f1(sums[3], sums[4], sums[5], sums[6])
    return (feasible + infeasible) / 2


def _accuracy(feasible: Floats, infeasible: Floats, samples: Floats) -> Floats:
    return divided(feasible + infeasible, samples)


def _class_counts(
    actual: Condition, predicted: Condition, among: Condition
) -> tuple[Condition, ...]:
    """The sums that F1 is made of."""
    return actual & predicted & among, predicted & among, actual & among


def macro_f1(meaning: str, among: Condition) -> Definition:
    """Define the mean of both classes' F1 over some samples."""
    counts = (
        *_class_counts(FEASIBLE, INTERVAL, among),
        *_class_counts(INFEASIBLE, IMPOSSIBLE, among),
    )
    return Definition(meaning, _mean_f1, (*counts, among), among)


def fail_f1(meaning: str, among: Condition) -> Definition:
    """Define F1 of class infeasible over some samples."""
    counts = _class_counts(INFEASIBLE, IMPOSSIBLE, among)
    return Definition(meaning, _f1, (*counts, among), among)


def accuracy(meaning: str, among: Condition) -> Definition:
    """Define the share of some samples whose class is predicted."""
    right = (FEASIBLE_INTERVAL & among, INFEASIBLE_IMPOSSIBLE & among)
    return Definition(meaning, _accuracy, (*right, among), among)


SCORES = {
    "valid_rate": ratio("share of parseable answers", VALID, SAMPLES),
    "macro_f1": macro_f1("mean of the F1 of class feasible and of class infeasible", SAMPLES),
    "macro_f1_first_turn": macro_f1("macro_f1 over k = 1 only", FIRST_TURN),
    "fail_f1": fail_f1("F1 of class infeasible", SAMPLES),
    "accuracy": accuracy("share of samples whose class is predicted", SAMPLES),
    "recall_feasible": ratio(
        "share of feasible samples answered with an interval", FEASIBLE_INTERVAL, FEASIBLE
    ),
    "recall_infeasible": ratio(
        "share of infeasible samples answered `impossible`", INFEASIBLE_IMPOSSIBLE, INFEASIBLE
    ),
    "share_failed": ratio(
        "share of samples whose rollout failed within the budget", FAILED, WITH_OUTCOME, "neither"
    ),
    "share_over_budget": ratio(
        "share of samples whose rollout succeeded beyond the budget",
        OVER_BUDGET,
        WITH_OUTCOME,
        "neither",
    ),
    "share_failed_over_budget": ratio(
        "share of samples whose rollout failed beyond the budget",
        FAILED_OVER_BUDGET,
        WITH_OUTCOME,
        "neither",
    ),
    "recall_failed": ratio(
        "share answered `impossible` of samples whose rollout failed within the budget",
        FAILED & IMPOSSIBLE,
        FAILED,
    ),
    "recall_over_budget": ratio(
        "share answered `impossible` of samples whose rollout succeeded beyond the budget",
        OVER_BUDGET & IMPOSSIBLE,
        OVER_BUDGET,
    ),
    "recall_failed_over_budget": ratio(
        "share answered `impossible` of samples whose rollout failed beyond the budget",
        FAILED_OVER_BUDGET & IMPOSSIBLE,
        FAILED_OVER_BUDGET,
    ),
    "macro_f1_open": macro_f1("macro_f1 over samples within every budget so far", OPEN),
    "fail_f1_open": fail_f1("fail_f1 over samples within every budget so far", OPEN),
    "accuracy_open": accuracy("accuracy over samples within every budget so far", OPEN),
}
