"""Decisions of Acme's manager at the beginning of a turn. Each decision is whole or refused."""

from collect.warehouse.business import Business, Delivery, Order, Shipment
from collect.warehouse.constants import (
    AIR_DAYS,
    DEPOSIT_PERCENT,
    DISCOUNT_PERCENT,
    FACTORING_PERCENT,
    OCEAN_DAYS,
    PRODUCTS,
    RETAILERS,
)
from collect.warehouse.ledger import DELIVERY, FINANCING, FREIGHT, PRODUCTION
from collect.warehouse.money import dollars, percent_of


class IllegalActionError(Exception):
    """An action that cannot be executed; the message is the reason, as the agent reads it."""


def produce(business: Business, product: int, multiple: int) -> None:
    """Order 1, 2 or 3 times the minimum of a product, and pay the deposit."""
    made = PRODUCTS[product]
    for order in business.orders:
        if order.product == product and order.placed_day == business.day:
            raise IllegalActionError(f"{made.name} was already ordered this turn")
    units = made.minimum_units * multiple
    price = order_price(product, multiple)
    deposit = percent_of(price, DEPOSIT_PERCENT)
    _afford(business, deposit, "the deposit is")
    business.ledger.pay(PRODUCTION, deposit)
    business.ordered[product] += units
    business.orders.append(
        Order(product, units, business.day, business.day + made.lead_days, price - deposit)
    )


def order_price(product: int, multiple: int) -> int:
    """Return the price of a production order, in cents: the deposit and the balance."""
    made = PRODUCTS[product]
    full = made.minimum_units * multiple * made.cost_cents
    return full - percent_of(full, DISCOUNT_PERCENT[multiple])


def ship(business: Business, product: int, units: int, *, by_air: bool) -> None:
    """Send finished goods from the factory to the warehouse, and pay the freight."""
    goods = PRODUCTS[product]
    _have(business.factory[product], units, f"{goods.name} are finished at the factory")
    freight = units * (goods.air_cents if by_air else goods.ocean_cents)
    _afford(business, freight, "the freight is")
    business.ledger.pay(FREIGHT, freight)
    business.factory[product] -= units
    arrival = business.day + (AIR_DAYS if by_air else OCEAN_DAYS)
    business.shipments.append(Shipment(product, units, arrival))


def deliver(business: Business, product: int, units: int, retailer: int) -> None:
    """Send goods from the warehouse to a retailer's centre, and pay the trucks."""
    to = RETAILERS[retailer]
    _have(business.warehouse[product], units, f"{PRODUCTS[product].name} are in the warehouse")
    cost = units * to.delivery_cents
    _afford(business, cost, "the trucks cost")
    business.ledger.pay(DELIVERY, cost)
    business.warehouse[product] -= units
    arrival = business.day + to.delivery_days
    business.deliveries.append(Delivery(retailer, product, units, arrival))


def draw(business: Business, cents: int | None) -> None:
    """Take up credit; None: all that is left."""
    left = business.ledger.credit_left
    wanted = left if cents is None else cents
    if not left:
        raise IllegalActionError("the credit line is used up")
    if wanted > left:
        raise IllegalActionError(f"only {dollars(left)} of credit is left")
    business.ledger.draw(wanted)


def repay(business: Business, cents: int | None) -> None:
    """Pay back credit; None: as much as is drawn and in cash."""
    ledger = business.ledger
    most = min(ledger.debt, ledger.cash)
    wanted = most if cents is None else cents
    if not ledger.debt:
        raise IllegalActionError("no credit is drawn")
    if most <= 0 or wanted > most:
        raise IllegalActionError(
            f"{dollars(ledger.debt)} is drawn and cash is {dollars(ledger.cash)}"
        )
    ledger.repay(wanted)


def factor(business: Business, cents: int | None) -> None:
    """Sell receivables for 95% of their amount, those due last first; None: all."""
    owed = sum(business.receivables.values())
    wanted = owed if cents is None else cents
    if not owed:
        raise IllegalActionError("there are no receivables")
    if wanted > owed:
        raise IllegalActionError(f"receivables are only {dollars(owed)}")
    left = wanted
    for day in sorted(business.receivables, reverse=True):
        sold = min(left, business.receivables[day])
        business.receivables[day] -= sold
        left -= sold
        if not business.receivables[day]:
            del business.receivables[day]
        if not left:
            break
    business.ledger.collect(wanted)
    business.ledger.pay(FINANCING, percent_of(wanted, FACTORING_PERCENT))


def _afford(business: Business, cents: int, what: str) -> None:
    funds = business.ledger.funds
    if cents > funds:
        raise IllegalActionError(
            f"{what} {dollars(cents)}, but cash and credit left are {dollars(funds)}"
        )


def _have(held: int, units: int, what: str) -> None:
    if units > held:
        raise IllegalActionError(f"only {held} {what}")
