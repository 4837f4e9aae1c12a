"""The paper's numbers that pages show are the paper's."""

import csv
from collections import defaultdict
from pathlib import Path

import pytest

from leaderboard import paper
from tests.making import REPO, SHARED

TABLES = SHARED.parent / "paper_tables"
OURS = REPO / "leaderboard" / "paper"
needs_tables = pytest.mark.skipif(
    not TABLES.is_dir(), reason="no tables of the paper beside the clone"
)
TASKS = ("searchr1", "sokoban", "swebench", "warehouse")
NAMES = {  # ours: the tables'
    "model": "rollout_model",
    "macro_f1": "macro_f1_all_turns",
    "paper_hit_rate": "interval_hit_rate",
    "paper_reward": "reward",
    "stopped": "stopped_failed_rollouts",
    "failed": "failed_rollouts",
    "saved_rate": "saved_tokens_rate",
}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@needs_tables
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("table1.csv", "table1_main.csv"),
        ("table3.csv", "table3_early_stop.csv"),
        ("table6.csv", "table6_early_stop_by_task.csv"),
    ],
)
def test_every_cell_is_the_papers(ours: str, theirs: str) -> None:
    table, expected = rows_of(OURS / ours), rows_of(TABLES / theirs)
    assert table
    columns = {name: NAMES.get(name, name) for name in table[0]}
    columns["model"] = "model" if "model" in expected[0] else "rollout_model"
    assert table == [
        {name: row[our_name] for name, our_name in columns.items()} for row in expected
    ]


@needs_tables
@pytest.mark.parametrize("name", ["table3_early_stop.csv", "table6_early_stop_by_task.csv"])
def test_rates_of_counts_are_those_that_the_paper_rounds(name: str) -> None:
    groups = paper.early_stop()
    for row in rows_of(TABLES / name):
        [rates] = [
            each.rates for each in groups[row.get("task", "overall")] if each.model == row["model"]
        ]
        assert rates["false_abort_rate"] == pytest.approx(float(row["false_abort_rate"]), abs=6e-4)
        assert rates["paper_saved_rate"] == float(row["saved_tokens_rate"])
        stopped, failed = (int(row[NAMES[name]]) for name in ("stopped", "failed"))
        assert rates["paper_stopped_failed"] == stopped / failed


def test_table_3_is_table_6_summed_in_its_counts() -> None:
    groups = paper.early_stop()
    summed: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for task in TASKS:
        for row in groups[task]:
            pairs = zip(summed[row.model], counts_of(row), strict=True)
            summed[row.model] = [sum(pair) for pair in pairs]
    assert summed == {row.model: counts_of(row) for row in groups["overall"]}


def counts_of(row: paper.PaperStops) -> list[int]:
    return [number for counts in row.counts.values() for number in counts]


def test_overall_rows_of_table_1_are_means_over_its_tasks() -> None:
    by_task = {task: {row.model: row.scores for row in paper.table1(task, TASKS)} for task in TASKS}
    overall = paper.table1(None, TASKS)
    assert len(overall) == 5
    for row in overall:
        for score, value in row.scores.items():
            task_scores = [by_task[task][row.model][score] for task in TASKS]
            assert value == pytest.approx(sum(task_scores) / len(task_scores))


@pytest.mark.parametrize(("task", "tasks"), [(None, [*TASKS, "chess"]), ("chess", ["chess"])])
def test_there_are_no_rows_for_tasks_that_the_paper_lacks(
    task: str | None, tasks: list[str]
) -> None:
    assert paper.table1(task, tasks) == []
