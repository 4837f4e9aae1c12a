"""Acme's state at a moment: all that an agent may see, and nothing of the demand to come."""

from dataclasses import dataclass, field

from collect.warehouse.constants import PRODUCTS, RETAILERS, WAREHOUSE_UNITS, WEEK_DAYS
from collect.warehouse.ledger import COST_PARTS, Ledger

Units = list[int]
"""Units by product."""
Table = list[Units]
"""Units by retailer and product."""


def no_units() -> Units:
    """Return 0 units of every product."""
    return [0] * len(PRODUCTS)


def empty_table() -> Table:
    """Return 0 units of every product at every retailer."""
    return [no_units() for _ in RETAILERS]


@dataclass(slots=True)
class Order:
    """Goods in production."""

    product: int
    units: int
    placed_day: int
    due_day: int
    """Day when the goods are finished, if the balance is paid; once past, the order is stalled."""
    balance_cents: int
    """Balance that is due on `due_day`, in cents."""


@dataclass(slots=True)
class Shipment:
    """Goods from the factory to the warehouse."""

    product: int
    units: int
    """Units still outside the warehouse: once arrived, those that wait at the port for room."""
    arrival_day: int


@dataclass(slots=True)
class Delivery:
    """Goods from the warehouse to a retailer's centre."""

    retailer: int
    product: int
    units: int
    arrival_day: int


@dataclass
class TurnAccount:
    """The accounts of a turn of 14 days."""

    revenue_cents: int = 0
    """Revenue of sales, paid or not, in cents."""
    costs: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COST_PARTS, 0))
    """Costs paid, in cents, by part."""
    reward_cents: int = 0
    """Operating profit minus chargebacks and the penalty."""
    sold: Table = field(default_factory=empty_table)
    unfilled: Table = field(default_factory=empty_table)
    """Units asked for in vain, by retailer and product."""
    refused: Table = field(default_factory=empty_table)
    """Units delivered to a full centre, and written off, by retailer and product."""


@dataclass
class Business:
    """The state of the simulation. Amounts of money are in cents."""

    day: int = 0
    """Days gone by: 0 to 154."""
    ledger: Ledger = field(default_factory=Ledger)
    orders: list[Order] = field(default_factory=list)
    """Orders in production or stalled, in the order in which they were placed."""
    factory: Units = field(default_factory=no_units)
    """Units finished and paid for, not yet shipped."""
    shipments: list[Shipment] = field(default_factory=list)
    warehouse: Units = field(default_factory=no_units)
    deliveries: list[Delivery] = field(default_factory=list)
    centres: Table = field(default_factory=empty_table)
    listed: list[list[bool]] = field(
        default_factory=lambda: [[False] * len(PRODUCTS) for _ in RETAILERS]
    )
    """Whether each product has been delivered to each retailer before."""
    receivables: dict[int, int] = field(default_factory=dict)
    """Cents that retailers owe, by the day on which they pay."""
    ordered: Units = field(default_factory=no_units)
    """Units ever ordered."""
    sold: Units = field(default_factory=no_units)
    """Units ever sold."""
    written_off: Units = field(default_factory=no_units)
    """Units ever refused by full centres."""
    unit_days: int = 0
    """Units in the warehouse at the end of each day, added up."""
    turn: TurnAccount = field(default_factory=TurnAccount)
    """Accounts of the last turn that was played."""
    bankrupt: bool = False

    @property
    def item_weeks(self) -> float:
        """Units in the warehouse times the weeks they lay there, to hundredths."""
        return round(self.unit_days / WEEK_DAYS, 2)

    @property
    def warehouse_room(self) -> int:
        """Units that still fit into the warehouse."""
        return WAREHOUSE_UNITS - sum(self.warehouse)

    def centre_room(self, retailer: int) -> int:
        """Return the units that still fit into a retailer's centre."""
        return RETAILERS[retailer].capacity_units - sum(self.centres[retailer])

    def stalled(self, order: Order) -> bool:
        """Return whether an order should be finished by now, but its balance could not be paid."""
        return order.due_day <= self.day

    def waiting(self, shipment: Shipment) -> bool:
        """Return whether a shipment waits at the port for room."""
        return shipment.arrival_day <= self.day

    def in_production(self) -> Units:
        """Return the units by product that are ordered and not finished."""
        units = no_units()
        for order in self.orders:
            units[order.product] += order.units
        return units

    def in_transit(self) -> Units:
        """Return the units by product on the way to the warehouse or centres, or at the port."""
        units = no_units()
        for shipment in self.shipments:
            units[shipment.product] += shipment.units
        for delivery in self.deliveries:
            units[delivery.product] += delivery.units
        return units

    def in_stock(self) -> Units:
        """Return the units by product at the factory, in the warehouse and in the centres."""
        return [sum(held) for held in zip(self.factory, self.warehouse, *self.centres, strict=True)]
