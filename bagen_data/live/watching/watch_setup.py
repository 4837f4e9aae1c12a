"""The task, the budgets, the forecaster and the policy of a watch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.live.policies import Policy, load_policy
from bagen_data.logs.prices import PriceTable
from bagen_data.logs.turn_readers import Counting
from bagen_data.reading.counted_task import counted_task
from bagen_data.reading.origin import Family
from bagen_data.reading.plain_rollouts import named_family
from bagen_data.schema import TARGET_PREFIX
from bagen_data.tasks import Task, known_tasks

if TYPE_CHECKING:
    from bagen_data.forecasters.kept import KeptForecaster


@dataclass(frozen=True)
class WatchOptions:
    """The options of `bagen watch` that say what a log is compared with."""

    forecaster: str | None = None
    """A folder or a repository of the Hub; None for counting alone."""
    budget: str | None = None
    """`tokens=200000,cost_usd=2`; the forecaster's usual budget if None."""
    policy: Path | None = None
    task: str = ""
    """The task's name; that of the family or the forecaster if empty."""
    rollout: str = ""
    """A rollout's id, instance, session or place; the last one if empty."""
    counting: Counting = field(default_factory=Counting)
    prices: PriceTable = field(default_factory=PriceTable)


@dataclass(frozen=True)
class WatchSetup:
    """Settings of a watch that hold for any log."""

    options: WatchOptions
    forecaster: "KeptForecaster | None"
    policy: Policy | None
    budgets: Mapping[str, float]
    """The most that may be spent, by resource, and by `target_<state>` the least of a final state;
    empty where nobody gives a budget."""
    notes: tuple[str, ...]
    """Remarks on the budgets."""

    def family(self, family: Family) -> Family:
        """Return a log's family with the name of its task.

        Raises:
            InputError: its task is not the forecaster's.
        """
        named = named_family(family, self.options.task)
        forecaster = self.forecaster
        if forecaster is None or named.task == forecaster.task:
            return named
        if not named.task:
            return named_family(family, forecaster.task)
        where = f"--task {named.task}" if self.options.task else f"{family.folder.name}"
        remedy = "leave --forecaster out to count alone, or give one that was fitted on it"
        if not self.options.task and named.task not in known_tasks():
            remedy += f"; --task {forecaster.task} reads the logs as its task"
        raise InputError(
            f"{where}: the logs are of the task {named.task}, and the forecaster "
            f"{self.options.forecaster} is of {forecaster.task}; expected the same; {remedy}"
        )

    def task(self, family: Family) -> Task:
        """Return the task as which a family's logs are counted.

        Raises:
            WrongUsageError: its logs do not state a resource that has a budget.
        """
        asked = [name for name in self.budgets if not name.startswith(TARGET_PREFIX)]
        asked += [name for name in self.resources if name not in asked]
        model = family.rollout_model
        try:
            return counted_task(family.task, asked, self.options.prices, model)
        except WrongUsageError as error:
            raise WrongUsageError(f"--budget {error}; leave it out") from error

    @property
    def resources(self) -> Sequence[str]:
        """The resources that the forecaster forecasts."""
        return () if self.forecaster is None else self.forecaster.resources


def set_up(options: WatchOptions) -> WatchSetup:
    """Load what a watch needs.

    Raises:
        InputError: a forecaster or a policy cannot be loaded.
        WrongUsageError: an option has a value that it cannot have.
    """
    forecaster = None
    if options.forecaster is not None:
        from bagen_data.forecasters.kept import load_forecaster

        forecaster = load_forecaster(options.forecaster)
    policy = None if options.policy is None else load_policy(options.policy)
    if policy is not None and forecaster is None:
        raise WrongUsageError(
            f"--policy {options.policy}: a policy decides by forecasts; give --forecaster too"
        )
    given = {} if options.budget is None else parse_budgets(options.budget)
    usual = {} if forecaster is None else {**forecaster.budgets, **forecaster.conditions}
    usual = {name: int(each) if each == int(each) else each for name, each in usual.items()}
    budgets = {name: given.get(name, limit) for name, limit in usual.items()} | given
    filled = [name for name in usual if name not in given]
    notes = []
    if filled:
        limits = ", ".join(f"{name} {budgets[name]:,}" for name in filled)
        notes.append(f"the forecaster's usual budget is taken: {limits}")
    return WatchSetup(options, forecaster, policy, budgets, tuple(notes))


def parse_budgets(text: str) -> dict[str, float]:
    """Return the budgets of a `--budget` value, by resource.

    Raises:
        WrongUsageError: it is not a list of NAME=AMOUNT.

    >>> parse_budgets("tokens=200000,cost_usd=2.5")
    {'tokens': 200000, 'cost_usd': 2.5}
    """
    budgets: dict[str, float] = {}
    for part in text.split(","):
        name, _, stated = (each.strip() for each in part.partition("="))
        try:
            amount = float(stated)
        except ValueError:
            amount = math.nan
        least = -math.inf if name.startswith(TARGET_PREFIX) else 0
        if not name or not math.isfinite(amount) or amount < least:
            raise WrongUsageError(
                f"--budget {text}: expected NAME=AMOUNT with commas between, amounts from 0 on, "
                "such as tokens=200000,cost_usd=2"
            )
        if name in budgets:
            raise WrongUsageError(f"--budget {text}: {name} appears twice; give it once")
        budgets[name] = int(amount) if amount.is_integer() else amount
    if all(name.startswith(TARGET_PREFIX) for name in budgets):
        raise WrongUsageError(
            f"--budget {text}: sets a target and no limit; give a resource too, such as tokens=2000"
        )
    return budgets
