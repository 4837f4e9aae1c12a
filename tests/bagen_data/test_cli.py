"""`bagen validate` and `bagen score`, as people and programs call them."""

import gzip
import json
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bagen_data.answers import render
from bagen_data.cli import main
from bagen_data.hub import load_reference, load_samples
from bagen_data.replay import gold_estimate
from bagen_data.schema import Target
from bagen_data.scoring import SCORES, score
from bagen_data.versions import BENCHMARK_VERSION, __version__
from tests.making import REPO, SAMPLE, build, build_record, exit_code, write_json, write_lines

Rows = list[dict[str, Any]]

TASKS = ("searchr1", "sokoban", "swebench", "warehouse")
ONES = (
    *("valid_rate", "macro_f1", "macro_f1_first_turn", "fail_f1", "accuracy"),
    *("recall_feasible", "recall_infeasible", "macro_f1_open", "fail_f1_open", "accuracy_open"),
    *("hit_rate", "coverage", "reward", "interval_skill", "within_2x", "stopped_failed"),
)
"""Scores that gold answers have 1 of; `paper_reward` too."""
ZEROS = ("optimistic", "conservative", "exceed_rate", "mre_p50", "mre_p90", "interval_score")
METADATA = {
    "estimator": "gold",
    "provider": "none",
    "model_id": "none",
    "decoding": {},
    "prompt_variant": "none",
    "trained_on": "benchmark",
    "constrained": True,
    "dataset_revision": "0a1b2c3",
    "date": "2026-11-21",
    "link": "https://example.org/gold",
}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "out"
    assert build(SAMPLE, out) == 0
    return out


@pytest.fixture(scope="module")
def samples(built: Path) -> pa.Table:
    return load_samples(str(built)).table


@pytest.fixture(scope="module")
def gold(samples: pa.Table) -> Rows:
    rows = []
    for row in samples.to_pylist():
        remaining = {part["resource"]: part["remaining"] for part in row["resources"]}
        answer = render(gold_estimate(Target(row["feasible"], remaining)))
        rows.append({"sample_id": row["sample_id"], "response": answer})
    return rows


@pytest.fixture
def file(gold: Rows, tmp_path: Path) -> Path:
    """Gold predictions, and metadata beside them."""
    return submission(tmp_path / "gold", gold)


def submission(folder: Path, rows: Sequence[Any], **changes: Any) -> Path:
    write_json(folder / "metadata.yaml", METADATA | changes)
    return write_lines(folder / "predictions.jsonl", rows)


def changed(rows: Rows, change: Callable[[int, str], str]) -> Rows:
    return [row | {"response": change(number, row["response"])} for number, row in enumerate(rows)]


def every_other_impossible(rows: Rows) -> Rows:
    return changed(rows, lambda number, text: text if number % 2 else "<answer>impossible</answer>")


def run(*arguments: object) -> int:
    """Run `bagen ...` in this process; returns the exit code."""
    return exit_code(main, *arguments)


def scored(file: Path, built: Path, *flags: object) -> dict[str, Any]:
    out = file.parent / "scores.json"
    assert run("score", file, "--dataset", built, "--json", out, *flags) == 0
    report: dict[str, Any] = json.loads(out.read_bytes())
    return report


def plain(text: str) -> str:
    """The text without the colours that a terminal, or FORCE_COLOR, brings in."""
    return re.sub("\x1b\\[[0-9;]*m", "", text)


def assert_friendly(error: str, *words: object) -> None:
    assert "Traceback" not in error
    for word in words:
        assert str(word) in error


def test_gold_answers_score_one_wherever_there_is_one(file: Path, built: Path) -> None:
    report = scored(file, built)
    for scores in (report["overall"], *report["tasks"].values(), *report["families"].values()):
        assert {scores[name]["value"] for name in (*ONES, "paper_reward")} == {1.0}
        assert {scores[name]["value"] for name in (*ZEROS, "false_abort_rate")} == {0.0}
        assert scores["exceed_by"] == {"value": None, "n": 0, "low": None, "high": None}


