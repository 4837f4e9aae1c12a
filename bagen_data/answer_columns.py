"""Answers as columns: what `answer_parsing` makes of a column of texts."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from bagen_data.array_types import Codes, Floats
from bagen_data.schema import INVALID_REASONS, QUANTILE_LEVELS, Question

VERDICTS = ("invalid", "infeasible", "feasible")
INVALID, INFEASIBLE, FEASIBLE = range(3)
"""Codes of `AnswerColumns.verdict`: positions in `VERDICTS`."""
REASONS: tuple[str, ...] = ("", *INVALID_REASONS)
"""Codes of `AnswerColumns.reason`: positions here, 0 where the answer is valid."""


@dataclass(frozen=True)
class ForecastColumns:
    """The forecasts of n answers about r resources; NaN where an answer is invalid."""

    finish: Floats
    """(n,): the probability of success within every budget."""
    success: Floats
    """(n,): the probability of success if no budget stops the run."""
    quantiles: Floats
    """(r, 5, n): of what the run will still use, at `QUANTILE_LEVELS`."""

    def at(self, rows: slice | npt.NDArray[Any]) -> Self:
        """The forecasts of these rows; of a slice, the very same, to write to."""
        return type(self)(self.finish[rows], self.success[rows], self.quantiles[:, :, rows])

    def of_resources(self, number: int) -> Self:
        """The forecasts about the first resources only."""
        return type(self)(self.finish, self.success, self.quantiles[:number])

    def put(self, rows: npt.NDArray[Any], forecasts: "ForecastColumns") -> None:
        """Write forecasts of as many resources or fewer into these rows."""
        self.finish[rows], self.success[rows] = forecasts.finish, forecasts.success
        self.quantiles[: len(forecasts.quantiles), :, rows] = forecasts.quantiles

    @classmethod
    def unwritten(cls, rows: int, resources: int) -> Self:
        """Room for that many forecasts, to be filled."""
        probabilities = np.empty((2, rows))
        quantiles = np.empty((resources, len(QUANTILE_LEVELS), rows))
        return cls(probabilities[0], probabilities[1], quantiles)


@dataclass(frozen=True)
class AnswerColumns:
    """The estimates of n answers about r resources."""

    verdict: Codes
    """(n,): `INVALID`, `INFEASIBLE` or `FEASIBLE`."""
    reason: Codes
    """(n,): why an answer is invalid, a position in `REASONS`."""
    low: Floats
    """(r, n): in the order of the resources; NaN where there is no interval."""
    high: Floats
    """(r, n): likewise."""
    forecasts: ForecastColumns | None = None
    """The forecasts that the estimates are of, where forecasts were asked for."""

    def __len__(self) -> int:
        return len(self.verdict)

    def at(self, rows: slice | npt.NDArray[Any]) -> Self:
        """The answers of these rows; of a slice, the very same, to write to."""
        forecasts = self.forecasts and self.forecasts.at(rows)
        low, high = self.low[:, rows], self.high[:, rows]
        return type(self)(self.verdict[rows], self.reason[rows], low, high, forecasts)

    def of_resources(self, number: int) -> Self:
        """The answers about the first resources only."""
        forecasts = self.forecasts and self.forecasts.of_resources(number)
        low, high = self.low[:number], self.high[:number]
        return type(self)(self.verdict, self.reason, low, high, forecasts)

    def put(self, rows: npt.NDArray[Any], answers: "AnswerColumns") -> None:
        """Write answers of as many resources or fewer into these rows."""
        self.verdict[rows], self.reason[rows] = answers.verdict, answers.reason
        for own, other in ((self.low, answers.low), (self.high, answers.high)):
            own[: len(other), rows] = other
        if self.forecasts and answers.forecasts:
            self.forecasts.put(rows, answers.forecasts)

    @classmethod
    def unwritten(cls, rows: int, resources: int, question: Question = "interval") -> Self:
        """Room for that many answers to a question, to be filled."""
        codes = np.empty((2, rows), np.uint8)
        bounds = np.empty((2, resources, rows))
        is_forecast = question == "forecast"
        forecasts = ForecastColumns.unwritten(rows, resources) if is_forecast else None
        return cls(codes[0], codes[1], bounds[0], bounds[1], forecasts)
