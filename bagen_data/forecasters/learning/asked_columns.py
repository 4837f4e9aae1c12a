"""Probes as what learners are given: amounts, features, and units to count what remains in."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.forecasters.learning.features import Features, features
from bagen_data.forecasters.learning.probe_amounts import ProbeAmounts
from bagen_data.schema import SUM_DECIMALS, Probe

UNITS = 3
"""Units that what remains may be counted in: nothing, what is left, a turn."""
_LEFT = 1
"""The column of units that is what is left."""


@dataclass(frozen=True)
class AskedColumns:
    """The amounts of r resources that n probes show."""

    amounts: ProbeAmounts
    names: tuple[str, ...]
    """(f,) the features' names."""
    values: Floats
    """(n, f) features."""
    units: Floats
    """(r, n, u) log1p of what a resource may be counted in: nothing, what is left, a turn."""

    @classmethod
    def of(cls, probes: Sequence[Probe]) -> Self:
        """Columns of one probe or more, all of one task."""
        return cls.joined(ProbeAmounts.of(probes), features(probes))

    @classmethod
    def joined(cls, amounts: ProbeAmounts, columns: Features) -> Self:
        """Columns of the amounts of n probes and their features."""
        left = np.maximum(amounts.left, 0)
        turn = amounts.used / np.maximum(amounts.completed_turns, 1)
        units = np.log1p([np.zeros_like(left), left, np.maximum(turn, 0)])
        return cls(amounts, columns.names, columns.values, np.moveaxis(units, 0, -1))

    def best_units(self, spent: Floats, rows: Mask) -> Ints:
        """Return (r,) the column of units in which the amounts of each resource vary least.

        Where families differ in scale, that is what a turn costs; where budgets were drawn around
        the totals, what is left. The rest of one fixed budget tells nothing of what a run needs,
        and is not considered.

        Args:
            spent: (r, n) log1p of what remained.
            rows: (n,) the probes that are compared, one or more.
        """
        ratios = (spent[:, :, np.newaxis] - self.units)[:, rows]
        medians = np.median(ratios, axis=1, keepdims=True)
        spreads = np.abs(ratios - medians).mean(axis=1)
        budget = (self.amounts.used + self.amounts.left)[:, rows].round(SUM_DECIMALS)
        spreads[np.ptp(budget, axis=1) == 0, _LEFT] = np.inf
        best: Ints = np.argmin(spreads, axis=1)
        return best
