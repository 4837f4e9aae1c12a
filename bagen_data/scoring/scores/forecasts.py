"""Proper scores of forecasts, and skills against the reference: honesty is the best answer.

An invalid answer to the question for a forecast scores the worst there is. An estimator of
intervals or points says yes or no, so it has a Brier score, and none of the others.
"""

import numpy as np

from bagen_data.answer_columns import FEASIBLE as SAYS_FEASIBLE
from bagen_data.answer_columns import INVALID, ForecastColumns
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.scoring.definitions import (
    AnsweredFamily,
    Definition,
    divided,
    over_samples,
    ratio,
    samples_where,
)
from bagen_data.scoring.forecast_formulas import (
    CURVE_BUDGETS,
    WORST_LOG_SCORE,
    brier,
    chance_within,
    log_score,
    weighted_interval_score,
)
from bagen_data.scoring.interval_formulas import covered, mean_over_resources
from bagen_data.scoring.sample_table import FamilyColumns
from bagen_data.scoring.scores.feasibility import OPEN, SUCCESS, WITH_OUTCOME, is_success

WORST_WIS = 2.0
"""The weighted interval score of an invalid answer, in scores of the reference on that probe."""


def _filled(family: AnsweredFamily, fact: bool) -> Mask:
    """(n,) the same for all samples of the family."""
    return np.full(len(family.answers), fact)


def _is_forecast(family: AnsweredFamily) -> Mask:
    return _filled(family, family.answers.forecasts is not None)


def _has_reference(family: AnsweredFamily) -> Mask:
    return _filled(family, family.samples.reference is not None)


def _is_curve(family: AnsweredFamily) -> Mask:
    """(n,) forecasts of a single resource, with a known outcome."""
    is_known = family.samples.rollout_success is not None and len(family.samples.resources) == 1
    return family.once(_is_forecast) & is_known


def _is_invalid(family: AnsweredFamily) -> Mask:
    return family.answers.verdict == INVALID


def _successful(samples: FamilyColumns) -> Ints:
    """(s,) the samples of rollouts that succeeded."""
    return np.flatnonzero(is_success(samples))


def _successful_rows(family: AnsweredFamily) -> Ints:
    return _successful(family.samples)


def _has_wis(family: AnsweredFamily) -> Mask:
    """(n,) forecasts, all valid where the rollout succeeded, or beside a reference."""
    is_known = (
        family.samples.reference is not None
        or not family.once(_is_invalid).take(family.once(_successful_rows)).any()
    )
    return family.once(_is_forecast) & is_known


def _nothing(family: AnsweredFamily) -> Floats:
    return np.zeros(len(family.answers))


# --- how it ends ------------------------------------------------------------------------------


def _brier(family: AnsweredFamily) -> Floats:
    """(n,) of finishing within the budget, 0 at probes beyond it already."""
    answers, feasible = family.answers, family.samples.feasible
    if answers.forecasts is None:
        scores = ((answers.verdict == SAYS_FEASIBLE) != feasible).astype(np.float64)
    else:
        scores = brier(answers.forecasts.finish, feasible)
    scores[family.once(_is_invalid)] = 1.0
    return scores * family.samples.is_open


def _brier_of_reference(samples: FamilyColumns) -> Floats:
    """(n,) the reference's, 0 at probes beyond the budget already, and without a reference."""
    if samples.reference is None:
        return np.zeros(len(samples.rollout))
    return brier(samples.reference.finish, samples.feasible) * samples.is_open


def _reference_brier(family: AnsweredFamily) -> Floats:
    return _brier_of_reference(family.samples)


def has_brier_skill(samples: FamilyColumns) -> Mask:
    """(n,) the samples that `brier_skill` is taken over.

    A family without a reference, or whose reference is perfect, has no skill, and no such samples.
    """
    return samples.is_open & bool(_brier_of_reference(samples).any())


def _log_score(family: AnsweredFamily) -> Floats:
    """(n,) of finishing within the budget, 0 at probes beyond it already."""
    if family.answers.forecasts is None:
        return family.once(_nothing)
    scores = log_score(family.answers.forecasts.finish, family.samples.feasible)
    scores[family.once(_is_invalid)] = WORST_LOG_SCORE
    return scores * family.samples.is_open


