"""Random forests: probabilities, and quantiles as quantile regression forests give them.

A quantile is that of known amounts, weighted by how often each lies in one leaf with the probe
(Meinshausen, 2006). scikit-learn fits the trees, and `learning.tree_arrays` walks them.

With few rollouts the leaves hold all of them, and forecasts come near to the climatology of all
turns. Without a successful rollout the amounts are those of all rollouts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.forecasters.learning.column_forecasters import (
    amounts_of,
    forecasting,
    rounded,
    unknown_probabilities,
    with_doubt,
)
from bagen_data.forecasters.learning.cross_fitting import asked_for
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.learners import fitted, scikit_learn
from bagen_data.forecasters.learning.model_checks import (
    check_outcomes,
    check_parts,
    check_trees,
    check_unit,
)
from bagen_data.forecasters.learning.probe_amounts import Known
from bagen_data.forecasters.learning.tree_arrays import MOST_LEVELS, LeafMembers, SummedTrees, Trees
from bagen_data.schema import QUANTILE_LEVELS

_FOREST: dict[str, Any] = {
    "n_estimators": 100,
    "min_samples_leaf": 5,
    "max_features": "sqrt",
    "max_depth": MOST_LEVELS,
}


@dataclass(frozen=True)
class Chance:
    """The probability of an outcome of a rollout."""

    forest: SummedTrees | None
    """The share of the outcome in a probe's leaves; None where all known rollouts have one
    outcome."""
    outcomes: Mask
    """(m,) the outcome of each known rollout."""

    def __post_init__(self) -> None:
        check_outcomes(self.outcomes)

    @classmethod
    def of(cls, values: Floats, outcome: Mask, rollout: Ints, seed: int) -> Self:
        """Learn from (n, f) features and the outcomes of n probes; n may be 0."""
        outcomes = outcome[np.unique(rollout, return_index=True)[1]]
        if outcomes.all() or not outcomes.any():
            return cls(None, outcomes)
        make = scikit_learn("RandomForestClassifier", ".ensemble")
        (forest,) = fitted([make(**_FOREST, random_state=seed)], values, outcome)
        fitted_trees = [each.tree_ for each in forest.estimators_]
        shares = np.concatenate([tree.value[:, 0, 1] for tree in fitted_trees])
        trees = Trees.of(fitted_trees)
        return cls(SummedTrees(trees, shares, 0.0, float(len(fitted_trees))), outcomes)

    def probability(self, values: Floats) -> Floats:
        """Return (n,) probabilities, never 0 or 1."""
        if self.forest is None:
            return with_doubt(np.full(len(values), float(self.outcomes.any())), self.outcomes)
        share = np.clip(self.forest.sums(values), 0.0, 1.0)
        return with_doubt(share, self.outcomes)


@dataclass(frozen=True)
class Chances:
    """The probabilities of both outcomes."""

    finish: Chance
    success: Chance


@dataclass(frozen=True)
class SpentAmounts:
    """The distribution of what remains of one resource."""

    leaves: LeafMembers
    """The known amounts: log1p of what remained, less that of the unit."""
    unit: int
    """The column of units in which the amounts are learned."""

    def __post_init__(self) -> None:
        check_unit(self.unit)

    @classmethod
    def of(cls, values: Floats, ratios: Floats, unit: int, seed: int) -> Self:
        """Learn from n probes, one or more.

        Args:
            values: (n, f) features.
            ratios: (n,) log1p of what remained, less that of the unit.
            unit: the column of units in which the amounts are learned.
            seed: seed of the trees.
        """
        order = np.argsort(ratios, kind="stable")
        make = scikit_learn("RandomForestRegressor", ".ensemble")
        (forest,) = fitted([make(**_FOREST, random_state=seed)], values[order], ratios[order])
        trees = Trees.of([each.tree_ for each in forest.estimators_])
        return cls(LeafMembers.of(trees, values[order], ratios[order]), unit)

    def quantiles(self, values: Floats, units: Floats) -> Floats:
        """Return (5, n) log1p of the amounts at `QUANTILE_LEVELS`, ascending."""
        return self.leaves.quantiles(values, QUANTILE_LEVELS) + units[:, self.unit]


@dataclass(frozen=True)
class Forest:
    """The forests of one task's rollouts."""

    names: tuple[str, ...]
    """(f,) the features."""
    resources: tuple[str, ...]
    """(r,), their names."""
    amounts: tuple[SpentAmounts, ...]
    """(r,), one for each resource."""
    chances: Chances | None
    """The probabilities of outcomes; None where these are not known."""

    def __post_init__(self) -> None:
        check_parts(self.amounts, self.resources)
        trees = [each.leaves.trees for each in self.amounts]
        if self.chances is not None:
            forests = (self.chances.finish.forest, self.chances.success.forest)
            trees += [each.trees for each in forests if each is not None]
        check_trees(trees, self.names)

    @property
    def knows_success(self) -> bool:
        """Whether the model learned from outcomes."""
        return self.chances is not None

    def foretell(self, asked: AskedColumns) -> ForecastColumns:
        """Return forecasts of n probes; without outcomes their probabilities are NaN."""
        quantiles = [
            amounts_of(own.quantiles(asked.values, units))
            for own, units in zip(self.amounts, asked.units, strict=True)
        ]
        if self.chances is None:
            finish = success = unknown_probabilities(len(asked.values))
        else:
            finish = self.chances.finish.probability(asked.values)
            success = self.chances.success.probability(asked.values)
        return rounded(ForecastColumns(finish, success, np.array(quantiles)), asked.amounts)


def fit(examples: Sequence[Example], seed: int) -> Forest:
    """Learn finish from open probes, success from all, and amounts from successful rollouts."""
    examples = asked_for(examples)
    known = Known.of(examples)
    asked = AskedColumns.of([example.probe for example in examples])
    is_open = known.amounts.is_open
    chances = Chances(
        Chance.of(asked.values[is_open], known.feasible[is_open], known.rollout[is_open], seed),
        Chance.of(asked.values, known.success, known.rollout, seed),
    )
    amounts = _amounts(asked, known, known.success, seed)
    return Forest(asked.names, known.amounts.resources, amounts, chances)


def fit_amounts(examples: Sequence[Example], seed: int) -> Forest:
    """Learn amounts from all rollouts, whose outcomes are not read."""
    examples = asked_for(examples)
    known = Known.of(examples)
    asked = AskedColumns.of([example.probe for example in examples])
    amounts = _amounts(asked, known, np.ones_like(known.success), seed)
    return Forest(asked.names, known.amounts.resources, amounts, None)


def _amounts(
    asked: AskedColumns, known: Known, teachers: Mask, seed: int
) -> tuple[SpentAmounts, ...]:
    """Learn the amounts of each resource from the teachers, or from all probes without any."""
    teachers = teachers if teachers.any() else np.ones_like(teachers)
    spent = np.log1p(known.remaining)
    return tuple(
        SpentAmounts.of(asked.values[teachers], (own - units[:, unit])[teachers], unit, seed)
        for own, units, unit in zip(
            spent, asked.units, asked.best_units(spent, teachers).tolist(), strict=True
        )
    )


FORECASTER = replace(
    forecasting(fit, {"trees": _FOREST["n_estimators"]}, fit_amounts=fit_amounts, model=Forest),
    needs_scikit_learn=True,
)
