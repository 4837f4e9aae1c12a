"""Readers of what a turn spends beside tokens: US dollars, tool calls, searches and seconds.

A turn that is skipped because it is empty was paid for and took its time: both belong to the next
turn that is kept. Amounts with fractions are rounded so that their sums are right: each is the
difference of two rounded sums.
"""

from collections.abc import Callable, Iterator, Sequence

from bagen_data.errors import RolloutError
from bagen_data.logs import log_fields
from bagen_data.logs.prices import Cost, PriceTable
from bagen_data.logs.rollout_log import Log, LoggedTurn
from bagen_data.logs.turn_readers import (
    Accounts,
    Counting,
    TurnReader,
    accounts_of,
    token_turns,
    turn_count,
    unknown_usage,
)
from bagen_data.schema import decimals
from bagen_data.usage import CONVENTIONS, Convention, Request, fitting_conventions
from bagen_data.usage_lists import refuse_mixture
from bagen_data.usage_objects import BARE

_COST, _CALLS, _SECONDS = "cost_usd", "tool_calls", "seconds"
_SEARCH = "search"


def reader_of(resource: str, prices: PriceTable, model: str) -> TurnReader:
    """Return the reader of a resource of `schema.GENERAL`.

    Args:
        resource: its name.
        prices: for costs that a log does not state.
        model: the model of requests and logs that name none; may be empty.
    """
    makers: dict[str, Callable[[], TurnReader]] = {
        "tokens": lambda: token_turns,
        "turns": turn_count,
        _COST: lambda: cost_reader(prices, model),
        _CALLS: tool_call_reader,
        _SEARCH: lambda: calls_of(_SEARCH),
        _SECONDS: seconds_reader,
    }
    return makers[resource]()


def cost_reader(prices: PriceTable, model: str) -> TurnReader:
    """Return a reader of what turns cost, in US dollars to a millionth.

    A rollout is priced one way. Where the log states the cost of every turn, or of every request of
    it, that is what was paid. Where it leaves one out, all requests are priced from the table:
    stated costs may hold discounts that no table has, and a sum of both would be neither. A stated
    cost of 0 beside tokens is unknown: clients write it where they know no price.

    Args:
        prices: for rollouts whose log leaves a cost out.
        model: the model of requests and logs that name none; may be empty.
    """

    def read(log: Log, kept: Sequence[LoggedTurn], counting: Counting) -> Accounts:
        groups = list(_paid_since(log, kept))
        turns = [turn for group in groups for turn in group]
        unstated = next((turn for turn in turns if _stated_cost(turn) is None), None)
        if unstated is None:
            stated = [sum(_stated_cost(turn) or 0 for turn in group) for group in groups]
            return _fractions(kept, _COST, stated, "stated costs")
        paid = [[request for turn in group for request in turn.requests or ()] for group in groups]
        try:
            fits = _priceable(kept, [request for each in paid for request in each], counting)
            costs = [[priced(each, log.model or model, prices) for each in some] for some in paid]
        except RolloutError as error:
            raise RolloutError(
                f"turn {unstated.number} states no {_COST}, and {error}; or leave {_COST} out of "
                "--resources"
            ) from error
        sources = sorted({cost.source for some in costs for cost in some})
        spent = [sum(cost.usd for cost in some) for some in costs]
        accounts = _fractions(kept, _COST, spent, f"prices of {' and '.join(sources)}")
        return accounts._replace(fits=fits)

    return TurnReader(frozenset({_COST}), read)


def priced(request: Request, model: str, prices: PriceTable) -> Cost:
    """Return what a request costs by the table.

    Raises:
        RolloutError: its model, or the model's price, is unknown.
    """
    name = request.model or model
    if not name:
        raise RolloutError(
            "the log names no model, so its requests have no price; name the model with "
            "--rollout-model"
        )
    return prices.cost(request, name)


def _paid_since(log: Log, kept: Sequence[LoggedTurn]) -> Iterator[list[LoggedTurn]]:
    """Yield each kept turn, behind the turns since the kept one before, which were skipped."""
    numbers = {turn.number for turn in kept}
    group: list[LoggedTurn] = []
    for turn in log.turns[: kept[-1].number]:
        group.append(turn)
        if turn.number in numbers:
            yield group
            group = []


def _stated_cost(turn: LoggedTurn) -> float | None:
    """Return the cost that the log states of a turn, in US dollars; None where it is unknown."""
    stated = (turn.amounts or {}).get(_COST)
    if stated is not None:
        cost = log_fields.quantity(stated, f"turn {turn.number}: {_COST}")
        return cost if cost or turn.requests == () else None
    if turn.requests is None:
        return None if _says_something(turn) else 0
    return stated_cost(turn.requests)


