"""Models of feasibility, and of what a feasible rollout still spends, from some training rollouts.

Few rollouts are known and their probes are alike, so everything here is held back: trees of depth
2 on random thirds of the columns and random halves of the rows, and a ridge-penalised line.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Self

import numpy as np

from bagen_data.array_types import Floats, Mask
from bagen_data.errors import MissingExtraError
from bagen_data.forecasters import ALPHA
from bagen_data.forecasters.learning.linear_model import LinearModel
from bagen_data.forecasters.learning.model_checks import check_numbers, check_unit
from bagen_data.forecasters.learning.tree_arrays import SummedTrees, Trees

QUANTILES = (ALPHA / 2, 0.5, 1 - ALPHA / 2)
_MOST_DEVIATIONS = 3.0
_RIDGE = 0.01
"""The inverse of the penalty, in scikit-learn's units."""
_LEAST_SHARE = float(np.finfo(np.float32).eps)
"""The least share of an outcome that scikit-learn's boosted trees start from."""
_FEW = 4
"""Rows below which each tree sees all rows."""
_TREES: dict[str, Any] = {
    "n_estimators": 80,
    "learning_rate": 0.06,
    "max_depth": 2,
    "max_features": 1 / 3,
    "min_samples_leaf": 10,
}


@dataclass(frozen=True)
class Columns:
    """Features as training has them: on one scale, and within the range it saw."""

    kept: Mask
    """(f,) marks of the features that are not constant in training."""
    low: Floats
    """(kept,) the least values that training has seen; the greatest are `high`."""
    high: Floats
    mean: Floats
    deviation: Floats

    def __post_init__(self) -> None:
        if self.kept.ndim != 1:
            raise ValueError("has features that are not one row")
        shape = (int(self.kept.sum()),)
        for name in ("low", "high", "mean", "deviation"):
            check_numbers(getattr(self, name), shape, name)
        if not ((self.deviation > 0).all() and (self.low <= self.high).all()):
            raise ValueError("has features without a range")

    @classmethod
    def of(cls, values: Floats) -> Self:
        """Return the columns of (n, f) training features, one row or more."""
        kept: Mask = values.min(axis=0) < values.max(axis=0)
        own = values[:, kept]
        deviation = np.maximum(own.std(axis=0), np.finfo(np.float64).tiny)
        return cls(kept, own.min(axis=0), own.max(axis=0), own.mean(axis=0), deviation)

    def scaled(self, values: Floats) -> Floats:
        """Scale (n, f) features to (n, kept) standard deviations from the mean, at most 3.

        A column that hardly varies in training can say no more elsewhere than it did there.
        """
        clipped = np.clip(values[:, self.kept], self.low, self.high)
        with np.errstate(over="ignore"):  # a column may hardly vary
            deviations = (clipped - self.mean) / self.deviation
        return np.clip(deviations, -_MOST_DEVIATIONS, _MOST_DEVIATIONS)


@dataclass(frozen=True)
class Judge:
    """Model of how likely a rollout is feasible: the mean log odds of boosted trees and a line."""

    columns: Columns
    trees: SummedTrees | None
    """Boosted trees; None where there was nothing to tell apart."""
    line: LinearModel | None
    """A line; None where there was nothing to tell apart."""
    share: float
    """Share of the training probes that are feasible, smoothed to be above 0 and below 1."""

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"has a share of {self.share}; expected one between 0 and 1")
        if (self.trees is None) != (self.line is None):
            raise ValueError("has only one of trees and line")
        if self.trees is not None and self.line is not None:
            check_scaled(self.columns, [self.trees], [self.line])

    @classmethod
    def of(cls, values: Floats, feasible: Mask, seed: int) -> Self:
        """Learn from (n, f) features; n may be 0, and all may be of one class."""
        share = float((feasible.sum() + 1) / (len(feasible) + 2))
        columns = Columns.of(values)
        if feasible.all() or not feasible.any() or not columns.kept.any():
            return cls(columns, None, None, share)
        models = (
            scikit_learn("GradientBoostingClassifier", ".ensemble")(
                **_TREES, subsample=_share_of(values), random_state=seed
            ),
            scikit_learn("LogisticRegression", ".linear_model")(C=_RIDGE, max_iter=1000),
        )
        trees, line = fitted(models, columns.scaled(values), feasible)
        usual = trees.init_.predict_proba(values[:1])[0, 1]
        logit = import_module("scipy.special").logit  # scikit-learn's own, to the bit
        start = float(logit(np.clip(usual, _LEAST_SHARE, 1 - _LEAST_SHARE)))
        return cls(columns, _boosted(trees, start), LinearModel.of(line), share)

    def log_odds(self, values: Floats) -> Floats:
        """Return (n,) log odds that a rollout is feasible."""
        if self.trees is None or self.line is None:
            return np.full(len(values), np.log(self.share / (1 - self.share)))
        own = self.columns.scaled(values)
        odds: Floats = (self.trees.sums(own) + self.line.sums(own)) / 2
        return odds


