"""Forecasters that are fitted to recorded rollouts, for tests of `bagen watch`."""

from collections.abc import Iterable, Sequence

from bagen_data.forecasters import find_forecaster
from bagen_data.forecasters.kept import KeptForecaster, keep
from bagen_data.forecasters.learning.examples import Example
from bagen_data.reading.plain_rollouts import PlainRollout, PlainRollouts
from bagen_data.replay import realised, replay, succeeded
from bagen_data.schema import Budget, Probe


def budgets_of(plain: PlainRollouts) -> list[Budget]:
    """Return the budget of each rollout, as a build sets it."""
    names = [resource.name for resource in plain.task.resources]
    return plain.task.budgets([realised(each.rollout, names) for each in plain.rollouts])


def probes_of(plain: PlainRollout, budget: Budget) -> list[Probe]:
    """Return the probes after turns 1 .. T."""
    turns = range(1, len(plain.rollout.turns) + 1)
    return [probe for probe, _ in replay(plain.rollout, budget, turns)]


def examples_of(plain: Iterable[PlainRollout], budgets: Iterable[Budget]) -> list[Example]:
    """Return an example of each probe after turns 1 .. T - 1."""
    examples = []
    for each, budget in zip(plain, budgets, strict=True):
        own = each.rollout
        name = f"{own.task}/{own.rollout_model}"
        place = f"{name}/{own.rollout_id}"
        total = len(own.turns)
        success = succeeded(own, budget)
        examples += [
            Example(f"{place}/{k}", name, place, own.instance_id, probe, target, total, success)
            for k, (probe, target) in enumerate(replay(own, budget, range(1, total)), 1)
        ]
    return examples


def fitted(examples: Sequence[Example], kind: str = "forest") -> KeptForecaster:
    """Return a forecaster that learned from examples."""
    fit = find_forecaster(kind).fit
    assert fit is not None
    return keep(kind, fit(examples, 0), examples)
