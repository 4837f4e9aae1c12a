"""Rows of the main table."""

from typing import Any

import pytest

from leaderboard.main_table import EstimatorRow

MODEL = {"provider": "lab", "model_id": "m", "weights": None}


@pytest.mark.parametrize(
    ("metadata", "stated", "cost", "weights"),
    [
        ({}, None, None, "unknown"),
        ({}, 2.5, 2.5, "unknown"),
        ({"weights": "open"}, None, None, "open"),
        ({"weights": "none"}, None, 0.0, "none"),
        ({"model_id": "none"}, None, 0.0, "none"),
        ({"provider": "none"}, None, 0.0, "none"),
        ({"provider": "none", "weights": "open"}, None, 0.0, "none"),
        ({"weights": "none"}, 2.5, 2.5, "none"),
        ({"weights": "none"}, 0.0, 0.0, "none"),
    ],
)
def test_what_is_said_of_a_cost_wins_over_what_no_model_implies(
    metadata: dict[str, Any], stated: float | None, cost: float | None, weights: str
) -> None:
    row = EstimatorRow(
        "a", "a", 0, {}, metadata=MODEL | metadata, costs={"cost_usd_per_1000": stated}
    )
    assert (row.cost, row.weights) == (cost, weights)


def test_what_a_row_of_the_paper_cost_is_not_known() -> None:
    assert EstimatorRow("a", None, None, {}).cost is None
