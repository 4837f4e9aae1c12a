"""`impossible` exactly where the usage shown exceeds a budget: a prompt read, and nothing more."""

from collections.abc import Sequence

from bagen_data.forecasters import Forecaster
from bagen_data.forecasters.learning.probe_amounts import ProbeAmounts, estimates
from bagen_data.schema import Estimate, Probe


def over_budget(probes: Sequence[Probe]) -> list[Estimate]:
    """Answer `impossible` where a budget is exceeded, else from 0 to what is left."""
    amounts = ProbeAmounts.of(probes)
    return estimates(amounts, amounts.is_open, 0 * amounts.left, amounts.left)


FORECASTER = Forecaster.of_rule(over_budget)
