"""Properties that hold after every turn, whatever the agent answers."""

from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collect.environment import Observation
from collect.warehouse.business import Business
from collect.warehouse.constants import (
    BANKRUPT_CENTS,
    CREDIT_LIMIT_CENTS,
    LAST_DAY,
    OPENING_CASH_CENTS,
    RETAILERS,
    WAREHOUSE_UNITS,
)
from collect.warehouse.ledger import COLLECTED, COST_PARTS, DRAWN, REPAID
from collect.warehouse.manager_actions import written
from collect.warehouse.simulator import PRICE_CENTS
from collect.warehouse.warehouse_environment import WarehouseEnvironment
from sample.actors.warehouse_agents import NAMES
from tests.collect.warehouse.played_games import answers, manager

Step = tuple[Business, Observation]


def played(environment: WarehouseEnvironment, respond: Callable[[], str]) -> Iterator[Step]:
    done = False
    while not done:
        observation = environment.step(respond())
        yield environment.business, observation
        done = observation.done


def scripted(seed: int, policy: str) -> Iterator[Step]:
    environment = WarehouseEnvironment(str(seed))
    return played(environment, manager(environment, policy, f"{policy or 'mixed'} {seed}"))


def holds(steps: Iterator[Step]) -> None:
    costs = stock_weeks = 0.0
    days = 0
    for business, observation in steps:
        days += 14
        assert business.day == days
        units_are_conserved(business)
        cash_is_the_ledger(business)
        nothing_overflows(business)
        accounts = observation.logged["financials"]
        assert accounts["cash"] == business.ledger.cash / 100
        assert accounts["cumulative_cost"] >= costs
        assert accounts["cumulative_inventory_weeks"] >= stock_weeks
        parts = sum(round(accounts[f"{part}_cost"] * 100) for part in COST_PARTS)
        assert round((accounts["cumulative_cost"] - costs) * 100) == parts
        assert observation.done == (business.bankrupt or days == LAST_DAY)
        assert observation.success == (observation.done and not business.bankrupt)
        assert business.bankrupt == (business.ledger.cash < BANKRUPT_CENTS)
        costs = accounts["cumulative_cost"]
        stock_weeks = accounts["cumulative_inventory_weeks"]


def units_are_conserved(business: Business) -> None:
    unit_places = zip(
        business.in_production(),
        business.in_transit(),
        business.in_stock(),
        business.sold,
        business.written_off,
        strict=True,
    )
    assert business.ordered == [sum(units) for units in unit_places]


def cash_is_the_ledger(business: Business) -> None:
    ledger = business.ledger
    moved = dict.fromkeys((*COST_PARTS, COLLECTED, DRAWN, REPAID), 0)
    for entry in ledger.entries:
        assert entry.cents != 0
        assert 0 <= entry.day <= business.day
        moved[entry.kind] += entry.cents
    assert ledger.cash == OPENING_CASH_CENTS + sum(moved.values())
    assert ledger.costs == {part: -moved[part] for part in COST_PARTS}
    assert ledger.debt == moved[DRAWN] + moved[REPAID]
    assert 0 <= ledger.debt <= CREDIT_LIMIT_CENTS
    assert moved[COLLECTED] >= 0


def nothing_overflows(business: Business) -> None:
    held = [business.factory, business.warehouse, *business.centres]
    assert min(min(units) for units in held) >= 0
    assert sum(business.warehouse) <= WAREHOUSE_UNITS
    for retailer, units in zip(RETAILERS, business.centres, strict=True):
        assert sum(units) <= retailer.capacity_units


@settings(max_examples=40)
@given(st.integers(0, 10**6), answers())
def test_of_any_answers(seed: int, responses: list[str]) -> None:
    holds(played(WarehouseEnvironment(str(seed)), iter(responses).__next__))


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from(NAMES), answers())
def test_of_meddling(seed: int, policy: str, responses: list[str]) -> None:
    """A scripted manager's goods move, and somebody else acts before it."""
    environment = WarehouseEnvironment(str(seed))
    manage = manager(environment, policy, f"{seed}")
    meddled = iter(responses)

    def respond() -> str:
        more = "\n".join(written(next(meddled)))
        return manage().replace("<answer>", f"<answer>\n{more}")

    holds(played(environment, respond))


@pytest.mark.parametrize("policy", NAMES)
@pytest.mark.parametrize("seed", range(5))
def test_of_scripted_managers(seed: int, policy: str) -> None:
    holds(scripted(seed, policy))


def test_all_sales_are_paid_or_owed() -> None:
    revenue = 0
    for business, _ in scripted(1, "sensible"):
        revenue += sum(
            units * price
            for sold, prices in zip(business.turn.sold, PRICE_CENTS, strict=True)
            for units, price in zip(sold, prices, strict=True)
        )
        collected = sum(e.cents for e in business.ledger.entries if e.kind == COLLECTED)
        assert revenue == collected + sum(business.receivables.values())
    assert revenue > 0