@dataclass(frozen=True)
class Spending:
    """Quantiles of log1p of what a feasible rollout still spends of one resource."""

    columns: Columns
    models: tuple[SummedTrees, ...]
    """Models of the quantiles, one for each of `QUANTILES`."""
    unit: int
    """The column of units in which it is learned."""

    def __post_init__(self) -> None:
        check_unit(self.unit)
        check_scaled(self.columns, self.models, ())
        if len(self.models) != len(QUANTILES):
            raise ValueError(f"has {len(self.models)} quantiles; expected {len(QUANTILES)}")

    @classmethod
    def of(cls, values: Floats, ratios: Floats, unit: int, seed: int) -> Self:
        """Learn from n probes, one or more.

        Args:
            values: (n, f) features.
            ratios: (n,) log1p of what remained, less that of the unit.
            unit: the column of units in which it is learned.
            seed: seed of the trees.
        """
        columns = Columns.of(values)
        own = never_empty(columns.scaled(values))
        make = scikit_learn("GradientBoostingRegressor", ".ensemble")
        models = [
            make(
                loss="quantile",
                alpha=share,
                **_TREES,
                subsample=_share_of(values),
                random_state=seed,
            )
            for share in QUANTILES
        ]
        boosted = tuple(
            _boosted(each, float(each.init_.predict(own[:1])[0]))
            for each in fitted(models, own, ratios)
        )
        return cls(columns, boosted, unit)

    def quantiles(self, values: Floats, units: Floats) -> Floats:
        """Return (3, n) quantiles, ascending."""
        own = never_empty(self.columns.scaled(values))
        ratios = np.sort([model.sums(own) for model in self.models], axis=0)
        quantiles: Floats = ratios + units[:, self.unit]
        return quantiles


def check_columns(columns: Columns, names: Sequence[str]) -> None:
    """Refuse columns that are not those of the named features.

    Raises:
        ValueError: they are more or fewer.
    """
    if len(columns.kept) != len(names):
        raise ValueError(f"reads {len(columns.kept)} features; expected {len(names)}")


def check_scaled(
    columns: Columns, trees: Sequence[SummedTrees], lines: Sequence[LinearModel]
) -> None:
    """Refuse trees and lines that read other features than columns keep.

    Raises:
        ValueError: they do.
    """
    features = max(len(columns.low), 1)  # without features, one that is always 0: `never_empty`
    if any(each.trees.most_features > features for each in trees):
        raise ValueError(f"compares a feature that is not one of {features}")
    if any(len(each.weights) != features for each in lines):
        raise ValueError(f"has weights that are not of {features} features")


def _boosted(model: Any, start: float) -> SummedTrees:
    """Return the trees of scikit-learn's fitted gradient boosting model, and where they start."""
    fitted_trees = [each.tree_ for each in np.ravel(model.estimators_)]
    values = np.concatenate([tree.value.ravel() for tree in fitted_trees])
    return SummedTrees(Trees.of(fitted_trees), model.learning_rate * values, start, 1.0)


def _share_of(values: Floats) -> float:
    """Return the share of the rows that a tree sees; half of one row would be none."""
    return 0.5 if len(values) >= _FEW else 1.0


def fitted(models: Sequence[Any], values: Floats, outcomes: Any) -> tuple[Any, ...]:
    """Fit models to finite values; the checks of every tree's arguments would take a sixth."""
    config = scikit_learn("config_context")
    with config(assume_finite=True, skip_parameter_validation=True):
        return tuple(model.fit(values, outcomes) for model in models)


def scikit_learn(name: str, module: str = "") -> Any:
    """Return what scikit-learn calls by this name.

    Raises:
        MissingExtraError: scikit-learn is not installed.
    """
    try:
        return getattr(import_module(f"sklearn{module}"), name)
    except ModuleNotFoundError as error:
        raise MissingExtraError("scikit-learn", "baselines") from error


def never_empty(values: Floats) -> Floats:
    """Return (n, f) features; one that is always 0 where f is 0, as models need one."""
    return values if values.shape[1] else np.zeros((len(values), 1))
