"""The agent's system message: the rules in numbers, made from the constants."""

from textwrap import fill

from collect.environment import RESPONSE_TOKENS
from collect.warehouse import constants as c
from collect.warehouse.manager_actions import FORMS
from collect.warehouse.money import dollars, whole_dollars

_WIDTH = 100
_DISCOUNTS = "/".join(str(percent) for percent in c.DISCOUNT_PERCENT.values())

_TASK = (
    f"You run Acme, a small importer of USB accessories, for {c.WEEKS} weeks: {c.TURNS} turns of "
    f"{c.TURN_DAYS} days. Keep it from bankruptcy and end with as much cash as you can.",
    "Goods go this way: production -> factory -> ocean or air -> warehouse -> truck -> a "
    "retailer's centre -> sold. You order each production, shipment and delivery; nothing sets out "
    "by itself, and everything is empty at first. Your actions take place at the beginning of a "
    f"turn, in the order in which you write them; then {c.TURN_DAYS} days pass.",
)
_RULES = (
    "Production: 1x, 2x or 3x the minimum order at "
    f"{_DISCOUNTS}% discount, one order per product and turn. {c.DEPOSIT_PERCENT}% is paid at "
    "once, the balance on the day on which the goods are finished. While cash and credit do not "
    "cover the balance, the order stalls. Finished goods stay at the factory until you ship them.",
    f"Shipping to the warehouse: ocean {c.OCEAN_DAYS} days, air {c.AIR_DAYS} days; freight is paid "
    f"at once. The warehouse holds {c.WAREHOUSE_UNITS:,} units; what does not fit waits at the port"
    " until there is room.",
    "Delivery to a retailer's centre by truck, paid at once. What does not fit there on arrival is "
    "refused and lost (written off).",
    "Sales: retailers sell what lies in their centres, every day, and pay you "
    f"{c.NET_DAYS} days after the sale. Demand that finds no stock is lost. It changes over the "
    "weeks, differs between retailers and may collapse; below is what is typical.",
    f"Storage, per unit and day: factory {dollars(c.FACTORY_CENTS_DAILY)}, warehouse "
    f"{dollars(c.HOLDING_CENTS_DAILY)}, waiting at the port {dollars(c.PORT_CENTS_DAILY)}. "
    f"Operating costs: {whole_dollars(c.OPERATING_CENTS_WEEKLY)} a week. Both are paid weekly.",
    f"Chargebacks, paid at the end of a turn: {c.UNFILLED_PERCENT}% of the price for each unit of "
    "unfilled demand, but only for products that this retailer has been delivered before; and "
    f"{dollars(c.CROWDED_CENTS_DAILY)} a day for each unit above {c.CROWDED_PERCENT}% of the "
    "capacity of the warehouse or of a centre.",
    f"Credit line: {whole_dollars(c.CREDIT_LIMIT_CENTS)} at {c.INTEREST_PERMILLE / 10}% interest a "
    "turn on what is drawn. What is due and not covered by cash is drawn by itself; an action that "
    "cash and the credit left do not cover is refused. On day "
    f"{c.LAST_DAY} all that is drawn is paid back from cash.",
    f"Factoring: sell receivables at once for {100 - c.FACTORING_PERCENT}% of their amount; those "
    "due last are sold first.",
    f"Cash floor: with less than {whole_dollars(c.CASH_FLOOR_CENTS)} in cash at the end of a turn "
    f"you pay {whole_dollars(c.PENALTY_CENTS)}. With less than {whole_dollars(c.BANKRUPT_CENTS)} "
    "after that Acme is bankrupt, and the run ends. Credit that is drawn by itself brings "
    "cash to $0 only, which is below the floor: draw enough yourself before the turn.",
    "Reward of a turn: sales minus all costs paid in it but financing (interest and factoring).",
)
_ANSWERING = (
    "Answer with your actions between <answer> and </answer>, one a line or separated by ||:",
    "What is not legal is not executed, and you are told why. An answer without a legal action "
    f"passes the turn. Keep it below {RESPONSE_TOKENS} tokens. In the states, d42 is day 42.",
)
_EXAMPLE = """\
<answer>
produce 4k_dock 2x
ship usb_c_hub 3600 air
deliver usb_c_cable 1200 electronics
</answer>"""


def system_message() -> str:
    """Return the system message, the same for all instances."""
    how, legal = _ANSWERING
    return "\n\n".join(
        [
            *(fill(paragraph, _WIDTH) for paragraph in _TASK),
            "\n".join(fill(f"- {rule}", _WIDTH, subsequent_indent="  ") for rule in _RULES),
            _products(),
            _retailers(),
            "\n".join([how, *(f"  {form}" for form in FORMS)]),
            fill(legal, _WIDTH),
            f"For example:\n{_EXAMPLE}",
        ]
    )


def _products() -> str:
    rows: list[tuple[str, ...]] = [
        ("Product", "minimum", "cost of", "days to", "price", "ocean", "air", "typical demand"),
        ("", "order", "a unit", "make", "a unit", "a unit", "a unit", "a week, in all"),
    ]
    rows += [
        (
            f"{product.name} ({product.title})",
            str(product.minimum_units),
            dollars(product.cost_cents),
            str(product.lead_days),
            dollars(product.price_cents),
            dollars(product.ocean_cents),
            dollars(product.air_cents),
            str(product.weekly_units),
        )
        for product in c.PRODUCTS
    ]
    return _columns(rows, (39, 9, 9, 9, 9, 8, 8, 0))


def _retailers() -> str:
    rows: list[tuple[str, ...]] = [
        ("Retailer", "centre", "pays of", "share of", "days by", "truck"),
        ("", "holds", "the price", "demand", "truck", "a unit"),
    ]
    rows += [
        (
            f"{retailer.name} ({retailer.title})",
            str(retailer.capacity_units),
            f"{retailer.price_percent}%",
            f"{retailer.share_percent}%",
            str(retailer.delivery_days),
            dollars(retailer.delivery_cents),
        )
        for retailer in c.RETAILERS
    ]
    return _columns(rows, (39, 9, 11, 10, 9, 0))


def _columns(rows: list[tuple[str, ...]], widths: tuple[int, ...]) -> str:
    return "\n".join(
        "".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
