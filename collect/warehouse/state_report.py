"""A business as text: all that its manager needs, in at most about 2,500 characters."""

from collections.abc import Callable, Iterable, Sequence

from collect.warehouse.business import Business, Table, Units, empty_table
from collect.warehouse.constants import (
    CASH_FLOOR_CENTS,
    CREDIT_LIMIT_CENTS,
    LAST_DAY,
    PRODUCTS,
    RETAILERS,
    TURN_DAYS,
    TURNS,
    WAREHOUSE_UNITS,
    WEEK_DAYS,
    WEEKS,
)
from collect.warehouse.ledger import PENALTIES
from collect.warehouse.manager_actions import Result
from collect.warehouse.money import dollars, whole_dollars

_NAMES = [product.name for product in PRODUCTS]
_PROBLEMS_SHOWN = 5
_LABEL_WIDTH = max(len(name) for name in _NAMES)
_CELL_WIDTH = 12


def report(business: Business, results: Sequence[Result] = ()) -> str:
    """Return the state, below what became of the last turn's answer if not all was executed."""
    blocks = [_head(business), *_problems(business, results), _money(business)]
    if business.day:
        blocks.append(_last_turn(business))
    blocks += [_goods(business), _stock_table(business)]
    if business.day:
        blocks.append(_demand_table(business))
    return "\n".join(blocks)


def _head(business: Business) -> str:
    week = business.day // WEEK_DAYS
    lines = [f"Day: {business.day}", f"Week: {week} of {WEEKS} are over"]
    if business.bankrupt:
        lines.append("Acme is bankrupt. The run is over.")
    elif business.day == LAST_DAY:
        lines.append(f"The {WEEKS} weeks are over, and the credit line is paid back.")
    else:
        lines[1] += f"; this is turn {business.day // TURN_DAYS + 1} of {TURNS}"
    return "\n".join(lines)


def _problems(business: Business, results: Sequence[Result]) -> list[str]:
    """Return lines on what was not executed; none before the first turn."""
    illegal = [result for result in results if result.problem]
    if not business.day or (results and not illegal):
        return []
    if not results:
        return ["Your answer had no action in <answer>...</answer>: the turn passed without one."]
    lines = [f"- {result.action}: {result.problem}" for result in illegal[:_PROBLEMS_SHOWN]]
    if len(illegal) > _PROBLEMS_SHOWN:
        lines.append(f"- and {len(illegal) - _PROBLEMS_SHOWN} more")
    if len(illegal) == len(results):
        return ["Nothing in your answer was legal: the turn passed without an action.", *lines]
    return [f"Of your answer, {len(illegal)} of {len(results)} actions were not executed:", *lines]


def _money(business: Business) -> str:
    ledger = business.ledger
    owed = sum(business.receivables.values())
    payable = sum(order.balance_cents for order in business.orders)
    overdue = sum(order.balance_cents for order in business.orders if business.stalled(order))
    balances = (
        (order.due_day, order.balance_cents)
        for order in business.orders
        if not business.stalled(order)
    )
    lines = [
        f"Cash: {dollars(ledger.cash)}",
        f"Credit: {dollars(ledger.debt)} drawn of {whole_dollars(CREDIT_LIMIT_CENTS)}",
        f"Receivables: {dollars(owed)}{_by_turn(business, business.receivables.items())}",
        f"Payables (balances of production): {dollars(payable)}{_by_turn(business, balances)}",
    ]
    if overdue:
        lines[-1] += f"; overdue {whole_dollars(overdue)}"
    return "\n".join(lines)


