"""Warehouse as an environment: text in, text out, and the accounts of each turn."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from collect.environment import Observation, Rules
from collect.warehouse.business import Business
from collect.warehouse.constants import LAST_DAY, TURNS
from collect.warehouse.demand import demand_of
from collect.warehouse.manager_actions import execute
from collect.warehouse.manual import system_message
from collect.warehouse.money import as_float
from collect.warehouse.simulator import Simulator
from collect.warehouse.state_report import report

RULES = Rules(turns=TURNS)
SYSTEM = system_message()


class WarehouseEnvironment:
    """A business, run once; its instance decides the demand, and nothing else is random."""

    system = SYSTEM

    def __init__(self, instance: str) -> None:
        """Begin the business with the demand of an instance."""
        # hashed: a build shuffles sorted ids with the seed that it shuffles budgets with, and of
        # ids that count up the parts of the training data would be the halves of the budgets
        self.instance_id = f"acme-{sha256(instance.encode()).hexdigest()[:12]}"
        self._simulator = Simulator(demand_of(instance))
        self._initial = self._state()

    @property
    def business(self) -> Business:
        """The state that the agent may see; it holds nothing of the demand to come."""
        return self._simulator.business

    def start(self) -> str:
        """Return the state on day 0, as text."""
        return report(self.business)

    def step(self, response: str) -> Observation:
        """Execute what is legal in a response, then pass 14 days.

        Raises:
            ValueError: the run is over.
        """
        if self._is_over():
            raise ValueError(f"{self.instance_id}: the run is over on day {self.business.day}")
        results = execute(response, self.business)
        self._simulator.pass_turn()
        return Observation(
            text=report(self.business, results),
            actions=tuple(result.action for result in results if not result.problem),
            done=self._is_over(),
            success=self._is_over() and not self.business.bankrupt,
            logged={"financials": self._financials()},
        )

    def calls(self, _response: str) -> Mapping[str, int]:
        """Return no calls: the task has no tools."""
        return {}

    def outcome(self) -> Mapping[str, Any]:
        """Return the first and the last state, in dollars with cents, and whether Acme survived.

        Success means no more than that: a target cash is drawn when a family is built.
        """
        return {
            "initial_state": self._initial,
            "final_state": self._state(),
            "success": self._is_over() and not self.business.bankrupt,
            "bankrupt": self.business.bankrupt,
        }

    def _is_over(self) -> bool:
        return self.business.bankrupt or self.business.day == LAST_DAY

    def _state(self) -> dict[str, Any]:
        ledger = self.business.ledger
        return {
            "day": self.business.day,
            "cash": as_float(ledger.cash),
            "credit_drawn": as_float(ledger.debt),
            "receivables": as_float(sum(self.business.receivables.values())),
            "warehouse_units": sum(self.business.warehouse),
        }

    def _financials(self) -> dict[str, float]:
        """Return cash after the turn, its sales, reward and eight costs, and running totals."""
        turn, ledger = self.business.turn, self.business.ledger
        return {
            "cash": as_float(ledger.cash),
            "revenue": as_float(turn.revenue_cents),
            "reward": as_float(turn.reward_cents),
            **{f"{part}_cost": as_float(cents) for part, cents in turn.costs.items()},
            "cumulative_cost": as_float(sum(ledger.costs.values())),
            "cumulative_inventory_weeks": self.business.item_weeks,
        }
