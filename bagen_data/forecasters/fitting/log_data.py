"""The probes that logs give a forecaster to learn from, whether or not their runs are judged."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bagen_data.errors import InputError
from bagen_data.family_name import parse_family_name
from bagen_data.forecasters.fitting.chosen_rollouts import ChosenRollouts, chosen_rollouts
from bagen_data.forecasters.fitting.teaching_data import (
    TeachingData,
    TeachingSource,
    check_teaching,
    nothing_to_learn,
    probes_within,
    single_turn_notes,
)
from bagen_data.forecasters.learning.examples import Example, examples_of
from bagen_data.reading.plain_rollouts import (
    PlainOptions,
    PlainRollout,
    PlainRollouts,
    read_plain_rollouts,
)
from bagen_data.reading.refusal_lines import refusal_lines
from bagen_data.replay import benchmark_prefixes, realised
from bagen_data.schema import Rollout
from bagen_data.wording import numbered

UNNAMED_TASK = "runs"
"""The task of logs for which nobody names one."""
UNNAMED_MODEL = "unnamed"
SEVERAL_MODELS = "several"
"""The rollout model of a family by more than one model."""
_SHOWN = 3
"""Names or reasons that a message lists."""


def log_data(logs: Path, options: PlainOptions, rollout_model: str = "") -> TeachingData:
    """Return what logs teach.

    Success is learned where all rollouts are judged, or where the judged ones are of ten instances
    or more; the others are left out then, as nobody knows whether their amounts are those of
    successes. Else the amounts of all rollouts are learned, judged or not, and success is not.

    Budgets are those of the task's rule: of the general task, the median of each resource.

    Args:
        logs: a log file, a folder of logs, or a family.
        options: options of reading the logs.
        rollout_model: only rollouts of this model, and of logs that name none; all if empty.

    Raises:
        InputError: the file or folder does not exist, it is a folder of families, or there is
            nothing in it to learn from.
        WrongUsageError: a task or a resource cannot be, or no rollout is of the model.
    """
    where = f"--logs {logs}"
    _refuse_families(logs, where)
    read = read_plain_rollouts(logs, options)
    if not read.rollouts:
        raise InputError(
            f"{where}: holds no rollout that can be used{_listed_refusals(read, logs)}"
        )
    chosen = chosen_rollouts(read, rollout_model, where)
    rollouts = [
        _taught(each, chosen)
        for each in chosen.rollouts
        if len(each.rollout.turns) >= read.task.least_turns
    ]
    names = [resource.name for resource in read.task.resources]
    budgets = read.task.budgets([realised(each, names) for each in rollouts])
    examples: list[Example] = []
    for rollout, budget in zip(rollouts, budgets, strict=True):
        name = f"{rollout.task}/{rollout.rollout_model}/{rollout.rollout_id}"
        prefixes = [(k, f"{name}/{k}") for k in benchmark_prefixes(len(rollout.turns))]
        examples += probes_within(examples_of(rollout, budget, prefixes))
    if not examples:
        longest = max((len(each.rollout.turns) for each in chosen.rollouts), default=0)
        error = nothing_to_learn(where, read.task.resources, longest)
        raise InputError(f"{error}{_listed_refusals(read, logs)}")
    single = sum(len(each.rollout.turns) == 1 for each in chosen.rollouts)
    data = TeachingData(
        TeachingSource(),
        read.task.resources,
        examples,
        chosen.models,
        knows_success=chosen.knows_success,
        notes=(*chosen.notes, *single_turn_notes(single), *_usage_notes(chosen.rollouts)),
        refused=read.refused,
    )
    return check_teaching(data, where)


def _refuse_families(logs: Path, where: str) -> None:
    """Refuse a folder of families, whose tasks and labels would be mixed up."""
    if not logs.is_dir() or parse_family_name(logs.name):
        return
    names = sorted(each.name for each in logs.iterdir() if each.is_dir())
    families = [name for name in names if parse_family_name(name)]
    if families:
        listed = ", ".join(families[:_SHOWN]) + (" ..." if len(families) > _SHOWN else "")
        raise InputError(
            f"{where}: holds {numbered(len(families), 'family folder')} ({listed}), and a "
            "forecaster learns one task; give one of these folders, or build a dataset of them and "
            "give --dataset"
        )


def _taught(each: PlainRollout, chosen: ChosenRollouts) -> Rollout:
    """Return a rollout as it is learned from, of the family of all.

    Where success is not learned each counts as one, and `feasible` says whether it stayed within
    its budget.
    """
    return replace(
        each.rollout,
        task=each.rollout.task or UNNAMED_TASK,
        rollout_model=_family_model(chosen.models),
        success=bool(each.success) or not chosen.knows_success,
    )


def _family_model(models: Sequence[str]) -> str:
    """Return the rollout model of a family by these models."""
    if not models:
        return UNNAMED_MODEL
    return models[0] if len(models) == 1 else SEVERAL_MODELS


def _listed_refusals(read: PlainRollouts, logs: Path) -> str:
    """Return a line for each of the first reasons; one of all logs names their path."""
    lines = refusal_lines(
        (str(logs) if each.where == "." else each.where, each.reason) for each in read.refused
    )
    if len(lines) > _SHOWN:
        lines[_SHOWN:] = [f"refused for {len(lines) - _SHOWN:,} more reasons"]
    return "".join(f"\n{line}" for line in lines)


def _usage_notes(rollouts: Sequence[PlainRollout]) -> tuple[str, ...]:
    """Return a sentence about amounts that are not counted alike, if some are not."""
    counts = Counter(each.usage_source for each in rollouts)
    if len(counts) < 2:
        return ()
    listed = ", ".join(f"{source} of {number:,}" for source, number in sorted(counts.items()))
    return (
        f"The amounts are not all counted alike: by {listed}. A tokenizer's counts and those that "
        "a provider bills may differ.",
    )
