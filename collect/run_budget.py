"""The budget of a family's rollouts: what each may spend, what its agent sees, and who stops it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from bagen_data.errors import WrongUsageError
from bagen_data.live import BudgetTracker
from bagen_data.logs.resource_readers import calls_of
from bagen_data.logs.turn_readers import TurnReader, together, token_turns
from bagen_data.schema import TOKENS
from bagen_data.tasks import find_task
from collect.agents import Counter
from collect.budget_guard import BudgetGuard
from collect.budget_options import BudgetOptions
from collect.environment import Environment, Game
from collect.stopping_forecaster import StoppingForecaster, check_fits, stopping_forecaster


@dataclass(frozen=True)
class RunBudget:
    """The budget of every rollout of a family. Other processes get a copy of it."""

    limits: Mapping[str, float]
    """The most that may be spent of each resource, and the targets that a forecaster judges by."""
    is_shown: bool = False
    """Whether the agent sees the status block."""
    forecaster: StoppingForecaster | None = None
    """The forecaster that may stop a rollout; None where none does."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Return the settings that decide what a budget does, for the record of a family."""
        forecaster = {"forecaster": self.forecaster.settings} if self.forecaster else {}
        return {"limits": dict(self.limits), "status block": self.is_shown, **forecaster}

    def guard(self, task: str, environment: Environment, count: Counter) -> BudgetGuard:
        """Return the guard of one rollout.

        Args:
            task: name of the task.
            environment: the environment that is played.
            count: tokens of a text.
        """
        tracker = BudgetTracker(self.limits)
        if self.forecaster is not None:
            tracker = BudgetTracker(self.limits, *self.forecaster.load(), task=task)
        return BudgetGuard(
            tracker,
            spending_reader(task, tuple(tracker.used)),
            environment,
            count,
            is_shown=self.is_shown,
        )


def run_budget(options: BudgetOptions, game: Game) -> RunBudget | None:
    """Return the budget of a family's rollouts; None where there is none.

    Raises:
        WrongUsageError: the game does not spend a limited resource, or the forecaster does not fit.
        InputError: the forecaster cannot be used.
    """
    if options.budget is None:
        return None
    own = (each.name for each in find_task(game.task).resources)
    known = dict.fromkeys((TOKENS.name, *game.tools, *own))
    unknown = [name for name in options.limits if name not in (*known, *game.targets)]
    if unknown or not known.keys() & options.limits.keys():
        problem = f"does not spend {unknown[0]}" if unknown else "is given no resource"
        raise WrongUsageError(
            f"--budget {options.budget}: {game.task} {problem}; expected {', '.join(known)}"
        )
    forecaster = stopping_forecaster(options.stop_with) if options.stop_with else None
    if forecaster is not None:
        check_fits(forecaster, game.task, options.limits)
    return RunBudget(options.limits, options.tracker, forecaster)


@lru_cache
def spending_reader(task: str, resources: tuple[str, ...]) -> TurnReader:
    """Return a reader of what turns of a task spend.

    Args:
        task: its name.
        resources: the resources that are limited; those of the task and tokens are read anyway.
    """
    own = find_task(task).turns
    tokens = () if TOKENS.name in own.resources else (token_turns,)
    read = own.resources | {TOKENS.name}
    return together(own, *tokens, *(calls_of(name) for name in resources if name not in read))
