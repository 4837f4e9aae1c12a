"""A manager that keeps a base stock: it forecasts from the sales it has seen, and fills up.

It sees what an agent sees. Passive and greedy managers are the same with other habits.
"""

import random
from dataclasses import dataclass
from math import fsum

from collect.warehouse.business import Business
from collect.warehouse.constants import (
    AIR_DAYS,
    CASH_FLOOR_CENTS,
    CREDIT_LIMIT_CENTS,
    CROWDED_PERCENT,
    DEPOSIT_PERCENT,
    FACTORING_PERCENT,
    LAST_DAY,
    OCEAN_DAYS,
    OPERATING_CENTS_WEEKLY,
    PRODUCTS,
    RETAILERS,
    TURN_DAYS,
    WEEK_DAYS,
)
from collect.warehouse.demand import typical_weekly
from collect.warehouse.manager_decisions import order_price
from collect.warehouse.money import percent_of

_TRUCK_DAYS = max(retailer.delivery_days for retailer in RETAILERS)
_TURN_WEEKS = TURN_DAYS // WEEK_DAYS
_SHELF_WEEKS = _TURN_WEEKS + 1.5
"""Weeks of expected demand that a centre shall hold: until the next truck, and some more."""
_LOT = 10
"""Units are delivered in tens."""
_BILLS_CENTS = CASH_FLOOR_CENTS + _TURN_WEEKS * OPERATING_CENTS_WEEKLY + 5_000_00
"""Cash that must be there at the end of a turn, and costs of it that come whatever happens."""
_WORKING_CENTS = 115_000_00
"""Cash that receivables are sold for where bills leave less."""


@dataclass(frozen=True)
class Habits:
    """Traits that set one manager apart from another."""

    optimism: float
    """Factor of the demand expected; 1 is to believe what was seen."""
    cover_weeks: float
    """Weeks of expected demand to have on order and in stock."""
    air_weeks: float
    """Goods go by air while less than so many weeks of demand are on the way or in stock."""
    largest_multiple: float
    """Multiple of the minimum order: 1 to 3."""
    reserve_dollars: float
    """Money that orders must leave untouched."""
    prudence: float
    """Share of all bills not yet paid to keep money for, 0 to 1."""
    credit_share: float
    """Share of the credit line that counts as money to spend."""
    skip_chance: float
    """Chance of leaving out a product when ordering, for no reason."""


