"""Warehouse: run a small supply chain for 22 weeks without running out of cash.

Three resources are spent at once, and the final cash must reach a target. Budgets and targets are
drawn so that half of a family is feasible, of the rollouts of two turns or more: those of one turn
have no probe. All amounts are rounded to whole units when read.
"""

import random
import re
from collections.abc import Sequence
from typing import Any

from bagen_data.budgets import Realised, half_feasible
from bagen_data.errors import RolloutError
from bagen_data.logs import log_fields
from bagen_data.logs.rollout_log import Log, LoggedTurn
from bagen_data.logs.turn_readers import NO_OUTPUT, Accounts, Counting, TurnReader
from bagen_data.schema import WAREHOUSE, Amounts, Budget, Turn
from bagen_data.tasks import Task

BUDGET_SEED = 42
STEP_WEEKS = 2
"""A step is 14 days."""

WEEKS, ITEM_WEEKS, COST = WAREHOUSE
_CASH = "cash_usd"
_CUMULATIVE = {
    ITEM_WEEKS.name: "cumulative_inventory_weeks",
    COST.name: "cumulative_cost",
}

_PRINTED = {
    "cash": re.compile(
        r"^\W*(?:current )?cash(?: on hand| balance)?\W{0,5}[:=]\s*"
        r"(-?)\$?\s?(-?\d[\d,]*(?:\.\d+)?)",
        re.IGNORECASE | re.MULTILINE,
    ),
    "day": re.compile(r"\bday\W{0,5}()(\d[\d,]*)", re.IGNORECASE),
}
"""Lines such as `Cash: $1,234.50`, `- Cash on hand: -$3` and `Day: 28`."""


def warehouse_turns(log: Log, kept: Sequence[LoggedTurn], _: Counting) -> Accounts:
    """Weeks, stock and cost of each turn from the accounts the log keeps.

    The final state counts where the last turn was kept; else the rollout ends at the last kept one.
    Where the accounts give no cash, it is what the turn's own user message last printed: the next
    one, which shows the outcome of the turn, is the future.

    Raises:
        RolloutError: a turn has no accounts, an account falls, or the final day is missing.
    """
    opening = _stated(log.initial_state, "cash")
    if opening is None:
        opening = _stated(kept[0].user, "cash")
    cumulative = [_cumulative(turn, log) for turn in kept]
    turns = []
    before: Amounts = dict.fromkeys((WEEKS.name, *_CUMULATIVE), 0)
    for turn, now in zip(kept, cumulative, strict=True):
        usage = {name: now[name] - before[name] for name in before}
        for name, spent in usage.items():
            if spent < 0:
                raise RolloutError(
                    f"turn {turn.number}: {name} falls from {before[name]} to {now[name]}; "
                    "expected a running total"
                )
        state = {_CASH: _cash(turn, log)}
        turns.append(Turn(turn.user or NO_OUTPUT, turn.assistant, usage, state))
        before = now
    return Accounts(tuple(turns), {} if opening is None else {_CASH: opening}, "financials")


def _cumulative(turn: LoggedTurn, log: Log) -> Amounts:
    accounts = _financials(turn)
    amounts: dict[str, float] = {WEEKS.name: turn.number * STEP_WEEKS}
    if turn.number == len(log.turns):
        day = _stated(log.final_state, "day")
        if day is None:
            raise RolloutError(
                f"final_state is {log_fields.brief(log.final_state)}; expected its day"
            )
        amounts[WEEKS.name] = round(day / 7)
        if amounts[WEEKS.name] < STEP_WEEKS:
            raise RolloutError(f"final_state's day is {day}; expected at least a step of 14 days")
    for name, key in _CUMULATIVE.items():
        amounts[name] = log_fields.amount(
            accounts.get(key), f"turn {turn.number}: financials.{key}"
        )
    return amounts


def _cash(turn: LoggedTurn, log: Log) -> float:
    logged = _financials(turn).get("cash")
    if logged is not None:
        return log_fields.amount(logged, f"turn {turn.number}: financials.cash")
    cash = _stated(log.final_state, "cash") if turn.number == len(log.turns) else None
    cash = _stated(turn.user, "cash") if cash is None else cash
    if cash is None:
        raise RolloutError(f"turn {turn.number}: no cash in financials, nor in the printed state")
    return cash


def _financials(turn: LoggedTurn) -> Any:
    if turn.amounts is None:
        raise RolloutError(
            f"turn {turn.number} has no financials; expected the dialogues layout, with the "
            "accounts of each turn"
        )
    return log_fields.mapping(turn.amounts, f"turn {turn.number}: financials")


def _stated(state: Any, name: str) -> int | None:
    """A whole amount of a state, which is an object or printed text; None if it has none."""
    if isinstance(state, str):
        printed = _PRINTED[name].search(state)
        return round(float((printed[1] + printed[2]).replace(",", ""))) if printed else None
    if isinstance(state, dict) and state.get(name) is not None:
        return log_fields.amount(state[name], f"state.{name}")
    return None


def half_feasible_budgets(rollouts: Sequence[Realised]) -> list[Budget]:
    """Budgets and target cash that make half of the rollouts feasible (paper, B.4)."""
    return half_feasible(
        rollouts,
        exact=WEEKS.name,
        loose=(ITEM_WEEKS.name, COST.name),
        state=_CASH,
        rng=random.Random(BUDGET_SEED),
    )


TASK = Task(
    resources=WAREHOUSE,
    budgets=half_feasible_budgets,
    least_turns=2,
    turns=TurnReader(frozenset(resource.name for resource in WAREHOUSE), warehouse_turns),
    seeds={"budgets": BUDGET_SEED},
)
