"""The general task: any agent's task, without a file of its own.

Its rollouts are counted in what any log may state: fresh tokens, US dollars, turns, tool calls,
seconds. A budget is the family's median of each. `--task NAME` asks for it under a name.
"""

import re
from dataclasses import dataclass, field
from functools import partial

from bagen_data.budgets import family_medians
from bagen_data.errors import WrongUsageError
from bagen_data.logs.prices import PriceTable
from bagen_data.logs.resource_readers import reader_of
from bagen_data.logs.turn_readers import together
from bagen_data.schema import GENERAL
from bagen_data.tasks import Task, is_reserved, known_tasks

_NAME = re.compile(r"[A-Za-z0-9_]+", re.ASCII)
_UNITS = {resource.name: resource for resource in GENERAL}


@dataclass(frozen=True)
class GeneralSettings:
    """Settings of the general task: the resources that it counts, and prices."""

    resources: tuple[str, ...] = ("tokens",)
    """Names of `schema.GENERAL`, in the order of answers."""
    prices: PriceTable = field(default_factory=PriceTable)
    """Prices for costs that a log does not state."""


def general_task(settings: GeneralSettings, model: str) -> Task:
    """Return the general task.

    Args:
        settings: what it counts.
        model: the model of requests and logs that name none; may be empty.
    """
    names = settings.resources
    return Task(
        resources=tuple(_UNITS[name] for name in names),
        budgets=partial(family_medians, resources=names),
        turns=together(*(reader_of(name, settings.prices, model) for name in names)),
    )


def check_task_name(name: str) -> None:
    """Check that a task without a file can bear a name.

    Raises:
        WrongUsageError: the name is reserved, another task's in other letters, or not one.
    """
    if not _NAME.fullmatch(name):
        raise WrongUsageError(f"--task {name}: expected a name of letters, digits and _")
    if is_reserved(name):
        raise WrongUsageError(
            f"--task {name}: the name is reserved for configs and scores; choose another one"
        )
    same = [task for task in known_tasks() if task.lower() == name.lower() and task != name]
    if same:
        raise WrongUsageError(f"--task {name}: the task is spelt {same[0]}; spell it so")


def parse_resources(text: str) -> tuple[str, ...]:
    """Return the resources that a `--resources` value names, in its order.

    Raises:
        WrongUsageError: one is unknown or appears twice.

    >>> parse_resources("tokens, cost_usd")
    ('tokens', 'cost_usd')
    """
    names = tuple(name.strip() for name in text.split(","))
    if len(set(names)) < len(names) or not set(names) <= _UNITS.keys():
        raise WrongUsageError(
            f"--resources {text}: expected one or more of {', '.join(_UNITS)}, each once, with "
            "commas between"
        )
    return names
