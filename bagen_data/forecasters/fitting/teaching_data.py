"""Probes of recorded rollouts of one task, with the truth, that a forecaster is fitted on."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bagen_data.errors import InputError
from bagen_data.forecasters.learning.examples import Example
from bagen_data.reading.noticed import Unused
from bagen_data.schema import Resource
from bagen_data.wording import numbered

FEWEST_INSTANCES = 2
"""Instances that a forecaster is fitted on at least: one is left out to see how it does on it."""


@dataclass(frozen=True)
class TeachingSource:
    """The origin of rollouts: a dataset or logs."""

    dataset: str | None = None
    """The dataset's id on the Hub; None of a folder, a URL, or logs."""
    revision: str | None = None
    """The dataset's content revision; None of logs."""
    commit: str | None = None
    """The commit of a dataset on the Hub."""
    config: str | None = None
    splits: tuple[str, ...] = ()


@dataclass(frozen=True)
class TeachingData:
    """The probes of one task that a forecaster learns from, and others that it is tried on."""

    source: TeachingSource
    resources: tuple[Resource, ...]
    examples: Sequence[Example]
    """Probes after a turn that is not the last: one or more."""
    rollout_models: tuple[str, ...]
    """The models that produced the rollouts, sorted; empty where nobody names one."""
    heldout: Sequence[Example] = ()
    """Probes of instances that the forecaster does not learn from, of the same kind."""
    knows_success: bool = True
    """Whether `success` of the examples is an outcome. If not, it is true of all, and `feasible`
    says that a rollout stayed within its budget."""
    notes: tuple[str, ...] = ()
    """Sentences about rollouts that were left out, or were not judged."""
    refused: tuple[Unused, ...] = ()
    """Logs that could not be used."""

    @property
    def task(self) -> str:
        """The examples' task."""
        return self.examples[0].task

    @cached_property
    def rollouts(self) -> dict[str, Example]:
        """An example of each rollout, by its name."""
        return {each.rollout: each for each in self.examples}

    @cached_property
    def instance_ids(self) -> tuple[str, ...]:
        """The ids of the instances, sorted."""
        return tuple(sorted({each.instance_id for each in self.examples}))

    @cached_property
    def families(self) -> tuple[str, ...]:
        """The names of the families, `task/rollout_model`, sorted."""
        return tuple(sorted({each.family for each in self.examples}))


def probes_within(examples: Sequence[Example]) -> list[Example]:
    """Return the examples that a benchmark would ask: after a turn, and before the last one.

    Each rollout is asked once at a turn, and an amount or another remains.
    """
    known = {each.sample_id: each for each in examples}
    return [
        each
        for each in known.values()
        if 0 < len(each.probe.turns) < each.total_turns and any(each.target.remaining.values())
    ]


def single_turn_notes(rollouts: int) -> tuple[str, ...]:
    """Return a sentence about rollouts of one turn, which have no probe; nothing of none."""
    if not rollouts:
        return ()
    return (
        f"{numbered(rollouts, 'rollout')} of one turn taught nothing: after its only turn a "
        "rollout leaves nothing to forecast.",
    )


def nothing_to_learn(where: str, resources: Sequence[Resource], longest: int) -> InputError:
    """Return the error of rollouts without a probe that leaves something to forecast.

    Args:
        where: their name in a message.
        resources: the resources that they spend.
        longest: the most turns that one has.
    """
    if longest < 2:
        return InputError(
            f"{where}: has no rollout of two turns or more; after its only turn a rollout leaves "
            "nothing to forecast"
        )
    names = ", ".join(each.name for each in resources)
    return InputError(
        f"{where}: has no rollout that spends {names} after its first turn, so there is nothing to "
        "forecast; expected amounts above 0; choose other --resources"
    )


def check_teaching(data: TeachingData, where: str) -> TeachingData:
    """Return the data if a forecaster can be fitted on it.

    Args:
        data: the data to learn from.
        where: its name in a message.

    Raises:
        InputError: it has one instance only, or rollouts that spend different resources.
    """
    spent = {tuple(each.probe.budget.limits) for each in data.examples}
    if len(spent) > 1:
        listed = "; ".join(", ".join(names) for names in sorted(spent))
        raise InputError(
            f"{where}: has rollouts that spend different resources: {listed}; expected the same "
            "ones of all; take one family with --rollout-model NAME"
        )
    if len(data.instance_ids) < FEWEST_INSTANCES:
        raise InputError(
            f"{where}: has {numbered(len(data.rollouts), 'rollout')} of one instance only; "
            f"expected {FEWEST_INSTANCES} instances or more, as each is forecast by what learned "
            "from the others; record more rollouts, or name their instances in labels.jsonl "
            "(without a name, rollouts that begin with the same message are one instance)"
        )
    return data
