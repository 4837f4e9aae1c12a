"""A log-normal accelerated failure time model, times a logistic probability of success.

The amount that a successful run still uses is exp(a line of the features) times log-normal noise,
so each feature speeds its spending up or slows it down; the probability that a run succeeds is
logistic in the same features. The probability to finish within any budget follows: success times
the probability to need no more than what is left. `fit` returns the model, which names its weights.

Amounts of successful runs are known to the end and nothing is censored, so the line's likelihood is
that of least squares; scikit-learn has it, and lifelines or scikit-survival would add nothing.

The noise is as large as it is on instances that the line has not seen. Below two successful
instances the noise is unknown, and taken to be a factor e; without a successful rollout the amounts
are those of all rollouts.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Self

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
from bagen_data.forecasters.learning.cross_fitting import asked_for, folds, instances
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.learners import (
    Columns,
    check_columns,
    check_scaled,
    fitted,
    never_empty,
    scikit_learn,
)
from bagen_data.forecasters.learning.linear_model import LinearModel, logistic
from bagen_data.forecasters.learning.model_checks import (
    check_numbers,
    check_outcomes,
    check_parts,
)
from bagen_data.forecasters.learning.probe_amounts import Known
from bagen_data.schema import QUANTILE_LEVELS, decimals

_LOGISTIC_PENALTY = 100.0
"""The penalty on the logistic weights, in standard deviations of the features."""
_PENALTIES = (1.0, 10.0, 100.0, 1_000.0, 10_000.0)
"""Penalties on the line's weights, of which the best on held-out instances is taken."""
_LEAST_NOISE = 1e-3
_UNKNOWN_NOISE = 1.0
_DRAWS = 2_000
"""Draws of noise where several resources have to last together."""
_NORMAL = NormalDist()
_DEVIATIONS = np.array([[_NORMAL.inv_cdf(level)] for level in QUANTILE_LEVELS])


@dataclass(frozen=True)
class Success:
    """The probabilities that a run succeeds, if no budget stops it, and what is known of runs."""

    columns: Columns
    line: LinearModel | None
    """The log odds of success; None where all known rollouts have one outcome."""
    outcomes: Mask
    """(m,) whether each known rollout succeeded."""
    finished: Mask
    """(m,) whether each known rollout was feasible."""

    def __post_init__(self) -> None:
        check_outcomes(self.outcomes)
        check_outcomes(self.finished)
        check_scaled(self.columns, (), () if self.line is None else (self.line,))

    @classmethod
    def of(cls, values: Floats, known: Known) -> Self:
        """Learn from (n, f) features of one probe or more."""
        first = np.unique(known.rollout, return_index=True)[1]
        outcomes, finished = known.success[first], known.feasible[first]
        columns = Columns.of(values)
        if outcomes.all() or not outcomes.any():
            return cls(columns, None, outcomes, finished)
        make = scikit_learn("LogisticRegression", ".linear_model")
        model = make(C=1 / _LOGISTIC_PENALTY, max_iter=1000)
        own = never_empty(columns.scaled(values))
        return cls(
            columns, LinearModel.of(fitted([model], own, known.success)[0]), outcomes, finished
        )

    def probability(self, values: Floats) -> Floats:
        """Return (n,) probabilities, never 0 or 1."""
        if self.line is None:
            return with_doubt(np.full(len(values), float(self.outcomes.any())), self.outcomes)
        own = never_empty(self.columns.scaled(values))
        return with_doubt(logistic(self.line.sums(own)), self.outcomes)


