"""Synthetic demand: 22-week series with step changes and the odd collapse.

The base series are one fixed table, like a recorded history. At reset each retailer's five are
dealt to the products anew, two weeks are summed to a turn, and noise is laid on.

Every machine must draw the same numbers. Hence only `random.Random(str).random()`, which Python
promises to keep, and plain arithmetic: neither logarithms nor cosines, whose last digit differs
between machines, nor a generator whose methods may change between versions.
"""

import random
from functools import cache

from collect.warehouse.constants import (
    COLLAPSE_CHANCE_PERCENT,
    COLLAPSE_FACTOR,
    COLLAPSE_WEEKS,
    FIRST_LEVELS,
    LEVELS,
    NOISE_PERCENT,
    PRODUCTS,
    RETAILERS,
    STEP_CHANCE_PERCENT,
    STEP_FACTORS,
    TURN_DAYS,
    TURNS,
    WEEKS,
)

Demand = tuple[tuple[tuple[int, ...], ...], ...]
"""Units by turn, retailer and product."""
Series = tuple[float, ...]
"""Demand by week, as a multiple of the typical demand."""

BASE_SEED = "warehouse: base series"


def demand_of(instance: str) -> Demand:
    """Return what all retailers ask for in all turns of an instance, in whole units >= 0."""
    rng = random.Random(f"warehouse: instance {instance}")
    dealt = [_shuffled(series, rng) for series in base_series()]
    return tuple(
        tuple(
            tuple(
                _turn_units(dealt[r][p], turn, typical_weekly(r, p), rng)
                for p in range(len(PRODUCTS))
            )
            for r in range(len(RETAILERS))
        )
        for turn in range(TURNS)
    )


def typical_weekly(retailer: int, product: int) -> float:
    """Return the units a week that a retailer asks for at the level 1."""
    return PRODUCTS[product].weekly_units * RETAILERS[retailer].share_percent / 100


def of_day(turn_units: int, day: int) -> int:
    """Return a turn's units on one of its days, 0 to 13: even shares that add up.

    >>> [of_day(5, day) for day in range(14)]
    [0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 1]
    """
    return turn_units * (day + 1) // TURN_DAYS - turn_units * day // TURN_DAYS


@cache
def base_series() -> tuple[tuple[Series, ...], ...]:
    """Return the 22-week series by retailer, for each retailer as many as there are products."""
    rng = random.Random(BASE_SEED)
    return tuple(tuple(_series(rng) for _ in PRODUCTS) for _ in RETAILERS)


def normal(rng: random.Random) -> float:
    """Return a nearly normal deviate: the sum of 12 uniform ones has variance 1, and mean 6.

    It needs nothing but additions, one after another: `sum` rounds floats differently since
    Python 3.12. It is never beyond +-6.
    """
    total = -6.0
    for _ in range(12):
        total += rng.random()
    return total


def _series(rng: random.Random) -> Series:
    level = _between(FIRST_LEVELS, rng)
    collapse = WEEKS + 1
    if rng.random() * 100 < COLLAPSE_CHANCE_PERCENT:
        first, last = COLLAPSE_WEEKS
        collapse = first + int(rng.random() * (last - first + 1))
    weeks = []
    for week in range(1, WEEKS + 1):
        if rng.random() * 100 < STEP_CHANCE_PERCENT:
            level = min(max(level * _between(STEP_FACTORS, rng), LEVELS[0]), LEVELS[1])
        weeks.append(level * COLLAPSE_FACTOR if week >= collapse else level)
    return tuple(weeks)


def _turn_units(series: Series, turn: int, weekly_units: float, rng: random.Random) -> int:
    two_weeks = (series[2 * turn] + series[2 * turn + 1]) * weekly_units
    return max(0, round(two_weeks * (1 + NOISE_PERCENT / 100 * normal(rng))))


def _between(ends: tuple[float, float], rng: random.Random) -> float:
    low, high = ends
    return low + (high - low) * rng.random()


def _shuffled(series: tuple[Series, ...], rng: random.Random) -> list[Series]:
    """Return the series in random order, each order equally likely."""
    left = list(series)
    return [left.pop(int(rng.random() * len(left))) for _ in series]
