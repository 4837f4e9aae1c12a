"""How scores are computed from sums.

A formula takes sums by name and gives values, NaN where there is nothing to divide by. All of them
are (..., 1 + b): over all rollouts first, then over each of b resamples.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from bagen_data.array_types import Floats
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


def divided(numerator: Floats, denominator: Floats) -> Floats:
    """The quotient; NaN where the denominator is not above 0."""
    found = np.full(np.shape(denominator), np.nan)
    with np.errstate(over="ignore"):
        np.divide(numerator, denominator, out=found, where=denominator > 0)
    return np.minimum(found, LARGEST)


def of(name: str) -> Callable[[Sums], Floats]:
    """A sum by its name."""
    return lambda sums: sums[name]


def ratio(
    meaning: str,
    better: Literal["higher", "lower", "neither"],
    numerator: str,
    denominator: str,
) -> Definition:
    """One sum over another, which is the score's n too."""
    return Definition(
        meaning,
        better,
        lambda sums: divided(sums[numerator], sums[denominator]),
        of(denominator),
    )


def _f1(sums: Sums, label: str, suffix: str) -> Floats:
    """`2 TP / (predicted + actual)`: 0 where the label is neither, as scikit-learn has it.

    A resample that happens to be without the label says nothing, and is left out.
    """
    both = sums[f"said_{label}{suffix}"] + sums[f"{label}{suffix}"]
    found = divided(2 * sums[f"{label}_found{suffix}"], both)
    without = np.where(both[..., :1] > 0, np.nan, 0.0)
    return np.where(sums[f"samples{suffix}"] > 0, np.where(both > 0, found, without), np.nan)


def fail_f1(meaning: str, suffix: str) -> Definition:
    """F1 of class infeasible, of the samples whose counts end in `suffix`."""
    return Definition(
        meaning,
        "higher",
        lambda sums: _f1(sums, "infeasible", suffix),
        of(f"samples{suffix}"),
    )


def macro_f1(meaning: str, suffix: str) -> Definition:
    """The mean of both classes' F1, likewise."""
    return Definition(
        meaning,
        "higher",
        lambda sums: (_f1(sums, "feasible", suffix) + _f1(sums, "infeasible", suffix)) / 2,
        of(f"samples{suffix}"),
    )


def accuracy(meaning: str, suffix: str) -> Definition:
    """The share of samples whose class was predicted, likewise."""
    return Definition(
        meaning,
        "higher",
        lambda sums: divided(
            sums[f"feasible_found{suffix}"] + sums[f"infeasible_found{suffix}"],
            sums[f"samples{suffix}"],
        ),
        of(f"samples{suffix}"),
    )


def rl_reward(sums: Sums) -> Floats:
    """The mean reward of reinforcement learning [E]."""
    earned = RL_INTERVAL * sums["reward"] + RL_IMPOSSIBLE * sums["infeasible_found"]
    return divided(earned, sums["samples"])


def saved_rate(sums: Sums) -> Floats:
    """The mean over resources of `saved / spent`, then over tasks that count different ones.

    Amounts of different units do not add up. A resource that was not spent at all is left out.
    """
    shares: dict[str, list[Floats]] = {}
    for name in sums:
        kind, _, rest = name.partition("/")
        if kind == SPENT:
            share = divided(sums[f"{SAVED}/{rest}"], sums[name])
            shares.setdefault(rest.partition("/")[0], []).append(share)
    return _mean_of_known([_mean_of_known(each) for each in shares.values()])


def _mean_of_known(values: Sequence[Floats]) -> Floats:
    """The mean over those with a value; a resample in which one of them has none has none."""
    found = np.array(values)
    is_known = ~np.isnan(found[..., :1])
    return divided(
        np.where(is_known, found, 0).sum(axis=0), is_known.sum(axis=0) * np.ones(found.shape[-1])
    )
