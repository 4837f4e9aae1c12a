"""The verified score: from a hidden split's key, in few digits, and checked without the key."""

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import close_session

from bagen_data.hub import load_questions, load_samples
from tests.leaderboard.made_submissions import (
    FORECAST,
    Sample,
    budget_left,
    build_site,
    forecast,
    gold,
    leaderboard,
    submit,
    write_rows,
)
from tests.loopback_hub import loopback_hub
from tests.making import SAMPLE, build

ALWAYS = "<answer>impossible</answer>"


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("split") / "out"
    flags = ("--budget", "swebench=900..4000", "--budget", "searchr1=500..2000")
    assert build(SAMPLE, out, "--hidden", 6, *flags) == 0
    return out


def answer_hidden(
    folder: Path, part: Path, answer: Callable[[Sample], str], task: str = ""
) -> None:
    is_public = part.name == "public"
    table = (load_questions if is_public else load_samples)(str(part)).table
    rows = [
        {"sample_id": row["sample_id"], "response": answer(row)}
        for row in table.to_pylist()
        if row["task"].startswith(task)
    ]
    write_rows(folder / "hidden.jsonl", rows)


@pytest.fixture
def submissions(dataset: Path, split: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    for name in ("knows", "guesses", "partly", "earlier", "elsewhere", "without"):
        submit(folder / name, dataset, budget_left)
    answer_hidden(folder / "knows", split / "KEY-DO-NOT-PUBLISH", gold)
    answer_hidden(folder / "guesses", split / "public", lambda _: ALWAYS)
    answer_hidden(folder / "partly", split / "public", lambda _: ALWAYS, "sokoban")
    rows = [{"sample_id": f"sokoban/{number:032x}", "response": ALWAYS} for number in range(6)]
    write_rows(folder / "earlier" / "hidden.jsonl", rows)
    other = [{"sample_id": f"chess/{number:032x}", "response": ALWAYS} for number in range(6)]
    write_rows(folder / "elsewhere" / "hidden.jsonl", other)
    return folder


def test_those_who_answer_it_have_a_verified_score_and_a_rank(
    submissions: Path, dataset: Path, split: Path, tmp_path: Path
) -> None:
    key = split / "KEY-DO-NOT-PUBLISH"
    board = build_site(submissions, dataset, tmp_path / "site", "--hidden", key)
    assert not board["refused"]
    verified = {each["folder"]: each["verified"] for each in board["submissions"]}
    assert {name: sorted(groups) for name, groups in verified.items() if groups} == {
        "knows": ["overall", "searchr1", "sokoban", "swebench", "warehouse"],
        "guesses": ["overall", "searchr1", "sokoban", "swebench", "warehouse"],
        "partly": ["sokoban"],
    }
    best, worst = (verified[name]["overall"]["macro_f1_open"] for name in ("knows", "guesses"))
    assert best["value"] > worst["value"]
    assert best["n"] == 24
    assert 1 == best["first"] <= best["last"] <= 2
    assert all(value == round(value, 2) for value in (worst["value"], worst["low"] or 0))
    assert worst["low"] is not None
    assert verified["knows"]["sokoban"]["macro_f1_open"]["low"] is None  # of six samples
    index = (tmp_path / "site" / "index.html").read_text()
    assert "macro_f1_open, hidden split" in index
    pages = tmp_path / "site" / "submissions"
    assert "Verified on the hidden split" in (pages / "knows.html").read_text()
    assert "Not verified" in (pages / "earlier.html").read_text()


def test_forecasts_have_a_verified_skill_beside_it(
    dataset: Path, split: Path, tmp_path: Path
) -> None:
    key = split / "KEY-DO-NOT-PUBLISH"
    for name, skill in (("knows", 0.9), ("guesses", 0.0)):
        submit(tmp_path / "in" / name, dataset, forecast, **FORECAST)
        answer_hidden(tmp_path / "in" / name, key, partial(forecast, skill=skill))
    submit(tmp_path / "in" / "interval", dataset, budget_left)
    answer_hidden(tmp_path / "in" / "interval", key, gold)
    board = build_site(tmp_path / "in", dataset, tmp_path / "site", "--hidden", key)
    overall = {each["folder"]: each["verified"]["overall"] for each in board["submissions"]}
    assert overall["interval"].keys() == {"macro_f1_open"}
    skills = [overall[name]["brier_skill"] for name in ("knows", "guesses")]
    assert skills[0]["value"] > 0.8 > skills[1]["value"]
    assert [skill["value"] for skill in skills] == [round(skill["value"], 2) for skill in skills]
    assert skills[0]["first"] == 1
    page = (tmp_path / "site" / "submissions" / "knows.html").read_text()
    assert f"<code>brier_skill</code> {skills[0]['value']:.2f}" in page
    index = (tmp_path / "site" / "index.html").read_text()
    forecasts, _, intervals = index.partition('id="intervals"')
    assert "brier_skill, hidden split" in forecasts
    assert "macro_f1_open, hidden split" in intervals


def test_results_say_nothing_of_the_labels(
    submissions: Path, dataset: Path, split: Path, tmp_path: Path
) -> None:
    key = split / "KEY-DO-NOT-PUBLISH"
    board = build_site(submissions, dataset, tmp_path / "site", "--hidden", key)
    assert board["hidden"].keys() == {"revision", "scores", "samples"}
    for each in board["submissions"]:
        assert [file["name"] for file in each["files"]] == ["predictions.jsonl"]
        for score in (score for shown in each["verified"].values() for score in shown.values()):
            assert score.keys() == {"value", "low", "high", "n", "first", "last"}
    assert not list((tmp_path / "site").rglob("hidden*"))


def test_without_a_key_the_board_is_as_before(
    submissions: Path, dataset: Path, tmp_path: Path
) -> None:
    board = build_site(submissions, dataset, tmp_path / "site")
    assert board["hidden"] is None
    assert len(board["submissions"]) == 6
    assert not any(each["verified"] for each in board["submissions"])
    assert "hidden split" not in (tmp_path / "site" / "index.html").read_text()


def test_a_cached_score_is_the_same(
    submissions: Path, dataset: Path, split: Path, tmp_path: Path
) -> None:
    flags = ("--hidden", split / "KEY-DO-NOT-PUBLISH", "--cache", tmp_path / "cache")
    first, second = (build_site(submissions, dataset, tmp_path / "site", *flags) for _ in range(2))
    assert first == second


def test_a_task_that_is_answered_in_part_is_refused(
    dataset: Path, split: Path, tmp_path: Path
) -> None:
    submit(tmp_path / "in" / "mine", dataset, budget_left)
    submit(tmp_path / "in" / "other", dataset, budget_left)
    answer_hidden(tmp_path / "in" / "mine", split / "public", lambda _: ALWAYS, "sokoban")
    file = tmp_path / "in" / "mine" / "hidden.jsonl"
    file.write_text("\n".join(file.read_text().splitlines()[1:]))
    key = split / "KEY-DO-NOT-PUBLISH"
    board = build_site(tmp_path / "in", dataset, tmp_path / "site", "--hidden", key)
    (refused,) = board["refused"]
    assert "without a prediction" in "".join(refused["reasons"])
    assert [each["folder"] for each in board["submissions"]] == ["other"]


def test_only_a_key_makes_verified_scores(
    submissions: Path, dataset: Path, split: Path, tmp_path: Path, capsys: Any
) -> None:
    flags = ("--submissions", submissions, "--dataset", dataset, "--out", tmp_path / "site")
    for wrong in (split / "public", dataset):
        assert leaderboard("build", *flags, "--hidden", wrong) == 1
        assert "is not the key" in capsys.readouterr().err


def test_validate_checks_it_without_the_key(
    submissions: Path, dataset: Path, split: Path, capsys: Any
) -> None:
    flags = ("--dataset", dataset, "--hidden", split / "public")
    assert leaderboard("validate", submissions / "guesses", *flags) == 0
    assert "24 of searchr1, sokoban, swebench, warehouse, 0 of them" in capsys.readouterr().out
    assert leaderboard("validate", submissions / "without", *flags) == 0
    assert "no file hidden.jsonl" in capsys.readouterr().out
    assert leaderboard("validate", submissions / "earlier", *flags) == 1
    assert "has other ids" in capsys.readouterr().err
    wrong = ("--dataset", dataset, "--hidden", split / "KEY-DO-NOT-PUBLISH")
    assert leaderboard("validate", submissions / "guesses", *wrong) == 1
    assert "is not the public part" in capsys.readouterr().err


def test_answers_are_checked_with_a_split_on_the_hub(
    submissions: Path, dataset: Path, split: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home")
        commit = hub.upload("ORG/HIDDEN", split / "public")
        hub.commit("ORG/HIDDEN", {"manifest.jsonl": b""})  # nothing of it is left on main
        flags = ("--dataset", dataset, "--hidden", f"ORG/HIDDEN@{commit[:7]}")
        assert leaderboard("validate", submissions / "guesses", *flags) == 0
        close_session()
    assert "24 of searchr1, sokoban, swebench, warehouse" in capsys.readouterr().out


def test_a_hidden_file_alone_is_no_submission(dataset: Path, split: Path, tmp_path: Path) -> None:
    submit(tmp_path / "mine", dataset, budget_left)
    (tmp_path / "mine" / "predictions.jsonl").rename(tmp_path / "mine" / "hidden.jsonl")
    assert leaderboard("validate", tmp_path / "mine", "--dataset", dataset) == 1
    assert json.loads((split / "public" / "build.json").read_text())["key_sha256"]


def test_a_key_is_no_dataset_of_a_board(
    tmp_path: Path, split: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = split / "KEY-DO-NOT-PUBLISH"
    (tmp_path / "in" / "one").mkdir(parents=True)
    for command in ("build", "baselines"):
        flags = ["--submissions", tmp_path / "in"] if command == "build" else []
        assert leaderboard(command, *flags, "--dataset", key, "--out", tmp_path / "out") == 1
        assert "is the key of a hidden split" in " ".join(capsys.readouterr().err.split())


def test_a_key_whose_record_was_changed_is_refused(
    submissions: Path, dataset: Path, split: Path, tmp_path: Path, capsys: Any
) -> None:
    key = shutil.copytree(split / "KEY-DO-NOT-PUBLISH", tmp_path / "key")
    record = json.loads((key / "build.json").read_text())
    (key / "build.json").write_text(json.dumps(record | {"scrub": not record.get("scrub")}))
    flags = ("--submissions", submissions, "--dataset", dataset, "--out", tmp_path / "site")
    assert leaderboard("build", *flags, "--hidden", key) == 1
    assert "build.json was changed since it was built" in " ".join(capsys.readouterr().err.split())
