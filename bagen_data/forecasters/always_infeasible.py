"""`impossible`, whatever is asked."""

from collections.abc import Sequence

from bagen_data.forecasters import Forecaster
from bagen_data.schema import Estimate, Probe


def always_infeasible(probes: Sequence[Probe]) -> list[Estimate]:
    """Answer `impossible` to every probe."""
    return [Estimate("infeasible")] * len(probes)


FORECASTER = Forecaster.of_rule(always_infeasible)
