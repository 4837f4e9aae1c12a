"""A manager that keeps a base stock: it forecasts from the sales it has seen, and fills up.

Greedy and passive managers are the same with other habits. It sees what an agent sees.
"""

import random
from math import fsum

from collect.warehouse.business import Business, empty_table
from collect.warehouse.constants import (
    AIR_DAYS,
    CROWDED_PERCENT,
    LAST_DAY,
    OCEAN_DAYS,
    PRODUCTS,
    RETAILERS,
    TURN_DAYS,
    WEEK_DAYS,
)
from collect.warehouse.demand import typical_weekly
from sample.actors.manager_budget import Purse
from sample.actors.manager_habits import Habits

_TRUCK_DAYS = max(retailer.delivery_days for retailer in RETAILERS)
_TURN_WEEKS = TURN_DAYS / WEEK_DAYS
_LOT = 10
"""Units are delivered in tens."""


class Planner:
    """Decides a turn's actions; remembers its forecast between turns."""

    def __init__(self, business: Business, habits: Habits, rng: random.Random) -> None:
        self._business = business
        self._habits = habits
        self._rng = rng
        self._expected = [
            [typical_weekly(retailer, product) for product in range(len(PRODUCTS))]
            for retailer in range(len(RETAILERS))
        ]
        """Units a week, by retailer and product."""

    def actions(self) -> list[str]:
        """Of this turn, in the order in which they shall be executed."""
        if self._business.day:
            self._learn()
        purse = Purse(self._business, self._habits)
        return [
            *purse.actions(),
            *self._deliveries(purse),
            *self._shipments(purse),
            *self._orders(purse),
        ]

    def weekly(self, product: int) -> float:
        """Units of a product expected to be asked for in a week."""
        return self._habits.optimism * fsum(row[product] for row in self._expected)

    def cover(self, product: int) -> float:
        """Weeks of expected demand on order and in stock."""
        return self._position(product) / max(self.weekly(product), 1.0)

    def _learn(self) -> None:
        turn, weight = self._business.turn, self._habits.smoothing
        for expected, sold, unfilled in zip(self._expected, turn.sold, turn.unfilled, strict=True):
            for product in range(len(PRODUCTS)):
                seen = (sold[product] + unfilled[product]) / _TURN_WEEKS
                expected[product] += weight * (seen - expected[product])

    def _deliveries(self, purse: Purse) -> list[str]:
        """What the centres lack until the next truck; in equal parts where stock is short."""
        held = self._centres_after_deliveries()
        room = [
            retailer.capacity_units * CROWDED_PERCENT // 100 - sum(units)
            for retailer, units in zip(RETAILERS, held, strict=True)
        ]
        weeks = min(
            self._weeks_left(), _TURN_WEEKS + _TRUCK_DAYS / WEEK_DAYS + self._habits.shelf_weeks
        )
        actions = []
        for product, stock in enumerate(self._business.warehouse):
            lacking = [
                max(0.0, self._habits.optimism * expected[product] * weeks - units[product])
                for expected, units in zip(self._expected, held, strict=True)
            ]
            part = min(1.0, stock / max(fsum(lacking), 1.0))
            for at, retailer in enumerate(RETAILERS):
                units = min(int(lacking[at] * part), room[at]) // _LOT * _LOT
                units = purse.deliver(max(0, units), retailer.delivery_cents)
                room[at] -= units
                if units:
                    actions.append(f"deliver {PRODUCTS[product].name} {units} {retailer.name}")
        return actions

    def _shipments(self, purse: Purse) -> list[str]:
        """By air what is short soon and can still be sold, the rest by sea if it comes in time."""
        actions = []
        sea_in_time = self._days_to_sale(OCEAN_DAYS) <= self._days_left() - TURN_DAYS
        air_in_time = self._days_to_sale(AIR_DAYS) < self._days_left()
        for product, finished in enumerate(self._business.factory):
            goods = PRODUCTS[product]
            weekly = self.weekly(product)
            shipped = self._shipped(product)
            left = min(finished, max(0, int(weekly * self._weeks_left()) - shipped))
            short = max(0, int(weekly * self._habits.air_weeks) - shipped)
            by_air = min(left, short if sea_in_time else left) if air_in_time else 0
            by_air = purse.ship(by_air, goods.air_cents)
            if by_air:
                actions.append(f"ship {goods.name} {by_air} air")
            by_sea = purse.ship(left - by_air, goods.ocean_cents) if sea_in_time else 0
            if by_sea:
                actions.append(f"ship {goods.name} {by_sea} ocean")
        return actions

    def _orders(self, purse: Purse) -> list[str]:
        """Those whose cover is least come first, until the money is spent."""
        actions = []
        for product in sorted(range(len(PRODUCTS)), key=self.cover):
            if self._rng.random() < self._habits.skip_chance:
                continue
            wanted = min(self._multiple(product), self._habits.largest_multiple)
            multiple = purse.order(product, wanted)
            if multiple:
                actions.append(f"produce {PRODUCTS[product].name} {multiple}x")
        return actions

    def _multiple(self, product: int) -> int:
        """Of the minimum order, 0 to 3, that fills up the cover and can still be sold."""
        weekly = self.weekly(product)
        position = self._position(product)
        lead = -(-PRODUCTS[product].lead_days // TURN_DAYS) * TURN_DAYS
        wait = (lead + self._days_to_sale(AIR_DAYS)) / WEEK_DAYS
        left_then = max(0.0, position - weekly * wait)
        sellable = weekly * max(0.0, self._weeks_left() - wait) - left_then
        wanted = min(weekly * self._habits.cover_weeks - position, sellable)
        return max(0, min(3, int(wanted / PRODUCTS[product].minimum_units + 0.5)))

    def _centres_after_deliveries(self) -> list[list[int]]:
        """What the centres hold and what is on the way there."""
        held = empty_table()
        for units, stock in zip(held, self._business.centres, strict=True):
            units[:] = stock
        for delivery in self._business.deliveries:
            held[delivery.retailer][delivery.product] += delivery.units
        return held

    def _position(self, product: int) -> int:
        """Units ordered and not yet sold."""
        business = self._business
        return (
            business.in_production()[product] + business.factory[product] + self._shipped(product)
        )

    def _shipped(self, product: int) -> int:
        """Units that have left the factory and are not sold."""
        business = self._business
        stored = business.warehouse[product] + sum(centre[product] for centre in business.centres)
        return stored + business.in_transit()[product]

    def _days_left(self) -> int:
        return LAST_DAY - self._business.day

    def _weeks_left(self) -> float:
        return self._days_left() / WEEK_DAYS

    def _days_to_sale(self, days: int) -> int:
        """Until goods that are shipped now, and arrive so many days later, are at retailers'."""
        return -(-days // TURN_DAYS) * TURN_DAYS + _TRUCK_DAYS
