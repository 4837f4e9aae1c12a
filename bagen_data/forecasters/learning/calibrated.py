"""Cross-fitted forecasts, calibrated on instances that the models have not seen.

Models of all but one fold of the instances each say something of the fold they have not seen.
Probabilities are calibrated by a line through their log odds there (Platt, 1999), in which each
rollout weighs one. Each quantile is moved until its share of the amounts there is below it: exactly
its share, not the larger one that an interval is widened to, as a forecast is scored on being right
and not on being safe.

With few instances the line stays flat and the probabilities come near to the usual outcome. Without
a successful rollout the amounts are those of all rollouts; of a single rollout, what is not seen is
what was seen, and the quantiles are too narrow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.forecasters.learning.column_forecasters import (
    amounts_of,
    rounded,
    unknown_probabilities,
    with_doubt,
)
from bagen_data.forecasters.learning.cross_fitting import (
    FOLDS,
    asked_for,
    folds,
    instances,
    learned_spending,
    mean_of,
)
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.learners import Judge, Spending, check_columns, scikit_learn
from bagen_data.forecasters.learning.linear_model import LinearModel, logistic
from bagen_data.forecasters.learning.model_checks import (
    check_numbers,
    check_outcomes,
    check_parts,
)
from bagen_data.forecasters.learning.probe_amounts import Known
from bagen_data.schema import QUANTILE_LEVELS

_WITHIN = 0.5262
"""The 25 and 75% quantiles of a normal distribution lie this far from the median to the 10 and 90%
ones."""


@dataclass(frozen=True)
class OutcomeCalibration:
    """The probability of an outcome, from the log odds of models that had not seen it."""

    line: LinearModel | None
    """The line through the log odds; None where all known rollouts have one outcome."""
    outcomes: Mask
    """(m,) the outcome of each known rollout."""

    def __post_init__(self) -> None:
        check_outcomes(self.outcomes)
        if self.line is not None and len(self.line.weights) != 1:
            raise ValueError("has a line through more than one number")

    @classmethod
    def of(cls, odds: Floats, outcome: Mask, rollout: Ints) -> Self:
        """Learn from the log odds and the outcomes of n probes; n may be 0."""
        _, first, number, sizes = np.unique(
            rollout, return_index=True, return_inverse=True, return_counts=True
        )
        outcomes = outcome[first]
        if outcomes.all() or not outcomes.any():
            return cls(None, outcomes)
        line = scikit_learn("LogisticRegression", ".linear_model")()
        line.fit(odds[:, np.newaxis], outcome, 1 / sizes[number])
        return cls(LinearModel.of(line), outcomes)

    def probability(self, odds: Floats) -> Floats:
        """Return (n,) probabilities, never 0 or 1."""
        if self.line is None:
            return with_doubt(np.full(len(odds), float(self.outcomes.any())), self.outcomes)
        return with_doubt(logistic(self.line.sums(odds[:, np.newaxis])), self.outcomes)


@dataclass(frozen=True)
class CalibratedChance:
    """The probability of one outcome."""

    judges: tuple[Judge, ...]
    """The models of all folds but one each."""
    calibration: OutcomeCalibration

    def __post_init__(self) -> None:
        if not 0 < len(self.judges) <= FOLDS:
            raise ValueError(f"has {len(self.judges)} judges; expected 1 to {FOLDS}")

    @classmethod
    def of(cls, learning: "_Learning", outcome: Mask, among: Mask) -> Self:
        """Learn from the probes `among` all, where a fold's others have any, else from all."""
        values, rollout = learning.asked.values, learning.known.rollout
        odds = np.zeros(len(values))
        judges = []
        for here, others, seed in learning.folds():
            rows = others & among if (others & among).any() else others
            judge = Judge.of(values[rows], outcome[rows], seed)
            odds[here] = judge.log_odds(values[here])
            judges.append(judge)
        calibration = OutcomeCalibration.of(odds[among], outcome[among], rollout[among])
        return cls(tuple(judges), calibration)

    def probability(self, values: Floats) -> Floats:
        """Return (n,) probabilities of (n, f) features."""
        return self.calibration.probability(mean_of([one.log_odds(values) for one in self.judges]))


@dataclass(frozen=True)
class CalibratedChances:
    """The probabilities of both outcomes."""

    finish: CalibratedChance
    success: CalibratedChance


