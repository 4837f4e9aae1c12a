"""Fitted lines as weights, added up feature by feature: a sum is the same alone or among others."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bagen_data.array_types import Floats
from bagen_data.forecasters.learning.model_checks import check_numbers

_MOST_LOG_ODDS = 700.0
"""Log odds beyond which a probability is 0 or 1, before its exponential overflows."""


@dataclass(frozen=True)
class LinearModel:
    """A start, and a weight for each feature.

    Raises:
        ValueError: it has no weight, or one that is not a number.
    """

    start: float
    weights: Floats
    """(f,)."""

    def __post_init__(self) -> None:
        check_numbers(self.start, (), "a start")
        check_numbers(self.weights, (max(self.weights.size, 1),), "weights")

    @classmethod
    def of(cls, model: Any) -> Self:
        """Return the line of a fitted linear model of scikit-learn."""
        return cls(float(np.ravel(model.intercept_)[0]), np.ravel(model.coef_))

    def sums(self, values: Floats) -> Floats:
        """Return (n,) the start and the weighted features, added up.

        Args:
            values: (n, f) features.
        """
        terms = values * self.weights
        terms[:, 0] += self.start
        sums: Floats = np.add.accumulate(terms, axis=1)[:, -1]
        return sums


def logistic(log_odds: Floats) -> Floats:
    """Return (n,) probabilities.

    >>> logistic(np.array([0.0, 1e9])).tolist()
    [0.5, 1.0]
    """
    odds = np.exp(-np.clip(np.ascontiguousarray(log_odds), -_MOST_LOG_ODDS, _MOST_LOG_ODDS))
    probability: Floats = 1 / (1 + odds)
    return probability
