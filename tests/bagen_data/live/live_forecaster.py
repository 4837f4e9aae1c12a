"""A forecaster for tests of the tracker: it says something that depends on all that it is given."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.schema import Forecast


@dataclass
class SumForecaster:
    """Chances and quantiles made of the sum of a probe's columns."""

    task: str = "swebench"
    resources: tuple[str, ...] = ("tokens",)
    asked: int = 0
    """Probes that it was asked about."""

    def forecasts(self, asked: AskedColumns) -> Sequence[Forecast]:
        self.asked += len(asked.values)
        made = []
        for row in range(len(asked.values)):
            columns = (asked.values[row], asked.units[:, row].ravel(), asked.amounts.left[:, row])
            total = float(np.concatenate(columns).sum())
            chance = abs(total) % 1
            amounts = tuple(abs(total) + step for step in range(5))
            made.append(Forecast(chance / 2, chance, dict.fromkeys(self.resources, amounts)))
        return made


class BrokenForecaster(SumForecaster):
    """A forecaster that fails after some probes."""

    def __init__(self, probes: int = 0) -> None:
        super().__init__()
        self.probes = probes

    def forecasts(self, asked: AskedColumns) -> Sequence[Forecast]:
        if self.asked + len(asked.values) > self.probes:
            raise RuntimeError("no forecast today")
        return super().forecasts(asked)
