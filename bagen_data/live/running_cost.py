"""The cost of a run that goes on, by the rules of `resource_readers.cost_reader`."""

from copy import copy
from typing import NamedTuple

from bagen_data.logs.prices import PriceTable
from bagen_data.logs.resource_readers import RunningShares, priced, stated_cost
from bagen_data.replay import plus
from bagen_data.schema import decimals
from bagen_data.usage import Request

COST = "cost_usd"


class PaidRequests(NamedTuple):
    """Requests that were paid for together."""

    turn: int
    """Position of the turn that they belong to."""
    requests: tuple[Request, ...]
    model: str
    """The model of requests that name none; may be empty."""


class RunningCost:
    """Cost of the requests so far, in US dollars to a millionth.

    A run is priced one way: by stated costs while every request states one, and from the first on
    that does not, all of its requests by the table.
    """

    def __init__(self, prices: PriceTable) -> None:
        """Begin a run.

        Args:
            prices: prices for requests that state no cost.
        """
        self._prices = prices
        self._is_stated = True
        self._paid: list[PaidRequests] = []
        """Stated costs so far, while every request states its own."""
        self._begin()

    def _begin(self) -> None:
        self._shares = RunningShares(decimals(COST))
        self.by_turn: dict[int, float] = {}
        """The rounded cost of each turn with requests, by its position."""
        self.total: float = 0

    def add(self, paid: PaidRequests) -> bool:
        """Take requests.

        Returns:
            Whether the costs of earlier turns changed, as all are priced by the table from now on.

        Raises:
            RolloutError: a request states no cost, and its price is not known.
            MissingExtraError: the library of prices is needed, and not installed.
        """
        stated = stated_cost(paid.requests) if self._is_stated else None
        if stated is not None:
            self._paid.append(paid)
            self._take(paid.turn, stated)
            return False
        if not self._is_stated:
            self._take(paid.turn, self._priced(paid))
            return False
        costs = [(each.turn, self._priced(each)) for each in (*self._paid, paid)]
        self._is_stated, self._paid = False, []
        self._begin()
        for turn, cost in costs:
            self._take(turn, cost)
        return len(costs) > 1

    def _priced(self, paid: PaidRequests) -> float:
        costs = [priced(each, paid.model, self._prices).usd for each in paid.requests]
        return sum(costs)

    def _take(self, turn: int, cost: float) -> None:
        share = self._shares.next(cost)
        self.by_turn[turn] = plus(self.by_turn.get(turn, 0), share)
        self.total = plus(self.total, share)

    def copy(self) -> "RunningCost":
        """Return the same run, to go on with apart."""
        same = RunningCost(self._prices)
        same._is_stated, same._paid = self._is_stated, list(self._paid)
        same._shares = copy(self._shares)
        same.by_turn, same.total = dict(self.by_turn), self.total
        return same
