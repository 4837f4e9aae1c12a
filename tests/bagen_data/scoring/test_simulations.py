"""Simulations: intervals cover as often as they say, and equal estimators share a rank."""

import pytest

from tests.bagen_data.scoring.simulated_studies import Setup, coverage, family_wise_error

COVERED = ("macro_f1", "macro_f1_open", "hit_rate", "brier", "wis", "brier_skill", "wis_skill")
"""Scores whose intervals are held to their bounds."""
RANKED = ("macro_f1", "macro_f1_open", "brier_skill", "wis_skill")


@pytest.mark.parametrize("families", [1, 5])
@pytest.mark.parametrize("instances", [30, 128])
def test_intervals_cover_90_to_97_percent(instances: int, families: int) -> None:
    setup = Setup(instances, families, correlation=0.3)
    for name, measured in coverage(setup, COVERED, studies=400, resamples=500).items():
        assert measured.intervals > 300, name
        assert 0.9 <= measured.covered <= 0.97, name


@pytest.mark.parametrize("families", [1, 5])
def test_intervals_of_16_instances_cover_at_least_86_percent(families: int) -> None:
    setup = Setup(16, families, correlation=0.3)
    for name, measured in coverage(setup, COVERED, studies=400, resamples=500).items():
        assert measured.intervals > 50, name
        assert 0.86 <= measured.covered <= 0.98, name


def test_intervals_cover_where_families_often_draw_nothing() -> None:
    """Ten families have two or three feasible rollouts each."""
    setup = Setup(30, families=10, correlation=0.3, feasible=0.08)
    measured = coverage(setup, ["hit_rate"], studies=200, resamples=300)["hit_rate"]
    assert measured.intervals > 150
    assert 0.9 <= measured.covered <= 0.98


@pytest.mark.parametrize("correlation", [0.0, 0.3, 0.6])
@pytest.mark.parametrize("instances", [30, 128])
def test_equal_estimators_are_seldom_told_apart(instances: int, correlation: float) -> None:
    """Five families are on the same instances."""
    setup = Setup(instances, families=5, correlation=correlation)
    for name, share in family_wise_error(setup, RANKED, studies=300).items():
        assert share <= 0.08, name
