"""Differences between families of one task, paired by instance, with intervals.

Rollouts of one instance are alike whoever plays, so each resample draws instances, and all rollouts
of a drawn instance come along, those of every family (`bagen_data/scoring/resampling.py`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bagen_data.array_types import Floats
from bagen_data.errors import InputError
from bagen_data.scoring.resampling import Resampling, percentile_interval
from collect.comparison.priced_family import PricedFamily, PricedRollout

Measure = Callable[[PricedRollout], float]
"""Function from a rollout to a number."""


@dataclass(frozen=True)
class MeanEstimate:
    """A mean over rollouts, or a difference of two means."""

    value: float
    interval: tuple[float, float] | None
    """The 95% interval; None where fewer than ten instances are compared."""


@dataclass(frozen=True)
class FamilyRow:
    """Means of a family over the instances that all families have."""

    name: str
    rollouts: int
    stopped: int
    """Rollouts that a budget or a forecaster stopped."""
    means: Mapping[str, MeanEstimate]
    """Mean of each measure over the family's rollouts."""
    differences: Mapping[str, MeanEstimate]
    """Mean of each measure less that of the first family; empty for the first."""
    is_on_front: bool
    """Whether no other family succeeds as often at a lower cost, or more often at the same cost."""


@dataclass(frozen=True)
class ComparedFamilies:
    """Families of one task side by side."""

    task: str
    instances: int
    """Instances that all families have."""
    left_out: Mapping[str, int]
    """Number of instances of each family that another family lacks."""
    rows: Sequence[FamilyRow]

    @property
    def front(self) -> Sequence[FamilyRow]:
        """The families on the Pareto front, the cheapest first."""
        on_front = [row for row in self.rows if row.is_on_front]
        return sorted(on_front, key=lambda row: row.means["cost_usd"].value)


def measures(tools: Sequence[str]) -> dict[str, Measure]:
    """Return what families are compared by: success, fresh tokens, calls of tools, unified cost."""

    def calls_of(tool: str) -> Measure:
        return lambda rollout: rollout.calls.get(tool, 0)

    return {
        "success": lambda rollout: rollout.success,
        "tokens": lambda rollout: rollout.tokens,
        **{tool: calls_of(tool) for tool in tools},
        "cost_usd": lambda rollout: rollout.cost_usd,
    }


def compare(families: Sequence[PricedFamily], resampling: Resampling) -> ComparedFamilies:
    """Compare families of one task on the instances that all of them have.

    Args:
        families: one or more; the others are compared to the first.
        resampling: how intervals are made.

    Raises:
        InputError: the families are of several tasks, or share no instance.
    """
    first = families[0]
    for family in families[1:]:
        if family.task != first.task:
            raise InputError(
                f"{family.folder}: is a family of {family.task}, and {first.folder} of "
                f"{first.task}; expected families of one task"
            )
    sets = [{each.instance_id for each in family.rollouts} for family in families]
    shared = sorted(set.intersection(*sets))
    if not shared:
        raise InputError(
            f"{', '.join(str(family.folder) for family in families)}: share no instance; record "
            "them with the same --seed and the same options of the task"
        )
    names = shown_names(families)
    sums = _Sums(first.task, shared, resampling)
    tools = sorted({tool for family in families for each in family.rollouts for tool in each.calls})
    own = [sums.of(family, measures(tools)) for family in families]
    values = [{name: draws[0] for name, draws in each.items()} for each in own]
    points = [(each["success"], each["cost_usd"]) for each in values]
    rows = [
        FamilyRow(
            name,
            len(kept := [each for each in family.rollouts if each.instance_id in sums.place]),
            sum(bool(each.stopped_by) for each in kept),
            {measure: sums.estimate(draws) for measure, draws in mine.items()},
            {measure: sums.estimate(draws - own[0][measure]) for measure, draws in mine.items()}
            if family is not first
            else {},
            not any(_dominates(other, point) for other in points),
        )
        for name, family, mine, point in zip(names, families, own, points, strict=True)
    ]
    left_out = {
        name: len(instances) - len(shared)
        for name, instances in zip(names, sets, strict=True)
        if len(instances) > len(shared)
    }
    return ComparedFamilies(first.task, len(shared), left_out, rows)


def _dominates(other: tuple[float, float], point: tuple[float, float]) -> bool:
    """Return whether a point has as much success at no more cost, and is not the same.

    >>> _dominates((0.5, 1.0), (0.5, 2.0)), _dominates((0.5, 1.0), (0.6, 2.0))
    (True, False)
    """
    return other != point and other[0] >= point[0] and other[1] <= point[1]


def shown_names(families: Sequence[PricedFamily]) -> list[str]:
    """Return short names that tell families apart: as many last parts of the paths as it takes."""
    paths = [family.folder.resolve().parts for family in families]
    for length in range(1, max(map(len, paths)) + 1):
        names = ["/".join(parts[-length:]) for parts in paths]
        if len(set(names)) == len(names):
            return names
    twice = next(
        family.folder for family, name in zip(families, names, strict=True) if names.count(name) > 1
    )
    raise InputError(f"{twice}: is given twice; expected each family once")


class _Sums:
    """Sums over rollouts, by the instances that are drawn together."""

    def __init__(self, task: str, instances: Sequence[str], resampling: Resampling) -> None:
        self.place = {instance: rank for rank, instance in enumerate(instances)}
        """The rank of each instance that is compared."""
        draws = resampling.draws_of({task: np.arange(len(instances))})[task]
        self._cluster = draws.cluster
        once = np.ones((1, draws.clusters))
        self._weights = np.concatenate([once, draws.weights])

    def of(self, family: PricedFamily, asked: Mapping[str, Measure]) -> dict[str, Floats]:
        """Return (1 + b,) means over a family's rollouts: all instances, then each resample's."""
        kept = [each for each in family.rollouts if each.instance_id in self.place]
        numbers = self._drawn(kept, lambda _: 1)
        return {name: self._drawn(kept, measure) / numbers for name, measure in asked.items()}

    def _drawn(self, rollouts: Sequence[PricedRollout], measure: Measure) -> Floats:
        clusters = self._cluster[[self.place[each.instance_id] for each in rollouts]]
        values = np.array([measure(each) for each in rollouts], np.float64)
        sums = np.bincount(clusters, values, minlength=self._weights.shape[1])
        return self._weights @ sums

    def estimate(self, draws: Floats) -> MeanEstimate:
        """Return the value and the interval of (1 + b,) draws."""
        return MeanEstimate(float(draws[0]), percentile_interval(draws[1:], len(self.place)))
