"""Scores before the start: does what is said go along with what is then used?"""

from collections.abc import Mapping, Sequence

import numpy as np

from bagen_data.array_types import Floats, Ints
from bagen_data.schema import QUANTILE_LEVELS
from bagen_data.scoring.definitions import (
    AnsweredFamily,
    Definition,
    ResourceSum,
    RolloutSum,
    mean_of_known,
)
from bagen_data.scoring.interval_formulas import midpoint

_MEDIAN = QUANTILE_LEVELS.index(0.5)
_LEAST_POINTS = 3
"""Fewest rollouts with a correlation: that of two is always 1 or -1."""
_ALIKE = 1e-12
"""Variance over mean square, of centred values, that is nothing but rounding errors."""


def _said(family: AnsweredFamily) -> Floats:
    """(r, n) the median or midpoint that was said; NaN where no number was."""
    answers = family.answers
    if answers.forecasts is None:
        return midpoint(answers.low, answers.high)
    return answers.forecasts.quantiles[:, _MEDIAN]


def _start_rows(family: AnsweredFamily) -> Ints:
    """(s,) the samples before the first turn that were answered with a number."""
    rows = np.flatnonzero(family.samples.completed_turns == 0)
    return rows[~np.isnan(family.once(_said)[0, rows])]


def _numbers(family: AnsweredFamily) -> Floats:
    """(m,) 1 for each rollout of which a number was said before its start, else 0."""
    return np.bincount(
        family.samples.rollout[family.once(_start_rows)], minlength=len(family.samples.first)
    ).astype(np.float64)


def _centred(amounts: Floats) -> Floats:
    """(r, s) log(1 + amount) less its mean, exactly 0 where all are the same."""
    logs = np.log1p(amounts)
    if not logs.shape[1]:
        return logs
    is_varied = logs.min(axis=1, keepdims=True) < logs.max(axis=1, keepdims=True)
    centred: Floats = (logs - logs.mean(axis=1, keepdims=True)) * is_varied
    return centred


def _logs_said(family: AnsweredFamily) -> Floats:
    return _centred(family.once(_said)[:, family.once(_start_rows)])


def _logs_used(family: AnsweredFamily) -> Floats:
    return _centred(family.samples.remaining[:, family.once(_start_rows)])


def _placed(family: AnsweredFamily, values: Floats) -> Floats:
    """(r, s) values of start samples to (r, m)."""
    placed = np.zeros((len(values), len(family.samples.first)))
    placed[:, family.samples.rollout[family.once(_start_rows)]] = values
    return placed


def _correlation(*sums: Mapping[tuple[str, ...], Floats]) -> Floats:
    """Return Pearson's r, the mean over resources, from the sums of `SAID` to `PRODUCTS`."""
    rs = [_pearson([each[resources] for each in sums]) for resources in sums[0]]
    return mean_of_known([mean_of_known(each) for each in rs])


def _pearson(sums: Sequence[Floats]) -> Floats:
    """(r, ..., 1 + b) from the sums of one list of resources.

    NaN of fewer than three points, and where nothing varies.
    """
    n, x, y, xx, yy, xy = sums
    variances = (n * xx - x * x, n * yy - y * y)
    is_known = (
        (n >= _LEAST_POINTS) & (variances[0] > _ALIKE * n * xx) & (variances[1] > _ALIKE * n * yy)
    )
    r = np.full(np.shape(n), np.nan)
    product = np.sqrt(np.where(is_known, variances[0], 1.0)) * np.sqrt(
        np.where(is_known, variances[1], 1.0)
    )
    np.divide(n * xy - x * y, product, out=r, where=is_known)
    return np.clip(r, -1.0, 1.0)


NUMBERS = RolloutSum(_numbers)
COUNTS = ResourceSum(
    lambda family: np.tile(family.once(_numbers), (len(family.samples.resources), 1))
)
SAID = ResourceSum(lambda family: _placed(family, family.once(_logs_said)))
USED = ResourceSum(lambda family: _placed(family, family.once(_logs_used)))
SAID_SQUARES = ResourceSum(lambda family: _placed(family, family.once(_logs_said) ** 2))
USED_SQUARES = ResourceSum(lambda family: _placed(family, family.once(_logs_used) ** 2))
PRODUCTS = ResourceSum(
    lambda family: _placed(family, family.once(_logs_said) * family.once(_logs_used))
)

SCORES = {
    "start_correlation": Definition(
        "correlation over rollouts of log(1 + amount) said before the start, as median or "
        "midpoint, with that then used; the mean over resources; none of fewer than three rollouts",
        _correlation,
        (COUNTS, SAID, USED, SAID_SQUARES, USED_SQUARES, PRODUCTS),
        NUMBERS,
    ),
}
