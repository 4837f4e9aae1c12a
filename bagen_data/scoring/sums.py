"""One family's sums: all that any score is made of, by cluster of rollouts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bagen_data.answer_columns import FEASIBLE, AnswerColumns
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.scoring import per_sample
from bagen_data.scoring.definitions import PROGRESS_SUMS
from bagen_data.scoring.early_stop import rollout_sums
from bagen_data.scoring.outcomes import Counted, outcomes
from bagen_data.scoring.sample_table import Family

BINS = 5
"""Equal parts of progress, k / T: the first is [0, 0.2), the last holds k = T too."""


@dataclass(frozen=True)
class FamilySums:
    """Sums over a family's samples and rollouts, by cluster: a rollout, or a bundle of rollouts."""

    totals: Mapping[str, Floats]
    """By name, (clusters,): counts and sums over samples, and over rollouts."""
    by_bin: Mapping[str, Floats]
    """By name, (clusters, bins): those of `PROGRESS_SUMS`."""
    errors: Mapping[str, tuple[Floats, Ints]]
    """By name, relative errors of single samples, and their clusters."""


def family_sums(
    family: Family,
    answers: AnswerColumns,
    *,
    alpha: float,
    cluster_of: Ints,
    also: Mask | None = None,
) -> FamilySums:
    """Sum up one family.

    Args:
        family: n samples of m rollouts, r resources.
        answers: to these samples.
        alpha: intervals are scored as central ones of 1 - alpha.
        cluster_of: (m,) each rollout's cluster, 0 .. c-1.
        also: (n,) interval scores are also summed over the samples where this is true.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha}; expected more than 0 and less than 1")
    clusters = _Clusters(cluster_of)
    bins = _bins(family)
    intervals = np.flatnonzero(answers.verdict == FEASIBLE)
    answered = intervals[family.feasible.take(intervals)]
    rollout = family.rollout.take(answered)
    amounts, errors = _of_answered(family, answers, answered, alpha)
    if also is not None:
        amounts["shared"] = also[answered].astype(np.float64)
        amounts["interval_score_shared"] = amounts["interval_score"] * amounts["shared"]
    place = (cluster_of * BINS).take(family.rollout)
    place += bins
    counts = Counted.of(outcomes(family, answers, intervals), place, clusters.number, BINS)
    # Rollout by rollout first, and these in their own order: the rows may come in any.
    rollouts = len(cluster_of)
    sums: dict[str, Floats] = {
        name: np.bincount(rollout, values, rollouts).astype(np.float64)
        for name, values in amounts.items()
    }
    sums |= rollout_sums(family, answers)
    summed = clusters.summed(np.stack(list(sums.values()), axis=1)).T
    by_bin = {name: counts.by_bin(name) for name in PROGRESS_SUMS if name in counts.masks}
    for name in PROGRESS_SUMS:
        if name in amounts:
            place = rollout * BINS + bins.take(answered)
            found: Floats = np.bincount(place, amounts[name], rollouts * BINS).astype(np.float64)
            by_bin[name] = clusters.summed(found.reshape(rollouts, BINS))
    return FamilySums(
        counts.by_cluster() | dict(zip(sums, summed, strict=True)),
        by_bin,
        {name: _known(values, cluster_of.take(rollout)) for name, values in errors.items()},
    )


class _Clusters:
    """Sums by rollout to sums by cluster."""

    def __init__(self, cluster_of: Ints) -> None:
        self._order = np.argsort(cluster_of, kind="stable")
        self.number = int(cluster_of.max()) + 1
        self._starts = np.searchsorted(cluster_of[self._order], np.arange(self.number))

    def summed(self, values: Floats) -> Floats:
        """(m, ...) to (c, ...), in the order of the rollouts; no cluster is empty."""
        return np.add.reduceat(values[self._order], self._starts)


def _of_answered(
    family: Family, answers: AnswerColumns, rows: Ints, alpha: float
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """What is summed over feasible samples with an interval, and their relative errors; (a,)."""
    low, high = answers.low.take(rows, axis=1), answers.high.take(rows, axis=1)
    remaining = family.remaining.take(rows, axis=1)
    is_covered = per_sample.covered(low, high, remaining)
    overrun = per_sample.overrun(high, remaining)
    width = per_sample.relative_width(low, high, remaining)
    nothing = np.zeros(len(rows))
    amounts = {
        "reward": per_sample.interval_reward(low, high, remaining),
        "paper_reward": nothing,
        "shared": nothing,
        "interval_score_shared": nothing,
        "relative_width": np.nan_to_num(width, copy=False),
        "exceed_by": overrun.sum(axis=0),
        "exceed_pairs": np.count_nonzero(overrun, axis=0).astype(np.float64),
    }
    amounts["exceed_share"] = amounts["exceed_pairs"] / len(family.resources)
    amounts |= _interval_scores(np.log1p(low), np.log1p(high), np.log1p(remaining), alpha)
    if family.rollout_success is not None:
        earned = per_sample.paper_reward(is_covered, amounts["reward"])
        amounts["paper_reward"] = earned * family.rollout_success.take(rows)
    errors = {
        "midpoint": per_sample.relative_error(low, high, remaining),
        "extrapolation": np.full(len(rows), np.nan),
    }
    if family.total_turns is not None:
        guess = per_sample.linear_extrapolation(
            family.used.take(rows, axis=1),
            _used_first(family).take(family.rollout.take(rows), axis=1),
            family.completed_turns.take(rows),
            family.total_turns.take(rows),
        )
        errors["extrapolation"] = per_sample.relative_difference(guess, remaining)
    return amounts, errors


def _interval_scores(
    low: Floats, high: Floats, remaining: Floats, alpha: float
) -> dict[str, Floats]:
    """(a,) of the answers, and of the constant interval between the quantiles of `remaining`."""
    scores = per_sample.interval_score(low, high, remaining, alpha)
    constant = np.array([per_sample.central_interval(values, alpha) for values in remaining])
    baseline = per_sample.interval_score(constant[:, :1], constant[:, 1:], remaining, alpha)
    return {
        "interval_score": per_sample.mean_over_resources(scores),
        "baseline_score": per_sample.mean_over_resources(baseline),
    }


def _used_first(family: Family) -> Floats:
    """(r, m) spent after the first turn of each rollout; NaN if there is no such sample."""
    found = np.full((len(family.resources), len(family.first)), np.nan)
    rows = np.flatnonzero(family.completed_turns == 1)
    found[:, family.rollout[rows]] = family.used[:, rows]
    return found


def _bins(family: Family) -> Ints:
    """(n,) each sample's progress bin; the first where total turns are not known."""
    if family.total_turns is None:
        return np.zeros(len(family.feasible), np.int64)
    return np.minimum(BINS * family.completed_turns // family.total_turns, BINS - 1)


def _known(values: Floats, cluster: Ints) -> tuple[Floats, Ints]:
    """Those that are not NaN."""
    is_known = ~np.isnan(values)
    return (values, cluster) if is_known.all() else (values[is_known], cluster[is_known])