@dataclass(frozen=True)
class SpentLine:
    """The mean of log1p of what remains of one resource, and the noise around it."""

    columns: Columns
    line: LinearModel
    noise: float
    """The standard deviation on held-out instances."""

    def __post_init__(self) -> None:
        check_scaled(self.columns, (), (self.line,))
        check_numbers(self.noise, (), "a noise")
        if self.noise < _LEAST_NOISE:
            raise ValueError(f"has a noise of {self.noise}; expected {_LEAST_NOISE} or more")

    @classmethod
    def of(cls, values: Floats, spent: Floats, instance: Ints, fold: Ints) -> tuple[Self, Floats]:
        """Learn from n probes, one or more; also return (n,) residuals.

        The residuals are those on held-out instances, in `noise`; 0 where none could be held out.

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
            return cls(known, LinearModel.of(model), _UNKNOWN_NOISE), np.zeros(len(spent))
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
        return cls(known, LinearModel.of(model), noise), held_out[best] / noise

    def mean(self, values: Floats) -> Floats:
        """Return (n,) means of log1p of what remains."""
        return self.line.sums(never_empty(self.columns.scaled(values)))


@dataclass(frozen=True)
class FailureTimeModel:
    """The model of one task's rollouts."""

    names: tuple[str, ...]
    """(f,) the features."""
    resources: tuple[str, ...]
    """(r,), their names."""
    lines: tuple[SpentLine, ...]
    """(r,), one for each resource."""
    noise: Floats
    """(draws, r) standard normal noise, correlated as that of the known runs is."""
    success: Success | None
    """The probabilities of success; None where outcomes are not known."""

    def __post_init__(self) -> None:
        check_parts(self.lines, self.resources)
        check_numbers(self.noise, (_DRAWS, len(self.resources)), "draws of noise")
        for own in self.lines:
            check_columns(own.columns, self.names)
        if self.success is not None:
            check_columns(self.success.columns, self.names)

    @property
    def knows_success(self) -> bool:
        """Whether the model learned from outcomes."""
        return self.success is not None

    def weights(self) -> dict[str, dict[str, float]]:
        """Return the weight of each feature: of `success`, if known, and of each resource by name.

        A weight is what one standard deviation of the feature adds: to the log odds of success, or
        to the log of what remains. Features that never varied have none.
        """
        parts: dict[str, tuple[Columns, LinearModel | None]] = {
            name: (own.columns, own.line)
            for name, own in zip(self.resources, self.lines, strict=True)
        }
        if self.success is not None:
            parts = {"success": (self.success.columns, self.success.line)} | parts
        names = np.array(self.names)
        return {
            part: dict(zip(names[columns.kept].tolist(), _weights(line), strict=False))
            for part, (columns, line) in parts.items()
        }

    def foretell(self, asked: AskedColumns) -> ForecastColumns:
        """Return forecasts of n probes; without outcomes their probabilities are NaN."""
        quantiles = [
            amounts_of(own.mean(asked.values) + own.noise * _DEVIATIONS) for own in self.lines
        ]
        if self.success is None:
            finish = success = unknown_probabilities(len(asked.values))
        else:
            success = self.success.probability(asked.values)
            within = self.within(asked.values, asked.amounts.left)
            finish = np.minimum(with_doubt(success * within, self.success.finished), success)
        return rounded(ForecastColumns(finish, success, np.array(quantiles)), asked.amounts)

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
    remaining = known.remaining[:, teachers]
    lines, noise = _lines(asked.values[teachers], remaining, instance, fold, seed)
    success = Success.of(asked.values, known)
    return FailureTimeModel(asked.names, asked.amounts.resources, lines, noise, success)


def fit_amounts(examples: Sequence[Example], seed: int) -> FailureTimeModel:
    """Learn amounts from all rollouts, whose outcomes are not read."""
    examples = asked_for(examples)
    known = Known.of(examples)
    asked = AskedColumns.of([example.probe for example in examples])
    instance = instances(examples)
    fold = folds(instance, np.ones_like(known.feasible), seed)
    lines, noise = _lines(asked.values, known.remaining, instance, fold, seed)
    return FailureTimeModel(asked.names, asked.amounts.resources, lines, noise, None)


def _lines(
    values: Floats, remaining: Floats, instance: Ints, fold: Ints, seed: int
) -> tuple[tuple[SpentLine, ...], Floats]:
    """Learn the line of each resource, and draw (draws, r) noise that is correlated as theirs."""
    learned = [SpentLine.of(values, np.log1p(own), instance, fold) for own in remaining]
    noise = _correlated(np.array([residuals for _, residuals in learned]), seed)
    return tuple(line for line, _ in learned), noise


def _weights(line: LinearModel | None) -> list[float]:
    weights: list[float] = [] if line is None else line.weights.tolist()
    return weights


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


FORECASTER = replace(
    forecasting(fit, fit_amounts=fit_amounts, model=FailureTimeModel), needs_scikit_learn=True
)
