"""Start probes: answered beside the benchmark, scored apart from it."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.leaderboard.made_submissions import (
    Sample,
    around,
    budget_left,
    build_site,
    gold,
    leaderboard,
    samples_of,
    submit,
    write_rows,
)

TASKS = ("searchr1", "sokoban", "swebench", "warehouse")


def amounts(sample: Sample) -> str:
    """The amount that any rollout will use."""
    return around({part["resource"]: part["remaining"] for part in sample["resources"]}, 0.1)


def roughly(sample: Sample) -> str:
    """The amount that will be used, up to a factor of 4."""
    factor = 1 + sum(map(ord, sample["sample_id"])) % 4
    return around({part["resource"]: factor * part["remaining"] for part in sample["resources"]}, 0)


def add_start(
    folder: Path, dataset: Path, answer: Callable[[Sample], str], *tasks: str, name: str = ""
) -> None:
    """Answer start probes, in a file for each task or appended to another file."""
    for task in tasks:
        rows = [
            {"sample_id": sample["sample_id"], "response": answer(sample)}
            for sample in samples_of(dataset, f"{task}_start")
        ]
        file = folder / (name or f"{task}_start.jsonl")
        before = [json.loads(line) for line in file.read_text().splitlines()] if name else []
        write_rows(file, [*before, *rows])


def test_start_probes_are_scored_apart_and_enter_nothing_else(
    dataset: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "in"
    for name in ("all", "none", "one", "same"):
        submit(folder / name, dataset, budget_left)
    add_start(folder / "all", dataset, amounts, *TASKS)
    add_start(folder / "one", dataset, amounts, "sokoban", name="predictions.jsonl")
    add_start(folder / "same", dataset, budget_left, *TASKS)
    site = tmp_path / "site"
    by_folder = {each["folder"]: each for each in build_site(folder, dataset, site)["submissions"]}
    for name in ("all", "one", "same"):
        for key in ("answered", "complete", "scores", "spent", "invalid", "label_matches"):
            assert by_folder[name][key] == by_folder["none"][key]
    starts = {name: each["start"] for name, each in by_folder.items()}
    assert starts["none"] == {}
    assert starts["one"].keys() == {"sokoban"}
    assert starts["all"].keys() == {"overall", *TASKS}
    assert starts["all"]["overall"]["start_correlation"]["value"] == pytest.approx(1, abs=1e-3)
    page = (site / "start.html").read_text()
    assert re.findall(r"submissions/(\w+)\.html", page)[0] == "all"
    assert "<td>at most 0.39</td>" in page
    assert "none.html" not in page
    assert "Before the first turn" in (site / "submissions/one.html").read_text()
    assert "Before the first turn" not in (site / "submissions/none.html").read_text()


def test_who_has_no_overall_value_is_last(dataset: Path, tmp_path: Path) -> None:
    """An estimator that knows one task well is below one that knows all of them a little."""
    folder = tmp_path / "in"
    for name in ("knows_one", "knows_two", "roughly"):
        submit(folder / name, dataset, budget_left)
    add_start(folder / "knows_one", dataset, amounts, "sokoban")
    add_start(folder / "knows_two", dataset, amounts, "sokoban", "searchr1")
    add_start(folder / "roughly", dataset, roughly, *TASKS)
    site = tmp_path / "site"
    submissions = build_site(folder, dataset, site)["submissions"]
    overall = {each["folder"]: each["start"].get("overall") for each in submissions}
    assert overall.pop("roughly")["start_correlation"]["value"] < 0.99
    assert overall == {"knows_one": None, "knows_two": None}
    page = (site / "start.html").read_text()
    assert re.findall(r"submissions/(\w+)\.html", page)[0] == "roughly"


def test_a_tasks_start_probes_are_answered_whole(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(tmp_path / "mine", dataset, budget_left)
    add_start(tmp_path / "mine", dataset, amounts, "sokoban")
    file = tmp_path / "mine" / "sokoban_start.jsonl"
    file.write_text("\n".join(file.read_text().splitlines()[1:]))
    assert leaderboard("validate", tmp_path / "mine", "--dataset", dataset) == 1
    assert "1 sample without a prediction" in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("start", "name", "message"),
    [
        ("sokoban", "sokoban.jsonl", "is named for sokoban, and answers samples of 'sokoban_start"),
        ("sokoban", "swebench_start.jsonl", "is named for swebench_start, and answers samples of"),
        ("", "sokoban_start.jsonl", "is named for sokoban_start, and answers samples of 'sokoban'"),
    ],
)
def test_a_file_holds_the_config_that_it_is_named_for(
    start: str,
    name: str,
    message: str,
    dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    submit(tmp_path / "mine", dataset, budget_left, tasks=["searchr1"])
    samples = samples_of(dataset, f"{start}_start" if start else "sokoban")
    rows = [{"sample_id": each["sample_id"], "response": gold(each)} for each in samples]
    write_rows(tmp_path / "mine" / name, rows)
    assert leaderboard("validate", tmp_path / "mine", "--dataset", dataset) == 1
    assert message in " ".join(capsys.readouterr().err.split())


def test_start_probes_alone_are_no_submission(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(tmp_path / "mine", dataset, budget_left)
    (tmp_path / "mine" / "predictions.jsonl").unlink()
    add_start(tmp_path / "mine", dataset, amounts, "sokoban")
    assert leaderboard("validate", tmp_path / "mine", "--dataset", dataset) == 1
    assert "answers start probes alone" in " ".join(capsys.readouterr().err.split())


def test_baselines_answer_start_probes_and_some_are_chosen(dataset: Path, tmp_path: Path) -> None:
    chosen = ("--forecaster", "climatology", "--forecaster", "quantiles")
    assert leaderboard("baselines", "--dataset", dataset, "--out", tmp_path / "in", *chosen) == 0
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == ["climatology", "quantiles"]
    board = build_site(tmp_path / "in", dataset, tmp_path / "site")
    assert (board["refused"], board["apart"]) == ([], [])
    assert [each["question"] for each in board["submissions"]] == ["forecast", "interval"]
    for each in board["submissions"]:
        assert set(TASKS) <= each["start"].keys()
    wrong = ("--forecaster", "oracle")
    assert leaderboard("baselines", "--dataset", dataset, "--out", tmp_path / "no", *wrong) == 2
