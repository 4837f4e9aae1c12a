"""Intervals that lie on labels."""

from typing import Any

import numpy as np
import pytest

from bagen_data.answer_columns import FEASIBLE, INFEASIBLE, AnswerColumns
from bagen_data.scoring.sample_table import SampleTable
from leaderboard.label_matches import LabelMatches
from tests.bagen_data.scoring.scoring_cases import sample

ROLLOUTS = {"a": (700, 300, 110, 0), "b": (450, 300)}
"""Amounts that remain after each turn; 300 in both."""
SEVERAL = {"a": ((8, 80, 800), (4, 40, 400)), "b": ((9, 90, 400), (3, 40, 300))}
"""Amounts of three resources; 40 and 400 in both."""


def matches(
    rollouts: dict[str, Any], where: str, low: Any, high: Any, feasible: bool = True
) -> LabelMatches:
    """The matches of an interval at one prefix; all other samples are answered `impossible`."""
    rows = [
        sample(f"t/m/{rollout}/{k}", remaining=left, feasible=feasible)
        for rollout, amounts in rollouts.items()
        for k, left in enumerate(amounts, start=1)
    ]
    (family,) = SampleTable.of(rows).families
    place = [row["sample_id"] for row in rows].index(f"t/m/{where}")
    verdict = np.full(len(rows), INFEASIBLE, np.uint8)
    verdict[place] = FEASIBLE
    ends = np.full((2, len(family.resources), len(rows)), np.nan)
    ends[0, :, place], ends[1, :, place] = low, high
    label_matches = LabelMatches()
    answers = AnswerColumns(verdict, np.zeros(len(rows), np.uint8), *ends)
    assert list(label_matches.counted([(family, answers)])) == [(family, answers)]
    return label_matches


@pytest.mark.parametrize(
    ("where", "interval", "is_match"),
    [
        ("a/1", (700, 800), True),
        ("a/1", (600, 700), True),
        ("a/1", (600, 800), True),
        ("a/1", (110, 500), True),  # remains after turn 3
        ("a/2", (700, 900), False),  # remained after turn 1: its prompt tells
        ("a/1", (450, 500), False),  # of another rollout
        ("a/1", (300, 350), False),  # remains in another rollout too
        ("a/1", (0, 10), False),  # 0 remains of every rollout in the end
        ("a/1", (699, 800), False),
        ("b/1", (450, 450), True),
    ],
)
def test_an_end_or_the_midpoint_is_what_remains_here_or_later(
    where: str, interval: tuple[float, float], is_match: bool
) -> None:
    counts = matches(ROLLOUTS, where, *interval)
    assert (counts.intervals, counts.matches) == (1, is_match)


@pytest.mark.parametrize(
    ("low", "is_match"),
    [
        ((8, 80, 800), True),
        ((4, 80, 400), True),
        ((4, 40, 400), True),  # 4 tells
        ((7, 40, 400), False),  # on labels of two
        ((8, 80, 799), False),
        ((9, 90, 400), False),
    ],
)
def test_of_several_resources_all_lie_on_labels_and_one_on_no_others(
    low: tuple[float, ...], is_match: bool
) -> None:
    high = np.array(low) * 1.01
    assert matches(SEVERAL, "a/1", low, high).matches == is_match


def test_labels_that_all_rollouts_share_tell_nothing() -> None:
    alike = {"a": ((8, 80, 800),), "b": ((8, 80, 800),)}
    assert matches(alike, "a/1", (8, 80, 800), (8, 80, 800)).matches == 0


def test_an_infeasible_sample_has_no_label() -> None:
    counts = matches(ROLLOUTS, "a/1", 700, 800, feasible=False)
    assert (counts.intervals, counts.matches) == (0, 0)


@pytest.mark.parametrize(
    ("matched", "intervals", "is_noted"),
    [(10, 20, True), (10, 21, False), (9, 9, False), (50, 99, True), (0, 0, False)],
)
def test_half_of_them_and_ten_at_least_are_noted(
    matched: int, intervals: int, is_noted: bool
) -> None:
    assert LabelMatches(intervals, matched).is_noted == is_noted
