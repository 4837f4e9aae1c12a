"""Intervals of the greatest expected coverage x tightness, the paper's reward."""

from collections.abc import Sequence

import numpy as np

from bagen_data.array_types import Floats
from bagen_data.forecasters import Answer, Forecaster
from bagen_data.forecasters.always_infeasible import always_infeasible
from bagen_data.forecasters.learning.cross_fitting import CrossFitted, teaching
from bagen_data.forecasters.learning.examples import Example

_ENDS = 41
"""Quantiles of the residuals between which the best interval is looked for."""


def learn(examples: Sequence[Example], seed: int) -> Answer:
    """Learn the judgment and the medians of `conformal`, and factors of these.

    The factors are those that would have paid best on instances that the models had not seen.
    """
    examples = teaching(examples)
    if not examples:
        return always_infeasible
    learned = CrossFitted.of(examples, seed)
    residuals = learned.spent - learned.unseen[1]
    below, above = np.log([best_factors(own) for own in residuals]).T[:, :, np.newaxis]
    return learned.answer(lambda said: (said[1] + below, said[1] + above))


def best_factors(residuals: Floats) -> tuple[float, float]:
    """The interval, in medians, that earns most where R is the median times exp(residual).

    Its ends are among the quantiles of the residuals; of none it is [1, 1].

    >>> low, high = best_factors(np.random.default_rng(0).normal(0, 0.5, 2_000))
    >>> 1.3 < high / low < 1.9
    True
    """
    if not len(residuals):
        return 1.0, 1.0
    ends = np.unique(np.quantile(residuals, np.linspace(0, 1, _ENDS)))
    first, last = np.triu_indices(len(ends))
    low, high = ends[first, np.newaxis], ends[last, np.newaxis]
    tightness = np.maximum(1 - (np.exp(high) - np.exp(low)) / np.exp(residuals), 0)
    earned = np.where((low <= residuals) & (residuals <= high), tightness, 0).mean(axis=1)
    best = int(np.argmax(earned))
    return float(np.exp(ends[first[best]])), float(np.exp(ends[last[best]]))


FORECASTER = Forecaster(learn, settings={"tuned_to": "reward"}, needs_scikit_learn=True)
