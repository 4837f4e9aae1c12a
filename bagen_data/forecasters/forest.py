"""Random forests: probabilities, and quantiles as quantile regression forests give them.

A quantile is that of known amounts, weighted by how often each lies in one leaf with the probe
(Meinshausen, 2006). scikit-learn's forests and its `OneHotEncoder` give these weights in a few
lines; the package `quantile-forest` would be a compiled dependency on scikit-learn's private trees.

With few rollouts the leaves hold all of them, and forecasts come near to the climatology of all
turns. Without a successful rollout the amounts are those of all rollouts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.forecasters.learning.cross_fitting import asked_for
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.forecasts import (
    Foretell,
    forecasting,
    rounded,
    with_doubt,
)
from bagen_data.forecasters.learning.learners import fitted, scikit_learn
from bagen_data.forecasters.learning.probe_amounts import Known
from bagen_data.schema import QUANTILE_LEVELS, Probe

_FOREST: dict[str, Any] = {"n_estimators": 100, "min_samples_leaf": 5, "max_features": "sqrt"}
_PROBES_AT_ONCE = 512
"""Probes whose weights are in memory together."""
_LEAST_WEIGHT = 1e-9
"""Sums of weights are this near to a level where they have reached it."""


def learn(examples: Sequence[Example], seed: int) -> Foretell:
    """Learn finish from open probes, success from all, and amounts from successful rollouts."""
    examples = asked_for(examples)
    known = Known.of(examples)
    asked = AskedColumns.of([example.probe for example in examples])
    teachers = known.success if known.success.any() else np.ones_like(known.success)
    is_open = known.amounts.is_open
    finish = _Chance.of(
        asked.values[is_open], known.feasible[is_open], known.rollout[is_open], seed
    )
    success = _Chance.of(asked.values, known.success, known.rollout, seed)
    spent = np.log1p(known.remaining)
    amounts = [
        _Amounts.of(asked.values[teachers], (own - units[:, unit])[teachers], unit, seed)
        for own, units, unit in zip(
            spent, asked.units, asked.best_units(spent, teachers).tolist(), strict=True
        )
    ]

    def foretell(probes: Sequence[Probe]) -> ForecastColumns:
        now = AskedColumns.of(probes)
        quantiles = [
            np.expm1(own.quantiles(now.values, units))
            for own, units in zip(amounts, now.units, strict=True)
        ]
        columns = ForecastColumns(
            finish.probability(now.values), success.probability(now.values), np.array(quantiles)
        )
        return rounded(columns, now.amounts)

    return foretell


@dataclass(frozen=True)
class _Chance:
    """The probability of an outcome of a rollout."""

    model: Any
    """A fitted classifier; None where all known rollouts have one outcome."""
    outcomes: Mask
    """(m,) the outcome of each known rollout."""

    @classmethod
    def of(cls, values: Floats, outcome: Mask, rollout: Ints, seed: int) -> Self:
        """Learn from (n, f) features and the outcomes of n probes; n may be 0."""
        outcomes = outcome[np.unique(rollout, return_index=True)[1]]
        if outcomes.all() or not outcomes.any():
            return cls(None, outcomes)
        model = scikit_learn("RandomForestClassifier", ".ensemble")(**_FOREST, random_state=seed)
        return cls(fitted([model], values, outcome)[0], outcomes)

    def probability(self, values: Floats) -> Floats:
        """(n,) never 0 or 1."""
        if self.model is None:
            return with_doubt(np.full(len(values), float(self.outcomes.any())), self.outcomes)
        return with_doubt(self.model.predict_proba(values)[:, 1], self.outcomes)


@dataclass(frozen=True)
class _Amounts:
    """The distribution of what remains of one resource."""

    forest: Any
    encoder: Any
    """Makes a column of each leaf of each tree."""
    leaves: Any
    """(n, l) the leaves of the n known probes, sparse; each leaf's column sums to one tree's
    weight."""
    ratios: Floats
    """(n,) ascending: log1p of what remained, in the unit."""
    unit: int
    """The column of units in which the amounts are learned."""

    @classmethod
    def of(cls, values: Floats, ratios: Floats, unit: int, seed: int) -> Self:
        """Learn from n probes, one or more.

        Args:
            values: (n, f) features.
            ratios: (n,) log1p of what remained, less that of the unit.
            unit: the column of units in which the amounts are learned.
            seed: of the trees.
        """
        order = np.argsort(ratios, kind="stable")
        make = scikit_learn("RandomForestRegressor", ".ensemble")
        (forest,) = fitted([make(**_FOREST, random_state=seed)], values[order], ratios[order])
        encoder = scikit_learn("OneHotEncoder", ".preprocessing")()
        leaves = encoder.fit_transform(forest.apply(values[order]))
        sizes = np.asarray(leaves.sum(axis=0)).ravel() * len(forest.estimators_)
        return cls(forest, encoder, leaves.multiply(1 / sizes).tocsr(), ratios[order], unit)

    def quantiles(self, values: Floats, units: Floats) -> Floats:
        """(5, n) log1p of the amounts at `QUANTILE_LEVELS`, ascending."""
        ratios = np.empty((len(QUANTILE_LEVELS), len(values)))
        for start in range(0, len(values), _PROBES_AT_ONCE):
            rows = slice(start, start + _PROBES_AT_ONCE)
            leaves = self.encoder.transform(self.forest.apply(values[rows]))
            reached = np.cumsum((leaves @ self.leaves.T).toarray(), axis=1)
            for number, level in enumerate(QUANTILE_LEVELS):
                place = (reached < level - _LEAST_WEIGHT).sum(axis=1)
                ratios[number, rows] = self.ratios[np.minimum(place, len(self.ratios) - 1)]
        quantiles: Floats = ratios + units[:, self.unit]
        return quantiles


FORECASTER = forecasting(learn, {"trees": _FOREST["n_estimators"]})
