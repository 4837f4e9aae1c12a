"""The task as which logs are read, where a user says what is counted."""

from collections.abc import Sequence
from dataclasses import replace

from bagen_data.errors import WrongUsageError
from bagen_data.logs.prices import PriceTable
from bagen_data.logs.resource_readers import reader_of
from bagen_data.logs.turn_readers import together
from bagen_data.schema import GENERAL
from bagen_data.tasks import Task, find_task, known_tasks
from bagen_data.tasks.general import GeneralSettings, general_task

_GENERAL = {resource.name: resource for resource in GENERAL}


def counted_task(name: str, resources: Sequence[str], prices: PriceTable, model: str) -> Task:
    """Return the task of a name, with turns that state some resources.

    A task with a file counts its own resources and those of `schema.GENERAL` that are asked for
    beside them; any other task is the general one, and counts what is asked for alone.

    Args:
        name: the task's name; empty for a general task without one.
        resources: names of resources; the task's own, or tokens, if empty.
        prices: for costs that a log does not state.
        model: the model of requests and logs that name none; may be empty.

    Raises:
        WrongUsageError: the task's logs do not state a resource.

    >>> from bagen_data.logs.prices import PriceTable
    >>> [each.name for each in counted_task("sokoban", ["turns"], PriceTable(), "").resources]
    ['tokens', 'turns']
    """
    if name not in known_tasks():
        _refuse_unknown(resources, frozenset(), name)
        return general_task(GeneralSettings(tuple(resources) or ("tokens",), prices), model)
    task = find_task(name)
    more = [each for each in resources if each not in task.turns.resources]
    _refuse_unknown(more, task.turns.resources, name)
    if not more:
        return task
    return replace(
        task,
        resources=(*task.resources, *(_GENERAL[each] for each in more)),
        turns=together(task.turns, *(reader_of(each, prices, model) for each in more)),
    )


def _refuse_unknown(resources: Sequence[str], own: frozenset[str], task: str) -> None:
    unknown = [name for name in resources if name not in _GENERAL]
    if unknown:
        known = ", ".join(dict.fromkeys((*sorted(own), *_GENERAL)))
        raise WrongUsageError(
            f"{unknown[0]}: is not counted in logs of {task or 'the general task'}; expected one "
            f"of {known}"
        )
