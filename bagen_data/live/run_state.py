"""The state of one run that a tracker and the views of its agents share."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.live.message_reading import read_message
from bagen_data.live.problems import Problems, said
from bagen_data.live.run_forecasts import RunForecast, RunForecasts
from bagen_data.live.run_ledger import TURNS, Observed, ResponseAmounts, RunLedger, number_of
from bagen_data.live.running_cost import COST
from bagen_data.logs import log_fields
from bagen_data.logs.turn_readers import NO_OUTPUT, NO_RESPONSE, without_reward
from bagen_data.replay import plus
from bagen_data.schema import Amounts, Budget, Turn

_VIEW = "\1"
"""Stands between an agent's name and the name of one of its contexts."""
_DATED = re.compile(r"[-@:](latest|\d{4}-?\d{2}-?\d{2}|\d{4}|v\d+)$")
"""The end of a model's name that tells a snapshot of it."""


@dataclass(frozen=True)
class View:
    """An agent of a run."""

    name: str = ""
    """Empty for the agent that has the tracker itself."""
    payer: str | None = None
    """The agent whose next turn pays for its requests; None where each is a turn of its own."""


@dataclass(frozen=True)
class ObservedResponse:
    """Arguments of one call of `observe`."""

    user: Any = ""
    assistant: Any = ""
    usage: Any = None
    context: str = ""
    state: Any = None
    seconds: Any = None
    tool_calls: Any = None
    model: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether the turn has a response: usage, or something that the agent said."""
        return self.usage is not None or bool(self.assistant.strip())

    @classmethod
    def of(cls, given: "ObservedResponse") -> "ObservedResponse":
        """Return what is said where messages may be objects: as texts."""
        texts = (given.user, given.assistant, given.context, given.model)
        if all(type(text) is str for text in texts):
            return given
        said = read_message(given.assistant, "assistant")
        return replace(
            given,
            user=read_message(given.user, "user").text,
            assistant=said.text,
            context=read_message(given.context, "user").text,
            model=read_message(given.model, "user").text,
            tool_calls=said.tool_calls if given.tool_calls is None else given.tool_calls,
        )


_NOTHING = ObservedResponse()


@dataclass
class PendingTurn:
    """Amounts and texts of a turn that is not complete."""

    before: ObservedResponse = _NOTHING
    """Texts that were observed before its response."""
    counted: dict[str, float] = field(default_factory=dict)
    """Amounts that were counted by hand."""
    paid: dict[str, float] = field(default_factory=dict)
    """Amounts of subagents that the turn pays for."""

    def take(self, response: ObservedResponse) -> ObservedResponse:
        """Return a response with what was said of it before, and keep it."""
        before = self.before
        if before is _NOTHING:
            self.before = response
            return response
        from bagen_data.logs.conversation import joined

        self.before = replace(
            response,
            user=joined(dict.fromkeys((before.user, response.user))),
            context=response.context or before.context,
            state=before.state if response.state is None else response.state,
            seconds=before.seconds if response.seconds is None else response.seconds,
            tool_calls=before.tool_calls if response.tool_calls is None else response.tool_calls,
            model=response.model or before.model,
        )
        return self.before

    def copy(self) -> "PendingTurn":
        """Return the same turn, to go on with apart."""
        return PendingTurn(self.before, dict(self.counted), dict(self.paid))


class RunState:
    """Budgets, sums, forecasts and problems of one run.

    Its methods are called by one thread at a time, which holds `lock`, and may raise: a tracker
    takes care of both.
    """

    def __init__(self, budget: Budget, ledger: RunLedger, model: str) -> None:
        """Begin a run.

        Args:
            budget: the most that may be spent.
            ledger: sums each resource of the budget.
            model: the model of responses that name none; may be empty.
        """
        self.lock = RLock()
        self.budget = budget
        self.ledger = ledger
        self.problems = Problems()
        self.turns = 0
        self._model = model
        self._models: dict[str, str] = {"": model} if model else {}
        """The first model of each context."""
        self._pending: dict[str, PendingTurn] = {}
        self._counted_costs: dict[int, float] = {}
        """Costs that were counted by hand, by the turn's position."""
        self._forecasts: RunForecasts | None = None
        self._past: Sequence[RunForecast] = ()
        """Forecasts that were made before there were no more."""

    def forecast_with(self, forecasts: RunForecasts) -> None:
        """Have a forecaster beside the run, from its first turn on."""
        self._forecasts = forecasts

    def pending(self, view: str) -> PendingTurn:
        """Return the turn of an agent that is not complete."""
        return self._pending.setdefault(view, PendingTurn())

    def count(self, view: View, amounts: Mapping[str, Any]) -> None:
        """Add amounts to the turn of an agent that is not complete."""
        counted = self.pending(view.name).counted
        for name, amount in amounts.items():
            try:
                number = log_fields.quantity(number_of(amount), f"count of {name}")
            except RolloutError as error:
                self._lack({name: str(error)})
                continue
            counted[name] = plus(counted.get(name, 0), number)
            self.ledger.spend({name: number})

    def observe(self, view: View, response: ObservedResponse) -> None:
        """Take a response, or what comes before it."""
        pending = self.pending(view.name)
        response = ObservedResponse.of(response)
        whole = pending.take(response)
        if not response.is_complete:
            return
        del self._pending[view.name]
        context = f"{view.name}{_VIEW}{whole.context}" if view.name else whole.context
        self._check_model(context, whole.model)
        user = without_reward(whole.user) or NO_OUTPUT
        assistant = whole.assistant
        observed = Observed(
            turn=self.turns,
            context=context,
            user=user,
            assistant=assistant,
            usage=whole.usage,
            model=whole.model or self._model,
            seconds=whole.seconds,
            tool_calls=whole.tool_calls,
        )
        spent = self.ledger.read(observed, pending.counted)
        if view.payer is not None:
            self._pay_later(view.payer, spent, pending)
        else:
            usage = self._usage(spent, pending)
            self.ledger.spend({TURNS: 1})
            state = _state(whole.state)
            shown = assistant if assistant.strip() else NO_RESPONSE
            self._take(Turn(user, shown, usage, state), spent)
        self._lack(spent.unknown)

    def _pay_later(self, payer: str, spent: ResponseAmounts, pending: PendingTurn) -> None:
        """Put the amounts of a subagent into its payer's turn; costs are kept by turn already."""
        paid = self.pending(payer).paid
        _add(paid, {name: each for name, each in spent.amounts.items() if name != COST})
        _add(paid, pending.paid)
        _add(paid, pending.counted)

    def _usage(self, spent: ResponseAmounts, pending: PendingTurn) -> Amounts:
        """Return what the turn that is complete now spent."""
        usage: dict[str, float] = dict.fromkeys(self.budget.limits, 0)
        usage |= spent.amounts
        usage[TURNS] = 1
        if COST in usage:
            usage[COST] = self.ledger.cost.by_turn.get(self.turns, 0)
        _add(usage, pending.counted)
        _add(usage, pending.paid)
        by_hand = plus(pending.counted.get(COST, 0), pending.paid.get(COST, 0))
        if by_hand:
            self._counted_costs[self.turns] = by_hand
        return usage

    def _take(self, turn: Turn, spent: ResponseAmounts) -> None:
        """Take a completed turn."""
        self.turns += 1
        if self._forecasts is None:
            return
        self._forecasts.add(turn)
        if spent.repriced and COST in self._forecasts.resources:
            by_turn = self.ledger.cost.by_turn
            costs = [
                plus(by_turn.get(position, 0), self._counted_costs.get(position, 0))
                for position in range(self.turns)
            ]
            self._forecasts.change(COST, costs)

    def observe_turn(self, view: View, turn: Turn) -> None:
        """Take a completed turn whose amounts are known."""
        pending = self._pending.pop(view.name, PendingTurn())
        usage: dict[str, float] = {TURNS: 1, **turn.usage}
        known: dict[str, float] = {}
        unknown: dict[str, str] = {}
        for name in self.budget.limits:
            if name in usage:
                try:
                    known[name] = log_fields.quantity(number_of(usage[name]), name)
                except RolloutError as error:
                    unknown[name] = str(error)
            elif name not in pending.counted:
                unknown[name] = f"the turn's usage has no {name}"
        self.ledger.spend(known)
        self.ledger.at_least |= unknown.keys()
        counted = {**pending.counted}
        _add(counted, pending.paid)
        if view.payer is not None:
            _add(self.pending(view.payer).paid, known)
            _add(self.pending(view.payer).paid, counted)
            self._lack(unknown)
            return
        if counted or unknown or any(turn.usage.get(name) is not known[name] for name in known):
            usage |= {**known, **dict.fromkeys(unknown, 0)}
            _add(usage, counted)
            turn = replace(turn, usage=usage)
        self._take(turn, ResponseAmounts())
        self._lack(unknown)

    def _lack(self, unknown: Mapping[str, str]) -> None:
        """Report amounts that are not known, and forecast no more from them."""
        lacking = [name for name in unknown if name in self.budget.limits]
        if not lacking:
            return
        self.ledger.at_least |= set(lacking)
        reason = unknown[lacking[0]]
        where = "" if reason.startswith("turn ") else f"turn {self.turns}: "
        text = f"{where}{reason}; {' and '.join(lacking)} are counted as at least what is known"
        forecasts = self._forecasts
        if forecasts is None or set(lacking).isdisjoint(forecasts.resources):
            self.problems.report("usage", text)
        else:
            self.stop_forecasts("usage", f"{text}, and no forecast is made from here on")

    def _check_model(self, context: str, model: str) -> None:
        if not model or self._forecasts is None:
            return
        first = self._models.setdefault(context, model)
        if first != model and _snapshot_of(first) != _snapshot_of(model):
            self.stop_forecasts(
                "model",
                f"the model changed from {first} to {model} after turn {self.turns}, and the "
                "forecaster speaks of runs of one model; budgets are counted as before, and no "
                "forecast is made from here on",
            )

    def _stop_forecasts(self, resources: Sequence[str], reason: str) -> None:
        forecasts = self._forecasts
        if forecasts is not None and not set(resources).isdisjoint(forecasts.resources):
            self.stop_forecasts(
                "forecasts", f"no forecast is made from turn {self.turns} on: {reason}"
            )

    def stop_forecasts(self, kind: str, text: str) -> None:
        """Report a problem of one kind, and make no more forecasts."""
        if self._forecasts is not None:
            self._past = tuple(self._forecasts.made)
            self._forecasts = None
        self.problems.report(kind, text)

    def history(self) -> Sequence[RunForecast]:
        """Return the forecasts so far, one a turn; none is added where none can be made."""
        if self._forecasts is None:
            return self._past
        try:
            return self._forecasts.history()
        except Exception as error:  # whatever a forecaster raises
            self.stop_forecasts(
                "forecaster",
                f"the forecaster failed after turn {self.turns} ({said(error)}); budgets are "
                "counted as before, and no forecast is made from here on",
            )
            return self._past

    def current(self) -> RunForecast | None:
        """Return the forecast after the last turn; None without a forecast."""
        history = self.history()
        if self._forecasts is None or not history:
            return None
        return history[-1]

    def copy(self) -> "RunState":
        """Return the same run with the same forecaster, to go on with apart."""
        same = RunState(self.budget, self.ledger.copy(), self._model)
        same.problems, same.turns = self.problems.copy(), self.turns
        same._models, same._counted_costs = dict(self._models), dict(self._counted_costs)
        same._pending = {name: each.copy() for name, each in self._pending.items()}
        same._forecasts = self._forecasts and self._forecasts.copy()
        same._past = self._past
        return same


def _add(amounts: dict[str, float], more: Amounts) -> None:
    for name, amount in more.items():
        amounts[name] = plus(amounts.get(name, 0), amount)


def _state(value: Any) -> Amounts:
    """Return the amounts of a state that are numbers."""
    if not issubclass(type(value), Mapping):
        return {}
    state = {str(name): number_of(amount) for name, amount in value.items()}
    return {name: amount for name, amount in state.items() if type(amount) in (int, float)}


def _snapshot_of(model: str) -> str:
    """Return a model's name without its provider and without what tells a snapshot of it.

    >>> _snapshot_of("openai/gpt-5-2025-08-07")
    'gpt-5'
    """
    return _DATED.sub("", model.rpartition("/")[2].lower())
