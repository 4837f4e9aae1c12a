"""Simulations: intervals cover as often as they say, and equal estimators share a rank."""

import numpy as np
import pytest

from tests.bagen_data.scoring.simulated_studies import Setup, coverage, family_wise_error

COVERED = ("macro_f1", "macro_f1_open", "hit_rate", "brier", "wis", "brier_skill", "wis_skill")
"""Scores whose intervals are held to their bounds."""
RANKED = ("macro_f1", "macro_f1_open", "brier_skill", "wis_skill")


INSTANCES = (30, 128)
CORRELATIONS = (0.0, 0.3, 0.6)


def test_intervals_cover_90_to_97_percent() -> None:
    """The mean over four kinds of 200 studies does, and each kind covers 86 to 98.5.

    The standard error of the mean is 0.01, and that of a kind 0.02.
    """
    kinds = [(instances, families) for instances in INSTANCES for families in (1, 5)]
    coverages = [
        coverage(Setup(*kind, correlation=0.3), COVERED, studies=200, resamples=300)
        for kind in kinds
    ]
    for name in COVERED:
        covered = [each[name].covered for each in coverages]
        assert min(each[name].intervals for each in coverages) > 150, name
        assert 0.9 <= np.mean(covered) <= 0.97, name
        assert min(covered) >= 0.86, name
        assert max(covered) <= 0.985, name


@pytest.mark.parametrize(("families", "studies"), [(1, 400), (5, 200)])
def test_intervals_of_16_instances_cover_at_least_86_percent(families: int, studies: int) -> None:
    """The standard error is 0.02 with 200 intervals; of a single family, fewer have a hit rate."""
    setup = Setup(16, families, correlation=0.3)
    for name, measured in coverage(setup, COVERED, studies=studies, resamples=300).items():
        assert measured.intervals > 50, name
        assert 0.86 <= measured.covered <= 0.98, name


def test_intervals_cover_where_families_often_draw_nothing() -> None:
    """Ten families have two or three feasible rollouts each; the standard error is 0.02."""
    setup = Setup(30, families=10, correlation=0.3, feasible=0.08)
    measured = coverage(setup, ["hit_rate"], studies=150, resamples=200)["hit_rate"]
    assert measured.intervals > 110
    assert 0.9 <= measured.covered <= 0.98


def test_equal_estimators_are_seldom_told_apart() -> None:
    """Five families are on the same instances, in six kinds of 50 studies.

    The true share is 0.05 at most, and about 0.03: its mean over all kinds has a standard error of
    0.01, and the share of a kind one of 0.025. Without Holm's correction it is 0.3.
    """
    shares = [
        family_wise_error(Setup(instances, 5, correlation), RANKED, studies=50)
        for instances in INSTANCES
        for correlation in CORRELATIONS
    ]
    for name in RANKED:
        assert np.mean([share[name] for share in shares]) <= 0.07, name
        assert max(share[name] for share in shares) <= 0.16, name
