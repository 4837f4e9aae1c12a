"""The rules, one by one: when things come due, arrive and are sold, and what they cost."""

import pytest

from collect.warehouse.business import Business, Delivery, Order, Shipment, empty_table
from collect.warehouse.constants import (
    CREDIT_LIMIT_CENTS,
    LAST_DAY,
    PENALTY_CENTS,
    PRODUCTS,
    RETAILERS,
    WAREHOUSE_UNITS,
)
from collect.warehouse.manager_decisions import (
    IllegalActionError,
    deliver,
    draw,
    factor,
    order_price,
    produce,
    repay,
    ship,
)
from collect.warehouse.simulator import PRICE_CENTS, Simulator
from tests.collect.warehouse.played_games import (
    CABLE,
    DOCK,
    ELECTRONICS,
    HUB,
    MASS,
    SMALL,
    business,
    flat,
    turns_of,
)


def entries(of: Business, kind: str) -> list[tuple[int, int]]:
    return [(entry.day, entry.cents) for entry in of.ledger.entries if entry.kind == kind]


@pytest.fixture
def quiet() -> Simulator:
    """Nobody asks for anything."""
    return Simulator(flat(0))


@pytest.mark.parametrize(("multiple", "price"), [(1, 5_000), (2, 9_200), (3, 12_750)])
def test_larger_orders_are_cheaper(multiple: int, price: int) -> None:
    full = PRODUCTS[HUB].minimum_units * PRODUCTS[HUB].cost_cents
    assert order_price(HUB, multiple) * 5_000 == full * price