def stated_cost(requests: Sequence[Request]) -> float | None:
    """Return the cost that requests state together, in US dollars; None where one states none.

    >>> stated_cost([Request(9, 1, 1, cost_usd=0.25), Request(9, 1, 1, cost_usd=0.5)])
    0.75
    """
    costs = [request.cost_usd for request in requests]
    return sum(map(float, filter(None, costs))) if all(costs) else None


def _says_something(turn: LoggedTurn) -> bool:
    return bool(turn.assistant.strip() or turn.reasoning.strip() or turn.unparsed)


def _priceable(
    kept: Sequence[LoggedTurn], requests: Sequence[Request], counting: Counting
) -> frozenset[Convention]:
    """Return what the counts fit, if they are those of whole requests, which alone have a price.

    Raises:
        RolloutError: a turn's usage is unknown, or its input leaves the replayed history out.
    """
    reason = next(filter(None, map(unknown_usage, kept)), "")
    if reason:
        raise RolloutError(reason)
    refuse_mixture(requests)
    if not requests or any(request.shape != BARE for request in requests):
        return CONVENTIONS
    if counting.convention == "turn":
        raise RolloutError(
            "its input counts leave the replayed history out; expected those of whole requests, "
            "which a price is for"
        )
    return fitting_conventions(requests) if counting.convention == "auto" else CONVENTIONS


def tool_call_reader() -> TurnReader:
    """Return a reader of how many tool calls each response holds."""

    def read(_log: Log, kept: Sequence[LoggedTurn], _counting: Counting) -> Accounts:
        calls = [_known(turn, turn.tool_calls, _CALLS) for turn in kept]
        return accounts_of(kept, [{_CALLS: number} for number in calls], "tool calls")

    return TurnReader(frozenset({_CALLS}), read)


def calls_of(tool: str) -> TurnReader:
    """Return a reader of how many calls of one tool each turn executed.

    Args:
        tool: its name, which is the resource's too.
    """

    def read(_log: Log, kept: Sequence[LoggedTurn], _counting: Counting) -> Accounts:
        known = [turn.calls_by_tool for turn in kept]
        calls = [None if each is None else each.get(tool, 0) for each in known]
        usages = [{tool: _known(turn, own, tool)} for turn, own in zip(kept, calls, strict=True)]
        return accounts_of(kept, usages, f"calls of {tool}")

    return TurnReader(frozenset({tool}), read)


def seconds_reader() -> TurnReader:
    """Return a reader of how long turns took, in seconds to a thousandth."""

    def read(log: Log, kept: Sequence[LoggedTurn], _counting: Counting) -> Accounts:
        spans = [
            sum(_known(turn, turn.seconds, _SECONDS) for turn in group)
            for group in _paid_since(log, kept)
        ]
        return _fractions(kept, _SECONDS, spans, "timestamps")

    return TurnReader(frozenset({_SECONDS}), read)


def _known(turn: LoggedTurn, value: float | None, name: str) -> float:
    """Return an amount of a turn: the reader's, else what the log states under the name."""
    amount = (turn.amounts or {}).get(name) if value is None else value
    if amount is None:
        raise RolloutError(
            f"turn {turn.number} has no {name}: the log does not say; state it with each turn, "
            f"leave {name} out of --resources, or remove the rollout"
        )
    return log_fields.quantity(amount, f"turn {turn.number}: {name}")


def _fractions(
    kept: Sequence[LoggedTurn], resource: str, amounts: Sequence[float], source: str
) -> Accounts:
    rounded = shares(amounts, decimals(resource))
    return accounts_of(kept, [{resource: amount} for amount in rounded], source)


class RunningShares:
    """Amounts rounded one after another, such that their sums are the rounded sums.

    >>> shares = RunningShares(2)
    >>> shares.next(0.004), shares.next(0.004)
    (0.0, 0.01)
    """

    def __init__(self, digits: int) -> None:
        """Begin at 0.

        Args:
            digits: digits after the point.
        """
        self._digits = digits
        self._total = 0.0

    def next(self, amount: float) -> float:
        """Return the rounded share of the next amount."""
        before = round(self._total, self._digits)
        self._total += amount
        return round(round(self._total, self._digits) - before, self._digits)


def shares(amounts: Sequence[float], digits: int) -> list[float]:
    """Round amounts such that every sum of the first ones is the rounded sum of them.

    >>> shares([0.004, 0.004, 0.004], 2)
    [0.0, 0.01, 0.0]
    """
    running = RunningShares(digits)
    return [running.next(amount) for amount in amounts]
