"""A log-normal accelerated failure time model, times a logistic probability of success.

What a successful run still uses is exp(a line of the features) times log-normal noise, so each
feature speeds its spending up or slows it down; the probability that a run succeeds is logistic in
the same features. The probability to finish within any budget follows: success times the
probability to need no more than what is left. `fit` returns the model, which names its weights.

Amounts of successful runs are known to the end and nothing is censored, so the line's likelihood is
that of least squares; scikit-learn has it, and lifelines or scikit-survival would add nothing.

The noise is as large as it is on instances that the line has not seen. Below two successful
instances there is none, and the noise is a factor e; without a successful rollout the amounts are
those of all rollouts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, Self

import numpy as np

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.forecasters.learning.cross_fitting import asked_for, folds, instances
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.forecasts import (
    Foretell,
    forecasting,
    rounded,
    with_doubt,
)
from bagen_data.forecasters.learning.learners import Columns, fitted, never_empty, scikit_learn
from bagen_data.forecasters.learning.probe_amounts import Known
from bagen_data.schema import QUANTILE_LEVELS, Probe, decimals

_LOGISTIC_PENALTY = 100.0
"""The penalty on the logistic weights, in standard deviations of the features."""
_PENALTIES = (1.0, 10.0, 100.0, 1_000.0, 10_000.0)
"""Penalties on the line's weights, of which the best on held-out instances is taken."""
_LEAST_NOISE = 1e-3
_UNKNOWN_NOISE = 1.0
_DRAWS = 2_000
"""Draws of noise where several resources have to last together."""
_NORMAL = NormalDist()


@dataclass(frozen=True)
class _Success:
    """The probability that a run succeeds, if no budget stops it."""

    columns: Columns
    model: Any
    """A fitted classifier; None where all known rollouts have one outcome."""
    outcomes: Mask
    """(m,) whether each known rollout succeeded."""

    @classmethod
    def of(cls, values: Floats, known: Known) -> Self:
        """Learn from (n, f) features of one probe or more."""
        outcomes = known.success[np.unique(known.rollout, return_index=True)[1]]
        columns = Columns.of(values)
        if outcomes.all() or not outcomes.any():
            return cls(columns, None, outcomes)
        make = scikit_learn("LogisticRegression", ".linear_model")
        model = make(C=1 / _LOGISTIC_PENALTY, max_iter=1000)
        own = never_empty(columns.scaled(values))
        return cls(columns, fitted([model], own, known.success)[0], outcomes)

    def probability(self, values: Floats) -> Floats:
        """(n,) never 0 or 1."""
        if self.model is None:
            return with_doubt(np.full(len(values), float(self.outcomes.any())), self.outcomes)
        own = never_empty(self.columns.scaled(values))
        return with_doubt(self.model.predict_proba(own)[:, 1], self.outcomes)


@dataclass(frozen=True)
class _Line:
    """The mean of log1p of what remains of one resource, and the noise around it."""

    columns: Columns
    model: Any
    noise: float
    """The standard deviation on held-out instances."""
    residuals: Floats
    """(n,) on held-out instances, in `noise`; 0 where no instance could be held out."""

    @classmethod
    def of(cls, values: Floats, spent: Floats, instance: Ints, fold: Ints) -> Self:
        """Learn from n probes, one or more.

        Args:
            values: (n, f) features.
            spent: (n,) log1p of what remained.
            instance: (n,) the instances.
            fold: (n,) 0 .. 4, whole instances each.
        """
        make = scikit_learn("Ridge", ".linear_model")
        known = Columns.of(values)
        if len(np.unique(instance)) < 2:
            (model,) = fitted([make(_PENALTIES[-1])], never_empty(known.scaled(values)), spent)
            return cls(known, model, _UNKNOWN_NOISE, np.zeros(len(spent)))
        held_out = np.empty((len(_PENALTIES), len(spent)))
        for number in np.unique(fold):
            here = fold == number
            columns = Columns.of(values[~here])
            own, other = (never_empty(columns.scaled(values[rows])) for rows in (~here, here))
            for place, penalty in enumerate(_PENALTIES):
                (model,) = fitted([make(penalty)], own, spent[~here])
                held_out[place, here] = spent[here] - model.predict(other)
        errors = np.sqrt((held_out**2).mean(axis=1))
        best = int(np.argmin(errors))
        noise = max(float(errors[best]), _LEAST_NOISE)
        (model,) = fitted([make(_PENALTIES[best])], never_empty(known.scaled(values)), spent)
        return cls(known, model, noise, held_out[best] / noise)

    def mean(self, values: Floats) -> Floats:
        """(n,) of log1p of what remains."""
        mean: Floats = self.model.predict(never_empty(self.columns.scaled(values)))
        return mean


