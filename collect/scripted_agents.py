"""Scripted agents play without a model: they are in the clone's `sample/`, not here."""

from importlib import import_module
from types import ModuleType

from bagen_data.errors import WrongUsageError

SCRIPTED = "scripted"
"""`--agent scripted`, or `scripted/NAME`."""
_PACKAGE = "sample.actors"


def find_scripted_agents(task: str) -> ModuleType:
    """Return the module of a task's scripted agents and of what else only they need.

    A module has `NAMES`, the agents that `scripted/NAME` may name. A game's module has
    `script(name, environment, rng, **options)`, which returns a `collect.agents.Script`; the one
    of SWE-bench has toy repositories and plays them.

    Args:
        task: name of the task.

    Raises:
        WrongUsageError: the clone's folder `sample/` cannot be imported from here.
    """
    name = f"{_PACKAGE}.{task}_agents"
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):
            raise
        raise WrongUsageError(
            f"{name} cannot be imported: scripted agents, and the toys of SWE-bench, are in the "
            "clone's folder sample/; run the command from the clone's root, or choose a model and "
            "no toys: --agent PROVIDER/NAME"
        ) from error
