"""Forecasts by the known distribution of continuations, scored on the continuations.

The distribution is known from n continuations only. A forecast made of all n has seen the outcome
that it is scored on, and its score is too good (*in sample*); one made of the n - 1 others knows
less than the perfect one, and its score is too bad (*leave one out*). In expectation the truth lies
between the two. A Brier score has an exact formula in between; elsewhere the mean of the two is
taken, whose biases cancel but for terms of 1 / n^2.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from bagen_data.array_types import Floats, Mask
from bagen_data.schema import FINISH_THRESHOLD, QUANTILE_LEVELS
from bagen_data.scoring.forecast_formulas import weighted_interval_score
from bagen_data.scoring.interval_formulas import mean_over_resources

_INTERPOLATION: Final = "hazen"
"""NumPy's way to interpolate quantiles whose errors in and out of sample cancel best (tried on
normal values: within 1% from six of them on)."""


@dataclass(frozen=True)
class Estimated:
    """A perfect forecaster's expected score at one probe, estimated in three ways."""

    in_sample: float
    """Score of forecasts made of all continuations: too good."""
    value: float
    """Corrected for the number of continuations."""
    leave_one_out: float
    """Score of forecasts made of the other continuations: too bad."""


@dataclass(frozen=True)
class Judgements:
    """Shares of n continuations, by what happened and what a perfect forecaster says of it."""

    true_feasible: float
    false_feasible: float
    true_infeasible: float
    false_infeasible: float


def perfect_brier(happened: Mask) -> Estimated:
    """Return the expected Brier score of the true probability p of an outcome, p (1 - p).

    With q the share of n outcomes, q (1 - q) n / (n - 1) has exactly that expectation; in sample
    it is q (1 - q), and forecasts of the other outcomes' share have q (1 - q) (n / (n - 1))^2.

    Args:
        happened: (n,) outcomes of two continuations or more.

    >>> perfect_brier(np.array([True, False, False, False])).value
    0.25
    """
    number = len(happened)
    share = float(happened.mean())
    excess = number / (number - 1)
    in_sample = share * (1 - share)
    return Estimated(in_sample, in_sample * excess, in_sample * excess**2)


def perfect_wis(remaining: Floats) -> Estimated:
    """Return the expected weighted interval score of the true distribution of R.

    Args:
        remaining: (r, n) what n >= 2 continuations that succeeded went on to spend.

    >>> perfect_wis(np.array([[100.0, 100.0, 100.0]])).value
    0.0
    """
    logs = np.log1p(remaining)
    number = logs.shape[1]
    others = logs[:, np.nonzero(~np.eye(number, dtype=bool))[1].reshape(number, number - 1)]
    own = np.broadcast_to(_quantiles(logs)[:, :, np.newaxis], (5, len(logs), number))
    in_sample = _mean_wis(own, logs)
    leave_one_out = _mean_wis(_quantiles(others), logs)
    return Estimated(in_sample, (in_sample + leave_one_out) / 2, leave_one_out)


def expected_wis(quantiles: Floats, remaining: Floats) -> float:
    """Return the mean weighted interval score of one forecast over continuations.

    Args:
        quantiles: (r, 5) of R.
        remaining: (r, n) what continuations that succeeded went on to spend.
    """
    logs = np.log1p(remaining)
    same = np.broadcast_to(np.log1p(quantiles).T[:, :, np.newaxis], (5, *logs.shape))
    return _mean_wis(same, logs)


def _quantiles(logs: Floats) -> Floats:
    """(5, ...) over the last axis."""
    quantiles: Floats = np.quantile(logs, QUANTILE_LEVELS, axis=-1, method=_INTERPOLATION)
    return quantiles


def _mean_wis(quantiles: Floats, logs: Floats) -> float:
    """Return the mean score, of quantiles (5, r, n) of (r, n) values."""
    scores = [
        weighted_interval_score(quantiles[:, place], values) for place, values in enumerate(logs)
    ]
    return float(mean_over_resources(np.array(scores)).mean())


def perfect_judgements(finish: Mask) -> tuple[Judgements, Judgements]:
    """Return what a perfect forecaster says of continuations: in sample, and leave one out.

    It calls a probe feasible where the probability to finish is at least one half.

    >>> in_sample, leave_one_out = perfect_judgements(np.array([True, True, False]))
    >>> round(in_sample.true_feasible, 3), round(leave_one_out.true_feasible, 3)
    (0.667, 0.667)
    """
    number, hits = len(finish), int(finish.sum())
    in_sample = np.full(number, hits / number)
    leave_one_out = (hits - finish) / (number - 1)
    return _judged(in_sample, finish), _judged(leave_one_out, finish)


def _judged(chance: Floats, finish: Mask) -> Judgements:
    says = chance >= FINISH_THRESHOLD
    return Judgements(
        *(float(each.mean()) for each in (says & finish, says & ~finish)),
        *(float(each.mean()) for each in (~says & ~finish, ~says & finish)),
    )
