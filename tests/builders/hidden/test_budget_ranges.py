"""Ranges that budgets of a hidden split are drawn from."""

import random
from typing import Any

import pytest

from bagen_data.budgets import Realised
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.tasks import find_task
from builders.hidden.budget_ranges import AmountRange, budget_ranges, stated_ranges

SWEBENCH, SOKOBAN, WAREHOUSE = map(find_task, ("swebench", "sokoban", "warehouse"))
TOTALS = [Realised({"tokens": 1_000 * n}, {}) for n in range(1, 12)]
BUSINESSES = [
    Realised(
        {"time_weeks": 22, "warehouse_item_weeks": 1_000 * n, "cumulative_cost_usd": 10_000 * n},
        {"cash_usd": 100 * n - 300},
    )
    for n in range(1, 12)
]


def test_a_fixed_budget_stays_fixed() -> None:
    ranges = budget_ranges(SOKOBAN, SOKOBAN.budgets, TOTALS[:1], {})
    assert ranges.record() == {"tokens": [2500, 2500]}


def test_one_limit_lies_between_two_quantiles_of_all_totals() -> None:
    ranges = budget_ranges(SWEBENCH, SWEBENCH.budgets, TOTALS, {})
    assert ranges.record() == {"tokens": [3000, 9000]}


def test_several_limits_are_wider_and_a_target_is_mirrored() -> None:
    ranges = budget_ranges(WAREHOUSE, WAREHOUSE.budgets, BUSINESSES, {})
    assert ranges.record() == {
        "time_weeks": [22, 22],
        "warehouse_item_weeks": [6_000, 10_000],
        "cumulative_cost_usd": [60_000, 100_000],
        "target_cash_usd": [-100, 300],
    }


def test_the_order_of_rollouts_makes_no_difference() -> None:
    shuffled = random.Random(1).sample(TOTALS, len(TOTALS))
    first, second = (
        budget_ranges(SWEBENCH, SWEBENCH.budgets, own, {}) for own in (TOTALS, shuffled)
    )
    assert first == second


def test_too_few_rollouts_have_no_range() -> None:
    with pytest.raises(InputError, match=r"7 rollouts can be drawn; expected 8"):
        budget_ranges(SWEBENCH, SWEBENCH.budgets, TOTALS[:7], {})
    stated = {"tokens": AmountRange(10, 20)}
    assert budget_ranges(SWEBENCH, SWEBENCH.budgets, TOTALS[:1], stated).limits == stated


@pytest.mark.parametrize("ends", [(2_000, 9_000), (-300, 300), (0, 5), (0.011, 0.29)])
def test_draws_are_spread_over_the_range_in_two_digits(ends: tuple[float, float]) -> None:
    rng = random.Random(0)
    own = AmountRange(*ends, is_whole=ends[1] >= 1)
    drawn = [own.draw(rng) for _ in range(2_000)]
    assert ends[0] <= min(drawn) <= max(drawn) <= ends[1]
    assert all(float(f"{amount:.2g}") == amount for amount in drawn)
    assert 0.4 < sum(amount <= own.middle for amount in drawn) / len(drawn) < 0.67


@pytest.mark.parametrize(
    ("task", "text", "ranges"),
    [
        ("swebench", "7000", {"tokens": [7000, 7000]}),
        ("swebench", "tokens:2000..9000", {"tokens": [2000, 9000]}),
        ("warehouse", "time_weeks:20,target_cash_usd:-5..5", None),
    ],
)
def test_a_range_may_be_stated(task: str, text: str, ranges: Any) -> None:
    stated = stated_ranges(task, find_task(task), text)
    expected = ranges or {"time_weeks": [20, 20], "target_cash_usd": [-5, 5]}
    assert {name: [own.low, own.high] for name, own in stated.items()} == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "median",
        "1.2x",
        "-5",
        "nan",
        "inf",
        "5..",
        "9..2",
        "1e99",
        "moves:5",
        "tokens:1,tokens:2",
    ],
)
def test_what_is_no_range_is_refused(text: str) -> None:
    with pytest.raises(WrongUsageError, match="must not follow from what rollouts came to"):
        stated_ranges("swebench", SWEBENCH, text)
