"""Every number of the Warehouse environment.

Constants that the paper names are marked *paper*; all others are ours, with the reason. Prices,
costs and volumes are invented, and were set by trying: until the sensible scripted manager sold
about $116K a week, as in the paper. Money is in whole US cents, so that sums are exact.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Product:
    """Something that Acme has made, imports and sells."""

    name: str
    """Name of the product, as actions write it."""
    title: str
    """Title of the product, as people call it (paper)."""
    price_cents: int
    """List price of a unit to a retailer."""
    cost_cents: int
    """Cost of making a unit, before any discount: 24-30% of the price. So large a margin is needed
    where cash comes back only after 70 to 110 days, and five empty weeks come first."""
    minimum_units: int
    """The minimum order: two weeks of typical demand, so that 1x keeps pace and 3x bets."""
    lead_days: int
    """Days from the order to finished goods: 25-45 by product (paper's range)."""
    ocean_cents: int
    """Freight of a unit by sea: about 2% of the price."""
    air_cents: int
    """Freight of a unit by air: five times as much, a tenth of the price."""
    weekly_units: int
    """Units that all retailers together typically ask for in a week; scales the demand series."""


@dataclass(frozen=True)
class Retailer:
    """A seller of Acme's products, out of a distribution centre of its own."""

    name: str
    """Name of the retailer, as actions write it."""
    title: str
    """The kind of retailer (paper)."""
    capacity_units: int
    """Capacity of the centre: 7K-25K (paper's range), in the order of the retailers' sizes."""
    share_percent: int
    """Share of the typical demand for every product; all retailers together have 100."""
    price_percent: int
    """Share of the list price that the retailer pays: large buyers less, small ones more."""
    delivery_days: int
    """Days from the warehouse to the centre: 3-4 (paper)."""
    delivery_cents: int
    """Cost of trucking a unit to the centre: small drops cost more."""


PRODUCTS = (
    Product("usb_c_hub", "USB-C hub", 3_100, 860, 3_600, 30, 70, 350, 1_800),
    Product("4k_dock", "4K dock", 11_000, 3_250, 1_400, 45, 220, 1_100, 700),
    Product("usb_c_cable", "USB-C/HDMI cable", 1_000, 240, 7_200, 25, 20, 100, 3_600),
    Product("display_adapter", "USB display adapter", 2_150, 560, 3_200, 28, 45, 225, 1_600),
    Product("travel_dock", "travel dock", 5_600, 1_550, 1_800, 38, 110, 550, 900),
)
RETAILERS = (
    Retailer("mass", "mass discount", 25_000, 30, 92, 3, 30),
    Retailer("electronics", "electronics specialty", 18_000, 25, 100, 3, 35),
    Retailer("value", "value", 14_000, 18, 90, 4, 30),
    Retailer("office", "office/B2B", 10_000, 17, 105, 3, 40),
    Retailer("small", "small accounts", 7_000, 10, 110, 4, 60),
)

TURNS = 11
"""Turns of a run: 22 weeks (paper)."""
TURN_DAYS = 14
"""Days of a turn (paper)."""
WEEK_DAYS = 7
WEEKS = TURNS * TURN_DAYS // WEEK_DAYS
LAST_DAY = TURNS * TURN_DAYS

OPENING_CASH_CENTS = 500_000_00
"""Cash at the opening (paper)."""
DEPOSIT_PERCENT = 30
"""Share of a production order's price that is paid when the order is placed (paper).

The rest is paid when the order is finished.
"""
DISCOUNT_PERCENT = {1: 0, 2: 8, 3: 15}
"""Discount by how many times the minimum is ordered (paper)."""
CREDIT_LIMIT_CENTS = 200_000_00
"""Limit of the credit line (paper)."""
INTEREST_PERMILLE = 8
"""Interest on the credit drawn, at the end of each turn: 0.8% (paper)."""
NET_DAYS = 30
"""Days from a sale to the retailer's payment: Net-30 (paper)."""
FACTORING_PERCENT = 5
"""Share of a receivable that its buyer keeps (paper)."""

OPERATING_CENTS_WEEKLY = 9_000_00
"""Cost of a week's staff, rent and systems. Over 22 weeks two fifths of the opening cash: doing
nothing loses money, but does not go bankrupt."""
HOLDING_CENTS_DAILY = 2
"""Cost of a unit in the warehouse: 14 cents a week, so that stock of a few weeks costs less than
running out of it."""
FACTORY_CENTS_DAILY = 1
"""Cost of a finished unit at the factory: less than in the warehouse, yet not free to forget."""
PORT_CENTS_DAILY = 10
"""Cost of a unit that waits at the port for room in the warehouse: demurrage is dear, five times as
much as storage, so that a full warehouse is not a free buffer."""

WAREHOUSE_UNITS = 50_000
"""The warehouse's capacity (paper)."""
CROWDED_PERCENT = 95
"""Share of the capacity of a place; a place with more in it is charged for (paper)."""
CROWDED_CENTS_DAILY = 25
"""Charge for each unit above `CROWDED_PERCENT` of the capacity, in the warehouse or a centre.

The charge stands for overtime and touching goods twice.
"""
UNFILLED_PERCENT = 10
"""Charge for a unit that a retailer asked for in vain, as a share of its price: at least 88 cents,
six times a week's storage, so that running out is dearer than holding. Only for products that the
retailer has been delivered before: in the first weeks nothing can be there yet, and claims would
be the same for everybody."""

OCEAN_DAYS = 32
"""Days of a shipment by sea (paper)."""
AIR_DAYS = 6
"""Days of a shipment by air (paper)."""

CASH_FLOOR_CENTS = 25_000_00
"""Less cash than this at the end of a turn costs the penalty: more
than the operating costs of one."""
PENALTY_CENTS = 50_000_00
"""Penalty for less cash than `CASH_FLOOR_CENTS` at the end of a turn (paper)."""
BANKRUPT_CENTS = -100_000_00
"""Less cash than this at the end of a turn is bankruptcy: two turns below the floor, when the
credit is used up and nothing comes in."""

NOISE_PERCENT = 12
"""Standard deviation of a turn's demand about the series: a forecast misses, but not by much."""
STEP_CHANCE_PERCENT = 8
"""Chance that a series changes its level in a week: nearly two changes in 22 weeks."""
STEP_FACTORS = (0.6, 1.6)
"""Range of the factor by which a change multiplies a series' level: enough to upset a plan."""
LEVELS = (0.4, 2.0)
"""Range of a series' level, of the typical demand: bounded, so that changes do not pile up."""
FIRST_LEVELS = (0.7, 1.3)
"""Range of a series' level in week 1."""
COLLAPSE_CHANCE_PERCENT = 12
"""Chance that a series collapses for good: of 25 series, about three."""
COLLAPSE_WEEKS = (9, 18)
"""Weeks in which a series may collapse, inclusive: after the first goods can have been sold."""
COLLAPSE_FACTOR = 0.15
"""Share of the demand that a collapse leaves."""
