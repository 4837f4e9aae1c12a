"""Budget rules, against the specification read literally."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.budgets import (
    Allowance,
    Realised,
    allowed,
    allowed_or_median,
    family_median,
    family_medians,
    half_feasible,
)
from bagen_data.errors import InputError
from bagen_data.schema import Budget


def totals(*amounts: int) -> list[Realised]:
    return [Realised({"tokens": amount}, {}) for amount in amounts]


@pytest.mark.parametrize(
    ("amounts", "median"),
    [((5,), 5), ((1, 9), 5), ((1, 8), 1), ((7, 1, 3), 3), ((7536, 7558, 1, 9999), 7547)],
)
def test_family_median(amounts: tuple[int, ...], median: int) -> None:
    assert family_median(totals(*amounts), "tokens") == [Budget({"tokens": median})] * len(amounts)


def test_the_median_of_nothing() -> None:
    assert family_median([], "tokens") == []


def in_warehouse(weeks: int, held: int, cost: int, cash: int) -> Realised:
    spent = {"time_weeks": weeks, "warehouse_item_weeks": held, "cumulative_cost_usd": cost}
    return Realised(spent, {"cash_usd": cash})


def is_feasible(rollout: Realised, budget: Budget) -> bool:
    within = all(rollout.totals[name] <= limit for name, limit in budget.limits.items())
    return within and rollout.final_state["cash_usd"] >= budget.conditions["target_cash_usd"]


def budgets_of(rollouts: list[Realised], seed: int = 42) -> list[Budget]:
    return half_feasible(
        rollouts,
        exact="time_weeks",
        loose=("warehouse_item_weeks", "cumulative_cost_usd"),
        state="cash_usd",
        rng=random.Random(seed),
    )


realised_rollouts = st.lists(
    st.builds(
        in_warehouse,
        st.just(22),
        st.integers(1_000, 10**6),
        st.integers(1_000, 10**6),
        st.integers(-(10**5), 10**6),
    ),
    max_size=20,
)


@given(realised_rollouts)
def test_half_of_a_family_is_feasible(rollouts: list[Realised]) -> None:
    labels = [is_feasible(*pair) for pair in zip(rollouts, budgets_of(rollouts), strict=True)]
    assert labels.count(False) == len(rollouts) // 2


def test_draws_follow_the_written_order() -> None:
    rollouts = [in_warehouse(22, 1_000 + n, 5_000 + n, 900 + n) for n in range(7)]
    rng = random.Random(42)
    order = list(range(7))
    rng.shuffle(order)
    for index, (rollout, budget) in enumerate(zip(rollouts, budgets_of(rollouts), strict=True)):
        cash = rollout.final_state["cash_usd"]
        weeks, held, cost = rollout.totals.values()
        if index in order[:3]:
            while True:
                target = round(cash * rng.uniform(0.5, 2.0))
                limits = [round(amount * rng.uniform(0.5, 2.0)) for amount in (weeks, held, cost)]
                if cash < target or weeks > limits[0] or held > limits[1] or cost > limits[2]:
                    break
        else:
            target = min(cash, round(cash * rng.uniform(0.5, 1.0)))
            limits = [weeks, *(round(amount * rng.uniform(1.0, 1.2)) for amount in (held, cost))]
        assert list(budget.limits.values()) == limits
        assert budget.conditions == {"target_cash_usd": target}


def test_a_rollout_that_nothing_violates_is_named_instead_of_drawn_for_ever() -> None:
    with pytest.raises(InputError, match="is ever violated"):
        budgets_of([in_warehouse(0, 0, 0, 0)] * 2)


def test_allowed_takes_numbers_ratios_and_targets() -> None:
    given_amounts = {
        "time_weeks": Allowance(20),
        "warehouse_item_weeks": Allowance(0.5, is_ratio=True),
        "cumulative_cost_usd": Allowance(1.0, is_ratio=True),
        "target_cash_usd": Allowance(77),
    }
    [budget] = allowed(given_amounts, [in_warehouse(22, 101, 300, 400)])
    assert list(budget.limits.values()) == [20, 50, 300]
    assert budget.conditions == {"target_cash_usd": 77}
    with pytest.raises(InputError, match="target_luck; expected tokens"):
        allowed({"tokens": Allowance(1), "target_luck": Allowance(1)}, totals(5))


def test_a_budget_is_finite_and_limits_something() -> None:
    with pytest.raises(ValueError, match="finite"):
        Budget({"tokens": float("inf")})
    with pytest.raises(ValueError, match="at least one"):
        Budget({})


def test_medians_of_several_resources_and_of_fractions() -> None:
    rollouts = [Realised({"turns": n, "cost_usd": n / 10}, {}) for n in (1, 2, 3, 4)]
    assert (
        family_medians(rollouts, ("turns", "cost_usd"))
        == [Budget({"turns": 2, "cost_usd": 0.2})] * 4
    )
    assert family_medians([], ("turns",)) == []
    mixed = allowed_or_median({"cost_usd": Allowance(1.5)}, ["turns"], rollouts)
    assert mixed == [Budget({"turns": 2, "cost_usd": 1.5})] * 4
    with pytest.raises(InputError, match="a median of moves is asked for; rollouts of this task"):
        family_medians(rollouts, ("moves",))


def test_a_ratio_of_a_fraction_keeps_its_fraction() -> None:
    assert Allowance(1.2, is_ratio=True).of(0.03) == 0.036
    assert Allowance(1.2, is_ratio=True).of(33) == 40