@pytest.mark.parametrize("product", range(len(PRODUCTS)))
def test_an_order_is_paid_in_two_parts(quiet: Simulator, product: int) -> None:
    produce(quiet.business, product, 2)
    made = PRODUCTS[product]
    after = turns_of(quiet, 4)
    price = order_price(product, 2)
    (first_day, deposit), (second_day, balance) = entries(after, "production")
    assert (first_day, second_day) == (0, made.lead_days)
    assert (-deposit, -deposit - balance) == (price * 3 // 10, price)
    assert after.factory[product] == 2 * made.minimum_units


def test_an_order_stalls_until_it_can_be_paid(quiet: Simulator) -> None:
    produce(quiet.business, CABLE, 3)
    quiet.business.ledger.debt = CREDIT_LIMIT_CENTS
    quiet.business.ledger.cash = 60_000_00
    quiet.business.receivables = {40: 30_000_00}
    stalled = quiet.business.orders[0]
    stalled.balance_cents = 50_000_00
    quiet.pass_turn()
    assert not quiet.business.stalled(stalled)
    quiet.pass_turn()
    assert quiet.business.stalled(stalled)
    assert quiet.business.factory[CABLE] == 0
    quiet.business.receivables[41] = 100_000_00
    quiet.pass_turn()
    assert (41, -50_000_00) in entries(quiet.business, "production")
    assert quiet.business.factory[CABLE] == stalled.units
    assert quiet.business.orders == []


@pytest.mark.parametrize(("funds", "made"), [(80_00, 10), (79_99, 0)])
def test_a_balance_may_take_the_last_cent(quiet: Simulator, funds: int, made: int) -> None:
    quiet.business.ledger.debt = CREDIT_LIMIT_CENTS
    quiet.business.ledger.cash = funds
    business(quiet, orders=[Order(DOCK, 10, 0, 1, 80_00)])
    quiet.pass_turn()
    assert quiet.business.factory[DOCK] == made


@pytest.mark.parametrize(("by_air", "days", "cents"), [(True, 6, 110), (False, 32, 22)])
def test_freight_takes_its_time(quiet: Simulator, by_air: bool, days: int, cents: int) -> None:
    made = business(quiet, factory=[0, 1_000, 0, 0, 0])
    ship(made, DOCK, 1_000, by_air=by_air)
    assert made.shipments[0].arrival_day == days
    assert entries(made, "freight") == [(0, -1_000 * cents * 10)]
    assert turns_of(quiet, -(-days // 14)).warehouse[DOCK] == 1_000


def test_a_full_warehouse_lets_goods_wait_at_the_port(quiet: Simulator) -> None:
    held = business(
        quiet,
        warehouse=[WAREHOUSE_UNITS - 100, 0, 0, 0, 0],
        shipments=[Shipment(CABLE, 50, 7), Shipment(DOCK, 300, 5)],
    )
    quiet.pass_turn()
    assert sum(held.warehouse) == WAREHOUSE_UNITS
    assert [(s.product, s.units) for s in held.shipments] == [(CABLE, 50), (DOCK, 200)]
    days = 4 * (WAREHOUSE_UNITS - 100) * 2 + 10 * WAREHOUSE_UNITS * 2
    waiting = (10 * 200 + 8 * 50) * 10
    assert -sum(cents for _, cents in entries(held, "holding")) == days + waiting
    assert held.unit_days == 4 * (WAREHOUSE_UNITS - 100) + 10 * WAREHOUSE_UNITS
    crowded = 2_400 * 4 + 2_500 * 10
    assert entries(held, "chargebacks") == [(14, -crowded * 25)]
    deliver(held, HUB, 220, MASS)
    quiet.pass_turn()
    assert (held.warehouse[DOCK], held.warehouse[CABLE]) == (300, 20)
    deliver(held, HUB, 220, MASS)
    quiet.pass_turn()
    assert (held.warehouse[DOCK], held.warehouse[CABLE]) == (300, 50)
    assert held.shipments == []


@pytest.mark.parametrize(("where", "cents"), [("factory", 1), ("warehouse", 2)])
def test_storage_is_paid_weekly_by_the_day(quiet: Simulator, where: str, cents: int) -> None:
    held = business(quiet, **{where: [100, 0, 0, 0, 0]})
    quiet.pass_turn()
    assert entries(held, "holding") == [(7, -700 * cents), (14, -700 * cents)]


def test_a_full_centre_refuses_what_does_not_fit(quiet: Simulator) -> None:
    full = empty_table()
    full[SMALL][HUB] = 6_600
    held = business(quiet, centres=full, deliveries=[Delivery(SMALL, DOCK, 1_000, 4)])
    quiet.pass_turn()
    assert held.centres[SMALL][DOCK] == 400
    assert held.turn.refused[SMALL][DOCK] == held.written_off[DOCK] == 600
    assert held.listed[SMALL] == [False, True, False, False, False]
    assert entries(held, "chargebacks") == [(14, -350 * 11 * 25)]


@pytest.mark.parametrize("retailer", range(len(RETAILERS)))
def test_deliveries_take_3_or_4_days(quiet: Simulator, retailer: int) -> None:
    held = business(quiet, warehouse=[0, 0, 500, 0, 0])
    deliver(held, CABLE, 500, retailer)
    assert held.deliveries[0].arrival_day == RETAILERS[retailer].delivery_days
    assert entries(held, "delivery") == [(0, -500 * RETAILERS[retailer].delivery_cents)]
    quiet.pass_turn()
    assert held.centres[retailer][CABLE] == 500


def test_goods_are_sold_from_the_day_on_which_they_arrive() -> None:
    simulator = Simulator(flat(14))
    sold = business(simulator, deliveries=[Delivery(ELECTRONICS, DOCK, 99, 3)])
    simulator.pass_turn()
    assert sold.turn.sold[ELECTRONICS][DOCK] == 12
    assert sold.turn.unfilled[ELECTRONICS][DOCK] == 2


def test_sales_are_paid_after_30_days() -> None:
    simulator = Simulator(flat(28))
    stock = empty_table()
    stock[ELECTRONICS][DOCK] = 5
    sold = business(simulator, centres=stock)
    simulator.pass_turn()
    price = PRICE_CENTS[ELECTRONICS][DOCK]
    assert sold.turn.sold[ELECTRONICS][DOCK] == 5
    assert sold.turn.unfilled[ELECTRONICS][DOCK] == 23
    assert sold.receivables == {31: 2 * price, 32: 2 * price, 33: price}
    turns_of(simulator, 2)
    assert entries(sold, "collected") == [(31, 2 * price), (32, 2 * price), (33, price)]


@pytest.mark.parametrize(("listed", "claims"), [(False, 0), (True, 28)])
def test_unfilled_demand_costs_where_a_product_is_listed(listed: bool, claims: int) -> None:
    simulator = Simulator(flat(28))
    simulator.business.listed[MASS][CABLE] = listed
    simulator.pass_turn()
    owed = claims * round(PRICE_CENTS[MASS][CABLE] / 10)
    assert sum(cents for _, cents in entries(simulator.business, "chargebacks")) == -owed


def test_factoring_keeps_5_percent_and_sells_the_latest_first(quiet: Simulator) -> None:
    owed = business(quiet, receivables={20: 100_00, 30: 100_00, 40: 100_00})
    factor(owed, 150_00)
    assert owed.receivables == {20: 100_00, 30: 50_00}
    assert [(e.kind, e.cents) for e in owed.ledger.entries] == [
        ("collected", 150_00),
        ("financing", -7_50),
    ]
    factor(owed, None)
    assert owed.receivables == {}
    assert owed.ledger.cash == 500_000_00 + 285_00


def test_interest_is_paid_on_what_is_drawn(quiet: Simulator) -> None:
    draw(quiet.business, 50_000_00)
    quiet.pass_turn()
    assert entries(quiet.business, "financing") == [(14, -400_00)]
    repay(quiet.business, None)
    quiet.pass_turn()
    assert len(entries(quiet.business, "financing")) == 1


def test_no_more_credit_is_paid_back_than_there_is_cash(quiet: Simulator) -> None:
    ledger = quiet.business.ledger
    draw(quiet.business, 100_00)
    ledger.cash = 40_00
    with pytest.raises(IllegalActionError, match=r"\$100.00 is drawn and cash is \$40.00"):
        repay(quiet.business, 40_01)
    repay(quiet.business, None)
    assert (ledger.cash, ledger.debt) == (0, 60_00)


def test_interest_is_paid_on_what_chargebacks_draw() -> None:
    simulator = Simulator(flat(28))
    simulator.business.listed[MASS][CABLE] = True
    simulator.business.ledger.cash = 18_000_00
    simulator.pass_turn()
    assert entries(simulator.business, "drawn")[0] == (14, 28 * 92)
    assert entries(simulator.business, "financing") == [(14, -round(28 * 92 * 0.008))]


def test_what_cash_does_not_cover_is_drawn(quiet: Simulator) -> None:
    ledger = quiet.business.ledger
    ledger.cash = 10_000_00
    produce(quiet.business, DOCK, 1)
    deposit = order_price(DOCK, 1) * 3 // 10
    assert (ledger.cash, ledger.debt) == (0, deposit - 10_000_00)


def test_all_credit_is_paid_back_in_the_end(quiet: Simulator) -> None:
    draw(quiet.business, None)
    ended = turns_of(quiet, 11)
    assert ended.day == LAST_DAY
    assert ended.ledger.debt == 0
    interest = 11 * 1_600_00
    assert ended.ledger.cash == 500_000_00 - 22 * 9_000_00 - interest


def test_the_line_is_closed_in_the_end_even_to_the_penalty(quiet: Simulator) -> None:
    business(quiet, day=LAST_DAY - 14)
    quiet.business.ledger.debt = 50_000_00
    quiet.business.ledger.cash = 80_000_00
    quiet.pass_turn()
    ledger = quiet.business.ledger
    assert (ledger.debt, ledger.cash) == (0, 80_000_00 - 18_000_00 - 400_00 - 100_000_00)
    assert ledger.costs["penalties"] == PENALTY_CENTS
    assert entries(quiet.business, "drawn") == []


@pytest.mark.parametrize(
    ("cash", "penalty", "bankrupt"),
    [
        (25_000_00, 0, False),
        (24_999_99, PENALTY_CENTS, False),
        (-50_000_00, PENALTY_CENTS, False),
        (-50_000_01, PENALTY_CENTS, True),
    ],
)
def test_two_floors(quiet: Simulator, cash: int, penalty: int, bankrupt: bool) -> None:
    ledger = quiet.business.ledger
    ledger.debt = CREDIT_LIMIT_CENTS
    ledger.cash = cash + 18_000_00 + 1_600_00
    quiet.pass_turn()
    assert ledger.cash == cash - penalty
    assert ledger.costs["penalties"] == penalty
    assert quiet.business.bankrupt is bankrupt


def test_reward_is_operating_profit_less_chargebacks_and_penalty(quiet: Simulator) -> None:
    ledger = quiet.business.ledger
    ledger.debt = CREDIT_LIMIT_CENTS
    ledger.cash = 30_000_00
    quiet.pass_turn()
    assert quiet.business.turn.costs["financing"] == 1_600_00
    assert quiet.business.turn.reward_cents == -18_000_00 - PENALTY_CENTS


def test_stock_is_counted_by_the_day(quiet: Simulator) -> None:
    business(quiet, warehouse=[700, 0, 0, 0, 0], shipments=[Shipment(HUB, 70, 8)])
    quiet.pass_turn()
    assert quiet.business.item_weeks == 700 * 2 + 70


def test_an_older_order_is_paid_first(quiet: Simulator) -> None:
    quiet.business.ledger.debt = CREDIT_LIMIT_CENTS
    quiet.business.ledger.cash = 100_00
    orders = [Order(product, 10, 0, 1, 80_00) for product in (DOCK, CABLE)]
    business(quiet, orders=orders)
    quiet.pass_turn()
    assert quiet.business.factory == [0, 10, 0, 0, 0]


def _twice(held: Business) -> None:
    produce(held, HUB, 1)
    produce(held, HUB, 1)


def _poor(held: Business) -> None:
    held.ledger.cash, held.ledger.debt = 0, CREDIT_LIMIT_CENTS
    produce(held, DOCK, 3)


@pytest.mark.parametrize(
    ("decide", "reason"),
    [
        (_twice, "usb_c_hub was already ordered this turn"),
        (_poor, "the deposit is $34,807.50, but cash and credit left are $0.00"),
        (lambda held: ship(held, HUB, 1, by_air=True), "only 0 usb_c_hub are finished"),
        (lambda held: deliver(held, HUB, 1, MASS), "only 0 usb_c_hub are in the warehouse"),
        (lambda held: draw(held, 200_000_01), "only $200,000.00 of credit is left"),
        (lambda held: (draw(held, None), draw(held, None)), "the credit line is used up"),
        (lambda held: repay(held, None), "no credit is drawn"),
        (lambda held: (draw(held, 500), repay(held, 501)), "$5.00 is drawn and cash is"),
        (lambda held: factor(held, None), "there are no receivables"),
    ],
)
def test_what_is_illegal(quiet: Simulator, decide: object, reason: str) -> None:
    with pytest.raises(IllegalActionError, match=reason.replace("$", r"\$")):
        decide(quiet.business)  # type: ignore[operator]
