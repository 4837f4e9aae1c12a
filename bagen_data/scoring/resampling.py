"""The cluster bootstrap: instances of a task are drawn, the same ones for every estimator."""

import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bagen_data.array_types import Floats, Ints
from bagen_data.scoring.sample_table import FamilyColumns, instances_by_task
from bagen_data.scoring.student import NORMAL, critical_t, two_sided_p

_MAX_CLUSTERS = 256
LEVEL = 0.95
"""Nominal coverage of every reported interval."""
FEWEST_INSTANCES = 10
"""Fewest instances that a score must be taken over to have an interval."""
_KNOTS = 64
"""Values that a resampled quantile may take where there are more than that."""
_WINDOW = 6.0
"""Standard errors around a quantile in which they lie."""


@dataclass(frozen=True)
class TaskDraws:
    """The draws of one task: c clusters, each an instance or a bundle of instances."""

    instances: Ints
    """(i,) the ranks of the task's instances, ascending."""
    cluster: Ints
    """(i,) the cluster of each instance, 0 .. c-1."""
    clusters: int
    """The number c."""
    resamples: int
    """The number b."""
    seed: tuple[int, int]
    """Seed of the draws: that of the resampling, and one made of the task's name."""

    def clusters_of(self, instance: Ints) -> Ints:
        """Return the cluster of each of these ranks of instances."""
        return self.cluster[np.searchsorted(self.instances, instance)]

    @cached_property
    def weights(self) -> Floats:
        """(b, c) how often each of b resamples draws each cluster."""
        drawn = np.random.default_rng(self.seed).integers(
            0, self.clusters, (self.resamples, self.clusters)
        )
        drawn += np.arange(self.resamples)[:, np.newaxis] * self.clusters
        counts = np.bincount(drawn.ravel(), minlength=self.resamples * self.clusters)
        return counts.reshape(self.resamples, self.clusters).astype(np.float64)


