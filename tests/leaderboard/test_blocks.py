"""Blocks of tables, and ranks among submitted estimators alone."""

from typing import Any

import pytest

from leaderboard.blocks import blocks_of
from leaderboard.kinds import kind_of, standing_of
from leaderboard.main_table import EstimatorRow, RowStanding, table_blocks
from leaderboard.shown_ranks import with_shown_ranks

ABOUT = {"provider": "lab", "model_id": "m", "trained_on": "none", "constrained": False}
KINDS = ["benchmark unknown free", "standard none free", "standard unknown free"]


@pytest.mark.parametrize(
    ("metadata", "standing"),
    [
        ({}, "submitted"),
        ({"trained_on": "train"}, "submitted"),
        ({"trained_on": "other"}, "submitted"),
        ({"trained_on": "benchmark"}, "learned"),
        ({"weights": "none"}, "baseline"),
        ({"provider": "none"}, "baseline"),
        ({"model_id": "none", "trained_on": "benchmark"}, "baseline"),
    ],
)
def test_only_a_model_that_has_not_seen_the_benchmark_is_ranked(
    metadata: dict[str, Any], standing: str
) -> None:
    assert standing_of(ABOUT | metadata) == standing


def test_blocks_keep_the_order_of_rows_and_a_line_is_in_each_but_the_papers() -> None:
    rows = ["paper", "baseline", "ceiling", "submitted", "learned", "baseline"]
    blocks = blocks_of(enumerate(rows), lambda row: row[1])
    assert [(block.standing, [number for number, _ in block.rows]) for block in blocks] == [
        ("submitted", [2, 3]),
        ("learned", [2, 4]),
        ("baseline", [1, 2, 5]),
        ("paper", [0]),
    ]
    assert blocks_of([], str) == []


def test_the_reference_is_above_baselines_that_are_worse_and_below_those_that_are_better() -> None:
    """Overall and in each block, rows are in the order of the headline score."""
    rows = [
        row("good rule", "baseline", 0.3),
        row("model", "submitted", 0.1),
        row("The reference", "reference", 0.0),
        row("poor model", "submitted", -0.2),
        row("poor rule", "baseline", -0.3),
    ]
    names = [[each.name for each in block.rows] for block in table_blocks(rows)]
    assert names == [
        ["model", "The reference", "poor model"],
        ["good rule", "The reference", "poor rule"],
    ]


def row(name: str, standing: RowStanding, value: float) -> EstimatorRow:
    score = {"value": value, "n": 9, "low": None, "high": None}
    return EstimatorRow(name, None, None, {"brier_skill": score}, standing)


def submission(name: str, metadata: dict[str, Any], *ranks: int | list[int]) -> dict[str, Any]:
    first, last, better, worse = ranks or (None, None, None, None)
    rank = {"first": first, "last": last, "better": better, "worse": worse}
    about = ABOUT | metadata
    assert kind_of(about) in KINDS
    by_group = {"overall": {"macro_f1_open": rank}} if ranks else {}
    return {"folder": name, "metadata": about, "ranks": by_group}


def test_what_is_shown_to_compare_with_takes_no_place() -> None:
    """A learner and a baseline are told apart as better than all three that are submitted."""
    results: dict[str, Any] = {
        "ranking": {"kinds": KINDS},
        "submissions": [
            submission("learner", {"trained_on": "benchmark"}, 1, 1, [0, 0, 0], [0, 1, 3]),
            submission("rule", {"provider": "none"}, 2, 2, [1, 0, 0], [0, 0, 3]),
            submission("good", {}, 3, 4, [1, 1, 0], [0, 0, 1]),
            submission("fair", {}, 3, 5, [1, 1, 0], [0, 0, 0]),
            submission("poor", {}, 4, 5, [1, 1, 1], [0, 0, 0]),
            submission("part", {}),
        ],
    }
    ranks = {each["folder"]: each["ranks"] for each in with_shown_ranks(results)["submissions"]}
    ends = {
        name: (rank["macro_f1_open"]["first"], rank["macro_f1_open"]["last"])
        for name, by_group in ranks.items()
        if (rank := by_group.get("overall"))
    }
    assert ends == {"good": (1, 2), "fair": (1, 3), "poor": (2, 3)}
    assert ranks["poor"]["overall"]["macro_f1_open"]["better"] == [0, 0, 1]
    assert (ranks["learner"], ranks["rule"], ranks["part"]) == ({}, {}, {})
    assert results["submissions"][0]["ranks"]["overall"]["macro_f1_open"]["first"] == 1
