"""The cost of predictions, as their submitters state it."""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leaderboard.results import OVERALL

_KINDS = ("input_tokens", "cached_tokens", "output_tokens")


def mean_costs(table: pa.Table, tasks: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the mean cost and tokens of a prediction, by `overall` and task.

    Args:
        table: predictions, with their `config`.
        tasks: those that are answered.

    Returns:
        `predictions`, their number; `cost_usd_per_1000`, None unless every prediction says its
        cost; `input_tokens`, `cached_tokens`, `output_tokens`, means over predictions, None unless
        every one has a usage.
    """
    groups = {task: table.filter(pc.equal(table["config"], task)) for task in tasks}
    return {name: _means(group) for name, group in ({OVERALL: table} | groups).items()}


def _means(table: pa.Table) -> dict[str, Any]:
    cost, usage = table["cost_usd"], table["usage"]
    means: dict[str, Any] = {"predictions": len(table), "cost_usd_per_1000": None}
    if not cost.null_count:
        means["cost_usd_per_1000"] = 1000 * pc.mean(cost).as_py()
    for kind in _KINDS:
        amounts = pc.struct_field(usage, kind).cast(pa.float64(), safe=False)
        means[kind] = None if usage.null_count else pc.mean(amounts).as_py()
    return means