@dataclass(frozen=True)
class Resampling:
    """The number and seed of the resamples by which uncertainty is measured.

    Probes of one rollout are correlated, and so are rollouts of one instance by different models.
    So each resample draws instances of a task with replacement, as many as the task has, and all
    rollouts of a drawn instance come along, those of every family of the task. Tasks draw
    independently. The instances of a task that has more than 256 are drawn in 256 bundles of nearly
    equal size, put together at random; a bundle then counts as one instance.
    """

    resamples: int = 1000
    """0: no intervals."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.resamples < 0 or self.seed < 0:
            raise ValueError(
                f"resamples is {self.resamples} and seed {self.seed}; expected 0 or more"
            )

    def draws(self, families: Iterable[FamilyColumns]) -> dict[str, TaskDraws]:
        """Return the draws of each task, by its name.

        Args:
            families: all families of these tasks, in any order.
        """
        return self.draws_of(instances_by_task(families))

    def draws_of(self, instances: Mapping[str, Ints]) -> dict[str, TaskDraws]:
        """Return the draws of each task, by its name.

        Args:
            instances: the ranks of each task's instances, ascending, by the task's name.
        """
        return {task: self._draws(task, own) for task, own in instances.items()}

    def _draws(self, task: str, instances: Ints) -> TaskDraws:
        seed = (self.seed, zlib.crc32(task.encode()))
        clusters = len(instances)
        cluster = np.arange(clusters)
        if clusters > _MAX_CLUSTERS:
            cluster = np.random.default_rng(seed).permutation(clusters) * _MAX_CLUSTERS // clusters
            clusters = _MAX_CLUSTERS
        return TaskDraws(instances, cluster, clusters, self.resamples, seed)


def percentile_interval(replicates: Floats, instances: int) -> tuple[float, float] | None:
    """Return the expanded 95% percentile interval of a score.

    Percentiles of resamples are those of a normal distribution, and of a variance that is too small
    by (n - 1) / n. So the percentiles are taken further out, at Phi(+-sqrt(n / (n - 1)) t) with t
    the 97.5% quantile of Student's distribution with n - 1 degrees of freedom (Hesterberg, 2015).

    Args:
        replicates: (b,) resampled values. Resamples without a value (nothing to divide by) are left
            out.
        instances: n, the number of instances that contribute to the score.

    Returns:
        Low and high; None with fewer than ten instances, or where no resample has a value.

    >>> low, high = percentile_interval(np.arange(1001.0), instances=100_000)
    >>> round(low), round(high)
    (25, 975)
    >>> low, high = percentile_interval(np.arange(1001.0), instances=16)
    >>> round(low), round(high)
    (14, 986)
    """
    known = replicates[~np.isnan(replicates)]
    if instances < FEWEST_INSTANCES or not len(known):
        return None
    expansion = math.sqrt(instances / (instances - 1))
    tail = NORMAL.cdf(-expansion * critical_t(1 - LEVEL, instances - 1))
    low, high = quantiles(known, (tail, 1 - tail))
    return low, high


def expanded_p(tail: float, instances: int) -> float:
    """Return the two-sided p of no difference, which agrees with the expanded intervals.

    Args:
        tail: share of the resampled differences on the other side of 0, 0 < tail < 1.
        instances: number of instances that contribute, at least 2.

    >>> round(expanded_p(0.025, 100_000), 3), round(expanded_p(0.01, 16), 3), expanded_p(0.6, 16)
    (0.05, 0.04, 1.0)
    """
    if tail >= 0.5:
        return 1.0
    t = -NORMAL.inv_cdf(tail) * math.sqrt((instances - 1) / instances)
    return two_sided_p(t, instances - 1)


def quantiles(values: Floats, shares: Sequence[float]) -> list[float]:
    """The linearly interpolated quantiles (NumPy's default); NaN of nothing.

    >>> quantiles(np.array([4.0, 1.0, 2.0]), (0.5, 0.75))
    [2.0, 3.0]
    """
    if not len(values):
        return [float("nan")] * len(shares)
    places = [share * (len(values) - 1) for share in shares]
    below = [math.floor(place) for place in places]
    above = [min(rank + 1, len(values) - 1) for rank in below]
    ranked = np.partition(values, sorted({*below, *above}))
    return [
        float(ranked[low] + (place - low) * (ranked[high] - ranked[low]))
        for place, low, high in zip(places, below, above, strict=True)
    ]


def central_interval(values: Floats, alpha: float) -> tuple[float, float]:
    """The quantiles alpha/2 and 1 - alpha/2 of (n,) values; of none, NaN.

    >>> central_interval(np.arange(11.0), alpha=0.2)
    (1.0, 9.0)
    """
    low, high = quantiles(values, (alpha / 2, 1 - alpha / 2))
    return low, high


def resampled_quantiles(
    values: Floats, cluster: Ints, weights: Floats, shares: Sequence[float]
) -> list[Floats]:
    """The quantiles of resamples of whole clusters.

    Of more than 64 values, draws are counted between 64 ranks around each quantile: a resampled
    quantile then is off by some hundredths of its standard error.

    Args:
        values: (n,) finite.
        cluster: (n,) the cluster of each value, 0 .. g-1.
        weights: (b, g) how often each resample drew each cluster; NaN if there is no resampling.
        shares: 0 .. 1, the quantiles that are asked for.

    Returns:
        For each share, (b,); NaN where a resample drew no value.

    >>> weights = np.array([[1.0, 1.0], [2.0, 0.0]])
    >>> resampled_quantiles(np.array([3.0, 1.0]), np.array([0, 1]), weights, (0.5,))[0].tolist()
    [2.0, 3.0]
    """
    if not len(weights):
        return [np.empty(0)] * len(shares)
    order = np.argsort(values)
    values, cluster = values[order], cluster[order]
    return [_resampled(values, cluster, weights, share) for share in shares]


def _resampled(values: Floats, cluster: Ints, weights: Floats, share: float) -> Floats:
    """Return the same of sorted values."""
    if not len(values) or np.isnan(weights).any():
        return np.full(len(weights), np.nan)
    knots = _knots(cluster, weights.shape[1], len(values), share)
    # Equal values stay together, whatever order they came in.
    knots = np.unique(np.searchsorted(values, values[knots], side="right") - 1)
    column = np.repeat(np.arange(len(knots)), np.diff(knots, prepend=-1))
    counts = np.bincount(
        cluster * len(knots) + column, minlength=weights.shape[1] * len(knots)
    ).reshape(weights.shape[1], len(knots))
    drawn = np.cumsum(weights @ counts, axis=1)
    total = drawn[:, -1]
    position = np.maximum(total - 1, 0) * share
    below = np.floor(position)
    lower = values[_drawn_rank(drawn, knots, below)]
    upper = values[_drawn_rank(drawn, knots, np.minimum(below + 1, total - 1))]
    return np.where(total > 0, lower + (position - below) * (upper - lower), np.nan)


def _drawn_rank(drawn: Floats, knots: Ints, rank: Floats) -> Ints:
    """(b,) the rank among the values of what has this rank in each resample.

    Within the values between two knots the draws are taken to be spread evenly.

    Args:
        drawn: (b, k) how many values up to each knot were drawn.
        knots: (k,) ranks among the values.
        rank: (b,) from 0, in each resample.
    """
    column = np.argmax(drawn > rank[:, np.newaxis], axis=1)
    every = np.arange(len(drawn))
    upto = drawn[every, column]
    before = np.where(column > 0, drawn[every, column - 1], 0.0)
    size = np.diff(knots, prepend=-1)[column]
    back = np.ceil((upto - rank) / np.maximum(upto - before, 1) * size) - 1
    return knots[column] - np.maximum(back, 0).astype(np.int64)


def _knots(cluster: Ints, clusters: int, values: int, share: float) -> Ints:
    """Ranks, ascending, of the values that are told apart; the last one always is."""
    if values <= _KNOTS:
        return np.arange(values)
    below = int(share * (values - 1)) + 1
    excess = np.bincount(cluster[:below], minlength=clusters) - share * np.bincount(
        cluster, minlength=clusters
    )
    margin = _WINDOW * np.sqrt((excess**2).sum()) + 1
    first, last = max(0.0, below - margin), min(values - 1.0, below + margin)
    return np.unique(np.append(np.linspace(first, last, _KNOTS).astype(np.int64), values - 1))
