"""What a forecaster is fitted on, from logs of an agent's runs, whether or not these are judged."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bagen_data.errors import InputError
from bagen_data.forecasters.fitting.teaching_data import (
    Source,
    TeachingData,
    check_teaching,
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
from bagen_data.replay import benchmark_prefixes, realised
from bagen_data.schema import Rollout
from bagen_data.wording import numbered

ENOUGH_JUDGED = 10
"""Instances of judged rollouts from which on success is learned where others are not judged."""
UNNAMED_TASK = "runs"
"""The task of logs for which nobody names one."""
UNNAMED_MODEL = "unnamed"
SEVERAL_MODELS = "several"
"""The rollout model of a family by more than one model."""
_SHOWN = 3
"""Refusals that a message names."""


def log_data(logs: Path, options: PlainOptions, rollout_model: str = "") -> TeachingData:
    """Return what logs teach.

    Success is learned where all rollouts are judged, or where the judged ones are of ten instances
    or more; the others are left out then, as nobody knows whether their amounts are those of
    successes. Else the amounts of all rollouts are learned, judged or not, and success is not.

    Budgets are those of the task's rule: of the general task, the median of each resource.

    Args:
        logs: a log file, a folder of logs, or a family.
        options: how the logs are read.
        rollout_model: the model that produced the rollouts; the logs' own names if empty.

    Raises:
        InputError: there is no such file or folder, or nothing in it to learn from.
        WrongUsageError: a task or a resource cannot be.
    """
    read = read_plain_rollouts(logs, options)
    where = f"--logs {logs}"
    if not read.rollouts:
        raise InputError(f"{where}: holds no rollout that can be used{_listed_refusals(read)}")
    ended = [each for each in read.rollouts if each.success is not None or not each.stopped]
    if not ended:
        raise InputError(
            f"{where}: holds {numbered(len(read.rollouts), 'rollout')}, all stopped before their "
            "own end, so what they would have used is unknown; give runs that were not stopped"
        )
    chosen = _chosen(ended)
    model = read.family.rollout_model or rollout_model
    models = (model,) if model else _named_models(chosen.rollouts)
    rollouts = [_taught(each, models, chosen.knows_success) for each in chosen.rollouts]
    names = [resource.name for resource in read.task.resources]
    budgets = read.task.budgets([realised(each, names) for each in rollouts])
    examples: list[Example] = []
    for rollout, budget in zip(rollouts, budgets, strict=True):
        name = f"{rollout.task}/{rollout.rollout_model}/{rollout.rollout_id}"
        prefixes = [(k, f"{name}/{k}") for k in benchmark_prefixes(len(rollout.turns))]
        examples += probes_within(examples_of(rollout, budget, prefixes))
    if not examples:
        raise InputError(
            f"{where}: has no rollout of two turns or more; after its only turn a rollout leaves "
            f"nothing to forecast{_listed_refusals(read)}"
        )
    single = sum(len(each.turns) == 1 for each in rollouts)
    data = TeachingData(
        Source(),
        read.task.resources,
        examples,
        models,
        knows_success=chosen.knows_success,
        notes=(
            *_stopped_notes(len(read.rollouts) - len(ended)),
            *chosen.notes,
            *single_turn_notes(single),
            *_usage_notes(chosen.rollouts),
        ),
        refused=tuple(f"{each.where}: {each.reason}" for each in read.refused),
    )
    return check_teaching(data, where)


@dataclass(frozen=True)
class _Chosen:
    """The rollouts that are learned from."""

    rollouts: Sequence[PlainRollout]
    knows_success: bool
    notes: tuple[str, ...]


def _chosen(rollouts: Sequence[PlainRollout]) -> _Chosen:
    """Choose between the judged rollouts with their outcomes, and the amounts of all."""
    judged = [each for each in rollouts if each.success is not None]
    without = len(rollouts) - len(judged)
    if not without:
        return _Chosen(judged, True, ())
    instances = {each.rollout.instance_id for each in judged}
    if len(instances) >= ENOUGH_JUDGED:
        note = (
            f"{numbered(without, 'rollout')} without an outcome taught nothing: success, and the "
            f"amounts of successes, were learned from the {len(judged):,} that are judged."
        )
        return _Chosen(judged, True, (note,))
    if not judged:
        note = f"None of the {numbered(without, 'rollout')} is judged: only amounts were learned."
    else:
        note = (
            f"Only {len(judged):,} of {numbered(len(rollouts), 'rollout')} are judged, of "
            f"{numbered(len(instances), 'instance')}; below {ENOUGH_JUDGED} of them success is not "
            "learned, and the amounts of all rollouts were."
        )
    return _Chosen(rollouts, False, (note,))


def _taught(each: PlainRollout, models: Sequence[str], knows_success: bool) -> Rollout:
    """Return a rollout as it is learned from, of the family of all.

    Where success is not learned each counts as one, and `feasible` says whether it stayed within
    its budget.
    """
    return replace(
        each.rollout,
        task=each.rollout.task or UNNAMED_TASK,
        rollout_model=_model(models),
        success=bool(each.success) or not knows_success,
    )


def _named_models(rollouts: Sequence[PlainRollout]) -> tuple[str, ...]:
    return tuple(sorted({each.model for each in rollouts if each.model}))


def _model(models: Sequence[str]) -> str:
    """Return the rollout model of a family by these models."""
    if not models:
        return UNNAMED_MODEL
    return models[0] if len(models) == 1 else SEVERAL_MODELS


def _listed_refusals(read: PlainRollouts) -> str:
    listed = [f"{each.where}: {each.reason}" for each in read.refused[:_SHOWN]]
    more = len(read.refused) - len(listed)
    return "".join(f"\n{each}" for each in listed) + (f"\nand {more:,} more" if more > 0 else "")


def _stopped_notes(rollouts: int) -> tuple[str, ...]:
    """Return a sentence about runs that were stopped; nothing of none."""
    if not rollouts:
        return ()
    return (
        f"{numbered(rollouts, 'rollout')} stopped by a budget or a forecaster taught nothing, as "
        "what they would have used is unknown. Long runs are stopped more often, so what is "
        "forecast is too low.",
    )


def _usage_notes(rollouts: Sequence[PlainRollout]) -> tuple[str, ...]:
    """Return a sentence about amounts that are not counted alike, if some are not."""
    counts = Counter(each.usage_source for each in rollouts)
    if len(counts) < 2:
        return ()
    listed = ", ".join(f"{source} of {number:,}" for source, number in sorted(counts.items()))
    return (
        f"The amounts are not all counted alike: by {listed}. What a tokenizer counts and what a "
        "provider bills may differ.",
    )
