"""Forecasts about a run that goes on: one a turn, made when somebody asks."""

from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol

from bagen_data.live.turn_forecast import TurnForecast
from bagen_data.schema import Budget, Forecast, Turn

if TYPE_CHECKING:
    from bagen_data.forecasters.kept import AmountForecast
    from bagen_data.forecasters.learning.asked_columns import AskedColumns
    from bagen_data.forecasters.learning.asked_run import RunRow


class LiveForecaster(Protocol):
    """A forecaster that a tracker can ask: a `KeptForecaster`, or an object with its interface."""

    @property
    def task(self) -> str:
        """The task whose rollouts it learned from."""

    @property
    def resources(self) -> Sequence[str]:
        """The names of the resources that it forecasts, in order."""

    def forecasts(self, asked: "AskedColumns") -> "Sequence[Forecast | AmountForecast]":
        """Return the forecast of each probe."""


@dataclass(frozen=True)
class RunForecast(TurnForecast):
    """A forecast, and the turn that it was made after."""

    forecast: "Forecast | AmountForecast"


def unfit_reason(forecaster: LiveForecaster, task: str | None, budget: Budget) -> str:
    """Return why a forecaster has nothing to say of a run; empty where it has.

    Args:
        forecaster: the forecaster that would be asked.
        task: the run's task; the forecaster's if None.
        budget: the run's budget.
    """
    resources = tuple(forecaster.resources)
    missing = [name for name in resources if name not in budget.limits]
    if missing:
        return (
            f"it forecasts {', '.join(missing)}, which has no budget; give one of each of "
            f"{', '.join(resources)}"
        )
    learned = getattr(forecaster, "conditions", budget.conditions)
    if set(learned) != set(budget.conditions):
        return (
            f"it learned from runs with {_listed(learned)}, and the budgets have "
            f"{_listed(budget.conditions)}; give a value of each that it learned with, and no other"
        )
    if task is not None and task != forecaster.task:
        return f"it learned from rollouts of {forecaster.task}, and the task is {task}"
    return ""


def _listed(conditions: Iterable[str]) -> str:
    return f"the conditions {', '.join(conditions)}" if [*conditions] else "no condition"


class RunForecasts:
    """A forecaster beside one run.

    Turns are kept until a forecast is wanted, so taking one costs next to nothing; then the
    forecasts of all turns since are made together, each from what was known at its turn.
    """

    def __init__(self, forecaster: LiveForecaster, task: str, budget: Budget) -> None:
        """Begin a run.

        Args:
            forecaster: the forecaster that is asked.
            task: the task whose features a run has.
            budget: limits the forecaster's resources, in their order.
        """
        from bagen_data.forecasters.learning.asked_run import AskedRun

        self.resources = tuple(budget.limits)
        """The names of the resources that are forecast."""
        self._forecaster = forecaster
        self._begin: Callable[[], AskedRun] = partial(AskedRun, task, budget)
        self._run = self._begin()
        self._turns: list[Turn] = []
        self._rows: list[RunRow] = []
        """States of the run after turns whose forecast was not asked for yet."""
        self._history: list[RunForecast] = []

    def add(self, turn: Turn) -> None:
        """Take the next turn."""
        self._turns.append(turn)

    @property
    def made(self) -> Sequence[RunForecast]:
        """The forecasts that were made already."""
        return self._history

    def history(self) -> Sequence[RunForecast]:
        """Return the forecast after each turn; one that was made stays as it is.

        Raises:
            Exception: whatever the forecaster raises.
        """
        for turn in self._turns[self._run.turns :]:
            self._run.add(turn)
            if self._run.turns > len(self._history):
                self._rows.append(self._run.row())
        if self._rows:
            made = self._forecaster.forecasts(self._run.columns(self._rows))
            self._history += [
                self._made(row.completed_turns, each)
                for row, each in zip(self._rows, made, strict=True)
            ]
            self._rows = []
        return self._history

    def _made(self, completed_turns: int, forecast: "Forecast | AmountForecast") -> RunForecast:
        """Return a forecast that others can rely on.

        Raises:
            ValueError: it is not one, or not of the run's resources.
        """
        within = 0.0 if isinstance(forecast, Forecast) else forecast.within_budget
        if tuple(forecast.quantiles) != self.resources or not 0 <= within <= 1:
            raise ValueError(f"forecast {forecast}; expected one of {', '.join(self.resources)}")
        return RunForecast(completed_turns, forecast.finish, forecast.success, forecast)

    def change(self, resource: str, amounts: Sequence[float]) -> None:
        """Change what each turn spent of a resource; forecasts that were made stay as they are.

        Args:
            resource: the name of the resource.
            amounts: its amount in each turn.
        """
        self._turns = [
            replace(turn, usage={**turn.usage, resource: amount})
            for turn, amount in zip(self._turns, amounts, strict=True)
        ]
        self._run, self._rows = self._begin(), []

    def copy(self) -> "RunForecasts":
        """Return the same run with the same forecaster, to go on with apart."""
        same = copy(self)
        same._run = self._run.copy()
        same._turns, same._rows = list(self._turns), list(self._rows)
        same._history = list(self._history)
        return same
