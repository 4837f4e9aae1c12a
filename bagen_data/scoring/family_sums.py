"""The sums of one family by cluster of instances, and by progress.

Samples of which the same facts are true count alike, and few combinations of facts occur. So a
family's samples are counted once, by cluster, progress bin and combination, and the number of
samples of each condition is a sum of these counts.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate, pairwise
from typing import Any, Self, TypeVar

import numpy as np
import numpy.typing as npt

from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.scoring.definitions import (
    AnsweredFamily,
    Condition,
    Definition,
    Fact,
    IntervalColumns,
    IntervalSum,
    QuantileDefinition,
    ResourceSum,
    RolloutSum,
    Sum,
)
from bagen_data.scoring.sample_table import FamilyColumns

BINS = 5
"""Equal parts of progress, k / T: the first is [0, 0.2), the last holds k = T too."""
PROGRESS_BINS = tuple(f"{100 * part // BINS}-{100 * (part + 1) // BINS}%" for part in range(BINS))
"""Names of the progress bins."""
_MOST_FACTS = 20
"""The counts take 2 to the number of facts cells."""

Errors = Callable[[IntervalColumns], Floats]
Rows = TypeVar("Rows", Floats, Mask)
Bits = npt.NDArray[np.unsignedinteger[Any]]
"""A bit for each fact, by position."""


@dataclass(frozen=True)
class SumPlan:
    """The sums that some scores are made of."""

    sums: Sequence[Sum]
    by_bin: Sequence[Sum]
    """Sums that are taken by progress bin too."""
    errors: Sequence[Errors]
    """Errors that quantiles are taken of."""
    facts: Sequence[Fact]
    """Facts that conditions are made of, in the order of their bits."""

    @classmethod
    def of(
        cls,
        scores: Iterable[Definition | QuantileDefinition],
        progress_scores: Iterable[Definition],
    ) -> Self:
        """Plan the sums of scores, and of scores by progress bin.

        Raises:
            TypeError: a score by progress bin has a sum over rollouts, which are in no bin.
            ValueError: conditions are made of more than 20 facts.
        """
        scores = list(scores)
        by_bin = _sums_of(progress_scores)
        for each in by_bin:
            if isinstance(each, RolloutSum | ResourceSum):
                raise TypeError("a score by progress bin has a sum over rollouts")
        sums = dict.fromkeys(
            (*_sums_of(each for each in scores if isinstance(each, Definition)), *by_bin)
        )
        conditions = [each for each in sums if isinstance(each, Condition)]
        facts = dict.fromkeys(fact for each in conditions for fact in (*each.true, *each.false))
        if len(facts) > _MOST_FACTS:
            raise ValueError(
                f"conditions are made of {len(facts)} facts; expected at most {_MOST_FACTS}: "
                "an IntervalSum can add 1 or 0 instead"
            )
        errors = [each.errors for each in scores if isinstance(each, QuantileDefinition)]
        return cls(tuple(sums), tuple(by_bin), tuple(dict.fromkeys(errors)), tuple(facts))

    @cached_property
    def conditions(self) -> Sequence[Condition]:
        """The sums that count samples."""
        return [each for each in self.sums if isinstance(each, Condition)]

    @cached_property
    def bits_of_conditions(self) -> tuple[Ints, Ints]:
        """Bits of the facts that each condition names, and of those it wants true."""
        bit = {fact: 1 << position for position, fact in enumerate(self.facts)}
        asked = [sum(bit[fact] for fact in each.true | each.false) for each in self.conditions]
        true = [sum(bit[fact] for fact in each.true) for each in self.conditions]
        return np.array(asked, np.int64), np.array(true, np.int64)


def _sums_of(definitions: Iterable[Definition]) -> dict[Sum, None]:
    return dict.fromkeys(
        each for definition in definitions for each in (*definition.sums, definition.n)
    )


@dataclass(frozen=True)
class FamilySums:
    """The sums of one family by cluster: the rollouts of an instance or a bundle of them."""

    totals: Mapping[Sum, Floats]
    """(1, clusters); of a `ResourceSum`, (r, clusters)."""
    by_bin: Mapping[Sum, Floats]
    """(bins, clusters)."""
    errors: Mapping[Errors, tuple[Floats, Ints]]
    """Errors that quantiles are taken of, without NaN, and the cluster of each value."""


def family_sums(family: AnsweredFamily, plan: SumPlan, cluster_of: Ints) -> FamilySums:
    """Sum up one family.

    Args:
        family: n samples of m rollouts, with answers.
        plan: the sums.
        cluster_of: (m,) each rollout's cluster, 0 .. c-1; each cluster has a rollout.
    """
    intervals = family.feasible_intervals
    rollout = family.samples.rollout.take(intervals.rows)
    bins = _progress_bins(family.samples)
    counts = _counts(family, plan, cluster_of, bins)
    # Rollout by rollout first, and these in their own order: the rows may come in any.
    clusters = _Clusters(cluster_of)
    by_rollout: dict[Sum, Floats] = {}
    for each in plan.sums:
        if isinstance(each, IntervalSum):
            by_rollout[each] = _summed(rollout, intervals.once(each.of), (1, len(cluster_of)))
        elif not isinstance(each, Condition):
            by_rollout[each] = np.atleast_2d(family.once(each.of))
    by_bin: dict[Sum, Floats] = {}
    for each in plan.by_bin:
        if isinstance(each, IntervalSum):
            place = bins.take(intervals.rows) * len(cluster_of) + rollout
            values = _summed(place, intervals.once(each.of), (BINS, len(cluster_of)))
            by_bin[each] = clusters.summed(values)
        else:
            by_bin[each] = counts[each]
    [by_cluster] = on_rows(clusters.summed, by_rollout)
    return FamilySums(
        {each: count.sum(axis=0, keepdims=True) for each, count in counts.items()} | by_cluster,
        by_bin,
        {each: _known(intervals.once(each), cluster_of.take(rollout)) for each in plan.errors},
    )


def _summed(place: Ints, values: Floats | Mask, shape: tuple[int, int]) -> Floats:
    """The sum of the values at each place of a table."""
    return np.bincount(place, values, math.prod(shape)).reshape(shape).astype(np.float64)


def on_rows(
    function: Callable[[Floats], Rows], *groups: Mapping[Sum, Floats]
) -> list[dict[Sum, Rows]]:
    """Apply a function of rows, (k, ...) to (k, ...), to all sums of these groups at once."""
    rows = [values for sums in groups for values in sums.values()]
    if not rows:
        return [{} for _ in groups]
    ends = accumulate((len(values) for values in rows), initial=0)
    applied = function(np.concatenate(rows))
    parts = (applied[start:end] for start, end in pairwise(ends))
    return [{each: next(parts) for each in sums} for sums in groups]


class _Clusters:
    """Sums by rollout to sums by cluster."""

    def __init__(self, cluster_of: Ints) -> None:
        self._order = np.argsort(cluster_of, kind="stable")
        number = int(cluster_of.max()) + 1
        self._starts = np.searchsorted(cluster_of[self._order], np.arange(number))

    def summed(self, values: Floats) -> Floats:
        """Sum (k, m) to (k, c), in the order of the rollouts; no cluster is empty."""
        return np.add.reduceat(values[:, self._order], self._starts, axis=1)


def _counts(
    family: AnsweredFamily, plan: SumPlan, cluster_of: Ints, bins: Ints
) -> dict[Sum, Floats]:
    """The number of samples of each condition, (bins, clusters)."""
    bits = _bits(family, plan.facts)
    combinations = 1 << len(plan.facts)
    present = np.flatnonzero(np.bincount(bits, minlength=combinations))
    column = np.zeros(combinations, np.int64)
    column[present] = np.arange(len(present))
    clusters = int(cluster_of.max()) + 1
    cell = bins * clusters
    cell += cluster_of.take(family.samples.rollout)
    cell *= len(present)
    cell += column.take(bits)
    table = np.bincount(cell, minlength=BINS * clusters * len(present)).reshape(-1, len(present))
    asked, true = plan.bits_of_conditions
    holds = present & asked[:, np.newaxis] == true[:, np.newaxis]
    counts = holds.astype(np.float64) @ table.T.astype(np.float64)
    return dict(zip(plan.conditions, counts.reshape(-1, BINS, clusters), strict=True))


def _bits(family: AnsweredFamily, facts: Sequence[Fact]) -> Bits:
    """(n,) the facts that are true of each sample."""
    kind = np.min_scalar_type((1 << len(facts)) - 1)
    bits = np.zeros(len(family.answers), kind)
    for position, fact in enumerate(facts):
        bits |= fact(family) * kind.type(1 << position)
    return bits


def _progress_bins(samples: FamilyColumns) -> Ints:
    """(n,) each sample's progress bin; the first where total turns are not known."""
    if samples.total_turns is None:
        return np.zeros(len(samples.feasible), np.int64)
    return np.minimum(BINS * samples.completed_turns // samples.total_turns, BINS - 1)


def _known(values: Floats, cluster: Ints) -> tuple[Floats, Ints]:
    """Return the values that are not NaN, and the cluster of each."""
    is_known = ~np.isnan(values)
    return (values, cluster) if is_known.all() else (values[is_known], cluster[is_known])
