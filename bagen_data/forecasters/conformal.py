"""Intervals that cover every resource of 80% of the feasible probes they are given for.

Feasibility and quantiles are learned by boosted trees, cross-fitted over instances
(`cross_fitting`). The quantiles are made honest by conformalised quantile regression (Romano,
Patterson and Candes, 2019): a known remainder's score is how far outside its interval it is, and
all intervals are widened by a quantile of the scores. Probes of a rollout are not exchangeable,
instances are: so the quantile is taken of the scores of all of them and of one instance more, of
mean length, that is infinitely far off (pooled, as in Dunn, Wasserman and Ramdas, 2023).

MAPIE's cross-fitted form knows no groups in its correction, no resources that are covered
together, and no probes that are answered otherwise than by an interval; with one probe an instance
and one resource the widening is MAPIE's, which a test holds it against.

Asked for a forecast, it answers with probabilities and quantiles of the same learners, calibrated
on instances not seen (`calibrated`). Its intervals are not those of its forecasts: they are of
feasible runs, and cover all resources together.
"""

from collections.abc import Sequence

import numpy as np

from bagen_data.array_types import Floats, Ints
from bagen_data.forecasters import ALPHA, Answer, Forecaster
from bagen_data.forecasters.always_infeasible import always_infeasible
from bagen_data.forecasters.learning.calibrated import CalibratedModel, fit, fit_amounts
from bagen_data.forecasters.learning.column_forecasters import forecasts_of
from bagen_data.forecasters.learning.cross_fitting import CrossFitted, teaching
from bagen_data.forecasters.learning.examples import Example

_LEAST_SCALE = 1e-9


def learn(examples: Sequence[Example], seed: int) -> Answer:
    """Learn quantiles, and how far they have to be widened.

    From 0 to what is left where too few instances are known to say that of less.
    """
    examples = teaching(examples)
    if not examples:
        return always_infeasible
    learned = CrossFitted.of(examples, seed)
    widening = widenings(learned.unseen, learned.spent, learned.instance, ALPHA)

    def interval(said: Floats) -> tuple[Floats, Floats]:
        low, middle, high = said
        return np.minimum(low - widening, middle), np.maximum(high + widening, middle)

    return learned.answer(interval)


def widenings(said: Floats, spent: Floats, cluster: Ints, alpha: float) -> Floats:
    """(r, 1) by how much intervals are widened at each end to cover 1 - alpha; may be below 0.

    Each resource counts in its own usual error, so that one that is easy is not widened for
    another's sake.

    Args:
        said: (3, r, n) quantiles.
        spent: (r, n) amounts to cover; a probe is covered if all its r are.
        cluster: (n,) the instance of each probe.
        alpha: 0 .. 1.
    """
    low, middle, high = said
    if not spent.size:
        return np.full((len(spent), 1), np.inf)
    scale = np.abs(spent - middle).mean(axis=1, keepdims=True) + _LEAST_SCALE
    outside = (np.maximum(low - spent, spent - high) / scale).max(axis=0)
    widening: Floats = scale * pooled_quantile(outside, cluster, 1 - alpha)
    return widening


def pooled_quantile(scores: Floats, cluster: Ints, share: float) -> float:
    """Return the least number that bounds this share of the scores and of one cluster more.

    That cluster is of mean length and above all; infinity where it decides. With one score a
    cluster this is the ceil((n + 1) share)-th of n.

    Args:
        scores: (n,), one or more.
        cluster: (n,) the cluster of each score.
        share: 0 .. 1.

    >>> scores = np.arange(9.0)
    >>> pooled_quantile(scores, np.arange(9), 0.8), pooled_quantile(scores, scores > 4, 0.8)
    (7.0, inf)
    """
    clusters = len(np.unique(cluster))
    exact = share * len(scores) * (clusters + 1) / clusters
    rank = max(int(np.ceil(exact - 1e-9)), 1)
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else np.inf


FORECASTER = Forecaster(
    learn,
    settings={"nominal_coverage": 1 - ALPHA},
    learn_forecasts=forecasts_of(fit),
    fit=fit,
    fit_amounts=fit_amounts,
    model=CalibratedModel,
    needs_scikit_learn=True,
)
