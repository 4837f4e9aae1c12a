"""The worth of one answer in training, as columns: scores of `scoring`, each scaled to 0 .. 1.

Arrays of amounts are (r, n), a row a resource, a column a sample; quantiles are (r, 5, n). Each
part is a score of the answer divided by the greatest that the prompt allows, and taken from 1. What
divides is read off the prompt alone, never off the truth, so a proper score stays proper.
"""

import numpy as np

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, Mask
from bagen_data.scoring.forecast_formulas import brier, weighted_interval_score
from bagen_data.scoring.interval_formulas import interval_score, mean_over_resources
from bagen_data.scoring.score import ALPHA

MOST_BUDGETS = 10.0
"""Budgets up to which amounts of a forecast differ: two amounts beyond it count as equal."""


def closeness(low: Floats, high: Floats, remaining: Floats, left: Floats) -> Floats:
    """Return 1 - the interval score of log(1 + amount) / the greatest of a feasible sample, (n,).

    A feasible run spends no more than what is left of the budget. So both the truth and a sensible
    interval lie in 0 .. left, and the score of such an interval is at most 2 / alpha * log(1 +
    left): that of [0, 0] where all is spent. The part falls in proportion to the score, so that it
    is best for the central 80% of what is believed of feasible runs, and is 0 only for an interval
    farther away than any within the budget. Mean over resources.

    >>> amount = lambda x: np.array([[float(x)]])
    >>> for low, high in ((400, 400), (300, 500), (1, 2), (0, 0)):
    ...     print(closeness(amount(low), amount(high), amount(400), amount(400)).round(2))
    [1.]
    [0.99]
    [0.18]
    [0.]
    """
    score = interval_score(np.log1p(low), np.log1p(high), np.log1p(remaining), ALPHA)
    greatest = 2.0 / ALPHA * np.log1p(np.maximum(left, 0.0))
    return mean_over_resources(_share_of(score, greatest))


def chance_part(chance: Floats, happened: Mask) -> Floats:
    """Return 1 - the Brier score of a probability, (n,).

    >>> chance_part(np.array([0.5, 1.0]), np.array([True, False])).tolist()
    [0.75, 0.0]
    """
    return 1.0 - brier(chance, happened)


def quantiles_part(forecasts: ForecastColumns, remaining: Floats, budget: Floats) -> Floats:
    """Return 1 - the weighted interval score of log(1 + amount) / its greatest, (n,).

    Amounts above `MOST_BUDGETS` budgets, said or spent, count as that many. Thereby they lie in
    0 .. c, and the score is at most log(1 + c): that of five quantiles at one end where the truth
    is at the other. Counting so keeps the score proper, as a quantile of a capped amount is the
    capped quantile (Gneiting, 2011: any nondecreasing function of the amount may stand for it); it
    only does not tell amounts beyond c apart. Mean over resources.

    >>> quantiles = np.array([[[100.0], [200.0], [400.0], [800.0], [1600.0]]])
    >>> said = ForecastColumns(np.array([0.5]), np.array([0.5]), quantiles)
    >>> [float(quantiles_part(said, np.array([[r]]), np.array([[900.0]])).round(3)[0])
    ...  for r in (400.0, 1600.0, 90_000.0)]
    [0.973, 0.912, 0.722]
    """
    most = MOST_BUDGETS * budget
    quantiles = np.log1p(np.minimum(forecasts.quantiles, most[:, np.newaxis]))
    spent = np.log1p(np.minimum(remaining, most))
    scores = [weighted_interval_score(*each) for each in zip(quantiles, spent, strict=True)]
    return mean_over_resources(_share_of(np.array(scores), np.log1p(most)))


def _share_of(score: Floats, greatest: Floats) -> Floats:
    """Return `1 - score / greatest`, at least 0; where the greatest is 0, 1 if the score is too."""
    with np.errstate(all="ignore"):
        part = np.maximum(0.0, 1.0 - score / greatest)
    return np.where(greatest > 0, part, (score == 0).astype(float))
