"""Forecasters that give probabilities and quantiles as columns, and their answers to questions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, Mask
from bagen_data.forecasters import FOLDS, Answer, Forecaster
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.probe_amounts import ProbeAmounts, estimates
from bagen_data.schema import FINISH_THRESHOLD, Estimate, Forecast, Probe, decimals

Foretell = Callable[[Sequence[Probe]], ForecastColumns]
"""Forecasts about probes of one task, at least one, in their order."""
LearnForecasts = Callable[[Sequence[Example], int], Foretell]
"""Learns from examples of one task, at least one, and a seed; the same teach it the same."""
PROBABILITY_DIGITS = 6
"""Digits after the point of probabilities that were learned."""


def forecasting(
    learn: LearnForecasts,
    settings: Mapping[str, bool | int | float | str] | None = None,
    folds: int | None = FOLDS,
) -> Forecaster:
    """Return a forecaster that answers with forecasts, and with the intervals of its forecasts."""
    return Forecaster(
        intervals_of(learn),
        settings=settings or {},
        learn_forecasts=forecasts_of(learn),
        folds=folds,
    )


def forecasts_of(learn: LearnForecasts) -> Callable[[Sequence[Example], int], Answer]:
    """Return how to learn answers to the question for a forecast."""

    def learn_answer(examples: Sequence[Example], seed: int) -> Answer:
        foretell = learn(examples, seed)
        return lambda probes: _forecasts(
            coherent(foretell(probes), ProbeAmounts.of(probes)), probes
        )

    return learn_answer


def intervals_of(learn: LearnForecasts) -> Callable[[Sequence[Example], int], Answer]:
    """Return how to learn answers to the question for an interval.

    The interval reaches from the lowest quantile to the highest, and at most to what is left: a
    feasible run spends no more.
    """

    def learn_answer(examples: Sequence[Example], seed: int) -> Answer:
        foretell = learn(examples, seed)

        def answer(probes: Sequence[Probe]) -> list[Estimate]:
            amounts = ProbeAmounts.of(probes)
            columns = coherent(foretell(probes), amounts)
            low, high = columns.quantiles[:, 0], columns.quantiles[:, -1]
            return estimates(amounts, columns.finish >= FINISH_THRESHOLD, low, high)

        return answer

    return learn_answer


def coherent(columns: ForecastColumns, amounts: ProbeAmounts) -> ForecastColumns:
    """Return forecasts that the grammar allows: quantiles ascend, and finish is at most success.

    A probe over a budget cannot finish. Elsewhere success is raised to finish, never finish
    lowered to success: finish is what forecasts are ranked on.
    """
    finish = np.where(amounts.is_open, columns.finish, 0.0)
    return ForecastColumns(
        finish,
        np.maximum(columns.success, finish),
        np.maximum.accumulate(np.maximum(columns.quantiles, 0), axis=1),
    )


def rounded(columns: ForecastColumns, amounts: ProbeAmounts) -> ForecastColumns:
    """Return forecasts in the digits of each resource, and probabilities in six."""
    digits = [decimals(name) for name in amounts.resources]
    quantiles = [own.round(places) for own, places in zip(columns.quantiles, digits, strict=True)]
    return replace(
        columns,
        finish=columns.finish.round(PROBABILITY_DIGITS),
        success=columns.success.round(PROBABILITY_DIGITS),
        quantiles=np.array(quantiles),
    )


def with_doubt(probability: Floats, outcomes: Mask) -> Floats:
    """Return probabilities that leave room for what was never seen: none is 0 or 1.

    They are as if one rollout more were known, of the outcome that rollouts usually have.

    Args:
        probability: (n,) 0 .. 1, learned from m rollouts.
        outcomes: (m,) whether each rollout had the outcome; m may be 0.

    >>> with_doubt(np.array([0.0, 1.0]), np.array([True, False, False]))
    array([0.1 , 0.85])
    """
    rollouts = len(outcomes)
    usual = (outcomes.sum() + 1) / (rollouts + 2)
    doubted: Floats = (rollouts * probability + usual) / (rollouts + 1)
    return doubted


def _forecasts(columns: ForecastColumns, probes: Sequence[Probe]) -> list[Estimate]:
    resources = tuple(probes[0].budget.limits)
    quantiles = np.moveaxis(columns.quantiles, -1, 0).tolist()
    return [
        Forecast(finish, success, dict(zip(resources, map(tuple, own), strict=True))).estimate()
        for finish, success, own in zip(
            columns.finish.tolist(), columns.success.tolist(), quantiles, strict=True
        )
    ]