def test_the_json_has_what_programs_count_on(file: Path, built: Path) -> None:
    report = scored(file, built)
    assert list(report)[:5] == ["benchmark_version", "dataset", "overall", "tasks", "families"]
    assert report["benchmark_version"] == BENCHMARK_VERSION
    assert report["dataset"] == {
        "path": str(built),
        "config": "default",
        "split": "test",
        "revision": build_record(built)["revision"],
        "samples": 257,
    }
    assert sorted(report["tasks"]) == list(TASKS)
    assert sorted(report["families"]) == [f"{task}/scripted" for task in TASKS]
    for scores in (report["overall"], *report["tasks"].values(), *report["families"].values()):
        assert list(scores) == list(SCORES)
        for each in scores.values():
            assert list(each) == ["value", "n", "low", "high"]
            assert isinstance(each["n"], int)
            assert each["value"] is None or isinstance(each["value"], float)
            assert (each["low"] is None) == (each["high"] is None)
            assert each["low"] is None or each["low"] <= each["high"]


def test_the_json_is_the_report_of_the_library(
    gold: Rows, samples: pa.Table, built: Path, tmp_path: Path
) -> None:
    rows = every_other_impossible(gold)
    report = scored(submission(tmp_path, rows), built, "--seed", 3, "--resamples", 50)
    del report["dataset"]
    reference = load_reference(str(built))
    assert reference is not None
    expected = score(samples, rows, reference=reference, seed=3, resamples=50).to_dict()
    assert report == expected
    assert report["overall"]["brier_skill"]["n"] > 0


def test_order_and_format_of_the_file_change_nothing(
    gold: Rows, built: Path, tmp_path: Path
) -> None:
    rows = every_other_impossible(gold)
    expected = scored(submission(tmp_path / "a", rows), built, "--resamples", 50)
    backwards = submission(tmp_path / "b", rows[::-1])
    assert scored(backwards, built, "--resamples", 50) == expected
    table = pa.Table.from_pylist(rows[::2] + rows[1::2])
    pq.write_table(table, tmp_path / "c.parquet")
    assert scored(tmp_path / "c.parquet", built, "--resamples", 50) == expected
    packed = tmp_path / "d.jsonl.gz"
    packed.write_bytes(gzip.compress(backwards.read_bytes()))
    assert scored(packed, built, "--resamples", 50) == expected


def test_a_folder_means_the_file_in_it(file: Path, built: Path) -> None:
    assert run("validate", file.parent, "--dataset", built) == 0
    assert run("score", file.parent, "--dataset", built, "--resamples", 0) == 0


