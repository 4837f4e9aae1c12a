"""Count what a running agent spends, forecast what it will need, and say whether to go on."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, cast, get_args

from bagen_data.live.advice import Action, Advice
from bagen_data.live.plain_rule import exceeded, plain_advice
from bagen_data.live.policies import Policy
from bagen_data.live.problems import said
from bagen_data.live.run_forecasts import (
    LiveForecaster,
    RunForecast,
    RunForecasts,
    unfit_reason,
)
from bagen_data.live.run_ledger import RunLedger
from bagen_data.live.run_state import ObservedResponse, RunState, View
from bagen_data.live.status_text import Standing, status_text
from bagen_data.logs.prices import ModelPrice, PriceTable
from bagen_data.replay import plus
from bagen_data.schema import GENERAL, TARGET_PREFIX, Budget, Forecast, Turn

if TYPE_CHECKING:
    from bagen_data.forecasters.kept import AmountForecast

_COUNTED = [resource.name for resource in GENERAL]
"""Resources that a tracker counts by itself."""
_NEAR = 0.8
"""Similarity from which a name is taken for a misspelt one of `_COUNTED`, 0 .. 1."""


class BudgetTracker:
    """The budgets of one run, what was used of them, what it will need, and what to do.

    Call `observe` once after each response of the model, with what the model was newly given and
    what it answered: each response is a turn, also where a tool's result and not a user's message
    came before it.

    No method raises into the agent's loop. A value that cannot be read, forecast or priced is
    reported once (`problems`, and the logger `bagen`), and counting goes on. Several threads and
    tasks may share a tracker.

    >>> tracker = BudgetTracker({"tokens": 2_000, "search": 3})
    >>> usage = {"prompt_tokens": 300, "completion_tokens": 40, "total_tokens": 340}
    >>> tracker.count(search=1)
    >>> tracker.observe(user="Where is it?", assistant="search(it)", usage=usage)
    >>> tracker.used
    {'tokens': 340, 'search': 1}
    """

    def __init__(  # noqa: PLR0913
        self,
        budgets: Mapping[str, float] | Budget,
        forecaster: LiveForecaster | None = None,
        policy: Policy | None = None,
        *,
        task: str | None = None,
        prices: PriceTable | Mapping[str, ModelPrice] | None = None,
        model: str = "",
    ) -> None:
        """Begin a run.

        A forecaster that does not fit the budgets or the task is reported, and not asked.

        Args:
            budgets: the most that may be spent of each resource over the whole run: `tokens`
                (fresh ones: history that a request repeats is not counted again), `turns`,
                `tool_calls`, `seconds`, `cost_usd`, and any name that `count` counts. A name
                `target_<state>` is the least that the final `<state>` must be.
            forecaster: a forecaster, as `load_forecaster` returns it.
            policy: says when to stop; without one, only an exceeded budget stops a run.
            task: the task of the run; the forecaster's if None.
            prices: prices by model for requests that do not state their cost; else those of the
                library genai-prices, if it is installed.
            model: the model of responses that name none.

        Raises:
            ValueError: no budget is given, one is not a finite number from 0 on, or its name is
                nearly that of a resource which a tracker counts, such as `token`.
            TypeError: an argument is of another type.
        """
        self._policy = _checked_policy(policy)
        if not isinstance(model, str) or not isinstance(task, str | None):
            raise TypeError(f"model is {model!r} and task {task!r}; expected texts")
        budget = _budget(budgets)
        self._run = RunState(budget, RunLedger(budget.limits, _price_table(prices)), model)
        self._view = View()
        if forecaster is not None:
            self._begin_forecasts(forecaster, task)

    def _begin_forecasts(self, forecaster: LiveForecaster, task: str | None) -> None:
        if not callable(getattr(forecaster, "forecasts", None)):
            raise TypeError(
                f"forecaster is of type {type(forecaster).__name__}; expected a forecaster, as "
                "bagen_data.live.load_forecaster(FOLDER) returns it"
            )
        run = self._run
        try:
            reason = unfit_reason(forecaster, task, run.budget)
            if not reason:
                limits = {name: run.budget.limits[name] for name in forecaster.resources}
                budget = Budget(limits, run.budget.conditions)
                run.forecast_with(RunForecasts(forecaster, forecaster.task, budget))
        except Exception as error:  # any object may stand for a forecaster
            reason = said(error)
        if reason:
            run.stop_forecasts("forecaster", f"the forecaster is not used: {reason}")

    def count(self, /, **amounts: float) -> None:
        """Add amounts to the turn that is not complete yet, such as `count(search=1)`.

        Call it before the `observe` of the response that asks for them. Names without a budget are
        harmless.

        Args:
            amounts: amount spent of each resource, >= 0.
        """
        with self._run.lock:
            try:
                self._run.count(self._view, amounts)
            except Exception as error:  # nothing may stop the agent
                self._failed("count", error)

    def observe(  # noqa: PLR0913
        self,
        *,
        user: Any = "",
        assistant: Any = "",
        usage: Any = None,
        context: str = "",
        state: Mapping[str, float] | None = None,
        seconds: float | None = None,
        tool_calls: int | None = None,
        model: str = "",
    ) -> None:
        """Take a completed turn: one response of the model, and what came before it.

        A loop that asks the model several times between two messages of a person calls it after
        each response; the results of tools are what the model was newly given then. A call with
        neither `assistant` nor `usage` is not a turn: what it says belongs to the turn that is
        completed next, so a loop may also call it before a request.

        Args:
            user: what the model was newly given: a person's message, or results of tools; a text, a
                message of any SDK, or a list of messages.
            assistant: what it answered: its message, or a text that has its tool calls too, as
                logs show them (a shell command as a fenced block, others as `name(arguments)`).
            usage: the usage object of the response: a mapping, an object of an SDK, or a list with
                one for each request of the turn. An empty list says that nothing was asked.
            context: the growing conversation that the request belongs to. A history that was
                compacted or begun anew is another context; one named `A > B` begins with what `A`
                holds by then, as a rewound or forked conversation does.
            state: the environment's state after the turn, such as `cash_usd`.
            seconds: duration of the turn; by default the time since the turn before.
            tool_calls: the number of tool calls that the response asks for; by default those of the
                assistant's message, 0 of a text.
            model: the model that answered.
        """
        with self._run.lock:
            try:
                response = ObservedResponse(
                    user, assistant, usage, context, state, seconds, tool_calls, model
                )
                self._run.observe(self._view, response)
            except Exception as error:  # nothing may stop the agent
                self._failed("observe", error)

    def observe_turn(self, turn: Turn) -> None:
        """Take a completed turn whose usage is known, as a build has it."""
        with self._run.lock:
            try:
                self._run.observe_turn(self._view, turn)
            except Exception as error:  # nothing may stop the agent
                self._failed("observe_turn", error)

    def _failed(self, method: str, error: Exception) -> None:
        """Report what went wrong inside a method: sums are lower bounds from then on."""
        self._run.ledger.at_least |= self._run.budget.limits.keys()
        self._run.stop_forecasts(
            "tracker",
            f"the tracker's {method} failed after turn {self._run.turns} ({said(error)}); what is "
            "used is counted as at least the amounts that are known, and no forecast is made",
        )

    def agent(self, name: str) -> "BudgetTracker":
        """Return a view for one of several agents that share the budgets.

        Each response that it observes is a turn of the run. Its contexts are its own, and so are
        the amounts that it counts before its next turn.
        """
        return self._viewed(View(self._path(name)))

    def subagent(self, name: str) -> "BudgetTracker":
        """Return a view for an agent that another one's turn waits for.

        What it spends is counted at once, and belongs to the next turn of the agent that this
        tracker or view is for, as in the logs of Claude Code, Codex and Inspect.
        """
        return self._viewed(View(self._path(name), self._view.name))

    def shares_budgets_with(self, other: "BudgetTracker") -> bool:
        """Return whether both belong to one run: the tracker itself or a view of an agent."""
        return self._run is other._run

    def _path(self, name: str) -> str:
        return f"{self._view.name}/{name}" if self._view.name else str(name)

    def _viewed(self, view: View) -> "BudgetTracker":
        tracker = object.__new__(type(self))
        tracker._run, tracker._policy, tracker._view = self._run, self._policy, view
        return tracker

    @property
    def used(self) -> dict[str, float]:
        """Amounts spent so far of each budget, by all agents."""
        with self._run.lock:
            return dict(self._run.ledger.used)

    @property
    def remaining(self) -> dict[str, float]:
        """Amounts that are left of each budget; below 0 where it is exceeded."""
        with self._run.lock:
            run = self._run
            return {
                name: plus(limit, -run.ledger.used[name])
                for name, limit in run.budget.limits.items()
            }

    @property
    def at_least(self) -> frozenset[str]:
        """The resources of which more was spent than `used` knows."""
        with self._run.lock:
            return frozenset(self._run.ledger.at_least)

    @property
    def turns(self) -> int:
        """The number of completed turns, of all agents."""
        return self._run.turns

    @property
    def problems(self) -> tuple[str, ...]:
        """Texts on everything that could not be read, priced or forecast, each reported once."""
        with self._run.lock:
            return self._run.problems.texts()

    def forecast(self) -> "Forecast | AmountForecast | None":
        """Return the forecast after the last turn; it is made once.

        Returns:
            None before the first turn, without a forecaster, and where no forecast can be made.
        """
        with self._run.lock:
            current = self._run.current()
            return current.forecast if current else None

    @property
    def history(self) -> tuple[RunForecast, ...]:
        """The forecast after each turn, in order."""
        with self._run.lock:
            return tuple(self._run.history())

    def advice(self) -> Advice:
        """Return what to do after the last turn: the policy's advice, or a plain rule's.

        A run that exceeds a budget stops in any case. Without a policy or a forecast, a warning
        comes from 80% of a budget on, and where the chance to finish is below one half.
        """
        with self._run.lock:
            limits, used = self._run.budget.limits, self._run.ledger.used
            stop = exceeded(limits, used)
            if stop:
                return stop
            current = self._run.current()
            if self._policy is not None and current is not None:
                try:
                    return _checked_advice(self._policy.advise(self._run.history()))
                except Exception as error:  # a policy may be anybody's
                    self._run.problems.report("policy", f"the policy failed: {said(error)}")
            return plain_advice(limits, used, current.forecast if current else None)

    def status_block(self) -> str:
        """Return the budgets in words and numbers, for the next message to the agent."""
        with self._run.lock:
            run = self._run
            current = run.current()
            standing = Standing(
                run.turns,
                run.budget.limits,
                run.ledger.used,
                run.ledger.at_least,
                current.forecast if current else None,
            )
            return status_text(standing)

    def copy(self) -> "BudgetTracker":
        """Return a copy that goes on apart, with the same forecaster and policy."""
        with self._run.lock:
            tracker = self._viewed(self._view)
            tracker._run = self._run.copy()
            return tracker

    def __deepcopy__(self, memo: dict[int, Any]) -> "BudgetTracker":
        run = memo.setdefault(id(self._run), self._run.copy())
        tracker = self._viewed(self._view)
        tracker._run = run
        return tracker


def _budget(budgets: Mapping[str, float] | Budget) -> Budget:
    if isinstance(budgets, Budget):
        return budgets
    if not isinstance(budgets, Mapping):
        raise TypeError(
            f"budgets are of type {type(budgets).__name__}; expected a mapping such as "
            "{'tokens': 200_000}"
        )
    for name, amount in budgets.items():
        if not isinstance(name, str) or not _is_number(amount):
            raise TypeError(f"budget of {name!r} is {amount!r}; expected a number for a name")
        meant = get_close_matches(name.lower(), _COUNTED, 1, _NEAR)
        if meant and name not in _COUNTED:
            raise ValueError(
                f"budget of {name!r}: nothing is counted under this name; expected {meant[0]!r}, "
                "or a name of your own that is less like it"
            )
    is_condition = {name: name.startswith(TARGET_PREFIX) for name in budgets}
    limits, conditions = (
        {name: amount for name, amount in budgets.items() if is_condition[name] is kind}
        for kind in (False, True)
    )
    return Budget(limits, conditions)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _price_table(prices: PriceTable | Mapping[str, ModelPrice] | None) -> PriceTable:
    if isinstance(prices, PriceTable):
        return prices
    by_model = {} if prices is None else prices
    if not isinstance(by_model, Mapping) or not all(
        isinstance(price, ModelPrice) for price in by_model.values()
    ):
        raise TypeError(
            f"prices are of type {type(prices).__name__}; expected a PriceTable, or a mapping from "
            "models to ModelPrice, of bagen_data.logs.prices"
        )
    return PriceTable(dict(by_model))


def _checked_advice(advice: Any) -> Advice:
    """Return what a policy says, which others can rely on.

    Raises:
        TypeError: it is not an Advice with a known action and a reason in words.
    """
    is_advice = isinstance(advice, Advice) and isinstance(advice.because, str)
    if is_advice and advice.action in get_args(Action):
        return cast("Advice", advice)
    raise TypeError(
        f"its advice is of type {type(advice).__name__}; expected an Advice whose action is one of "
        f"{', '.join(get_args(Action))}, and a text as its reason"
    )


def _checked_policy(policy: Policy | None) -> Policy | None:
    if policy is not None and not callable(getattr(policy, "advise", None)):
        raise TypeError(
            f"policy is of type {type(policy).__name__}; expected a ThresholdPolicy, a "
            "SequentialPolicy, or what load_policy returns"
        )
    return policy
