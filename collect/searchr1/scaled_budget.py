"""The budgets that the attempts of one rollout share."""

import math
from collections.abc import Mapping
from dataclasses import replace

from bagen_data.live import BudgetTracker
from bagen_data.schema import Turn
from collect.searchr1.search_environment import SEARCH


class SharedBudget:
    """Amounts that the attempts of a rollout have spent, and may still spend.

    Tokens are known after a request; searches are counted before, and one too many is not made.
    """

    def __init__(self, limits: Mapping[str, float]) -> None:
        """Begin a rollout.

        Args:
            limits: the budgets by resource; empty where nothing limits the rollout.
        """
        self.limits = dict(limits)
        self._tracker = BudgetTracker(limits) if limits else None
        self._ends = dict(limits)
        self._turn: Turn | None = None
        """The turn that is not complete yet."""

    @property
    def used(self) -> dict[str, float]:
        """Amounts spent so far of each budget."""
        return dict(self._tracker.used) if self._tracker else {}

    @property
    def remaining(self) -> dict[str, float]:
        """Amounts that are left of each budget; below 0 where it is exceeded."""
        return dict(self._tracker.remaining) if self._tracker else {}

    def grant_share(self, place: int, shares: int) -> None:
        """Let the attempt that begins spend one of equal shares of every budget.

        Args:
            place: which of the shares, from 0; searches are shared whole, the first have more.
            shares: the number of shares.
        """
        for name, limit in self.limits.items():
            share = limit / shares
            if name == SEARCH:
                share = math.ceil(limit * (place + 1) / shares) - math.ceil(limit * place / shares)
            self._ends[name] = self.used[name] + share

    def left(self, name: str) -> float:
        """Return what the present attempt may still spend; infinite where there is no budget.

        It is below 0 where the last request went beyond the budget.
        """
        if name not in self.limits:
            return math.inf
        pending = self._turn.usage.get(name, 0) if self._turn else 0
        return min(self._ends[name], self.limits[name]) - self.used[name] - pending

    @property
    def has_search(self) -> bool:
        """Return whether one more search is within the budget."""
        return self.left(SEARCH) >= 1

    @property
    def is_used_up(self) -> bool:
        """Return whether no request may be made: a budget other than of searches is used up."""
        return any(self.left(name) <= 0 for name in self.limits if name != SEARCH)

    @property
    def is_exceeded(self) -> bool:
        """Return whether the last request exceeds a budget: its response must not be used."""
        return any(self.left(name) < 0 for name in self.limits)

    def begin_turn(self, turn: Turn) -> None:
        """Count a request, whose response has not been executed yet.

        Args:
            turn: both messages, and the tokens of the request.
        """
        self._turn = turn

    def complete_turn(self, searches: int) -> None:
        """Count the searches that were made for the response; the turn is over."""
        turn, self._turn = self._turn, None
        if self._tracker and turn is not None:
            self._tracker.observe_turn(replace(turn, usage={**turn.usage, SEARCH: searches}))

    @property
    def status(self) -> str:
        """Return text for the agent: what is used and left of each budget; empty without one."""
        return self._tracker.status_block() if self._tracker else ""
