"""Forecasters that give probabilities and quantiles as columns, and their answers to questions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, Mask
from bagen_data.forecasters import FOLDS, Answer, Forecaster
from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.probe_amounts import ProbeAmounts, estimates
from bagen_data.schema import FINISH_THRESHOLD, Estimate, Forecast, Probe, decimals


class ForecastModel(Protocol):
    """A model learned from examples of one task: a frozen dataclass of arrays and numbers."""

    @property
    def names(self) -> tuple[str, ...]:
        """The features that it reads, in this order; none where it reads amounts only."""

    @property
    def resources(self) -> tuple[str, ...]:
        """The resources that it forecasts."""

    @property
    def knows_success(self) -> bool:
        """Whether the model learned from outcomes; without them its probabilities are NaN."""

    def foretell(self, asked: AskedColumns) -> ForecastColumns:
        """Return forecasts of n probes, each the same to the bit whatever others are asked."""


Fit = Callable[[Sequence[Example], int], ForecastModel]
"""Learns from examples of one task, at least one, and a seed; the same teach it the same."""
_MOST_LOG = 600.0
PROBABILITY_DIGITS = 6
"""Digits after the point of probabilities that were learned."""


def forecasting(
    fit: Fit,
    settings: Mapping[str, bool | int | float | str] | None = None,
    folds: int | None = FOLDS,
    fit_amounts: Fit | None = None,
    model: type[ForecastModel] | None = None,
) -> Forecaster:
    """Return a forecaster that answers with forecasts, and with the intervals of its forecasts.

    Args:
        fit: function that fits its model.
        settings: values that the metadata give as its decoding parameters.
        folds: parts of the instances, as `Forecaster.folds`.
        fit_amounts: function that fits amounts from rollouts whose outcome is not known, if it can.
        model: the class of what it learns, if that can be kept.
    """
    return Forecaster(
        intervals_of(fit),
        settings=settings or {},
        learn_forecasts=forecasts_of(fit),
        folds=folds,
        fit=fit,
        fit_amounts=fit_amounts,
        model=model,
    )


def forecasts_of(fit: Fit) -> Callable[[Sequence[Example], int], Answer]:
    """Return how to learn answers to the question for a forecast."""

    def learn_answer(examples: Sequence[Example], seed: int) -> Answer:
        return forecast_answer(fit(examples, seed))

    return learn_answer


def intervals_of(fit: Fit) -> Callable[[Sequence[Example], int], Answer]:
    """Return how to learn answers to the question for an interval."""

    def learn_answer(examples: Sequence[Example], seed: int) -> Answer:
        return interval_answer(fit(examples, seed))

    return learn_answer


def forecast_answer(model: ForecastModel) -> Answer:
    """Return a model's answers to the question for a forecast."""

    def answer(probes: Sequence[Probe]) -> list[Estimate]:
        asked = AskedColumns.of(probes)
        columns = coherent(model.foretell(asked), asked.amounts)
        return [forecast.estimate() for forecast in forecasts(columns, asked.amounts.resources)]

    return answer


def interval_answer(model: ForecastModel) -> Answer:
    """Return a model's answers to the question for an interval.

    The interval reaches from the lowest quantile to the highest, and at most to what is left: a
    feasible run spends no more.
    """

    def answer(probes: Sequence[Probe]) -> list[Estimate]:
        asked = AskedColumns.of(probes)
        columns = coherent(model.foretell(asked), asked.amounts)
        low, high = columns.quantiles[:, 0], columns.quantiles[:, -1]
        return estimates(asked.amounts, columns.finish >= FINISH_THRESHOLD, low, high)

    return answer


def coherent(columns: ForecastColumns, amounts: ProbeAmounts) -> ForecastColumns:
    """Return forecasts that the grammar allows: quantiles ascend, and finish is at most success.

    A probe over a budget cannot finish. Elsewhere success is raised to finish, never finish
    lowered to success: finish is what forecasts are ranked on. Probabilities that are not known
    (NaN) stay so.
    """
    finish = np.where(amounts.is_open | np.isnan(columns.finish), columns.finish, 0.0)
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


def amounts_of(logs: Floats) -> Floats:
    """Return the amounts of which these are log1p, at most e to the 600: all are finite."""
    amounts: Floats = np.expm1(np.minimum(logs, _MOST_LOG))
    return amounts


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


def forecasts(columns: ForecastColumns, resources: Sequence[str]) -> list[Forecast]:
    """Return forecasts one by one.

    Args:
        columns: n coherent forecasts with probabilities.
        resources: (r,) names.
    """
    quantiles = np.moveaxis(columns.quantiles, -1, 0).tolist()
    return [
        Forecast(finish, success, dict(zip(resources, map(tuple, own), strict=True)))
        for finish, success, own in zip(
            columns.finish.tolist(), columns.success.tolist(), quantiles, strict=True
        )
    ]


def unknown_probabilities(probes: int) -> Floats:
    """Return (n,) the probabilities of a model that learned from amounts alone: NaN."""
    return np.full(probes, np.nan)
