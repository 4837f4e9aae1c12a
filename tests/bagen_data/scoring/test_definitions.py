"""Definitions that are refused when they are made, not when answers are scored."""

from typing import Any

import numpy as np
import pytest

from bagen_data.scoring.definitions import (
    Definition,
    QuantileDefinition,
    RolloutSum,
    divided,
    ratio,
)
from bagen_data.scoring.family_sums import SumPlan
from bagen_data.scoring.scores.feasibility import FEASIBLE, INTERVAL, OPEN, SAMPLES, VALID


def test_a_formula_takes_as_many_sums_as_it_is_given() -> None:
    with pytest.raises(TypeError, match="missing a required argument: 'denominator'"):
        Definition("a share", divided, (FEASIBLE,), SAMPLES)


def test_conditions_of_the_same_facts_are_one_sum() -> None:
    assert FEASIBLE & OPEN == OPEN & FEASIBLE & SAMPLES
    assert ~~FEASIBLE == FEASIBLE != ~FEASIBLE


def test_a_condition_that_is_never_true_is_refused() -> None:
    with pytest.raises(ValueError, match="never true"):
        _ = FEASIBLE & ~FEASIBLE


def test_only_a_single_fact_has_an_opposite() -> None:
    with pytest.raises(ValueError, match="a single fact"):
        _ = ~(FEASIBLE & VALID)


def test_sums_over_rollouts_have_no_progress() -> None:
    rollouts = RolloutSum(lambda family: np.ones(len(family.samples.first)))
    SumPlan.of([ratio("a share", rollouts, rollouts)], [])
    with pytest.raises(TypeError, match="by progress bin has a sum over rollouts"):
        SumPlan.of([], [ratio("a share", rollouts, INTERVAL)])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"better": "low"}, "better is 'low'"),
        ({"sums": (len,)}, "is not a sum"),
        ({"n": "samples"}, "'samples' is not a sum"),
    ],
)
def test_a_definition_that_cannot_be_is_refused_when_it_is_made(
    changes: dict[str, Any], problem: str
) -> None:
    one = RolloutSum(lambda family: np.ones(len(family.samples.first)))
    fields = {"meaning": "", "formula": lambda first: first, "sums": (one,), "n": one}
    with pytest.raises((TypeError, ValueError), match=problem):
        Definition(**{**fields, **changes})


@pytest.mark.parametrize("share", [0, 1, 50])
def test_a_quantile_has_a_share(share: float) -> None:
    with pytest.raises(ValueError, match="expected 0 < share < 1"):
        QuantileDefinition("", lambda intervals: intervals.low[0], share)
