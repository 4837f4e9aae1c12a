"""Models that each learn from all but one fold of the instances, and their answers on that fold.

Answers are the mean of the models. Both the judgment and the intervals rest on this: what the
models say on instances they have not seen is what they will say on others.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.forecasters import Answer
from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.learners import QUANTILES, Judge, Spending
from bagen_data.forecasters.learning.probe_amounts import Known, estimates
from bagen_data.schema import Estimate, Probe

FOLDS = 5
_DRAWS = 200
"""Draws of instances, for the log odds from which on an interval is given."""
_CUTS = 64
"""Number of candidates, at most, for the log odds from which on an interval is given."""
_LEARNED: dict[tuple[int, bytes], Any] = {}
"""Learned things by the seed and a hash of all columns that they were learned from."""
_REMEMBERED = 16
"""Learned things that are kept: as many as the tasks and folds that two forecasters share."""


@dataclass(frozen=True)
class _Member:
    """The models of one part of the examples."""

    judge: Judge
    spending: tuple[Spending, ...]
    """Models of the resources; empty where no feasible probe is known."""

    @classmethod
    def of(cls, asked: AskedColumns, known: Known, rows: Mask, seed: int) -> Self:
        """Learn from these rows, one or more."""
        return cls(
            Judge.of(asked.values[rows], known.feasible[rows], seed),
            learned_spending(asked, known.remaining, rows & known.feasible, seed),
        )

    def quantiles(self, asked: AskedColumns) -> Floats:
        """Return (3, r, n) quantiles of log1p of what remains.

        Where nothing is known, the quantiles go from 0 to what is left.
        """
        if not self.spending:
            left = np.maximum(asked.amounts.left, 0)
            return np.log1p([0 * left, left / 2, left])
        quantiles = [
            own.quantiles(asked.values, units)
            for own, units in zip(self.spending, asked.units, strict=True)
        ]
        return np.stack(quantiles, axis=1)


def learned_spending(
    asked: AskedColumns, remaining: Floats, rows: Mask, seed: int
) -> tuple[Spending, ...]:
    """Return the model that these rows teach of each resource; an empty tuple without rows.

    Args:
        asked: n probes.
        remaining: (r, n).
        rows: (n,).
        seed: seed of the trees.
    """
    if not rows.any():
        return ()
    spent = np.log1p(remaining)
    return tuple(
        Spending.of(asked.values[rows], (own - units[:, unit])[rows], unit, seed)
        for own, units, unit in zip(
            spent, asked.units, asked.best_units(spent, rows).tolist(), strict=True
        )
    )


@dataclass(frozen=True)
class CrossFitted:
    """Models of feasibility and of quantiles, and how they do on instances they have not seen."""

    members: tuple[_Member, ...]
    cut: float
    """The least mean log odds at which an interval is given."""
    unseen: Floats
    """(3, r, c) log1p quantiles of the c feasible probes that would be answered with intervals."""
    spent: Floats
    """(r, c) log1p of what remained, of the c probes of `unseen`."""
    instance: Ints
    """(c,) the instance of each of the c probes of `unseen`."""

    @classmethod
    def of(cls, examples: Sequence[Example], seed: int) -> Self:
        """Learn from examples of which one or more teach (`teaching`).

        What was learned last is remembered: `conformal` and `reward_optimal` learn the same.
        """
        known = Known.of(examples)
        asked = AskedColumns.of([example.probe for example in examples])
        instance = instances(examples)
        amounts = (asked.values, asked.units, known.amounts.left, known.remaining)
        columns = (*amounts, known.feasible, known.rollout, instance)
        content = b"".join(str(column.shape).encode() + column.tobytes() for column in columns)
        key = seed, hashlib.sha256(content).digest()
        if key not in _LEARNED:
            _LEARNED[key] = cls._learned(known, asked, instance, seed)
            while len(_LEARNED) > _REMEMBERED:
                del _LEARNED[next(iter(_LEARNED))]
        learned: Self = _LEARNED[key]
        return learned

    @classmethod
    def _learned(cls, known: Known, asked: AskedColumns, instance: Ints, seed: int) -> Self:
        group = instance if instance.max() else known.rollout  # the rollouts of a single instance
        fold = folds(group, known.feasible, seed)
        is_open = known.amounts.is_open
        odds = np.full(len(instance), -np.inf)
        quantiles = np.zeros((len(QUANTILES), *known.remaining.shape))
        members = []
        for number in range(int(fold.max()) + 1):
            here = fold == number
            seen = is_open & (~here | here.all())
            member = _Member.of(asked, known, seen if seen.any() else is_open, seed + number)
            odds[here] = np.where(is_open, member.judge.log_odds(asked.values), -np.inf)[here]
            quantiles[:, :, here] = member.quantiles(asked)[:, :, here]
            members.append(member)
        cut = best_cut(odds, known.feasible, group, seed)
        counted = known.feasible & (odds >= cut)
        spent = np.log1p(known.remaining[:, counted])
        return cls(tuple(members), cut, quantiles[:, :, counted], spent, instance[counted])

    def answer(self, interval: Callable[[Floats], tuple[Floats, Floats]]) -> Answer:
        """Return a function that answers probes with these intervals.

        Args:
            interval: gives the lows and highs of log1p of what remains, from its (3, r, n)
                quantiles.
        """

        def answer(probes: Sequence[Probe]) -> list[Estimate]:
            asked = AskedColumns.of(probes)
            odds = mean_of([one.judge.log_odds(asked.values) for one in self.members])
            low, high = interval(mean_of([one.quantiles(asked) for one in self.members]))
            lasts = asked.amounts.is_open & (odds >= self.cut)
            return estimates(asked.amounts, lasts, np.expm1(low), np.expm1(high))

        return answer


def mean_of(parts: Sequence[Floats]) -> Floats:
    """Return the mean of arrays of one shape, added up in their order."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    mean: Floats = total / len(parts)
    return mean


