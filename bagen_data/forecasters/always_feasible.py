"""The interval from 0 to what is left of the budget, whatever is asked."""

from collections.abc import Sequence

import numpy as np

from bagen_data.forecasters import Forecaster
from bagen_data.forecasters.learning.probe_amounts import ProbeAmounts, estimates
from bagen_data.schema import Estimate, Probe


def always_feasible(probes: Sequence[Probe]) -> list[Estimate]:
    """Answer from 0 to what is left of the budget; [0, 0] where nothing is."""
    amounts = ProbeAmounts.of(probes)
    everywhere = np.ones(len(probes), bool)
    return estimates(amounts, everywhere, 0 * amounts.left, amounts.left)


FORECASTER = Forecaster.of_rule(always_feasible)
