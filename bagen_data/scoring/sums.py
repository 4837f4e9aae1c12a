"""One family's sums: all that any score is made of, by cluster of rollouts."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from bagen_data.answer_columns import FEASIBLE, AnswerColumns
from bagen_data.arrays import Floats, Ints, Mask
from bagen_data.scoring import per_sample
from bagen_data.scoring.early_stop import rollout_sums
from bagen_data.scoring.outcomes import COUNTS, count, outcomes
from bagen_data.scoring.truth import Family

BINS = 5
"""Equal parts of progress, k / T: the first is [0, 0.2), the last holds k = T too."""
AMOUNTS = (
    "reward",
    "paper_reward",
    "interval_score",
    "baseline_score",
    "interval_score_shared",
    "shared",
    "relative_width",
    "exceed_share",
    "exceed_pairs",
    "exceed_by",
)
"""What is summed over feasible samples with an interval."""


@dataclass(frozen=True)
class FamilySums:
    """Sums over a family's samples and rollouts, by cluster: a rollout, or a bundle of rollouts."""

    of_samples: Mapping[str, Floats]
    """By name, (clusters, bins)."""
    of_rollouts: Mapping[str, Floats]
    """By name, (clusters,)."""
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
    answers = answers.of_resources(len(family.resources))
    rollouts, clusters = len(family.first), int(cluster_of.max()) + 1
    intervals = np.flatnonzero(answers.verdict == FEASIBLE)
    bits = outcomes(family, answers, intervals)
    bins = _bins(family)
    place = (cluster_of * BINS).take(family.rollout)
    place += bins
    of_samples = dict(zip(COUNTS, count(bits, place, clusters * BINS), strict=True))
    answered = intervals[family.feasible.take(intervals)]
    amounts, errors = _of_answered(family, answers, answered, alpha)
    if also is not None:
        amounts["shared"] = also[answered].astype(np.float64)
        amounts["interval_score_shared"] = amounts["interval_score"] * amounts["shared"]
    # Rollout by rollout first, and these in their own order: the rows may come in any.
    rollout_of = family.rollout.take(answered)
    by_rollout = rollout_of * BINS + bins.take(answered)
    table = np.zeros((rollouts, len(AMOUNTS), BINS))
    for position, name in enumerate(AMOUNTS):
        if name in amounts:
            found = np.bincount(by_rollout, amounts[name], minlength=rollouts * BINS)
            table[:, position] = found.reshape(rollouts, BINS)
    by_cluster = _by_cluster(table.reshape(rollouts, -1), cluster_of, clusters)
    of_samples |= zip(AMOUNTS, by_cluster.reshape(clusters, -1, BINS).swapaxes(0, 1), strict=True)
    of_rollouts = rollout_sums(family, answers)
    by_cluster = _by_cluster(np.array(list(of_rollouts.values())).T, cluster_of, clusters)
    clusters_of_answers = cluster_of.take(rollout_of)
    return FamilySums(
        {name: values.reshape(clusters, BINS) for name, values in of_samples.items()},
        dict(zip(of_rollouts, by_cluster.T, strict=True)),
        {name: _known(values, clusters_of_answers) for name, values in errors.items()},
    )


def _of_answered(
    family: Family, answers: AnswerColumns, rows: Ints, alpha: float
) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """What is summed over feasible samples with an interval, and their relative errors; (a,)."""
    low, high = answers.low.take(rows, axis=1), answers.high.take(rows, axis=1)
    remaining = family.remaining.take(rows, axis=1)
    is_covered = per_sample.covered(low, high, remaining)
    overrun = per_sample.overrun(high, remaining)
    width = per_sample.relative_width(low, high, remaining)
    amounts = {
        "reward": per_sample.interval_reward(low, high, remaining),
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


def _by_cluster(values: Floats, cluster_of: Ints, clusters: int) -> Floats:
    """(m, k) sums by rollout to (c, k) sums by cluster, of which none is empty."""
    order = np.argsort(cluster_of, kind="stable")
    starts = np.searchsorted(cluster_of[order], np.arange(clusters))
    found: Floats = np.add.reduceat(values[order], starts)
    return found
