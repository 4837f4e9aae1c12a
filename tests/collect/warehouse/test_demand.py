"""Synthetic demand: its base series, how they are dealt, and how they look."""

import random
from itertools import pairwise
from statistics import fmean, pstdev

import pytest

from collect.warehouse.constants import LEVELS, PRODUCTS, RETAILERS, WEEKS
from collect.warehouse.demand import (
    _series,
    _turn_units,
    base_series,
    demand_of,
    normal,
    of_day,
    typical_weekly,
)


def test_base_series_change_in_steps_and_some_collapse() -> None:
    series = [weeks for of_retailer in base_series() for weeks in of_retailer]
    assert [len(weeks) for weeks in series] == [WEEKS] * 25
    steps = [sum(a != b for a, b in pairwise(weeks)) for weeks in series]
    assert 1 <= fmean(steps) <= 4
    collapsed = [weeks for weeks in series if min(weeks) < LEVELS[0] <= max(weeks)]
    assert 2 <= len(collapsed) <= 6


def test_a_series_collapses_in_any_of_the_weeks_it_may_and_in_no_other() -> None:
    series = [_series(random.Random(f"{seed}")) for seed in range(3_000)]
    low = [[week < LEVELS[0] for week in weeks] for weeks in series]
    collapsed = [weeks.index(True) + 1 for weeks in low if any(weeks)]
    assert set(collapsed) == set(range(9, 19))
    assert len(collapsed) / len(series) == pytest.approx(0.12, abs=0.02)
    assert all(max(weeks) <= LEVELS[1] for weeks in series)


def test_a_turn_is_two_weeks_with_noise_of_12_percent() -> None:
    rng = random.Random("noise")
    units = [_turn_units((0.5, 0.5, 1.0, 2.0), 1, 1_000, rng) for _ in range(3_000)]
    assert fmean(units) == pytest.approx(3_000, rel=0.01)
    assert pstdev(units) == pytest.approx(360, rel=0.05)


def test_each_retailer_keeps_its_series_and_deals_them_anew() -> None:
    """Every product gets the mean of a retailer's series over many instances."""
    many = [demand_of(seed) for seed in range(150)]
    assert len(set(many)) == 150
    for r in range(len(RETAILERS)):
        level = fmean(week for weeks in base_series()[r] for week in weeks)
        for p in range(len(PRODUCTS)):
            seen = fmean(turn[r][p] for demand in many for turn in demand) / 2
            assert seen / typical_weekly(r, p) == pytest.approx(level, rel=0.12)


def test_shares_add_up() -> None:
    assert sum(retailer.share_percent for retailer in RETAILERS) == 100
    for p, product in enumerate(PRODUCTS):
        total = sum(typical_weekly(r, p) for r in range(len(RETAILERS)))
        assert total == pytest.approx(product.weekly_units)


def test_deviates_are_nearly_normal() -> None:
    rng = random.Random("deviates")
    drawn = [normal(rng) for _ in range(5_000)]
    assert fmean(drawn) == pytest.approx(0, abs=0.05)
    assert pstdev(drawn) == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("units", [0, 1, 13, 14, 999])
def test_days_add_up_to_the_turn(units: int) -> None:
    shares = [of_day(units, day) for day in range(14)]
    assert sum(shares) == units
    assert max(shares) - min(shares) <= 1
