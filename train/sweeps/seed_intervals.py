"""Scores over several trainings that differ in their seed: a mean, and an interval for it.

Two things vary: the instances that happen to be evaluated on, and the seeds that happen to be
trained with. All seeds answer the same instances. So each resample draws instances, the same ones
for every seed, and takes the mean over seeds; its distance from the mean is widened as `percentile_
interval` widens percentiles (Hesterberg, 2015, for n instances: by sqrt(n / (n - 1)) and the ratio
of Student's to the normal quantile). To it comes what the seeds vary by: the standard error of the
mean over s seeds times a draw from Student's distribution with s - 1 degrees of freedom (the
fiducial distribution of a mean; adding two of them is the Behrens-Fisher solution, Fisher, 1935).
Drawing seeds with replacement, as instances are drawn, is too narrow for few of them: in
simulations of three seeds with crossed effects of seed and instance (normal, 12 or 60 instances),
such 95% intervals covered 74 to 96% of the time, and these 95 to 98%.
"""

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from bagen_data.array_types import Floats
from bagen_data.scoring.measure import Measured
from bagen_data.scoring.report import Score
from bagen_data.scoring.resampling import FEWEST_INSTANCES, LEVEL, quantiles
from bagen_data.scoring.scores.intervals import RL_INTERVAL
from bagen_data.scoring.student import NORMAL, critical_t

FEWEST_SEEDS = 3
"""Fewest seeds that a mean must be taken over to have an interval; Student's distribution of two
would make it vacuous."""
GREATEST = dict.fromkeys(
    (
        *("valid_rate", "accuracy", "accuracy_balanced", "recall_feasible", "recall_infeasible"),
        *("hit_rate", "coverage_80", "rl_reward_balanced", "brier"),
    ),
    1.0,
) | {"rl_reward": RL_INTERVAL}
"""The greatest value of scores that have one, which their intervals do not pass. The scores of a
row are 0 or more, and so are their intervals."""


@dataclass(frozen=True)
class MeanOverSeeds:
    """A score's mean over s seeds, and b draws from what is known of it."""

    draws: Floats
    """The mean, then the draws, (1 + b,); NaN where there is no value."""
    n: int
    """The number of samples that each seed's score is taken over; the mean over seeds, rounded."""
    instances: int
    """The fewest instances that contribute to the score of a seed."""
    seeds: int
    """The number s of seeds that have a value."""
    is_single: bool
    """True with one seed, or none, so that nothing varies but the instances."""

    def score(self) -> Score:
        """Return the mean with its 95% interval, which fewer instances than 10 do not have.

        A single seed has the interval of instances alone; two seeds have none, and neither has a
        score that only two of several seeds have.
        """
        value = float(self.draws[0])
        if np.isnan(value):
            return Score(None, self.n)
        known = self.draws[1:][~np.isnan(self.draws[1:])]
        few_seeds = self.seeds < FEWEST_SEEDS and not self.is_single
        few = self.instances < FEWEST_INSTANCES or few_seeds
        if few or not len(known):
            return Score(value, self.n)
        tail = (1 - LEVEL) / 2
        low, high = quantiles(known, (tail, 1 - tail))
        return Score(value, self.n, low, high)


def over_seeds(runs: Sequence[Measured], stream: str) -> MeanOverSeeds:
    """Return the mean of a score over the seeds that have a value.

    Args:
        runs: (s,) the score of each seed, with resamples that drew the same instances.
        stream: name of the row and the score; other names draw other Student's t.

    >>> runs = [Measured(np.array([value, value]), 9, np.ones(12, bool)) for value in (0.2, 0.4)]
    >>> mean = over_seeds(runs, "row hit_rate")
    >>> round(float(mean.draws[0]), 3), mean.seeds, mean.score().low
    (0.3, 2, None)
    """
    known = [run for run in runs if not np.isnan(run.values[0])]
    if not known:
        return MeanOverSeeds(np.full_like(runs[0].values, np.nan), 0, 0, 0, len(runs) == 1)
    values = np.array([run.values for run in known])
    instances = min(run.instances for run in known)
    means = _mean_of_known(values)
    draws = means.copy()
    if instances > 1:
        widening = math.sqrt(instances / (instances - 1)) * _student_ratio(instances - 1)
        draws[1:] = means[0] + widening * (means[1:] - means[0])
    if len(known) > 1:
        error = float(values[:, 0].std(ddof=1)) / math.sqrt(len(known))
        rng = np.random.default_rng(zlib.crc32(stream.encode()))
        draws[1:] += error * rng.standard_t(len(known) - 1, len(draws) - 1)
    n = round(sum(run.n for run in known) / len(known))
    return MeanOverSeeds(draws, n, instances, len(known), len(runs) == 1)


def row_over_seeds(
    runs: Sequence[Mapping[str, Measured]], columns: Sequence[str], row: str
) -> dict[str, MeanOverSeeds]:
    """Return the mean over seeds of these scores.

    Args:
        runs: the scores of each seed, by name.
        columns: names of scores that are 0 or more.
        row: name of the row.
    """
    means = {}
    for name in columns:
        mean = over_seeds([scores[name] for scores in runs], f"{row} {name}")
        means[name] = replace(mean, draws=mean.draws.clip(0, GREATEST.get(name, np.inf)))
    return means


def retained(transferred: MeanOverSeeds, own: MeanOverSeeds) -> Score:
    """Return the share of a score that an estimator retains on a task it was not trained on.

    Our reading of the paper's retention, whose definition we could not read: the score of the
    estimator trained on another task, divided by that of the one trained on the task itself, both
    on the same samples. Draws are paired: the same instances are drawn for both. The share has no
    value where the divisor is 0, and no interval where 2.5% of its draws are: what is divided by
    something that may be 0 has no upper bound (Fieller, 1954).

    >>> score = [Measured(np.array([value, value]), 9, np.ones(12, bool)) for value in (0.3, 0.6)]
    >>> retained(over_seeds(score[:1], "a"), over_seeds(score[1:], "b")).value
    0.5
    """
    is_positive = own.draws > 0
    share = np.full(len(own.draws), np.nan)
    np.divide(transferred.draws, own.draws, out=share, where=is_positive)
    is_zero = ~is_positive & ~np.isnan(own.draws)
    is_bounded = is_zero[1:].mean() < (1 - LEVEL) / 2 if len(is_zero) > 1 else True
    if not np.isnan(share[0]):
        share[is_zero] = np.nanmax(share)  # the upper end
    seeds = [each.seeds for each in (transferred, own) if not each.is_single]
    score = MeanOverSeeds(
        share,
        min(transferred.n, own.n),
        min(transferred.instances, own.instances),
        min(seeds, default=1),
        is_single=not seeds,
    ).score()
    return score if is_bounded else replace(score, low=None, high=None)


def _mean_of_known(values: Floats) -> Floats:
    """Return the mean over the seeds that have a value in a resample, (s, 1 + b) to (1 + b,)."""
    is_known = ~np.isnan(values)
    mean = np.full(values.shape[1], np.nan)
    total = np.where(is_known, values, 0.0).sum(axis=0)
    np.divide(total, is_known.sum(axis=0), out=mean, where=is_known.any(axis=0))
    return mean


def _student_ratio(freedom: int) -> float:
    """Return the 97.5% quantile of Student's distribution over that of the normal one."""
    return critical_t(1 - LEVEL, freedom) / NORMAL.inv_cdf((1 + LEVEL) / 2)