def _success_brier(family: AnsweredFamily) -> Floats:
    """(n,) of success whatever it costs."""
    success = family.samples.rollout_success
    if family.answers.forecasts is None or success is None:
        return family.once(_nothing)
    scores = brier(family.answers.forecasts.success, success)
    scores[family.once(_is_invalid)] = 1.0
    return scores


# --- what it takes ----------------------------------------------------------------------------


def _log_remaining(family: AnsweredFamily) -> Floats:
    """(r, s) log(1 + R) of the samples of rollouts that succeeded."""
    return np.log1p(family.samples.remaining.take(family.once(_successful_rows), axis=1))


def _mean_wis(forecasts: ForecastColumns, rows: Ints, log_remaining: Floats) -> Floats:
    """(s,) the weighted interval score of the samples at `rows`, the mean over resources."""
    own = np.log1p(forecasts.quantiles.take(rows, axis=2))
    return mean_over_resources(
        np.array(
            [
                weighted_interval_score(quantiles, remaining)
                for quantiles, remaining in zip(own, log_remaining, strict=True)
            ]
        )
    )


def _scores_of_quantiles(family: AnsweredFamily, forecasts: ForecastColumns) -> Floats:
    """(s,) the weighted interval score at samples that succeeded."""
    return _mean_wis(forecasts, family.once(_successful_rows), family.once(_log_remaining))


def has_wis_skill(samples: FamilyColumns) -> Mask:
    """(n,) the samples that `wis_skill` is taken over.

    A family without a reference, or whose reference is perfect, has no skill, and no such samples.
    """
    if samples.reference is None:
        return np.zeros(len(samples.rollout), bool)
    rows = _successful(samples)
    scores = _mean_wis(samples.reference, rows, np.log1p(samples.remaining.take(rows, axis=1)))
    return is_success(samples) & bool(scores.any())


def _placed(family: AnsweredFamily, values: Floats | Mask) -> Floats:
    """(s,) values at samples that succeeded to (n,), 0 at the others."""
    placed = np.zeros(len(family.answers))
    placed[family.once(_successful_rows)] = values
    return placed


def _reference_wis(family: AnsweredFamily) -> Floats:
    """(n,) the reference's weighted interval score, 0 where the rollout did not succeed."""
    if family.answers.forecasts is None or family.samples.reference is None:
        return family.once(_nothing)
    return _placed(family, _scores_of_quantiles(family, family.samples.reference))


def _wis(family: AnsweredFamily) -> Floats:
    """(n,) the weighted interval score, 0 where the rollout did not succeed."""
    if family.answers.forecasts is None:
        return family.once(_nothing)
    scores = _placed(family, _scores_of_quantiles(family, family.answers.forecasts))
    is_invalid = family.once(_is_invalid)
    return np.where(is_invalid, WORST_WIS * family.once(_reference_wis), scores)


def _covered_share(family: AnsweredFamily, lowest: int, highest: int) -> Floats:
    """(n,) the share of resources with R between two quantiles, where the rollout succeeded."""
    forecasts = family.answers.forecasts
    if forecasts is None:
        return family.once(_nothing)
    rows = family.once(_successful_rows)
    low, high = (forecasts.quantiles[:, place].take(rows, axis=1) for place in (lowest, highest))
    is_covered = covered(low, high, family.samples.remaining.take(rows, axis=1))
    return _placed(family, is_covered.mean(axis=0))


# --- the budget curve -------------------------------------------------------------------------


def _curve_pairs(family: AnsweredFamily) -> Floats:
    """(n,) how many of the curve's budgets a probe is not yet over."""
    if not family.once(_is_curve).any():
        return family.once(_nothing)
    used, budget = family.samples.used[0], family.samples.budget[0]
    within = [used <= curve_budget(budget, times) for times in CURVE_BUDGETS]
    return np.sum(within, axis=0, dtype=np.float64)


def curve_budget(budget: Floats, times: float) -> Floats:
    """Return that many times a budget, also without end of a budget of 0."""
    return np.full_like(budget, np.inf) if np.isinf(times) else times * budget


