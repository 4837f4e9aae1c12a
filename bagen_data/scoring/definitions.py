"""Every score: its formula from sums, its n, its range, and which way is better.

A formula takes sums by name and gives values, NaN where there is nothing to divide by. All of them
are (..., 1 + b): over all rollouts first, then over each of b resamples.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bagen_data.arrays import Floats
from bagen_data.scoring.early_stop import SAVED, SPENT
from bagen_data.scoring.per_sample import LARGEST

Sums = Mapping[str, Any]

RL_INTERVAL, RL_IMPOSSIBLE = 1.8, 0.2
"""Weights of the reward of reinforcement learning [E]."""


@dataclass(frozen=True)
class Definition:
    """What a score is."""

    meaning: str
    """In words, for cards and tables."""
    better: Literal["higher", "lower", "neither"]
    formula: Callable[[Sums], Floats]
    n: Callable[[Sums], Floats]
    """How many samples, or rollouts, the value is taken over."""


@dataclass(frozen=True)
class QuantileDefinition:
    """A quantile of relative errors."""

    meaning: str
    errors: str
    """The name of the errors in `FamilySums.errors`."""
    share: float
    better: Literal["lower"] = "lower"


def _divided(numerator: Floats, denominator: Floats) -> Floats:
    found = np.full(np.shape(denominator), np.nan)
    with np.errstate(over="ignore"):
        np.divide(numerator, denominator, out=found, where=denominator > 0)
    return np.minimum(found, LARGEST)


def _of(name: str) -> Callable[[Sums], Floats]:
    return lambda sums: sums[name]


def _ratio(
    meaning: str,
    better: Literal["higher", "lower", "neither"],
    numerator: str,
    denominator: str,
) -> Definition:
    return Definition(
        meaning,
        better,
        lambda sums: _divided(sums[numerator], sums[denominator]),
        _of(denominator),
    )


def _f1(sums: Sums, label: str, suffix: str) -> Floats:
    """`2 TP / (predicted + actual)`: 0 where the label is neither, as scikit-learn has it.

    A resample that happens to be without the label says nothing, and is left out.
    """
    both = sums[f"said_{label}{suffix}"] + sums[f"{label}{suffix}"]
    found = _divided(2 * sums[f"{label}_found{suffix}"], both)
    without = np.where(both[..., :1] > 0, np.nan, 0.0)
    return np.where(sums[f"samples{suffix}"] > 0, np.where(both > 0, found, without), np.nan)


def _fail_f1(meaning: str, suffix: str) -> Definition:
    return Definition(
        meaning,
        "higher",
        lambda sums: _f1(sums, "infeasible", suffix),
        _of(f"samples{suffix}"),
    )


def _macro_f1(meaning: str, suffix: str) -> Definition:
    return Definition(
        meaning,
        "higher",
        lambda sums: (_f1(sums, "feasible", suffix) + _f1(sums, "infeasible", suffix)) / 2,
        _of(f"samples{suffix}"),
    )


def _accuracy(meaning: str, suffix: str) -> Definition:
    return Definition(
        meaning,
        "higher",
        lambda sums: _divided(
            sums[f"feasible_found{suffix}"] + sums[f"infeasible_found{suffix}"],
            sums[f"samples{suffix}"],
        ),
        _of(f"samples{suffix}"),
    )


def _rl_reward(sums: Sums) -> Floats:
    earned = RL_INTERVAL * sums["reward"] + RL_IMPOSSIBLE * sums["infeasible_found"]
    return _divided(earned, sums["samples"])


def _saved_rate(sums: Sums) -> Floats:
    """The mean over resources of `saved / spent`, then over tasks that count different ones.

    Amounts of different units do not add up. A resource that was not spent at all is left out.
    """
    shares: dict[str, list[Floats]] = {}
    for name in sums:
        kind, _, rest = name.partition("/")
        if kind == SPENT:
            share = _divided(sums[f"{SAVED}/{rest}"], sums[name])
            shares.setdefault(rest.partition("/")[0], []).append(share)
    return _mean_of_known([_mean_of_known(each) for each in shares.values()])


def _mean_of_known(values: Sequence[Floats]) -> Floats:
    """The mean over those with a value; a resample in which one of them has none has none."""
    found = np.array(values)
    is_known = ~np.isnan(found[..., :1])
    return _divided(
        np.where(is_known, found, 0).sum(axis=0), is_known.sum(axis=0) * np.ones(found.shape[-1])
    )


_ANSWERED = "over feasible samples answered with an interval"

SAMPLE_SCORES: dict[str, Definition] = {
    "valid_rate": _ratio("share of parseable answers", "higher", "valid", "samples"),
    "macro_f1": _macro_f1("mean of the F1 of class feasible and of class infeasible", ""),
    "macro_f1_first_turn": _macro_f1("macro_f1 over k = 1 only", "_first_turn"),
    "fail_f1": _fail_f1("F1 of class infeasible", ""),
    "accuracy": _accuracy("share of samples whose class is predicted", ""),
    "recall_feasible": _ratio(
        "share of feasible samples answered with an interval",
        "higher",
        "feasible_found",
        "feasible",
    ),
    "recall_infeasible": _ratio(
        "share of infeasible samples answered `impossible`",
        "higher",
        "infeasible_found",
        "infeasible",
    ),
    "macro_f1_open": _macro_f1("macro_f1 over samples within every budget so far", "_open"),
    "fail_f1_open": _fail_f1("fail_f1 over samples within every budget so far", "_open"),
    "accuracy_open": _accuracy("accuracy over samples within every budget so far", "_open"),
    "hit_rate": _ratio(
        "over feasible samples, share whose intervals cover; no interval is a miss",
        "higher",
        "covered",
        "feasible",
    ),
    "coverage": _ratio(
        f"{_ANSWERED}, share covered in every resource", "higher", "covered", "feasible_found"
    ),
    "reward": _ratio(
        "over feasible samples, coverage x tightness; 0 without an interval",
        "higher",
        "reward",
        "feasible",
    ),
    "optimistic": _ratio(
        f"{_ANSWERED}, share with a high < R", "lower", "optimistic", "feasible_found"
    ),
    "conservative": _ratio(
        f"{_ANSWERED}, share with a low > R", "lower", "conservative", "feasible_found"
    ),
    "rl_reward": Definition(
        "1.8 x coverage x tightness where feasible, 0.2 for `impossible` where not, else 0",
        "higher",
        _rl_reward,
        _of("samples"),
    ),
    "interval_score": _ratio(
        f"{_ANSWERED}, the interval score of log(1 + amount); proper",
        "lower",
        "interval_score",
        "feasible_found",
    ),
    "interval_skill": Definition(
        "1 - interval_score / that of the constant interval between the same samples' quantiles",
        "higher",
        lambda sums: 1 - _divided(sums["interval_score"], sums["baseline_score"]),
        _of("feasible_found"),
    ),
    "within_2x": _ratio(
        f"{_ANSWERED}, share whose midpoints are within a factor of 2 of R",
        "higher",
        "within_2x",
        "feasible_found",
    ),
    "exceed_rate": _ratio(
        f"{_ANSWERED}, mean share of resources with R > high",
        "lower",
        "exceed_share",
        "feasible_found",
    ),
    "exceed_by": _ratio(
        "mean of (R - high) / R where R > high", "lower", "exceed_by", "exceed_pairs"
    ),
}
"""Scores whose value for a task is the mean over its families, and overall over the tasks."""

PAPER_SCORES: dict[str, Definition] = {
    "paper_hit_rate": _ratio(
        "over samples of rollouts that succeeded, within the budget or not, share covered",
        "higher",
        "success_hits",
        "successes",
    ),
    "paper_reward": Definition(
        "over the same, the paper's reward, with 1 for `impossible` where the budget was overrun",
        "higher",
        lambda sums: _divided(sums["paper_reward"] + sums["success_stops"], sums["successes"]),
        _of("successes"),
    ),
}
"""Likewise; for comparison with the paper's tables only, and never ranked on."""

