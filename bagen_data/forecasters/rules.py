"""Rules that learn nothing: they only read the amounts in the prompt."""

from collections.abc import Sequence

import numpy as np

from bagen_data.forecasters.probe_amounts import ProbeAmounts, estimates
from bagen_data.schema import Estimate, Probe


def always_infeasible(probes: Sequence[Probe]) -> list[Estimate]:
    """`impossible`, whatever is asked."""
    return [Estimate("infeasible")] * len(probes)


def always_feasible(probes: Sequence[Probe]) -> list[Estimate]:
    """From 0 to what is left of the budget; [0, 0] where nothing is."""
    amounts = ProbeAmounts.of(probes)
    everywhere = np.ones(len(probes), bool)
    return estimates(amounts, everywhere, 0 * amounts.left, amounts.left)


def over_budget(probes: Sequence[Probe]) -> list[Estimate]:
    """`impossible` exactly where the usage shown exceeds a budget, else as `always_feasible`."""
    amounts = ProbeAmounts.of(probes)
    return estimates(amounts, amounts.is_open, 0 * amounts.left, amounts.left)
