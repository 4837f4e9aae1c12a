"""Count what a running agent spends, and say what is left of its budgets."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bagen_data.live.advice import Advice
from bagen_data.schema import Budget, Turn
from bagen_data.usage import fresh_usage, input_growth
from bagen_data.usage_objects import provider_usage


class BudgetTracker:
    """The budgets of one run, what was used of them, and what to do."""

    def __init__(self, budgets: Mapping[str, float]) -> None:
        """Begin a run.

        Args:
            budgets: the most that may be spent of each resource over the whole run.

        Raises:
            ValueError: there is no budget, or one is not a finite number from 0 on.
        """
        self._budget = Budget(dict(budgets))
        self._turns: list[Turn] = []
        self._counted: dict[str, float] = {}
        self.used: dict[str, float] = dict.fromkeys(budgets, 0)
        """Spent so far, by resource."""

    def count(self, **amounts: float) -> None:
        """Add amounts to the turn that is not complete yet, such as `count(search=1)`."""
        for name, amount in amounts.items():
            self._counted[name] = self._counted.get(name, 0) + amount
            if name in self.used:
                self.used[name] += amount

    def observe(
        self,
        *,
        user: str = "",
        assistant: str = "",
        usage: Mapping[str, Any] | None = None,
        context: str = "",
    ) -> None:
        """Take a completed turn.

        Args:
            user: what the agent was told.
            assistant: what it answered, with its tool calls.
            usage: the usage object of the response, of any shape that logs may hold.
            context: the growing conversation that the request belongs to; a subagent has another.
        """
        spent: dict[str, float] = {}
        if usage is not None:
            requests = [replace(each, context=context) for each in provider_usage(usage)]
            fresh = fresh_usage(requests, "request", input_growth(requests))
            spent["tokens"] = sum(map(sum, fresh))
        for name, amount in spent.items():
            if name in self.used:
                self.used[name] += amount
        self._turns.append(Turn(user, assistant, {**spent, **self._counted}))
        self._counted = {}

    def observe_turn(self, turn: Turn) -> None:
        """Take a completed turn whose usage is counted already."""
        self._turns.append(turn)
        for name in self.used:
            self.used[name] += turn.usage.get(name, 0)

    @property
    def turns(self) -> int:
        """The number of completed turns."""
        return len(self._turns)

    @property
    def remaining(self) -> dict[str, float]:
        """What is left of each budget; below 0 where it is exceeded."""
        return {name: limit - self.used[name] for name, limit in self._budget.limits.items()}

    def advice(self) -> Advice:
        """Say whether to go on."""
        over = [name for name, left in self.remaining.items() if left < 0]
        if over:
            return Advice("stop", f"the budget of {', '.join(over)} is exceeded")
        return Advice("continue", "every budget lasts")

    def status_block(self) -> str:
        """Return text for the agent's next message."""
        return "\n".join(
            f"{name}: {self.used[name]:,} of {limit:,} used, {self.remaining[name]:,} left"
            for name, limit in self._budget.limits.items()
        )