def _by_turn(business: Business, amounts: Iterable[tuple[int, int]]) -> str:
    """Return text with the amounts due by the end of each coming turn."""
    due: dict[int, int] = {}
    for day, cents in amounts:
        turns = -(-(day - business.day) // TURN_DAYS)
        end = business.day + turns * TURN_DAYS
        due[end] = due.get(end, 0) + cents
    named = [f"d{end} {whole_dollars(due[end])}" for end in sorted(due)]
    return f"; due by {', '.join(named)}" if named else ""


def _last_turn(business: Business) -> str:
    turn = business.turn
    costs = [f"{part} {whole_dollars(cents)}" for part, cents in turn.costs.items() if cents]
    lines = [
        f"Last turn: sales {whole_dollars(turn.revenue_cents)}, "
        f"reward {whole_dollars(turn.reward_cents)}, "
        f"costs {whole_dollars(sum(turn.costs.values()))}:",
        f"  {', '.join(costs)}",
    ]
    refused = [
        f"{units} {product} at {retailer.name}"
        for retailer, row in zip(RETAILERS, turn.refused, strict=True)
        for product, units in zip(_NAMES, row, strict=True)
        if units
    ]
    if turn.costs[PENALTIES]:
        lines.append(f"  penalty: cash was below {whole_dollars(CASH_FLOOR_CENTS)} at its end")
    if refused:
        lines.append(f"  refused by full centres and written off: {', '.join(refused)}")
    return "\n".join(lines)


def _goods(business: Business) -> str:
    production = [
        (order.product, order.units, _when(order.due_day, business.stalled(order), "STALLED since"))
        for order in business.orders
    ]
    transit = [
        (
            goods.product,
            goods.units,
            _when(goods.arrival_day, business.waiting(goods), "at port since"),
        )
        for goods in business.shipments
    ]
    stored = sum(business.warehouse)
    percent = stored * 100 // WAREHOUSE_UNITS
    return "\n".join(
        [
            "In production (done on):" + _listed(production),
            "Finished at the factory:" + _held(business.factory),
            "Shipped to the warehouse (arriving on):" + _listed(transit),
            f"Warehouse, {stored} of {WAREHOUSE_UNITS} units ({percent}%):"
            + _held(business.warehouse),
        ]
    )


def _when(day: int, late: bool, since: str) -> str:
    return f"{since} d{day}" if late else f"d{day}"


def _listed(goods: Iterable[tuple[int, int, str]]) -> str:
    """Return a line for each product that has any; units of the same day are added up."""
    units: dict[tuple[int, str], int] = {}
    for product, more, when in goods:
        units[product, when] = units.get((product, when), 0) + more
    lines = []
    for product, name in enumerate(_NAMES):
        own = [f"{count} {when}" for (of, when), count in units.items() if of == product]
        if own:
            lines.append(f"\n  {name}: {', '.join(own)}")
    return "".join(lines) or " none"


def _held(units: Units) -> str:
    held = [f"{name} {count}" for name, count in zip(_NAMES, units, strict=True) if count]
    return f"\n  {', '.join(held)}" if held else " none"


def _stock_table(business: Business) -> str:
    coming = empty_table()
    for delivery in business.deliveries:
        coming[delivery.retailer][delivery.product] += delivery.units
    table = _table(
        "Stock in the retailers' centres (+ on the way):",
        business.centres,
        coming,
        lambda stock, more: f"{stock}+{more}" if more else str(stock),
    )
    room = (business.centre_room(r) - sum(row) for r, row in enumerate(coming))
    return f"{table}\n{_row('room left', (str(units) for units in room))}"


def _demand_table(business: Business) -> str:
    return _table(
        "Last turn's sales / unfilled demand, in units:",
        business.turn.sold,
        business.turn.unfilled,
        lambda sold, unfilled: f"{sold}/{unfilled}",
    )


def _table(title: str, left: Table, right: Table, cell: Callable[[int, int], str]) -> str:
    """Return a line a product and a column a retailer; `left` and `right` share a cell."""
    lines = [title, _row("", (retailer.name for retailer in RETAILERS))]
    for product, name in enumerate(_NAMES):
        cells = (cell(a[product], b[product]) for a, b in zip(left, right, strict=True))
        lines.append(_row(name, cells))
    return "\n".join(lines)


def _row(label: str, cells: Iterable[str]) -> str:
    return f"{label:<{_LABEL_WIDTH}}" + "".join(f"{cell:>{_CELL_WIDTH}}" for cell in cells)