def test_validate_says_how_many_and_whose(
    file: Path, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("validate", file, "--dataset", built) == 0
    out, error = capsys.readouterr()
    assert str(file) in out
    assert "257 predictions of gold" in out
    assert "invalid" not in out
    assert "note: " in error
    assert "dataset_revision 0a1b2c3" in error


def test_an_empty_response_is_an_invalid_answer(
    gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = submission(tmp_path, changed(gold, lambda number, text: text if number > 1 else ""))
    assert run("validate", file, "--dataset", built) == 0
    out = capsys.readouterr().out
    assert "invalid answers, which count as wrong: 2" in out
    report = scored(file, built)
    assert report["families"]["searchr1/scripted"]["valid_rate"]["value"] == 33 / 35
    assert report["invalid"]["searchr1/scripted"]["no_answer"] == 2
    assert report["overall"]["valid_rate"]["n"] == 257
    assert "no_answer 2" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["validate", "score"])
def test_a_missing_response_is_an_error(
    command: str, gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = submission(tmp_path, [gold[0], gold[1] | {"response": None}, *gold[2:]])
    assert run(command, file, "--dataset", built) == 1
    assert_friendly(capsys.readouterr().err, f"{file}:2: response: found nothing")


@pytest.mark.parametrize("command", ["validate", "score"])
def test_ids_that_do_not_match_are_listed_and_counted(
    command: str, gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    others = [{"sample_id": f"sokoban/m/r/{k}", "response": ""} for k in range(13)]
    file = submission(tmp_path, gold[12:] + others + gold[20:31])
    assert run(command, file, "--dataset", built) == 1
    error = capsys.readouterr().err
    assert_friendly(error, "12 samples without", "13 predictions of no", "11 samples predicted")
    assert_friendly(error, "2 more", "3 more", "1 more")
    listed = plain(error).split()
    for ids in (gold[:12], others, gold[20:31]):
        assert [row["sample_id"] in listed for row in ids] == [True] * 10 + [False] * (
            len(ids) - 10
        )


@pytest.mark.parametrize("command", ["validate", "score"])
def test_start_probes_have_a_file_and_a_config_of_their_own(
    command: str, gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    starts = load_samples(str(built), "sokoban_start").table["sample_id"].to_pylist()
    rows = [{"sample_id": name, "response": "<answer>[1, 900]</answer>"} for name in starts]
    assert run(command, submission(tmp_path / "all", [*gold, *rows]), "--dataset", built) == 1
    error = " ".join(capsys.readouterr().err.split())
    assert f"{len(starts)} of these end in /0 and are of start probes" in error
    assert "score it with --config <task>_start" in error
    file = submission(tmp_path / "start", rows)
    assert run(command, file, "--dataset", built, "--config", "sokoban_start") == 0


def test_an_empty_file_lacks_every_sample(
    gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("validate", submission(tmp_path, []), "--dataset", built) == 1
    assert_friendly(capsys.readouterr().err, "257 samples without", gold[0]["sample_id"])


def test_an_id_several_times_is_counted_once(
    gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = submission(tmp_path, gold + gold[:2] * 3)
    assert run("score", file, "--dataset", built) == 1
    assert_friendly(capsys.readouterr().err, "2 samples predicted more than once")


def test_what_looks_like_markup_is_printed_as_it_is(
    gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"sample_id": "[red]a[/red]/m/[/]/1", "response": ""}
    assert run("score", submission(tmp_path, [*gold, row]), "--dataset", built) == 1
    assert_friendly(capsys.readouterr().err, row["sample_id"])


def test_validate_wants_metadata_and_score_does_not(
    file: Path, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (file.parent / "metadata.yaml").unlink()
    assert run("score", file, "--dataset", built, "--resamples", 0) == 0
    assert run("validate", file, "--dataset", built) == 1
    assert_friendly(capsys.readouterr().err, file.parent / "metadata.yaml", "is missing", "link")


def as_points(rows: Rows) -> Rows:
    """Return single numbers, which answer `point` for one resource, and nothing for several."""
    return changed(rows, lambda number, _: f"<answer>{number + 100}</answer>")


@pytest.mark.parametrize("command", ["validate", "score"])
def test_answers_to_another_question_than_the_metadatas_are_refused(
    command: str, gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = submission(tmp_path, as_points(gold))
    assert run(command, file, "--dataset", built) == 1
    error = plain(capsys.readouterr().err).replace("\n", " ")
    assert_friendly(
        error,
        *(file, "none is a valid answer to the question 'interval'", "answers to 'point'"),
        f"{file.parent / 'metadata.yaml'} says prompt_variant 'none'",
        "correct it there, to point_think or point_no_think",
    )
    submission(tmp_path, as_points(gold), prompt_variant="point_no_think")
    assert run(command, file, "--dataset", built) == 0


def test_without_metadata_an_option_says_the_question(
    gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_lines(tmp_path / "predictions.jsonl", as_points(gold))
    assert run("score", file, "--dataset", built) == 1
    error = plain(capsys.readouterr().err).replace("\n", " ")
    missing = f"{tmp_path / 'metadata.yaml'} is missing"
    assert_friendly(error, file, f"{missing}, so they are read as intervals; pass --question point")
    asked = scored(file, built, "--question", "point", "--resamples", 0)
    assert asked["overall"]["valid_rate"]["value"] == 0.75  # warehouse asks for three amounts
    assert scored(file, built, "--question", "forecast")["overall"]["valid_rate"]["value"] == 0


def test_each_file_of_a_comparison_answers_its_question(
    file: Path, gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = submission(tmp_path / "points", as_points(gold))
    assert run("score", file, "--dataset", built, "--compare", other) == 1
    assert f"{other}: none is a valid answer" in capsys.readouterr().err.replace("\n", " ")


def test_a_question_that_the_metadata_contradict_is_wrong_usage(
    file: Path, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("score", file, "--dataset", built, "--question", "point") == 2
    error = plain(capsys.readouterr().err).replace("\n", " ")
    assert_friendly(error, "--question point", "metadata.yaml says prompt_variant 'none'")
    assert run("score", file, "--dataset", built, "--question", "interval") == 0


def test_invalid_answers_to_every_question_are_scored(
    gold: Rows, built: Path, tmp_path: Path
) -> None:
    file = submission(tmp_path, changed(gold, lambda *_: "perhaps"))
    assert run("validate", file, "--dataset", built) == 0
    assert scored(file, built)["overall"]["valid_rate"]["value"] == 0


def test_validate_names_everything_wrong_with_the_metadata(
    gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = submission(tmp_path, gold, model_id=4.5, link="nowhere", team="x")
    assert run("validate", file, "--dataset", built) == 1
    assert_friendly(capsys.readouterr().err, "model_id: found 4.5", "link: found", "team: unknown")


WRONG_USAGE: dict[str, tuple[Sequence[str], str]] = {
    "no command": ((), "Usage"),
    "an unknown command": (("judge",), "judge"),
    "no predictions": (("score",), "Missing argument"),
    "no dataset": (("score", "FILE"), "--dataset"),
    "an unknown flag": (("score", "FILE", "--dataset", "BUILT", "--fast"), "--fast"),
    "an unknown group": (("score", "FILE", "--dataset", "BUILT", "--by", "model"), "--by"),
    "fewer than no resamples": (
        ("score", "FILE", "--dataset", "BUILT", "--resamples", "-1"),
        "--resamples",
    ),
    "no number": (("score", "FILE", "--dataset", "BUILT", "--resamples", "many"), "--resamples"),
    "a negative seed": (("score", "FILE", "--dataset", "BUILT", "--seed", "-1"), "--seed"),
    "two kinds of table": (
        ("score", "FILE", "--dataset", "BUILT", "--compare", "FILE", "--by", "task"),
        "--compare and --by",
    ),
}


@pytest.mark.parametrize("case", WRONG_USAGE)
def test_wrong_usage_ends_with_2(
    case: str, file: Path, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, word = WRONG_USAGE[case]
    names = {"FILE": str(file), "BUILT": str(built)}
    assert run(*(names.get(argument, argument) for argument in arguments)) == 2
    assert_friendly(capsys.readouterr().err, word)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--config", "chess"), ("chess", "sokoban", "warehouse_train")),
        (("--split", "train"), ("train", "sokoban")),
        (("--config", "sokoban", "--split", "sft"), ("config sokoban has no split sft", "test")),
        (("--config", "sokoban_train"), ("sokoban_train", "heldout", "rl", "sft")),
        (("--config", "rollouts"), ("rollouts",)),
    ],
)
@pytest.mark.parametrize("command", ["validate", "score"])
def test_a_config_or_split_that_is_not_there_lists_those_that_are(
    command: str,
    flags: Sequence[str],
    words: Sequence[str],
    file: Path,
    built: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(command, file, "--dataset", built, *flags) == 1
    assert_friendly(capsys.readouterr().err, built, *words)


def test_a_folder_that_no_build_wrote_is_refused(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("score", file, "--dataset", tmp_path) == 1
    assert_friendly(capsys.readouterr().err, tmp_path, "manifest.jsonl", "builders build")


def test_a_dataset_that_is_not_there_is_named(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("score", file, "--dataset", tmp_path / "nothing") == 1
    assert_friendly(capsys.readouterr().err, tmp_path / "nothing")


@pytest.mark.parametrize("damage", ["build.json", "data/sokoban/test-scripted.parquet"])
def test_a_dataset_with_a_file_gone_is_refused(
    damage: str, gold: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(SAMPLE, tmp_path / "built", "--task", "sokoban") == 0
    (tmp_path / "built" / damage).unlink()
    file = submission(tmp_path, gold)
    capsys.readouterr()
    assert run("score", file, "--dataset", tmp_path / "built") == 1
    assert_friendly(capsys.readouterr().err, tmp_path / "built", damage)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("nothing.jsonl", ("no such file or folder; expected predictions",)),
        ("scores.csv", (".jsonl, .jsonl.gz, .parquet",)),
        ("empty", ("predictions are missing; expected a file predictions.jsonl",)),
        ("two", ("holds several prediction files", "a.jsonl, b.parquet")),
    ],
)
@pytest.mark.parametrize("command", ["validate", "score"])
def test_predictions_that_cannot_be_found_are_named(
    command: str,
    name: str,
    words: Sequence[str],
    built: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for path in ("scores.csv", "empty/metadata.yaml", "two/a.jsonl", "two/b.parquet"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    assert run(command, tmp_path / name, "--dataset", built) == 1
    assert_friendly(capsys.readouterr().err, tmp_path / name, *words)


def test_one_task_is_scored_alone(gold: Rows, built: Path, tmp_path: Path) -> None:
    rows = [row for row in gold if row["sample_id"].startswith("sokoban/")]
    report = scored(submission(tmp_path, rows), built, "--config", "sokoban")
    assert list(report["families"]) == ["sokoban/scripted"]
    assert report["dataset"]["config"] == "sokoban"
    assert report["dataset"]["samples"] == report["overall"]["accuracy"]["n"] == len(rows)


def test_training_splits_are_scored_too(built: Path, tmp_path: Path) -> None:
    table = load_samples(str(built), "sokoban_train", "heldout").table
    rows = [{"sample_id": name.as_py(), "response": ""} for name in table["sample_id"]]
    flags = ("--config", "sokoban_train", "--split", "heldout")
    report = scored(submission(tmp_path, rows), built, *flags)
    assert report["overall"]["valid_rate"] == {"value": 0.0, "n": 5, "low": None, "high": None}


def test_the_table_shows_every_score_with_its_interval_and_n(
    gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = scored(submission(tmp_path, every_other_impossible(gold)), built, "--all")
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    lines = {row[0]: " ".join(row) for row in rows if row and row[0] in SCORES}
    assert list(lines) == list(SCORES)
    for name in ("macro_f1", "hit_rate", "saved_rate"):
        each = report["overall"][name]
        interval = f"[{each['low']:.3f}, {each['high']:.3f}]"
        assert lines[name] == f"{name} {each['value']:.3f} {interval} {each['n']}"


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("task", ("overall", *TASKS, *SCORES)),
        ("family", ("overall", *(f"{task}/scripted" for task in TASKS), "n 257")),
        ("progress", ("overall", *TASKS, "0-20%", "80-100%", "predicted_feasible_on_infeasible")),
    ],
)
@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_scores_are_shown_apart_and_nothing_is_cut_off(
    columns: str,
    by: str,
    words: Sequence[str],
    file: Path,
    built: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert run("score", file, "--dataset", built, "--by", by, "--all") == 0
    out, error = capsys.readouterr()
    assert [word for word in words if word not in out] == []
    assert "…" not in out
    assert error == ""


def test_without_resamples_there_are_no_intervals(
    file: Path, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = scored(file, built, "--resamples", 0)
    assert {each["low"] for each in report["overall"].values()} == {None}
    assert report["overall"]["macro_f1"]["value"] == 1.0
    assert "[" not in plain(capsys.readouterr().out)


def test_missing_intervals_are_explained(
    gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SWE-bench has 8 instances here: an empty column without a word looked like a fault."""
    file = submission(tmp_path, gold)
    reason = "no 95% interval: the score is taken over fewer than 10 instances"
    few = ("score", file, "--dataset", built, "--config", "swebench")
    for options in ((), ("--compare", file)):
        assert run(*few, *options) == 0
        assert reason in capsys.readouterr().out.splitlines()
    assert run(*few, "--resamples", 0) == 0
    assert reason not in capsys.readouterr().out


def test_a_seed_draws_the_same_rollouts_again(gold: Rows, built: Path, tmp_path: Path) -> None:
    file = submission(tmp_path, every_other_impossible(gold))
    first, again, other = (scored(file, built, "--seed", seed) for seed in (1, 1, 2))
    assert first == again
    assert first["overall"]["accuracy"] != other["overall"]["accuracy"]
    assert first["overall"]["accuracy"]["value"] == other["overall"]["accuracy"]["value"]


def test_two_estimators_are_compared(
    file: Path, gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = submission(tmp_path / "other", every_other_impossible(gold)[::-1])
    report = scored(file, built, "--compare", other, "--all")
    out = capsys.readouterr().out
    listed = {line.partition(" ")[0] for line in out.splitlines()} & SCORES.keys()
    assert SCORES.keys() - listed == {
        *("share_failed", "share_over_budget", "share_failed_over_budget")
    }
    assert report["comparison"]["overall"].keys() >= SCORES.keys()
    assert report["overall"] == scored(file, built)["overall"]
    for group in ("tasks", "families"):
        assert list(report["comparison"][group]) == list(report[group])
    accuracy = report["comparison"]["overall"]["accuracy"]
    second = scored(other, built)["overall"]["accuracy"]["value"]
    assert (accuracy["first"], accuracy["second"]) == (1.0, second)
    assert accuracy["difference"] == pytest.approx(1 - second)
    assert 0 < accuracy["low"] < accuracy["difference"] < accuracy["high"]
    assert accuracy["p"] < 0.05
    assert accuracy["n_first"] == accuracy["n_second"] == 257
    assert re.search(r"^score +gold +other +diff\. +95% interval", out, re.MULTILINE)
    assert "the families in which both estimators have a value" in " ".join(out.split())
    lines = [line.split() for line in out.splitlines() if line.startswith("accuracy ")]
    assert lines[-1][-1] == "257"


@pytest.mark.parametrize("command", ["validate", "score"])
def test_what_is_of_another_version_is_noted(
    command: str, gold: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = tmp_path / "built"
    assert build(SAMPLE, built, "--task", "sokoban") == 0
    rows = [row for row in gold if row["sample_id"].startswith("sokoban/")]
    file = submission(tmp_path / "gold", rows, benchmark_version=BENCHMARK_VERSION)
    capsys.readouterr()
    assert run(command, file, "--dataset", built) == 0
    assert "benchmark version" not in capsys.readouterr().err
    write_json(built / "build.json", build_record(built) | {"benchmark_version": "1.0"})
    submission(tmp_path / "gold", rows, benchmark_version="1.1")
    assert run(command, file, "--dataset", built) == 0
    error = " ".join(capsys.readouterr().err.split())
    assert f"note: {built} was built for benchmark version 1.0, and these scores" in error
    assert "metadata.yaml says that its predictions are of benchmark version 1.1" in error
    assert "not comparable; build the dataset anew" in error
    assert "not comparable; predict anew" in error


def test_a_dataset_without_a_reference_is_noted(
    gold: Rows, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    built = tmp_path / "built"
    assert build(SAMPLE, built, "--task", "sokoban") == 0
    rows = [row for row in gold if row["sample_id"].startswith("sokoban/")]
    file = submission(tmp_path / "gold", rows)
    capsys.readouterr()
    assert run("score", file, "--dataset", built) == 0
    assert "config reference" not in capsys.readouterr().err
    manifest = built / "manifest.jsonl"
    kept = [json.loads(line) for line in manifest.read_text().splitlines()]
    write_lines(manifest, [row for row in kept if row["config"] != "reference"])
    assert run("score", file, "--dataset", built) == 0
    assert "has no config reference, so scores" in " ".join(capsys.readouterr().err.split())


def test_an_estimator_does_not_differ_from_itself(file: Path, built: Path) -> None:
    report = scored(file, built, "--compare", file)
    known = [each for each in report["comparison"]["overall"].values() if each["first"] is not None]
    assert {each["difference"] for each in known} == {0.0}
    assert {each["p"] for each in known if each["low"] is not None} == {1.0}


@pytest.mark.parametrize(
    ("folders", "names"),
    [
        (("gold", "gold"), ("mine (1)", "mine (2)")),
        (("a/gold", "b/gold"), ("a/gold", "b/gold")),
        (("first", "second"), ("first", "second")),
    ],
)
def test_columns_have_two_names(
    folders: tuple[str, str],
    names: tuple[str, str],
    gold: Rows,
    built: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    first, second = (submission(tmp_path / each, gold, estimator="mine") for each in folders)
    flags = ("--dataset", built, "--resamples", 0, "--config", "sokoban")
    assert run("score", first, *flags, "--compare", second) == 0
    assert re.search(
        rf"^score +{re.escape(names[0])} +{re.escape(names[1])} +diff\.",
        capsys.readouterr().out,
        re.MULTILINE,
    )


def test_a_comparison_of_long_names_fits_into_80_columns(
    gold: Rows,
    built: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    long = "Qwen/Qwen3-235B-A22B-Instruct-2507"
    first = submission(tmp_path / "a", gold, estimator=f"{long}-a")
    second = submission(tmp_path / "b", every_other_impossible(gold), estimator=f"{long}-b")
    assert run("score", first, "--dataset", built, "--compare", second, "--resamples", 50) == 0
    out = capsys.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    head = out[: out.index("----")].splitlines()[1:]
    columns = list(zip(*(re.split(r" {2,}", line.strip())[:2] for line in head[:-1]), strict=True))
    assert ["".join(column) for column in columns] == [long[: len(columns[0]) * 11]] * 2
    assert "\u2026" not in out


@pytest.mark.parametrize("is_first", [True, False])
def test_estimators_are_compared_on_the_samples_that_both_answer(
    is_first: bool,
    file: Path,
    gold: Rows,
    built: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    short = submission(tmp_path / "short", gold[2:])
    first, second = (short, file) if is_first else (file, short)
    assert run("score", first, "--dataset", built, "--compare", second) == 0
    out, error = capsys.readouterr()
    assert_friendly(error, "only 255 of 257 samples have a prediction of both", "not submittable")
    assert "sokoban 48, swebench 94" in " ".join(error.split())
    assert "overall, paired by sample: 255 of 257 samples, which both answer" in out


def test_estimators_that_answer_no_sample_both_are_not_compared(
    gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command used to list all 209 samples that the first submission leaves out."""
    first, second = (
        submission(tmp_path / task, [row for row in gold if row["sample_id"].startswith(task)])
        for task in ("sokoban/", "swebench/")
    )
    assert run("score", first, "--dataset", built, "--compare", second) == 1
    assert_friendly(capsys.readouterr().err, "no sample is answered both by", first, second)


@pytest.mark.parametrize("command", ["score", "validate"])
@pytest.mark.parametrize("is_folder", [False, True])
def test_answers_to_another_config_say_which(
    command: str,
    is_folder: bool,
    gold: Rows,
    built: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [row for row in gold if row["sample_id"].startswith("sokoban/")]
    file = submission(tmp_path, rows)
    place = file.parent if is_folder else file
    assert run(command, place, "--dataset", built, "--config", "swebench") == 1
    error = capsys.readouterr().err
    assert_friendly(error, "48 predictions answer 'sokoban'")
    assert error.splitlines()[-1].startswith(f"{file}: answers no sample of swebench")


@pytest.mark.parametrize(
    ("least", "words"), [(48, "not submittable for searchr1, swebench, warehouse\n"), (20, "\n")]
)
def test_a_config_that_is_answered_whole_can_be_submitted(
    least: int,
    words: str,
    gold: Rows,
    built: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = [row for row in gold if row["sample_id"].startswith("sokoban/")][:least]
    file = submission(tmp_path, rows)
    assert run("score", file, "--dataset", built, "--resamples", "0") == 0
    assert f"(sokoban {least}): scored on these, not submittable" in (
        error := capsys.readouterr().err
    )
    assert error.endswith(words)


def test_json_goes_into_a_new_folder(
    file: Path, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "é" / "scores.json"
    assert run("score", file, "--dataset", built, "--json", out) == 0
    assert json.loads(out.read_text(encoding="utf-8"))["overall"]
    assert str(out) in capsys.readouterr().out


@pytest.mark.parametrize("place", [".", "taken/scores.json"])
def test_json_that_cannot_be_written_is_an_error(
    place: str, file: Path, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").touch()
    assert run("score", file, "--dataset", built, "--json", tmp_path / place) == 1
    assert_friendly(capsys.readouterr().err, tmp_path / place, "cannot be written")


def test_nothing_is_written_when_predictions_are_refused(
    gold: Rows, built: Path, tmp_path: Path
) -> None:
    out = tmp_path / "scores.json"
    file = submission(tmp_path, [*gold[1:], gold[1]])
    assert run("score", file, "--dataset", built, "--json", out) == 1
    assert not out.exists()


def test_a_part_of_the_samples_is_scored_and_cannot_be_submitted(
    gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    part = [row for row in gold if row["sample_id"].startswith("sokoban/")][:20]
    file = submission(tmp_path, part)
    report = scored(file, built)
    out, error = capsys.readouterr()
    assert report["answered"] == {"samples": 257, "answered": 20}
    assert report["overall"]["accuracy"] | {"low": None, "high": None} == {
        "value": 1.0,
        "low": None,
        "high": None,
        "n": 20,
    }
    assert "20 of 257 samples" in out
    assert "not submittable" in error
    assert list(report["tasks"]) == ["sokoban"]
    assert run("validate", file, "--dataset", built) == 1
    assert "28 samples without a prediction" in plain(capsys.readouterr().err)


def test_a_part_has_the_scores_of_its_samples_alone(
    gold: Rows, built: Path, tmp_path: Path
) -> None:
    rows = every_other_impossible([row for row in gold if row["sample_id"].startswith("sokoban/")])
    whole = scored(submission(tmp_path / "whole", rows), built, "--config", "sokoban")
    part = scored(submission(tmp_path / "part", rows), built)
    assert part["tasks"]["sokoban"] == whole["tasks"]["sokoban"]
    assert "answered" not in whole


def test_a_config_is_chosen_from_a_file_of_several(
    gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = [row for row in gold if row["sample_id"].startswith("sokoban/")]
    all_tasks = submission(tmp_path / "all", gold)
    report = scored(all_tasks, built, "--config", "sokoban")
    note = plain(capsys.readouterr().err)
    assert f"left aside: {len(gold) - len(own)} predictions of other configs" in note
    assert report == scored(submission(tmp_path / "own", own), built, "--config", "sokoban")


def test_headline_scores_come_first_and_are_explained_on_request(
    gold: Rows, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = submission(tmp_path, gold)
    assert run("score", file, "--dataset", built) == 0
    short = capsys.readouterr().out
    assert "brier_skill" in short
    assert "recall_failed" not in short
    assert "--all shows every score, --explain says what each is" in short
    assert run("score", file, "--dataset", built, "--explain") == 0
    explained = " ".join(capsys.readouterr().out.split())
    for part in (
        "hit_rate asks How many feasible samples get an interval that holds R?",
        "is share of feasible samples whose intervals cover every resource",
        "range 0 to 1; higher is better",
        "a is covered, b and c are not: 1 / 3 = 0.333",
        "section How much is still needed?",
    ):
        assert part in explained, part


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ((), ("validate", "score", "Exit codes")),
        (("validate",), ("--dataset", "--config", "--split", "metadata.yaml")),
        (("score",), ("--json", "--by", "--compare", "--resamples", "--seed")),
    ],
)
def test_help_names_what_there_is(
    command: Sequence[str], words: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*command, "--help") == 0
    assert_friendly(capsys.readouterr().out, *words)


def test_it_says_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out == f"bagen {__version__}, benchmark {BENCHMARK_VERSION}\n"


def test_it_runs_as_a_module(file: Path, built: Path, tmp_path: Path) -> None:
    out = tmp_path / "scores.json"
    command = ["-m", "bagen_data", "score", file, "--dataset", built, "--json", out]
    called = [sys.executable, *map(str, command)]
    done = subprocess.run(called, cwd=REPO, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "macro_f1" in done.stdout
    assert json.loads(out.read_bytes()) == scored(file, built)


def test_it_says_which_extra_is_missing() -> None:
    code = (
        "import runpy, sys; sys.modules['typer'] = None; "
        "runpy.run_module('bagen_data', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "typer is not installed; install it with: pip install bagen-data"
    )


def test_scores_do_not_replace_the_predictions(
    file: Path, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = file.read_bytes()
    assert run("score", file, "--dataset", built, "--json", file) == 2
    assert "these are the predictions" in capsys.readouterr().err
    assert file.read_bytes() == before


@pytest.mark.parametrize("dataset", ["out/nope", "./nope", "/nope/nope", "nope", "a/b/c"])
def test_a_folder_that_is_not_there_is_no_hub_id(
    dataset: str,
    file: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "out").mkdir()
    monkeypatch.chdir(tmp_path)
    assert run("score", file, "--dataset", dataset) == 1
    assert "no such folder" in capsys.readouterr().err


def test_a_damaged_dataset_is_named(
    file: Path, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for line in ('{"path": "x"}', "[]", "{"):
        (folder / "manifest.jsonl").write_text(line + "\n", encoding="utf-8")
        assert run("score", file, "--dataset", folder) == 1
        assert "manifest" in capsys.readouterr().err
    good = (built / "manifest.jsonl").read_bytes()
    (folder / "manifest.jsonl").write_bytes(good)
    assert run("score", file, "--dataset", folder) == 1
    assert "cannot be read" in capsys.readouterr().err
