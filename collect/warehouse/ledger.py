"""Acme's money: cash, the credit line, and an entry for every movement of cash.

All amounts are whole cents. At any time cash is the opening cash plus all entries.
"""

from dataclasses import dataclass

from collect.warehouse.constants import CREDIT_LIMIT_CENTS, OPENING_CASH_CENTS

PRODUCTION = "production"
FREIGHT = "freight"
DELIVERY = "delivery"
HOLDING = "holding"
OPERATING = "operating"
CHARGEBACKS = "chargebacks"
FINANCING = "financing"
PENALTIES = "penalties"
COST_PARTS = (
    PRODUCTION,
    FREIGHT,
    DELIVERY,
    HOLDING,
    OPERATING,
    CHARGEBACKS,
    FINANCING,
    PENALTIES,
)
"""Parts of the costs: goods made, shipped and trucked; storage; running the firm; retailers'
claims; interest and factoring fees; the penalty for too little cash. A cost counts when it is
paid."""

COLLECTED = "collected"
"""Money from retailers, or from the buyer of a receivable (before the fee, a financing cost)."""
DRAWN = "drawn"
REPAID = "repaid"


@dataclass(frozen=True, slots=True)
class Entry:
    """A movement of cash."""

    day: int
    """Day, 1 to 154; an agent's own actions are of the day on which its turn begins, from 0."""
    kind: str
    """Kind of movement: a cost part, `collected`, `drawn` or `repaid`."""
    cents: int
    """Amount of cash, positive into cash, negative out of it."""


class Ledger:
    """Cash and debt. A payment that cash cannot cover is drawn from the credit line by itself."""

    def __init__(self) -> None:
        self.day = 0
        self.cash = OPENING_CASH_CENTS
        self.debt = 0
        self.limit = CREDIT_LIMIT_CENTS
        self.entries: list[Entry] = []
        self.costs = dict.fromkeys(COST_PARTS, 0)
        """Costs paid so far, by part; none ever falls."""

    @property
    def credit_left(self) -> int:
        """Credit that can still be drawn, in cents >= 0."""
        return self.limit - self.debt

    @property
    def funds(self) -> int:
        """The most that can be paid now without cash falling below zero."""
        return self.cash + self.credit_left

    def pay(self, part: str, cents: int) -> None:
        """Pay a cost: from cash, then from the credit line; beyond both, cash becomes negative."""
        if not cents:
            return
        missing = min(cents - self.cash, self.credit_left)
        if missing > 0:
            self.draw(missing)
        self.costs[part] += cents
        self._move(part, -cents)

    def collect(self, cents: int) -> None:
        """Take in money for sales."""
        self._move(COLLECTED, cents)

    def draw(self, cents: int) -> None:
        """Take up credit; the caller has seen that there is as much."""
        self.debt += cents
        self._move(DRAWN, cents)

    def repay(self, cents: int) -> None:
        """Pay back credit."""
        self.debt -= cents
        self._move(REPAID, -cents)

    def close_line(self) -> None:
        """Pay back all credit, whatever cash is, and draw no more."""
        if self.debt:
            self.repay(self.debt)
        self.limit = 0

    def _move(self, kind: str, cents: int) -> None:
        self.cash += cents
        self.entries.append(Entry(self.day, kind, cents))
