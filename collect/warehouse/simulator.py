"""Fourteen days of Acme: what comes due, arrives and is sold, each on its day."""

from collect.warehouse.business import Business, Delivery, TurnAccount
from collect.warehouse.constants import (
    BANKRUPT_CENTS,
    CASH_FLOOR_CENTS,
    CROWDED_CENTS_DAILY,
    CROWDED_PERCENT,
    FACTORY_CENTS_DAILY,
    HOLDING_CENTS_DAILY,
    INTEREST_PERMILLE,
    LAST_DAY,
    NET_DAYS,
    OPERATING_CENTS_WEEKLY,
    PENALTY_CENTS,
    PORT_CENTS_DAILY,
    PRODUCTS,
    RETAILERS,
    TURN_DAYS,
    UNFILLED_PERCENT,
    WAREHOUSE_UNITS,
    WEEK_DAYS,
)
from collect.warehouse.demand import Demand, of_day
from collect.warehouse.ledger import (
    CHARGEBACKS,
    DELIVERY,
    FINANCING,
    FREIGHT,
    HOLDING,
    OPERATING,
    PENALTIES,
    PRODUCTION,
)
from collect.warehouse.money import percent_of, permille_of

PRICE_CENTS = [
    [percent_of(product.price_cents, retailer.price_percent) for product in PRODUCTS]
    for retailer in RETAILERS
]
"""Price of a unit, by retailer and product."""
_CLAIM_CENTS = [[percent_of(price, UNFILLED_PERCENT) for price in prices] for prices in PRICE_CENTS]
_OPERATING_PARTS = (PRODUCTION, FREIGHT, DELIVERY, HOLDING, OPERATING)


class Simulator:
    """A business in which time passes. Only the simulator knows the demand to come."""

    def __init__(self, demand: Demand) -> None:
        self.business = Business()
        self._demand = demand
        self._costs_before = dict(self.business.ledger.costs)
        self._storage = 0
        """Cents of storage since the last weekly bill."""
        self._claims = 0
        """Cents of chargebacks since the turn began."""

    def pass_turn(self) -> None:
        """Play 14 days, then settle the turn's claims, interest and penalty."""
        business = self.business
        asked = self._demand[business.day // TURN_DAYS]
        business.turn = TurnAccount()
        for day in range(TURN_DAYS):
            business.day += 1
            business.ledger.day = business.day
            self._collect()
            self._finish_production()
            self._unload_shipments()
            self._unload_deliveries()
            self._sell(asked, day)
            self._count()
            if business.day % WEEK_DAYS == 0:
                self._pay_week()
        self._settle()

    def _collect(self) -> None:
        paid = self.business.receivables.pop(self.business.day, 0)
        if paid:
            self.business.ledger.collect(paid)

    def _finish_production(self) -> None:
        """Finish due orders, earliest placed first; unpaid ones stall and are tried daily."""
        business = self.business
        for order in [order for order in business.orders if order.due_day <= business.day]:
            if order.balance_cents <= business.ledger.funds:
                business.ledger.pay(PRODUCTION, order.balance_cents)
                business.factory[order.product] += order.units
                business.orders.remove(order)

    def _unload_shipments(self) -> None:
        """Unload shipments into the warehouse while there is room; the rest waits at the port."""
        business = self.business
        arrived = [s for s in business.shipments if s.arrival_day <= business.day]
        if not arrived:
            return
        for shipment in sorted(arrived, key=lambda shipment: shipment.arrival_day):
            units = min(shipment.units, business.warehouse_room)
            business.warehouse[shipment.product] += units
            shipment.units -= units
        business.shipments = [shipment for shipment in business.shipments if shipment.units]

    def _unload_deliveries(self) -> None:
        """Unload deliveries into the centres; what finds no room is refused and written off."""
        business = self.business
        under_way = []
        for delivery in business.deliveries:
            if delivery.arrival_day > business.day:
                under_way.append(delivery)
            else:
                self._unload(delivery)
        business.deliveries = under_way

    def _unload(self, delivery: Delivery) -> None:
        business, retailer, product = self.business, delivery.retailer, delivery.product
        units = min(delivery.units, business.centre_room(retailer))
        refused = delivery.units - units
        business.centres[retailer][product] += units
        business.listed[retailer][product] = True
        business.turn.refused[retailer][product] += refused
        business.written_off[product] += refused

    def _sell(self, asked: tuple[tuple[int, ...], ...], day: int) -> None:
        business = self.business
        turn = business.turn
        revenue = 0
        for retailer, wanted in enumerate(asked):
            stock = business.centres[retailer]
            for product, turn_units in enumerate(wanted):
                units = of_day(turn_units, day)
                sold = min(units, stock[product])
                if sold:
                    stock[product] -= sold
                    turn.sold[retailer][product] += sold
                    business.sold[product] += sold
                    revenue += sold * PRICE_CENTS[retailer][product]
                turn.unfilled[retailer][product] += units - sold
                if business.listed[retailer][product]:
                    self._claims += (units - sold) * _CLAIM_CENTS[retailer][product]
        if revenue:
            turn.revenue_cents += revenue
            business.receivables[business.day + NET_DAYS] = revenue

    def _count(self) -> None:
        """Count the day's stock: what it costs to hold, and where it is crowded."""
        business = self.business
        stored = sum(business.warehouse)
        at_port = sum(s.units for s in business.shipments if s.arrival_day <= business.day)
        business.unit_days += stored
        self._storage += (
            stored * HOLDING_CENTS_DAILY
            + sum(business.factory) * FACTORY_CENTS_DAILY
            + at_port * PORT_CENTS_DAILY
        )
        crowded = _crowded(stored, WAREHOUSE_UNITS)
        for retailer, stock in zip(RETAILERS, business.centres, strict=True):
            crowded += _crowded(sum(stock), retailer.capacity_units)
        self._claims += crowded * CROWDED_CENTS_DAILY

    def _pay_week(self) -> None:
        ledger = self.business.ledger
        ledger.pay(OPERATING, OPERATING_CENTS_WEEKLY)
        ledger.pay(HOLDING, self._storage)
        self._storage = 0

    def _settle(self) -> None:
        """Settle the end of a turn, and of the run: then the credit drawn is paid back, too."""
        business, ledger, turn = self.business, self.business.ledger, self.business.turn
        ledger.pay(CHARGEBACKS, self._claims)
        self._claims = 0
        ledger.pay(FINANCING, permille_of(ledger.debt, INTEREST_PERMILLE))
        if business.day == LAST_DAY:
            ledger.close_line()
        if ledger.cash < CASH_FLOOR_CENTS:
            ledger.pay(PENALTIES, PENALTY_CENTS)
        business.bankrupt = ledger.cash < BANKRUPT_CENTS
        turn.costs = {part: now - self._costs_before[part] for part, now in ledger.costs.items()}
        self._costs_before = dict(ledger.costs)
        operating = turn.revenue_cents - sum(turn.costs[part] for part in _OPERATING_PARTS)
        turn.reward_cents = operating - turn.costs[CHARGEBACKS] - turn.costs[PENALTIES]


def _crowded(units: int, capacity: int) -> int:
    """Return the units above 95% of a capacity."""
    return max(0, units - capacity * CROWDED_PERCENT // 100)