@dataclass(frozen=True)
class CalibratedModel:
    """The models of one task's rollouts, and their calibration."""

    names: tuple[str, ...]
    """(f,) the features."""
    resources: tuple[str, ...]
    """(r,)."""
    spending: tuple[tuple[Spending, ...], ...]
    """The models of all folds but one each, one per resource."""
    moves: Floats
    """(5, r, 1) by how much the quantile of each level is moved."""
    chances: CalibratedChances | None
    """The calibrated probabilities; None where outcomes are not known."""

    def __post_init__(self) -> None:
        if not 0 < len(self.spending) <= FOLDS:
            raise ValueError(f"has {len(self.spending)} folds; expected 1 to {FOLDS}")
        for each in self.spending:
            check_parts(each, self.resources)
        check_numbers(self.moves, (len(QUANTILE_LEVELS), len(self.resources), 1), "moves")
        parts: list[Judge | Spending] = [one for each in self.spending for one in each]
        if self.chances is not None:
            parts += [*self.chances.finish.judges, *self.chances.success.judges]
        for part in parts:
            check_columns(part.columns, self.names)

    @property
    def knows_success(self) -> bool:
        """Whether the model learned from outcomes."""
        return self.chances is not None

    def foretell(self, asked: AskedColumns) -> ForecastColumns:
        """Return forecasts of n probes; without outcomes their probabilities are NaN."""
        logs = mean_of([_quantiles(each, asked) for each in self.spending]) + self.moves
        quantiles = np.moveaxis(amounts_of(logs), 0, 1)
        if self.chances is None:
            finish = success = unknown_probabilities(len(asked.values))
        else:
            finish = self.chances.finish.probability(asked.values)
            success = self.chances.success.probability(asked.values)
        return rounded(ForecastColumns(finish, success, quantiles), asked.amounts)


def fit(examples: Sequence[Example], seed: int) -> CalibratedModel:
    """Learn models of each fold's others, and how far off they are on the fold."""
    learning = _Learning.of(examples, seed)
    known = learning.known
    everywhere = np.ones_like(known.success)
    finish = CalibratedChance.of(learning, known.feasible, known.amounts.is_open)
    success = CalibratedChance.of(learning, known.success, everywhere)
    return _model(learning, known.success, CalibratedChances(finish, success))


def fit_amounts(examples: Sequence[Example], seed: int) -> CalibratedModel:
    """Learn amounts from all rollouts, whose outcomes are not read."""
    learning = _Learning.of_amounts(examples, seed)
    return _model(learning, np.ones_like(learning.known.success), None)


@dataclass(frozen=True)
class _Learning:
    """The examples to learn from, in folds of whole instances."""

    known: Known
    asked: AskedColumns
    fold: Ints
    """(n,) 0 .. 4."""
    seed: int

    @classmethod
    def of(cls, examples: Sequence[Example], seed: int) -> Self:
        """Return folds with about the same share of feasible probes each."""
        examples = asked_for(examples)
        known = Known.of(examples)
        return cls._folded(examples, known, known.feasible, seed)

    @classmethod
    def of_amounts(cls, examples: Sequence[Example], seed: int) -> Self:
        """Return folds of examples whose outcomes are not read."""
        examples = asked_for(examples)
        known = Known.of(examples)
        return cls._folded(examples, known, np.ones_like(known.feasible), seed)

    @classmethod
    def _folded(cls, examples: Sequence[Example], known: Known, even: Mask, seed: int) -> Self:
        instance = instances(examples)
        group = instance if instance.max() else known.rollout  # the rollouts of a single instance
        asked = AskedColumns.of([example.probe for example in examples])
        return cls(known, asked, folds(group, even, seed), seed)

    def folds(self) -> Iterator[tuple[Mask, Mask, int]]:
        """Yield the probes of each fold, those of the others, and a seed."""
        for number in range(int(self.fold.max()) + 1):
            here = self.fold == number
            yield here, ~here | here.all(), self.seed + number


def _model(
    learning: _Learning, success: Mask, chances: CalibratedChances | None
) -> CalibratedModel:
    """Learn amounts from these rollouts, and from all where a fold's others have none."""
    asked, remaining = learning.asked, learning.known.remaining
    quantiles = np.zeros((len(QUANTILE_LEVELS), *remaining.shape))
    spending = []
    for here, others, seed in learning.folds():
        rows = others & success if (others & success).any() else others
        own = learned_spending(asked, remaining, rows, seed)
        quantiles[:, :, here] = _quantiles(own, asked)[:, :, here]
        spending.append(own)
    teachers = success if success.any() else np.ones_like(success)
    residuals = (np.log1p(remaining) - quantiles)[:, :, teachers]
    resources = asked.amounts.resources
    return CalibratedModel(asked.names, resources, tuple(spending), level_moves(residuals), chances)


def _quantiles(spending: Sequence[Spending], asked: AskedColumns) -> Floats:
    """Return (5, r, n) quantiles of log1p of what remains, ascending."""
    learned = [
        own.quantiles(asked.values, units) for own, units in zip(spending, asked.units, strict=True)
    ]
    low, middle, high = np.stack(learned, axis=1)
    return np.stack(
        [
            low,
            middle - _WITHIN * (middle - low),
            middle,
            middle + _WITHIN * (high - middle),
            high,
        ]
    )


def level_moves(residuals: Floats) -> Floats:
    """Return (5, r, 1) by how much the quantile of each level has to be moved to be one.

    Args:
        residuals: (5, r, n) amounts less the quantile of each of `QUANTILE_LEVELS`; n >= 1.
    """
    moves = [
        np.quantile(own, level, axis=-1)
        for own, level in zip(residuals, QUANTILE_LEVELS, strict=True)
    ]
    return np.array(moves)[:, :, np.newaxis]
