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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.forecasters.learning.cross_fitting import (
    asked_for,
    folds,
    instances,
    learned_spending,
)
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.forecasts import Foretell, rounded, with_doubt
from bagen_data.forecasters.learning.learners import Judge, Spending, scikit_learn
from bagen_data.forecasters.learning.probe_amounts import Known
from bagen_data.schema import QUANTILE_LEVELS, Probe

_WITHIN = 0.5262
"""The 25 and 75% quantiles of a normal distribution lie this far from the median to the 10 and 90%
ones."""


@dataclass(frozen=True)
class _Member:
    """The models of all folds but one."""

    finish: Judge
    success: Judge
    spending: tuple[Spending, ...]
    """One per resource."""

    @classmethod
    def of(cls, asked: AskedColumns, known: Known, rows: Mask, seed: int) -> Self:
        """Learn from these rows, one or more: finish from the open ones among them, if any."""
        is_open = rows & known.amounts.is_open
        open_rows = is_open if is_open.any() else rows
        successes = rows & known.success
        return cls(
            Judge.of(asked.values[open_rows], known.feasible[open_rows], seed),
            Judge.of(asked.values[rows], known.success[rows], seed),
            learned_spending(asked, known.remaining, successes if successes.any() else rows, seed),
        )

    def quantiles(self, asked: AskedColumns) -> Floats:
        """(5, r, n) of log1p of what remains, ascending."""
        learned = [
            own.quantiles(asked.values, units)
            for own, units in zip(self.spending, asked.units, strict=True)
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


@dataclass(frozen=True)
class _Calibration:
    """The probability of an outcome, from the log odds of models that had not seen it."""

    line: Any
    """A fitted logistic regression; None where all known rollouts have one outcome."""
    outcomes: Mask
    """(m,) the outcome of each known rollout."""

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
        return cls(line.fit(odds[:, np.newaxis], outcome, 1 / sizes[number]), outcomes)

    def probability(self, odds: Floats) -> Floats:
        """(n,) never 0 or 1."""
        if self.line is None:
            return with_doubt(np.full(len(odds), float(self.outcomes.any())), self.outcomes)
        return with_doubt(self.line.predict_proba(odds[:, np.newaxis])[:, 1], self.outcomes)


def learn_calibrated(examples: Sequence[Example], seed: int) -> Foretell:
    """Learn models of each fold's others, and how far off they are on the fold."""
    examples = asked_for(examples)
    known = Known.of(examples)
    asked = AskedColumns.of([example.probe for example in examples])
    instance = instances(examples)
    group = instance if instance.max() else known.rollout  # of one instance, its rollouts
    fold = folds(group, known.feasible, seed)
    finish_odds, success_odds = np.zeros((2, len(fold)))
    quantiles = np.zeros((len(QUANTILE_LEVELS), *known.remaining.shape))
    members = []
    for number in range(int(fold.max()) + 1):
        here = fold == number
        member = _Member.of(asked, known, ~here | here.all(), seed + number)
        finish_odds[here] = member.finish.log_odds(asked.values[here])
        success_odds[here] = member.success.log_odds(asked.values[here])
        quantiles[:, :, here] = member.quantiles(asked)[:, :, here]
        members.append(member)
    is_open = known.amounts.is_open
    finish = _Calibration.of(finish_odds[is_open], known.feasible[is_open], known.rollout[is_open])
    success = _Calibration.of(success_odds, known.success, known.rollout)
    teachers = known.success if known.success.any() else np.ones_like(known.success)
    residuals = (np.log1p(known.remaining) - quantiles)[:, :, teachers]
    moves = level_moves(residuals)

    def foretell(probes: Sequence[Probe]) -> ForecastColumns:
        now = AskedColumns.of(probes)
        log_quantiles = np.mean([one.quantiles(now) for one in members], axis=0) + moves
        columns = ForecastColumns(
            finish.probability(
                np.mean([one.finish.log_odds(now.values) for one in members], axis=0)
            ),
            success.probability(
                np.mean([one.success.log_odds(now.values) for one in members], axis=0)
            ),
            np.moveaxis(np.expm1(log_quantiles), 0, 1),
        )
        return rounded(columns, now.amounts)

    return foretell


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
