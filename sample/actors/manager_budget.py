"""A scripted manager's money: what it raises, keeps for bills, and dares to spend."""

from collect.warehouse.business import Business
from collect.warehouse.constants import (
    CASH_FLOOR_CENTS,
    CREDIT_LIMIT_CENTS,
    DEPOSIT_PERCENT,
    FACTORING_PERCENT,
    LAST_DAY,
    OPERATING_CENTS_WEEKLY,
    PRODUCTS,
    TURN_DAYS,
)
from collect.warehouse.decisions import order_price
from collect.warehouse.money import percent_of
from sample.actors.manager_habits import Habits

_BILLS_CENTS = CASH_FLOOR_CENTS + 2 * OPERATING_CENTS_WEEKLY + 5_000_00
"""What must be there at the end of a turn, and what is paid in it whatever happens."""
_WORTH_REPAYING_CENTS = 5_000_00
"""Less is not worth the action."""


class Purse:
    """The money of one turn."""

    def __init__(self, business: Business, habits: Habits) -> None:
        self._business = business
        self._habits = habits
        self._end = business.day + TURN_DAYS
        self._factored = self._to_factor()
        cash = business.ledger.cash
        cash += self._factored - percent_of(self._factored, FACTORING_PERCENT)
        self._repaid = self._to_repay(cash)
        cash -= self._repaid
        debt = business.ledger.debt - self._repaid
        credit = max(0, int(CREDIT_LIMIT_CENTS * habits.credit_share) - debt)
        self._at_hand = cash + CREDIT_LIMIT_CENTS - debt
        """Cents that can be paid now, from cash or credit."""
        bills = self._due_soon() + _BILLS_CENTS - self._paid_soon()
        self._kept = int(max(0, bills) * habits.prudence)
        """Cents of it that orders leave for the turn's bills."""
        self._plannable = cash + credit - habits.reserve_cents - self._committed()
        """Cents that orders may cost in the end."""

    def actions(self) -> list[str]:
        """Those that raise money, and pay credit back."""
        actions = []
        if self._factored:
            actions.append(f"factor {_dollars(self._factored)}")
        if self._repaid:
            actions.append(f"repay {_dollars(self._repaid)}")
        return actions

    def deliver(self, units: int, cents: int) -> int:
        """As many units as trucks can be paid for; it brings in money, so nothing is kept."""
        return self._paid(units, cents, kept=0)

    def ship(self, units: int, cents: int) -> int:
        """As many units as freight can be paid for, with the trucks and the bills in mind."""
        return self._paid(units, cents, kept=int(_BILLS_CENTS * self._habits.prudence))

    def _paid(self, units: int, cents: int, kept: int) -> int:
        paid = min(units, max(0, self._at_hand - kept) // cents)
        self._at_hand -= paid * cents
        return paid

    def order(self, product: int, multiple: int) -> int:
        """The largest multiple, at most the one given, that can be afforded; it is paid for."""
        for smaller in range(multiple, 0, -1):
            price = order_price(product, smaller)
            deposit = percent_of(price, DEPOSIT_PERCENT)
            foreseen = deposit + int((price - deposit) * self._habits.prudence)
            if deposit <= self._at_hand - self._kept and foreseen <= self._plannable:
                self._at_hand -= deposit
                self._plannable -= foreseen
                return smaller
        return 0

    def _to_factor(self) -> int:
        """Receivables to sell, in cents: before the last turn those that would come too late."""
        owed = self._business.receivables
        if self._end == LAST_DAY:
            return sum(cents for day, cents in owed.items() if day > LAST_DAY)
        wanted = self._habits.factor_below_cents + _BILLS_CENTS + self._due_soon()
        short = wanted - self._business.ledger.cash - self._paid_soon()
        return min(max(0, short), sum(owed.values()))

    def _to_repay(self, cash: int) -> int:
        """Of the credit drawn, in cents."""
        spare = cash - self._due_soon() - 2 * self._habits.factor_below_cents
        repaid = min(self._business.ledger.debt, spare)
        return repaid if repaid > _WORTH_REPAYING_CENTS else 0

    def _due_soon(self) -> int:
        """Balances to be paid in this turn, in cents."""
        orders = self._business.orders
        return sum(order.balance_cents for order in orders if order.due_day <= self._end)

    def _paid_soon(self) -> int:
        """Receivables that are paid in this turn, in cents."""
        owed = self._business.receivables
        return sum(cents for day, cents in owed.items() if day <= self._end)

    def _committed(self) -> int:
        """Balances and freight still to pay, as far as prudence goes, less what retailers owe."""
        business = self._business
        payables = sum(order.balance_cents for order in business.orders)
        to_ship = zip(PRODUCTS, business.in_production(), business.factory, strict=True)
        freight = sum(goods.air_cents * (made + done) // 2 for goods, made, done in to_ship)
        owed = sum(business.receivables.values()) - self._factored
        return int((payables + freight) * self._habits.prudence) - owed


def _dollars(cents: int) -> str:
    """As an action writes it."""
    return f"{cents // 100}.{cents % 100:02d}" if cents % 100 else str(cents // 100)