def _curve_scores(family: AnsweredFamily, forecasts: ForecastColumns) -> Floats:
    """(n,) the sum of the Brier scores at the curve's budgets."""
    samples = family.samples
    used, budget = samples.used[0], samples.budget[0]
    total = used + samples.remaining[0]
    success = is_success(samples)
    scores = np.zeros(len(used))
    for times in CURVE_BUDGETS:
        limit = curve_budget(budget, times)
        is_within = used <= limit
        left = np.maximum(limit - used, 0.0)
        chance = forecasts.success * chance_within(forecasts.quantiles[0], left)
        scores += brier(chance, success & (total <= limit)) * is_within
    return scores


def _curve(family: AnsweredFamily) -> Floats:
    forecasts = family.answers.forecasts
    if forecasts is None or not family.once(_is_curve).any():
        return family.once(_nothing)
    scores = _curve_scores(family, forecasts)
    return np.where(family.once(_is_invalid), family.once(_curve_pairs), scores)


def _reference_curve(family: AnsweredFamily) -> Floats:
    reference = family.samples.reference
    if reference is None or not family.once(_is_curve).any():
        return family.once(_nothing)
    return _curve_scores(family, reference)


# --- definitions ------------------------------------------------------------------------------


def _skill(own: Floats, reference: Floats) -> Floats:
    return 1 - divided(own, reference)


FORECAST = samples_where(_is_forecast)
"""Samples that were asked for forecasts, of all estimators that answered that question."""
REFERENCE = samples_where(_has_reference)
"""Samples of which the reference has a forecast."""
WITH_WIS = SUCCESS & samples_where(_has_wis)
CURVE = samples_where(_is_curve)
BRIER = over_samples(_brier)
WIS = over_samples(_wis)
CURVE_SUM = over_samples(_curve)
CURVE_PAIRS = over_samples(_curve_pairs)

SCORES = {
    "brier_skill": Definition(
        "1 - brier / the reference's, over samples within every budget so far; 0 is the reference",
        _skill,
        (BRIER, over_samples(_reference_brier)),
        OPEN & REFERENCE,
    ),
    "wis_skill": Definition(
        "1 - wis / the reference's, over samples of rollouts that succeeded; 0 is the reference",
        _skill,
        (WIS, over_samples(_reference_wis)),
        SUCCESS & FORECAST & REFERENCE,
    ),
    "curve_skill": Definition(
        "1 - curve_brier / the reference's on the same samples; 0 is the reference",
        _skill,
        (CURVE_SUM, over_samples(_reference_curve)),
        CURVE & REFERENCE,
    ),
    "brier": ratio(
        "mean of (probability to finish - feasible)^2 of samples within every budget so far; an "
        "interval says 1, `impossible` 0",
        BRIER,
        OPEN,
        "lower",
    ),
    "log_score": ratio(
        "mean of -ln of the probability, 0.001 to 0.999, that a forecast gave to what happened, of "
        "samples within every budget so far",
        over_samples(_log_score),
        OPEN & FORECAST,
        "lower",
    ),
    "success_brier": ratio(
        "mean of (probability of success at any cost - success)^2",
        over_samples(_success_brier),
        FORECAST & WITH_OUTCOME,
        "lower",
    ),
    "wis": ratio(
        "weighted interval score of the quantiles of log(1 + amount), of samples of rollouts that "
        "succeeded; the mean over resources",
        WIS,
        WITH_WIS,
        "lower",
    ),
    "coverage_80": ratio(
        "share of samples of rollouts that succeeded with R within the 10% to 90% quantiles, "
        "the mean over resources; 0.8 is right",
        over_samples(lambda family: _covered_share(family, 0, 4)),
        SUCCESS & FORECAST,
        "neither",
    ),
    "coverage_50": ratio(
        "share of samples of rollouts that succeeded with R within the 25% to 75% quantiles, "
        "the mean over resources; 0.5 is right",
        over_samples(lambda family: _covered_share(family, 1, 3)),
        SUCCESS & FORECAST,
        "neither",
    ),
    "curve_brier": Definition(
        "mean of (probability to succeed within b - whether it did)^2 over samples and budgets b: "
        "0.5, 0.75, 1, 1.5, 2 and infinity times the budget, where not overrun yet",
        divided,
        (CURVE_SUM, CURVE_PAIRS),
        CURVE,
        "lower",
    ),
}
