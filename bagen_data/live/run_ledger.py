"""Amounts of a run that goes on: what each turn spent, and sums as a build makes them."""

import numbers
import time
from collections.abc import Collection, Iterable
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

from bagen_data.errors import BagenError, RolloutError
from bagen_data.live.problems import said
from bagen_data.live.running_cost import COST, PaidRequests, RunningCost
from bagen_data.live.usage_reading import plain, usage_requests
from bagen_data.logs.log_fields import count, quantity
from bagen_data.logs.prices import PriceTable
from bagen_data.logs.resource_readers import RunningShares
from bagen_data.logs.rollout_log import LoggedTurn
from bagen_data.logs.turn_readers import unknown_usage
from bagen_data.replay import plus
from bagen_data.schema import Amounts, decimals
from bagen_data.usage import ReplayedHistory, Request, fresh_usage
from bagen_data.usage_lists import Compactions, SessionSums

TOKENS, TURNS, TOOL_CALLS, SECONDS = "tokens", "turns", "tool_calls", "seconds"
_INNER = "\0"
"""Stands between a context's name and that of a context within one of its responses."""


@dataclass(frozen=True)
class Observed:
    """Arguments of one call of `observe`, as they were read."""

    turn: int
    """Position of the turn that pays for it, from 0."""
    context: str
    """The growing conversation that its request belongs to."""
    user: str
    assistant: str
    usage: Any
    """A usage object, a list of them, or None."""
    model: str
    seconds: Any
    tool_calls: Any


@dataclass
class ResponseAmounts:
    """The amounts of one response, and why some are not known."""

    amounts: dict[str, float] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    """Reasons why amounts are not known, by resource."""
    repriced: bool = False
    """The costs of earlier turns changed."""


class RunLedger:
    """The sums of one run."""

    def __init__(self, resources: Iterable[str], prices: PriceTable) -> None:
        """Begin a run.

        Args:
            resources: the names of what is summed.
            prices: prices for requests that state no cost.
        """
        self.used: dict[str, float] = dict.fromkeys(resources, 0)
        """Spent so far, by resource, as a build sums it."""
        self.at_least: set[str] = set()
        """Resources of which some amounts are not known, so more was spent than is summed."""
        self.cost = RunningCost(prices)
        self._replayed = ReplayedHistory()
        self._compactions: dict[str, Compactions] = {}
        self._sums: dict[str, SessionSums] = {}
        self._seconds = RunningShares(decimals(SECONDS))
        self._clock = time.monotonic()

    def spend(self, amounts: Amounts) -> None:
        """Add amounts to the sums; names that are not summed are left out."""
        for name, amount in amounts.items():
            if name in self.used:
                self.used[name] = plus(self.used[name], amount)

    def read(self, observed: Observed, counted: Collection[str]) -> ResponseAmounts:
        """Return what a response spent, and add it to the sums.

        Args:
            observed: the arguments that it was reported with.
            counted: resources that were counted by hand for its turn.
        """
        spent = ResponseAmounts()
        if TOKENS in self.used or COST in self.used:
            self._read_requests(observed, spent)
        if TOOL_CALLS in self.used and observed.tool_calls is not None:
            self._read_calls(observed.tool_calls, spent)
        if SECONDS in self.used:
            self._read_seconds(observed.seconds, SECONDS in counted, spent)
        for name in counted:
            spent.unknown.pop(name, None)
        self.spend({name: each for name, each in spent.amounts.items() if name != COST})
        self.at_least |= spent.unknown.keys() & self.used.keys()
        return spent

    def _read_requests(self, observed: Observed, spent: ResponseAmounts) -> None:
        try:
            requests = self._requests(observed)
        except Exception as error:  # whatever the attributes of somebody's own object raise
            reason = str(error) if isinstance(error, BagenError) else said(error)
            spent.unknown |= dict.fromkeys((TOKENS, COST), reason)
            return
        fresh = fresh_usage(requests, "request", self._replayed.growth(requests))
        read, written = sum([n for n, _ in fresh]), sum([n for _, n in fresh])
        spent.amounts |= {
            "input_tokens": read,
            "output_tokens": written,
            TOKENS: read + written,
        }
        if COST in self.used:
            self._read_cost(PaidRequests(observed.turn, requests, observed.model), spent)

    def _requests(self, observed: Observed) -> tuple[Request, ...]:
        """Return the requests of a response, in the contexts that they belong to."""
        if observed.usage is None:
            raise RolloutError("no usage was given; expected the usage object of the response")
        requests = usage_requests(observed.usage)
        shown = LoggedTurn(observed.turn + 1, observed.user, observed.assistant, requests)
        reason = unknown_usage(shown)
        if reason:
            raise RolloutError(reason)
        context = observed.context
        sums = self._sums.setdefault(context, SessionSums())
        reasons = [sums.check(each) for each in requests]
        if any(reasons):
            raise RolloutError(next(filter(None, reasons)))
        if context not in self._compactions:
            self._compactions[context] = Compactions()
        moved = self._compactions[context].moved(requests)
        names = [f"{context}{_INNER}{each.context}" if each.context else context for each in moved]
        return tuple(
            each if each.context == name else replace(each, context=name)
            for each, name in zip(moved, names, strict=True)
        )

    def _read_cost(self, paid: PaidRequests, spent: ResponseAmounts) -> None:
        before = self.cost.total
        try:
            spent.repriced = self.cost.add(paid)
        except Exception as error:  # the library of prices may raise any
            spent.unknown[COST] = str(error) if isinstance(error, BagenError) else said(error)
            return
        spent.amounts[COST] = self.cost.by_turn[paid.turn]
        self.spend({COST: plus(self.cost.total, -before)})

    def _read_calls(self, calls: Any, spent: ResponseAmounts) -> None:
        try:
            spent.amounts[TOOL_CALLS] = count(number_of(calls), TOOL_CALLS)
        except RolloutError as error:
            spent.unknown[TOOL_CALLS] = str(error)

    def _read_seconds(self, seconds: Any, is_counted: bool, spent: ResponseAmounts) -> None:
        now = time.monotonic()
        span, self._clock = 0.0 if is_counted else now - self._clock, now
        try:
            if seconds is not None:
                span = quantity(number_of(seconds), SECONDS)
        except RolloutError as error:
            spent.unknown[SECONDS] = str(error)
            return
        spent.amounts[SECONDS] = self._seconds.next(span)

    def copy(self) -> "RunLedger":
        """Return the same sums, to go on with apart."""
        same = copy(self)
        same.used, same.at_least = dict(self.used), set(self.at_least)
        same.cost = self.cost.copy()
        same._replayed = self._replayed.copy()
        same._compactions = {name: copy(each) for name, each in self._compactions.items()}
        same._sums = {name: each.copy() for name, each in self._sums.items()}
        same._seconds = copy(self._seconds)
        return same


def number_of(value: Any) -> Any:
    """Return a number of NumPy or a decimal as Python's own; else the value as it is."""
    kind = type(value)
    if kind in (int, float, bool, str) or value is None:
        return value
    return plain(value) if issubclass(kind, numbers.Number) else kind.__name__
