"""A comparison of families as JSON: every number of the tables, and each rollout's."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from collect.comparison.paired_comparison import ComparedFamilies, MeanEstimate
from collect.comparison.priced_family import PricedFamily, Prices


def comparison_record(
    compared: ComparedFamilies, families: Sequence[PricedFamily], prices: Prices
) -> dict[str, Any]:
    """Return what was compared, how it was priced, and what came of it.

    Args:
        compared: the comparison.
        families: the families in its order, with all their rollouts.
        prices: what tokens and tool calls cost.
    """
    return {
        "task": compared.task,
        "instances": compared.instances,
        "left_out": dict(compared.left_out),
        "prices": {
            "given": {model: asdict(price) for model, price in prices.tokens.given.items()},
            "genai-prices of": prices.tokens.date,
            "tools": dict(prices.tools),
        },
        "front": [row.name for row in compared.front],
        "families": [
            {
                "family": row.name,
                "rollouts": row.rollouts,
                "stopped": row.stopped,
                "means": _estimates(row.means),
                "differences": _estimates(row.differences),
            }
            for row in compared.rows
        ],
        "rollouts": [
            {"family": row.name, **asdict(rollout)}
            for row, family in zip(compared.rows, families, strict=True)
            for rollout in family.rollouts
        ],
    }


def _estimates(estimates: Mapping[str, MeanEstimate]) -> dict[str, Any]:
    return {
        name: {"value": each.value, "low": low, "high": high}
        for name, each in estimates.items()
        for low, high in [each.interval or (None, None)]
    }