def folds(cluster: Ints, feasible: Mask, seed: int) -> Ints:
    """Return (n,) folds 0 .. 4 of whole clusters, each with about the same share of feasible ones.

    There are fewer folds where there are fewer clusters.
    """
    clusters = int(cluster.max()) + 1
    share = np.bincount(cluster, feasible, clusters) / np.bincount(cluster, minlength=clusters)
    shuffled = np.random.default_rng(seed).permutation(clusters)
    order = shuffled[np.argsort(share[shuffled], kind="stable")]
    fold = np.empty(clusters, np.int64)
    fold[order] = np.arange(clusters) % FOLDS
    return fold[cluster]


def best_cut(odds: Floats, feasible: Mask, cluster: Ints, seed: int) -> float:
    """Return the log odds from which on an interval is given, for the greatest macro-F1.

    The result is the mean of the best ones of many draws of whole clusters: a single best one hangs
    on few. For this the log odds need not be calibrated, only in the right order.

    Args:
        odds: (n,) of clusters not seen; minus infinity of probes that are over their budget.
        feasible: (n,) one or more are.
        cluster: (n,) 0 .. g-1.
        seed: seed of the draws.

    >>> odds, feasible = np.array([-3.0, -2.0, 1.0, 2.0]), np.array([False, False, True, True])
    >>> -2.0 < best_cut(odds, feasible, np.arange(4), seed=0) < 1.0
    True
    """
    finite = odds[np.isfinite(odds)]
    cuts = np.unique(np.quantile(finite, np.linspace(0, 1, _CUTS)))
    clusters = int(cluster.max()) + 1
    said = odds[:, np.newaxis] >= cuts
    hits, misses = np.zeros((2, clusters, len(cuts)))
    np.add.at(hits, cluster, said & feasible[:, np.newaxis])
    np.add.at(misses, cluster, said & ~feasible[:, np.newaxis])
    of_each = np.stack([np.bincount(cluster, kind, clusters) for kind in (feasible, ~feasible)])
    drawn = np.random.default_rng(seed).multinomial(
        clusters, np.full(clusters, 1 / clusters), _DRAWS
    )
    actual, other = (of_each @ drawn.T)[:, :, np.newaxis]
    hit, missed = drawn @ hits, drawn @ misses
    with np.errstate(invalid="ignore"):
        feasible_f1 = 2 * hit / (hit + missed + actual)
        infeasible_f1 = 2 * (other - missed) / (actual - hit + other - missed + other)
    score = np.nan_to_num(feasible_f1) + np.nan_to_num(infeasible_f1)
    telling = (actual > 0) & (other > 0)
    score = score[telling[:, 0]]
    if not len(score):
        return float(cuts[0])
    is_best = score == score.max(axis=1, keepdims=True)
    return float(((is_best @ cuts) / is_best.sum(axis=1)).mean())


def teaching(examples: Sequence[Example]) -> list[Example]:
    """Return the examples that are asked for (`asked_for`), if one of them is feasible; else none.

    Feasible here means within its budget too.
    """
    teachers = asked_for(examples)
    return teachers if any(one.target.feasible for one in teachers) else []


def asked_for(examples: Sequence[Example]) -> list[Example]:
    """Return the examples after a turn that is not the last, as probes are; all without such."""
    inside = [one for one in examples if 0 < len(one.probe.turns) < one.total_turns]
    return inside or list(examples)


def instances(examples: Sequence[Example]) -> Ints:
    """Return (n,) 0 .. g-1, the instances of n examples in the order of their names."""
    names = [(one.task, one.instance_id) for one in examples]
    number = {name: position for position, name in enumerate(sorted(set(names)))}
    return np.array([number[name] for name in names])
