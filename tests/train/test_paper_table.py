"""The table of a trained model has the columns of the paper's Table 7, defined as the paper's."""

import csv

import pyarrow as pa
import pytest

from tests.bagen_data.scoring.scoring_cases import sample
from tests.making import SHARED
from train.paper_table import COLUMNS, FORECAST_COLUMNS, PAPER_NAMES, heading, markdown, table_row

TABLE_7 = SHARED.parent / "paper_tables" / "table7_training.csv"
COLUMNS_OF_TABLE_7 = {
    "accuracy": "accuracy_balanced",
    "recall_feasible": "recall_feasible",
    "recall_infeasible": "recall_infeasible",
    "coverage": "hit_rate",
    "mre_p50": "mre_p50",
    "mre_p90": "mre_p90",
    "mean_rl_reward": "rl_reward_balanced",
}
"""Our score of each column of the file with the paper's table."""


@pytest.mark.skipif(not TABLE_7.is_file(), reason="no paper tables beside the clone")
def test_every_column_of_table_7_has_one_of_ours() -> None:
    with TABLE_7.open(encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert [COLUMNS_OF_TABLE_7[name] for name in header[1:]] == list(PAPER_NAMES)
    for name, *values in rows:
        row = dict(zip(header[1:], map(float, values), strict=True))
        balanced = (row["recall_feasible"] + row["recall_infeasible"]) / 2
        assert row["accuracy"] == pytest.approx(balanced, abs=1.1e-3), name
        assert row["coverage"] * 190 == pytest.approx(round(row["coverage"] * 190), abs=0.1), name


def test_classes_weigh_alike_however_many_samples_they_have() -> None:
    """Scores of a feasible sample, covered with tightness 0.8, and 4 others, 3 answered right."""
    rows = [sample(f"t/m/r{n}/1", feasible=not n) for n in range(5)]
    remaining = rows[0]["resources"][0]["remaining"]
    texts = [f"<answer>[{remaining * 0.9}, {remaining * 1.1}]</answer>"]
    texts += ["<answer>impossible</answer>"] * 3 + ["?"]
    predictions = [
        {"sample_id": row["sample_id"], "response": text}
        for row, text in zip(rows, texts, strict=True)
    ]
    row = table_row(pa.Table.from_pylist(rows), predictions, resamples=0)
    assert row["accuracy"]["value"] == pytest.approx(4 / 5)
    assert row["accuracy_balanced"]["value"] == pytest.approx((1 + 3 / 4) / 2)
    assert row["rl_reward"]["value"] == pytest.approx((1.8 * 0.8 + 3 * 0.2) / 5)
    assert row["rl_reward_balanced"]["value"] == pytest.approx((1.8 * 0.8 + 0.2 * 3 / 4) / 2)
    assert row["hit_rate"]["value"] == 1
    head, _, line = markdown({"a model": row}).splitlines()
    cells = dict(zip(head.split(" | ")[1:], line.split(" | ")[1:], strict=True))
    assert (cells[heading("hit_rate")], heading("hit_rate")) == ("1.00", "Cover (`hit_rate`)")
    assert len(cells) == len(COLUMNS)


@pytest.mark.parametrize(("feasible", "has_interval"), [(6, False), (12, True), (34, False)])
def test_a_balanced_score_needs_instances_of_both_classes(
    feasible: int, has_interval: bool
) -> None:
    """Nine tenths of the reward are of the feasible samples; 40 instances with 6 of them are few.

    In simulations with 6 of 40, 95% intervals as of 40 instances covered 87% of the time.
    """
    rows = [sample(f"t/m/r{n}/1", feasible=n < feasible) for n in range(40)]
    predictions = [
        {"sample_id": row["sample_id"], "response": f"<answer>{said}</answer>"}
        for row, said in zip(rows, ["[1, 2]", "impossible"] * 20, strict=True)
    ]
    row = table_row(pa.Table.from_pylist(rows), predictions, resamples=100)
    for name in ("accuracy_balanced", "rl_reward_balanced"):
        assert (row[name]["low"] is not None) == has_interval, name
        assert row[name]["n"] == 40
    assert row["accuracy"]["low"] is not None


def test_forecasts_have_their_columns() -> None:
    interval = {name: {"value": 0.5} for name in (*COLUMNS, "brier")} | {"wis": {"value": None}}
    assert "wis" not in markdown({"a": interval})
    forecast = interval | {name: {"value": 0.25} for name in FORECAST_COLUMNS}
    head, _, first, second = markdown({"a": interval, "b": forecast}).splitlines()
    assert head.endswith("| `brier` | `wis` | `coverage_80` |")
    assert first.endswith("| 0.50 | – | – |")
    assert second.endswith("| 0.25 | 0.25 | 0.25 |")