QUANTILE_SCORES: dict[str, QuantileDefinition] = {
    "mre_p50": QuantileDefinition(f"{_ANSWERED}, median of abs(midpoint - R) / R", "midpoint", 0.5),
    "mre_p90": QuantileDefinition(
        f"{_ANSWERED}, 90% quantile of abs(midpoint - R) / R", "midpoint", 0.9
    ),
    "extrapolation_mre_p50": QuantileDefinition(
        f"{_ANSWERED}, median relative error of linear extrapolation instead of the answer",
        "extrapolation",
        0.5,
    ),
}
"""Likewise, as quantiles over samples with R > 0."""

EARLY_STOP_SCORES: dict[str, Definition] = {
    "false_abort_rate": _ratio(
        "share of samples that are feasible and answered `impossible`",
        "lower",
        "false_aborts",
        "samples",
    ),
    "stopped_failed": _ratio(
        "share of infeasible rollouts with an `impossible`", "higher", "stopped_failed", "failed"
    ),
    "saved_rate": Definition(
        "usage of infeasible rollouts after their first `impossible` / their total usage",
        "higher",
        _saved_rate,
        _of("failed"),
    ),
    "success_drop": _ratio(
        "share of rollouts that are feasible and have an `impossible`",
        "lower",
        "stopped_feasible",
        "rollouts",
    ),
}
"""Scores of stopping at the first `impossible`; tasks and overall sum the counts."""

ALARM_SCORES: dict[str, Definition] = {
    "first_alarm": _ratio(
        "mean progress, k / T, at the first `impossible` of infeasible rollouts",
        "lower",
        "alarm_progress",
        "alarms",
    ),
}
"""When the first `impossible` comes; averaged as the scores of samples are."""

PROGRESS_SCORES: dict[str, Definition] = {
    "coverage": SAMPLE_SCORES["coverage"],
    "optimistic": SAMPLE_SCORES["optimistic"],
    "conservative": SAMPLE_SCORES["conservative"],
    "predicted_feasible_on_infeasible": _ratio(
        "share of infeasible samples answered with an interval",
        "lower",
        "infeasible_missed",
        "infeasible",
    ),
    "relative_width": _ratio(
        f"{_ANSWERED}, mean of (high - low) / R",
        "neither",
        "relative_width",
        "nonzero",
    ),
}
"""Scores by progress bin."""
PROGRESS_SUMS = (
    "covered",
    "optimistic",
    "conservative",
    "feasible_found",
    "infeasible_missed",
    "infeasible",
    "relative_width",
    "nonzero",
)
"""The sums they need."""

SHARED_SCORES: dict[str, Definition] = {
    "interval_score_shared": _ratio(
        "interval_score over the samples that both estimators answered with an interval",
        "lower",
        "interval_score_shared",
        "shared",
    ),
}
"""Scores of a comparison."""

SCORES: dict[str, Definition | QuantileDefinition] = {
    **SAMPLE_SCORES,
    **QUANTILE_SCORES,
    **EARLY_STOP_SCORES,
    **ALARM_SCORES,
    **PAPER_SCORES,
}
"""All of them by name, in the order of reports."""