class Manager:
    """Maker of a turn's actions, which remembers its forecast between turns."""

    def __init__(self, business: Business, habits: Habits, rng: random.Random) -> None:
        """Take the business at its start; `rng` decides which products are left out."""
        self._business = business
        self._habits = habits
        self._rng = rng
        self._expected = [
            [typical_weekly(retailer, product) for product in range(len(PRODUCTS))]
            for retailer in range(len(RETAILERS))
        ]
        """Units a week, by retailer and product."""
        self._at_hand = 0
        """Cents that can still be paid in this turn, from cash or credit."""

    def actions(self) -> list[str]:
        """Return the actions of this turn, in the order in which they shall be executed."""
        if self._business.day:
            self._learn()
        factored = self._to_factor()
        self._at_hand = self._business.ledger.funds
        self._at_hand += factored - percent_of(factored, FACTORING_PERCENT)
        raising = [f"factor {factored // 100}"] if factored >= 100 else []
        return [*raising, *self._deliveries(), *self._shipments(), *self._orders()]

    def weekly(self, product: int) -> float:
        """Return the units of a product expected to be asked for in a week."""
        return self._habits.optimism * fsum(row[product] for row in self._expected)

    def cover(self, product: int) -> float:
        """Return the weeks of expected demand that are on order and in stock."""
        return self._position(product) / max(self.weekly(product), 1.0)

    def _learn(self) -> None:
        turn = self._business.turn
        for expected, sold, unfilled in zip(self._expected, turn.sold, turn.unfilled, strict=True):
            for product in range(len(PRODUCTS)):
                seen = (sold[product] + unfilled[product]) / _TURN_WEEKS
                expected[product] = (expected[product] + seen) / 2

    def _to_factor(self) -> int:
        """Return the cents of receivables to sell: what bills need, or what would come too late."""
        owed = self._business.receivables
        if self._turn_end() == LAST_DAY:
            return sum(cents for day, cents in owed.items() if day > LAST_DAY)
        short = _WORKING_CENTS + self._due_soon() - self._business.ledger.cash
        return min(max(0, short), sum(owed.values()))

    def _deliveries(self) -> list[str]:
        """Fill the centres for some weeks; in equal parts where stock is short."""
        business = self._business
        weeks = min(self._weeks_left(), _SHELF_WEEKS)
        held = [list(units) for units in business.centres]
        for delivery in business.deliveries:
            held[delivery.retailer][delivery.product] += delivery.units
        room = [
            retailer.capacity_units * CROWDED_PERCENT // 100 - sum(units)
            for retailer, units in zip(RETAILERS, held, strict=True)
        ]
        actions = []
        for product, stock in enumerate(business.warehouse):
            lacking = [
                max(0.0, self._habits.optimism * expected[product] * weeks - units[product])
                for expected, units in zip(self._expected, held, strict=True)
            ]
            part = min(1.0, stock / max(fsum(lacking), 1.0))
            for at, retailer in enumerate(RETAILERS):
                wanted = max(0, min(int(lacking[at] * part), room[at]) // _LOT * _LOT)
                units = self._pay_for(wanted, retailer.delivery_cents)
                room[at] -= units
                if units:
                    actions.append(f"deliver {PRODUCTS[product].name} {units} {retailer.name}")
        return actions

    def _shipments(self) -> list[str]:
        """Send by air what is short soon and still sells, the rest by sea if it comes in time."""
        days_left = LAST_DAY - self._business.day
        sea_in_time = _days_to_sale(OCEAN_DAYS) <= days_left - TURN_DAYS
        air_in_time = _days_to_sale(AIR_DAYS) < days_left
        actions = []
        for product, finished in enumerate(self._business.factory):
            goods, weekly, shipped = PRODUCTS[product], self.weekly(product), self._shipped(product)
            left = min(finished, max(0, int(weekly * self._weeks_left()) - shipped))
            short = max(0, int(weekly * self._habits.air_weeks) - shipped)
            wanted = min(left, short if sea_in_time else left) if air_in_time else 0
            by_air = self._pay_for(wanted, goods.air_cents)
            by_sea = self._pay_for(left - by_air, goods.ocean_cents) if sea_in_time else 0
            for units, way in ((by_air, "air"), (by_sea, "ocean")):
                if units:
                    actions.append(f"ship {goods.name} {units} {way}")
        return actions

    def _orders(self) -> list[str]:
        """Order what has the least cover first, until the money is spent."""
        kept = int(max(0, self._due_soon() + _BILLS_CENTS) * self._habits.prudence)
        plannable = self._plannable()
        actions = []
        for product in sorted(range(len(PRODUCTS)), key=self.cover):
            if self._rng.random() < self._habits.skip_chance:
                continue
            for multiple in range(self._multiple(product), 0, -1):
                price = order_price(product, multiple)
                deposit = percent_of(price, DEPOSIT_PERCENT)
                foreseen = deposit + int((price - deposit) * self._habits.prudence)
                if deposit <= self._at_hand - kept and foreseen <= plannable:
                    self._at_hand -= deposit
                    plannable -= foreseen
                    actions.append(f"produce {PRODUCTS[product].name} {multiple}x")
                    break
        return actions

    def _multiple(self, product: int) -> int:
        """Return the multiple, 0 to 3, that fills up the cover and can still be sold."""
        weekly, position = self.weekly(product), self._position(product)
        lead = -(-PRODUCTS[product].lead_days // TURN_DAYS) * TURN_DAYS
        wait = (lead + _days_to_sale(AIR_DAYS)) / WEEK_DAYS
        left_then = max(0.0, position - weekly * wait)
        sellable = weekly * max(0.0, self._weeks_left() - wait) - left_then
        wanted = min(weekly * self._habits.cover_weeks - position, sellable)
        most = round(self._habits.largest_multiple)
        return max(0, min(most, int(wanted / PRODUCTS[product].minimum_units + 0.5)))

    def _plannable(self) -> int:
        """Return the cents that orders may cost in the end."""
        business, habits = self._business, self._habits
        bills = sum(order.balance_cents for order in business.orders)
        to_ship = zip(PRODUCTS, business.in_production(), business.factory, strict=True)
        bills += sum(goods.air_cents * (made + done) // 2 for goods, made, done in to_ship)
        untouched = CREDIT_LIMIT_CENTS * (1 - habits.credit_share) + habits.reserve_dollars * 100
        owed = sum(business.receivables.values()) - self._to_factor()
        return self._at_hand + owed - int(untouched) - int(bills * habits.prudence)

    def _pay_for(self, units: int, cents: int) -> int:
        """Return as many of the units as can be paid for; they are then paid."""
        paid = min(units, max(0, self._at_hand) // cents)
        self._at_hand -= paid * cents
        return paid

    def _due_soon(self) -> int:
        """Return the cents to be paid in this turn, less those that retailers pay in it."""
        business, end = self._business, self._turn_end()
        owed = sum(cents for day, cents in business.receivables.items() if day <= end)
        return sum(o.balance_cents for o in business.orders if o.due_day <= end) - owed

    def _position(self, product: int) -> int:
        """Return the units ordered and not yet sold."""
        made = self._business.in_production()[product] + self._business.factory[product]
        return made + self._shipped(product)

    def _shipped(self, product: int) -> int:
        """Return the units that have left the factory and are not sold."""
        business = self._business
        stored = business.warehouse[product] + sum(centre[product] for centre in business.centres)
        return stored + business.in_transit()[product]

    def _turn_end(self) -> int:
        return self._business.day + TURN_DAYS

    def _weeks_left(self) -> float:
        return (LAST_DAY - self._business.day) / WEEK_DAYS


def _days_to_sale(days: int) -> int:
    """Return the days until goods that arrive so many days later are at the retailers'."""
    return -(-days // TURN_DAYS) * TURN_DAYS + _TRUCK_DAYS