@dataclass(frozen=True)
class FailureTimeModel:
    """The model of one task's rollouts."""

    names: tuple[str, ...]
    """(f,) the features."""
    resources: tuple[str, ...]
    """(r,)."""
    finished: Mask
    """(m,) whether each known rollout was feasible."""
    success: _Success
    lines: tuple[_Line, ...]
    """One per resource."""
    noise: Floats
    """(draws, r) standard normal noise, correlated as that of the known runs is."""

    def weights(self) -> dict[str, dict[str, float]]:
        """Return the weight of each feature: of `success`, and of each resource by its name.

        A weight is what one standard deviation of the feature adds: to the log odds of success, or
        to the log of what remains. Features that never varied have none.
        """
        parts = {"success": (self.success.columns, self.success.model)} | {
            name: (line.columns, line.model)
            for name, line in zip(self.resources, self.lines, strict=True)
        }
        return {
            part: dict(
                zip(np.array(self.names)[columns.kept].tolist(), _weights(model), strict=False)
            )
            for part, (columns, model) in parts.items()
        }

    def within(self, values: Floats, left: Floats) -> Floats:
        """Return (n,) the probability that a successful run needs no more than this.

        Args:
            values: (n, f) features.
            left: (r, n) amounts, in each resource.
        """
        least = np.array([[10.0 ** -decimals(name)] for name in self.resources])
        means = np.array([line.mean(values) for line in self.lines])
        noises = np.array([[line.noise] for line in self.lines])
        # amounts are whole multiples of the least one: half of it more is surely not spent
        margins = (np.log1p(np.maximum(left, 0) + least / 2) - means) / noises
        if len(self.lines) == 1:
            return np.array([_NORMAL.cdf(margin) for margin in margins[0].tolist()])
        shares = [(self.noise <= margin).all(axis=1).mean() for margin in margins.T]
        return np.array(shares)


def fit(examples: Sequence[Example], seed: int) -> FailureTimeModel:
    """Learn success from all rollouts, and amounts from successful ones."""
    examples = asked_for(examples)
    known = Known.of(examples)
    asked = AskedColumns.of([example.probe for example in examples])
    teachers = known.success if known.success.any() else np.ones_like(known.success)
    instance = np.unique(instances(examples)[teachers], return_inverse=True)[1]
    fold = folds(instance, known.feasible[teachers], seed)
    lines = tuple(
        _Line.of(asked.values[teachers], np.log1p(own[teachers]), instance, fold)
        for own in known.remaining
    )
    return FailureTimeModel(
        names=asked.names,
        resources=asked.amounts.resources,
        finished=known.feasible[np.unique(known.rollout, return_index=True)[1]],
        success=_Success.of(asked.values, known),
        lines=lines,
        noise=_correlated(np.array([line.residuals for line in lines]), seed),
    )


def learn(examples: Sequence[Example], seed: int) -> Foretell:
    """Learn the model, and foretell what it says."""
    model = fit(examples, seed)
    deviations = np.array([_NORMAL.inv_cdf(level) for level in QUANTILE_LEVELS])

    def foretell(probes: Sequence[Probe]) -> ForecastColumns:
        asked = AskedColumns.of(probes)
        success = model.success.probability(asked.values)
        quantiles = [
            np.expm1(line.mean(asked.values) + line.noise * deviations[:, np.newaxis])
            for line in model.lines
        ]
        finish = success * model.within(asked.values, asked.amounts.left)
        finish = np.minimum(with_doubt(finish, model.finished), success)
        columns = ForecastColumns(finish, success, np.array(quantiles))
        return rounded(columns, asked.amounts)

    return foretell


def _weights(model: Any) -> list[float]:
    return [] if model is None else np.ravel(model.coef_).tolist()


def _correlated(residuals: Floats, seed: int) -> Floats:
    """(draws, r) standard normal noise with the correlations of (r, n) residuals."""
    lengths = np.sqrt((residuals**2).sum(axis=1, keepdims=True))
    directions = np.divide(residuals, lengths, out=np.zeros_like(residuals), where=lengths > 0)
    correlation = directions @ directions.T
    np.fill_diagonal(correlation, 1.0)
    draws = np.random.default_rng(seed)
    noise: Floats = draws.multivariate_normal(
        np.zeros(len(residuals)), correlation, _DRAWS, method="eigh"
    )
    return noise


FORECASTER = forecasting(learn)
