"""Results and a site of submissions."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from bagen_data.cli import main as bagen
from bagen_data.hub import load_reference, load_samples
from bagen_data.scoring import score
from bagen_data.submission_folder import MOST_SUBMISSIONS
from bagen_data.tables import to_json
from bagen_data.versions import BENCHMARK_VERSION
from leaderboard import build_results, paper
from leaderboard.scoring_processes import ScoringProcesses
from tests.leaderboard.made_submissions import (
    FORECAST,
    Sample,
    budget_left,
    build_site,
    forecast,
    gold,
    leaderboard,
    results,
    samples_of,
    submit,
    write_metadata,
    write_rows,
)
from tests.making import REPO, exit_code

EXAMPLES = REPO / "leaderboard" / "submissions"
FORMAT_1 = Path(__file__).parent / "results_format_1.json"
TASKS = ["searchr1", "sokoban", "swebench", "warehouse"]


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows_of(file: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_the_example_is_ranked_and_rebuilt_to_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    """A failure about the revision means that the sample changed: write the new one there."""
    results = build_site(EXAMPLES, dataset, tmp_path / "first")
    assert (results["apart"], results["refused"]) == ([], [])
    (example,) = results["submissions"]
    assert (example["folder"], example["complete"]) == ("A_EXAMPLE", True)
    cache = ("--cache", tmp_path / "cache")
    for out in ("second", "third"):
        build_site(EXAMPLES, dataset, tmp_path / out, *cache)
        assert files_of(tmp_path / out) == files_of(tmp_path / "first")


def test_two_processes_of_its_own_score_a_board_to_the_same_bytes(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests' shared worker scored the first board, one submission after the other."""
    submit(tmp_path / "in" / "left", dataset, budget_left)
    submit(tmp_path / "in" / "gold", dataset, gold, estimator="another")
    build_site(tmp_path / "in", dataset, tmp_path / "one")
    monkeypatch.setattr(build_results, "ScoringProcesses", ScoringProcesses)
    build_site(tmp_path / "in", dataset, tmp_path / "two", "--workers", 2)
    assert files_of(tmp_path / "two") == files_of(tmp_path / "one")


def test_results_are_those_of_the_metric(dataset: Path, tmp_path: Path) -> None:
    submit(tmp_path / "in" / "left", dataset, budget_left)
    (entry,) = build_site(tmp_path / "in", dataset, tmp_path / "out")["submissions"]
    rows = rows_of(tmp_path / "in/left/predictions.jsonl")
    reference = load_reference(str(dataset))
    expected = score(load_samples(str(dataset)).table, rows, reference=reference).to_dict()
    assert entry["scores"]["overall"] == expected["overall"]
    assert entry["scores"]["tasks"] == expected["tasks"]
    assert entry["scores"]["families"] == expected["families"]
    assert entry["progress"] == expected["progress"]
    text = (tmp_path / "out" / "results.json").read_text()
    assert text == to_json(json.loads(text)) + "\n"
    table = pq.read_table(tmp_path / "out" / "results.parquet").to_pylist()
    row_of = {(row["level"], row["group"], row["score"]): row for row in table}
    page = (tmp_path / "out/submissions/left.html").read_text()
    names = set(expected["overall"]) - {"start_correlation"}
    assert all(f"<dt><code>{name}</code></dt>" in page for name in names)
    for task, scores in expected["tasks"].items():
        for name, task_score in scores.items():
            row = row_of["task", task, name]
            assert {key: row[key] for key in ("value", "n", "low", "high")} == task_score
    assert len({row["files_sha256"] for row in table}) == 1
    assert row_of["overall", "overall", "macro_f1_open"]["rank_first"] == 1


def test_one_file_for_all_configs_or_one_for_each_is_the_same(
    dataset: Path, tmp_path: Path
) -> None:
    submit(tmp_path / "in" / "a", dataset, budget_left)
    rows = rows_of(tmp_path / "in/a/predictions.jsonl")
    for task in TASKS:
        task_rows = [row for row in rows if row["sample_id"].startswith(f"{task}/")]
        write_rows(tmp_path / "in" / "b" / f"{task}.jsonl", reversed(task_rows))
    write_metadata(tmp_path / "in" / "b", dataset)
    first, second = build_site(tmp_path / "in", dataset, tmp_path / "out")["submissions"]
    for name in ("scores", "progress", "invalid", "ranks"):
        assert first[name] == second[name]
    assert [file["predictions"] for file in second["files"]] == [35, 48, 94, 80]


def test_who_answers_some_configs_is_ranked_there_and_not_overall(
    dataset: Path, tmp_path: Path
) -> None:
    submit(tmp_path / "in" / "all", dataset, budget_left)
    submit(tmp_path / "in" / "some", dataset, gold, tasks=["sokoban", "swebench"])
    whole, part = build_site(tmp_path / "in", dataset, tmp_path / "out")["submissions"]
    assert part["answered"] == ["sokoban", "swebench"]
    assert part["scores"]["overall"] is None
    assert sorted(part["ranks"]) == ["sokoban", "swebench"]
    assert "overall" not in part["spent"]
    assert "overall" not in part["progress"]
    assert whole["ranks"]["overall"]["macro_f1_open"]["first"] == 1
    overall = (tmp_path / "out" / "index.html").read_text()
    assert "answers only Sokoban, SWE-bench" in overall
    assert "submissions/some.html" in (tmp_path / "out/tasks/sokoban.html").read_text()
    assert "submissions/some.html" not in (tmp_path / "out/tasks/warehouse.html").read_text()


def test_ties_share_a_rank_and_what_is_told_apart_does_not(dataset: Path, tmp_path: Path) -> None:
    submit(tmp_path / "in" / "gold", dataset, gold)
    submit(tmp_path / "in" / "gold-again", dataset, gold, estimator="the same")
    submit(tmp_path / "in" / "wrong", dataset, lambda _: "<answer>no</answer>")
    submissions = build_site(tmp_path / "in", dataset, tmp_path / "out")["submissions"]
    places = [entry["ranks"]["overall"]["macro_f1_open"] for entry in submissions]
    assert [(place["first"], place["last"]) for place in places] == [(1, 2), (1, 2), (3, 3)]
    assert places[2]["better"] == [2]
    table = pq.read_table(tmp_path / "out" / "results.parquet").to_pylist()
    assert [
        (row["rank_first"], row["rank_last"])
        for row in table
        if (row["group"], row["score"]) == ("overall", "macro_f1_open")
    ] == [(1, 2), (1, 2), (3, 3)]


@pytest.mark.parametrize(
    ("metadata", "why"),
    [
        ({"dataset_revision": "0" * 40}, "made of dataset revision 0000"),
        ({"benchmark_version": "0.9"}, f"made for BAGEN 0.9; this is {BENCHMARK_VERSION}"),
    ],
)
def test_another_revision_or_version_is_shown_apart(
    metadata: dict[str, str], why: str, dataset: Path, tmp_path: Path
) -> None:
    submit(tmp_path / "in" / "now", dataset, budget_left)
    submit(tmp_path / "in" / "then", dataset, gold, **metadata)
    results = build_site(tmp_path / "in", dataset, tmp_path / "out")
    assert [entry["folder"] for entry in results["submissions"]] == ["now"]
    (apart,) = results["apart"]
    assert apart["folder"] == "then"
    assert apart["why"][0].startswith(why)
    assert apart["scores"]["overall"]["macro_f1"]["value"] > 0.5
    assert "ranks" not in apart
    table = pq.read_table(tmp_path / "out" / "results.parquet").to_pylist()
    now = (results["benchmark_version"], results["dataset"]["revision"])
    then = (apart["benchmark_version"], apart["dataset_revision"])
    assert then != now
    assert scored_rows(table) == {("ranked", *now, *now), ("apart", *then, *now)}
    page = (tmp_path / "out" / "apart.html").read_text()
    assert why in page
    assert (
        f"Scored by BAGEN {BENCHMARK_VERSION} on revision {results['dataset']['revision']}" in page
    )
    assert "then.html" not in (tmp_path / "out" / "index.html").read_text()


def scored_rows(table: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    """Return what rows of `results.parquet` were made for, and what their scores are of."""
    made, scored = (
        ("benchmark_version", "dataset_revision"),
        ("scored_on_version", "scored_on_revision"),
    )
    return {tuple(row[name] for name in ("standing", *made, *scored)) for row in table}


def test_predictions_of_another_revision_that_do_not_fit_are_apart_and_not_scored(
    dataset: Path, tmp_path: Path
) -> None:
    submit(tmp_path / "in" / "now", dataset)
    submit(tmp_path / "in" / "then", dataset, dataset_revision="f" * 40)
    write_rows(
        tmp_path / "in/then/predictions.jsonl",
        [{"sample_id": "swebench/m/gone/1", "response": ""}],
    )
    (apart,) = build_site(tmp_path / "in", dataset, tmp_path / "out")["apart"]
    assert apart["scores"] is None
    assert "1 prediction of no sample" in "".join(apart["reasons"])


def test_earlier_results_are_shown_apart(dataset: Path, tmp_path: Path) -> None:
    submit(tmp_path / "in" / "now", dataset)
    before = build_site(tmp_path / "in", dataset, tmp_path / "before")
    before["benchmark_version"] = before["submissions"][0]["benchmark_version"] = "0.9"
    before["scorer"]["version"] = "0.0.1"
    (tmp_path / "old.json").write_text(json.dumps(before))
    results = build_site(
        tmp_path / "in", dataset, tmp_path / "out", "--earlier", tmp_path / "old.json"
    )
    assert [entry["why"] for entry in results["apart"]] == [
        [f"scored by BAGEN 0.9 on dataset revision {results['dataset']['revision']}"]
    ]
    table = pq.read_table(tmp_path / "out" / "results.parquet").to_pylist()
    columns = ("standing", "benchmark_version", "scorer_version")
    assert {tuple(row[name] for name in columns) for row in table} == {
        ("ranked", results["benchmark_version"], results["scorer"]["version"]),
        ("apart", "0.9", "0.0.1"),
    }
    revision = results["dataset"]["revision"]
    assert ("apart", "0.9", revision, "0.9", revision) in scored_rows(table)


@pytest.mark.parametrize("text", ["[]", "{", '{"format": 1}', '{"format": 2}', '{"format": 3}'])
def test_earlier_results_that_are_none_are_refused(
    text: str, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(tmp_path / "in" / "now", dataset)
    (tmp_path / "old.json").write_text(text)
    flags = ("--submissions", tmp_path / "in", "--dataset", dataset, "--no-cache")
    more = ("--out", tmp_path / "out", "--earlier", tmp_path / "old.json")
    assert leaderboard("build", *flags, *more) == 1
    assert f"{tmp_path / 'old.json'}: " in (message := capsys.readouterr().err)
    assert "expected" in message or "build the site again" in message


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        (7, "earlier results are not what a build wrote: TypeError"),
        (None, "earlier results are not what a build wrote: TypeError"),
        ("../up", "the folder's name is '../up'"),
    ],
)
def test_an_earlier_record_without_a_folders_name_is_refused(
    folder: object, message: str, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(tmp_path / "in" / "now", dataset)
    before = build_site(tmp_path / "in", dataset, tmp_path / "before", "--resamples", 0)
    before["benchmark_version"] = "0.9"
    (tmp_path / "good.json").write_text(json.dumps(before))
    before["submissions"][0]["folder"] = folder
    (tmp_path / "bad.json").write_text(json.dumps(before))
    flags = ("--submissions", tmp_path / "in", "--dataset", dataset, "--no-cache")
    more = ("--earlier", tmp_path / "good.json", "--earlier", tmp_path / "bad.json")
    assert leaderboard("build", *flags, "--out", tmp_path / "out", *more) == 1
    assert f"{tmp_path / 'bad.json'}: {message}" in capsys.readouterr().err


def test_results_of_version_1_are_shown_apart(dataset: Path, tmp_path: Path) -> None:
    """Format 1 is what boards of version 1 wrote; the file is one of them, as it was written."""
    submit(tmp_path / "in" / "now", dataset, forecast, **FORECAST)
    written = json.loads(FORMAT_1.read_text())
    assert (written["format"], written["benchmark_version"]) == (1, "1.0")
    out = tmp_path / "out"
    results = build_site(tmp_path / "in", dataset, out, "--earlier", FORMAT_1)
    (apart,) = results["apart"]
    revision = written["dataset"]["revision"]
    assert apart["why"] == [f"scored by BAGEN 1.0 on dataset revision {revision}"]
    value = written["submissions"][0]["scores"]["overall"]["macro_f1"]["value"]
    assert apart["scores"]["overall"]["macro_f1"]["value"] == value
    assert f"<td>{value:.3f}<small>" in (out / "apart.html").read_text()
    table = pq.read_table(out / "results.parquet").to_pylist()
    assert {row["benchmark_version"] for row in table if row["standing"] == "apart"} == {"1.0"}


def test_a_site_of_version_1_is_not_exported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    export = ("export", FORMAT_1, "--format", "eee", "--out", tmp_path / "out")
    assert leaderboard(*export) == 1
    assert "expected results of format 2, found format 1" in capsys.readouterr().err


def test_results_of_this_very_revision_are_no_earlier_ones(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(tmp_path / "in" / "now", dataset)
    build_site(tmp_path / "in", dataset, tmp_path / "out")
    flags = ("--submissions", tmp_path / "in", "--dataset", dataset, "--no-cache")
    more = ("--out", tmp_path / "out", "--earlier", tmp_path / "out")
    assert leaderboard("build", *flags, *more) == 1
    assert "as these are; leave them out" in capsys.readouterr().err


def later_label(dataset: Path) -> dict[str, str]:
    """Each sample's id, and the label of the next prefix of its rollout: the join attack."""
    by_id = {sample["sample_id"]: sample for sample in samples_of(dataset)}
    answers = {}
    for name, sample in by_id.items():
        stem, _, turns = name.rpartition("/")
        answers[name] = gold(by_id.get(f"{stem}/{int(turns) + 1}", sample))
    return answers


def test_labels_joined_from_later_prefixes_are_shown_with_a_note(
    dataset: Path, tmp_path: Path
) -> None:
    later = later_label(dataset)
    submit(tmp_path / "in" / "joined", dataset, lambda sample: later[sample["sample_id"]])
    submit(tmp_path / "in" / "labels", dataset, gold)
    submit(tmp_path / "in" / "honest", dataset, budget_left)
    results = build_site(tmp_path / "in", dataset, tmp_path / "out")
    noted = {entry["folder"]: entry["label_matches"]["noted"] for entry in results["submissions"]}
    assert noted == {"joined": True, "labels": True, "honest": False}
    page = (tmp_path / "out/submissions/joined.html").read_text()
    assert "Answers lie on labels" in page
    assert "submit.html#the-labels-are-public" in page
    assert (tmp_path / "out/index.html").read_text().count("answers lie on labels") == 2
    assert 'id="the-labels-are-public"' in (tmp_path / "out/submit.html").read_text()


def test_what_predictions_took(dataset: Path, tmp_path: Path) -> None:
    usage = {"input_tokens": 100, "cached_tokens": 40, "output_tokens": 7}
    submit(tmp_path / "in" / "a", dataset, more={"usage": usage, "cost_usd": 0.002})
    submit(tmp_path / "in" / "b", dataset)
    costed, silent = build_site(tmp_path / "in", dataset, tmp_path / "out")["submissions"]
    assert costed["spent"]["sokoban"] == {
        "predictions": 48,
        "cost_usd_per_1000": pytest.approx(2.0),
        "input_tokens": 100,
        "cached_tokens": 40,
        "output_tokens": 7,
    }
    assert silent["spent"]["overall"]["cost_usd_per_1000"] is None


def test_unchanged_submissions_come_from_the_cache(dataset: Path, tmp_path: Path) -> None:
    submit(tmp_path / "in" / "a", dataset, budget_left)
    flags = ("--cache", tmp_path / "cache")
    first = build_site(tmp_path / "in", dataset, tmp_path / "one", *flags)
    kept = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").rglob("*.npz")}
    build_site(tmp_path / "in", dataset, tmp_path / "two", *flags)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    for path in kept:
        path.write_bytes(b"broken")
    assert build_site(tmp_path / "in", dataset, tmp_path / "three", *flags) == first
    assert files_of(tmp_path / "three") == files_of(tmp_path / "one")
    write_metadata(tmp_path / "in" / "a", dataset, estimator="renamed")
    (renamed,) = build_site(tmp_path / "in", dataset, tmp_path / "four", *flags)["submissions"]
    assert renamed["metadata"]["estimator"] == "renamed"
    submit(tmp_path / "in" / "a", dataset, gold)
    (changed,) = build_site(tmp_path / "in", dataset, tmp_path / "five", *flags)["submissions"]
    assert changed["scores"] != first["submissions"][0]["scores"]
    assert len(list((tmp_path / "cache").rglob("*.npz"))) > len(kept)


def test_an_id_that_names_no_dataset_is_not_exported(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(tmp_path / "in" / "a", dataset)
    build_site(tmp_path / "in", dataset, tmp_path / "out")
    export = ("export", tmp_path / "out", "--format", "hub")
    assert leaderboard(*export, "--dataset-id", "not an id") == 2
    assert "expected ORG/NAME" in capsys.readouterr().err
    assert leaderboard(*export) == 1
    assert "or give --dataset-id" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out-hub").exists()


def test_a_cache_that_cannot_be_written_refuses_nobody(dataset: Path, tmp_path: Path) -> None:
    submit(tmp_path / "in" / "a", dataset)
    (tmp_path / "file").write_text("no folder")
    results = build_site(tmp_path / "in", dataset, tmp_path / "out", "--cache", tmp_path / "file")
    assert (len(results["submissions"]), results["refused"]) == (1, [])
    assert (tmp_path / "file").read_text() == "no folder"


def test_a_site_is_replaced_and_a_foreign_folder_is_not(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(tmp_path / "in" / "a", dataset)
    submit(tmp_path / "in" / "b", dataset)
    build_site(tmp_path / "in", dataset, tmp_path / "out")
    shutil.rmtree(tmp_path / "in" / "b")
    build_site(tmp_path / "in", dataset, tmp_path / "out")
    assert not (tmp_path / "out/submissions/b.html").exists()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    flags = ("--submissions", tmp_path / "in", "--dataset", dataset, "--no-cache")
    assert leaderboard("build", *flags, "--out", tmp_path / "out") == 1
    assert "thesis.txt" in capsys.readouterr().err
    assert (tmp_path / "out" / "thesis.txt").read_text() == "mine"


def test_baselines_are_written_over_nobody(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(tmp_path / "in" / "conformal", dataset, estimator="ours")
    before = files_of(tmp_path / "in")
    assert leaderboard("baselines", "--dataset", dataset, "--out", tmp_path / "in") == 1
    assert "conformal: holds another submission" in " ".join(capsys.readouterr().err.split())
    assert files_of(tmp_path / "in") == before


def test_a_submission_half_moved_into_place_is_refused_until_a_reader_puts_it_right(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = submit(tmp_path / "in" / "a", dataset)
    (folder / ".replacement").mkdir()
    (folder / "metadata.yaml").rename(folder / ".replacement" / "metadata.yaml")
    assert leaderboard("validate", folder, "--dataset", dataset) == 1
    message = "only some of its new files are in place; 'bagen validate' moves the others there"
    assert message in " ".join(capsys.readouterr().err.split())
    assert exit_code(bagen, "validate", folder, "--dataset", dataset) == 0
    assert leaderboard("validate", folder, "--dataset", dataset) == 0


def test_a_site_among_its_submissions_is_wrong_usage(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(tmp_path / "in" / "a", dataset)
    flags = ("--submissions", tmp_path / "in", "--dataset", dataset, "--no-cache")
    assert leaderboard("build", *flags, "--out", tmp_path / "in" / "site") == 2
    assert "lies in the folder of submissions" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "in" / "site").exists()


def test_a_file_is_no_submission(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(tmp_path / "a", dataset)
    file = tmp_path / "a" / "predictions.jsonl"
    assert leaderboard("validate", file, "--dataset", dataset) == 1
    assert "predictions.jsonl: is not a folder; expected one with metadata.yaml" in " ".join(
        capsys.readouterr().err.split()
    )


def test_files_are_copied_or_linked(dataset: Path, tmp_path: Path) -> None:
    submit(tmp_path / "in" / "a", dataset)
    build_site(tmp_path / "in", dataset, tmp_path / "out")
    copied = tmp_path / "out/files/a/predictions.jsonl"
    assert copied.read_bytes() == (tmp_path / "in/a/predictions.jsonl").read_bytes()
    url = "https://example.org/submissions"
    build_site(tmp_path / "in", dataset, tmp_path / "linked", "--files-url", url)
    assert not (tmp_path / "linked" / "files").exists()
    assert f"{url}/a/predictions.jsonl" in (tmp_path / "linked/submissions/a.html").read_text()


def test_what_one_submission_is_told_reads_as_of_one(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A build that shows no progress, as here, leaves no empty line in its place."""
    submit(tmp_path / "in" / "a", dataset)
    capsys.readouterr()
    build_site(tmp_path / "in", dataset, tmp_path / "out")
    output = capsys.readouterr()
    assert output.out.startswith("1 submission scored, 0 apart, 0 refused\n")
    assert output.err == ""
    assert leaderboard("export", tmp_path / "out", "--format", "eee") == 0
    assert capsys.readouterr().out == f"wrote 1 file into {tmp_path / 'out-eee'}\n"


MODEL = {"provider": "lab", "model_id": "m"}
VERDICTS: list[tuple[dict[str, Any], int, str]] = [
    (MODEL, 0, "it would be ranked"),
    (MODEL | {"tasks": ["sokoban"]}, 0, "it would be ranked on sokoban, and not overall"),
    (MODEL | {"trained_on": "benchmark"}, 0, "not ranked: it learned from the benchmark"),
    ({}, 0, "it would be shown as a baseline and not ranked: no model made its predictions"),
    ({"dataset_revision": "0" * 40}, 0, "it would be shown apart and not ranked"),
    ({"answer": gold}, 0, "its intervals lie on the public labels"),
    ({"answer": lambda _: "<answer>1</answer>"}, 1, "look like answers to 'point'; metadata.yaml"),
    ({"answer": forecast}, 1, "says prompt_variant 'none'; correct it there, to forecast_think or"),
    ({"answer": lambda _: "perhaps"}, 0, "invalid answers, which count as wrong: 257"),
    ({"link": "javascript:alert(1)"}, 1, "metadata.yaml: link: found 'javascript:alert(1)'"),
    ({"tasks": []}, 1, "answers no sample of the dataset"),
]


@pytest.mark.parametrize(("case", "code", "message"), VERDICTS)
def test_validate_gives_the_verdict_of_build(
    case: dict[str, Any],
    code: int,
    message: str,
    dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    submit(tmp_path / "in" / "mine", dataset, **case)
    assert leaderboard("validate", tmp_path / "in" / "mine", "--dataset", dataset) == code
    output = capsys.readouterr()
    assert message in (output.err if code else output.out)
    results = build_site(tmp_path / "in", dataset, tmp_path / "out", "--allow-empty")
    assert bool(results["refused"]) == bool(code)
    if code:
        reasons = results["refused"][0]["reasons"]
        assert all(f"  {reason}" in output.err for reason in reasons)
        assert str(tmp_path) not in json.dumps(results)


def test_on_the_early_stop_page_the_highest_net_benefit_is_first(
    dataset: Path, tmp_path: Path
) -> None:
    for name, answer in (("always", impossible), ("gold", gold), ("never", lambda _: "perhaps")):
        submit(tmp_path / "in" / name, dataset, answer, provider="lab", model_id=name)
    submit(tmp_path / "in" / "rule", dataset, gold)
    build_site(tmp_path / "in", dataset, tmp_path / "out", "--resamples", 0)
    page = (tmp_path / "out" / "early-stop.html").read_text()
    tables = page.split('<table class="early">')[1:]
    assert len(tables) == 1 + len(TASKS)
    for table in tables:
        submitted, baselines, papers = table.split("<tbody>")[1:]
        assert re.findall(r'href="submissions/(.*?)\.html"', submitted) == [
            "gold",
            "never",
            "always",
        ]
        assert re.findall(r'href="submissions/(.*?)\.html"', baselines) == ["rule"]
        assert paper.MARK in papers
        saved = [float(row[-1]) for row in map(numbers, papers.split("<tr")) if row]
        assert len(saved) == 5
        assert saved == sorted(saved, reverse=True)


def impossible(_: Sample) -> str:
    return "<answer>impossible</answer>"


def numbers(row: str) -> list[str]:
    return re.findall(r"<td>(\d\.\d+)", row)


def test_a_resampling_of_none_ranks_nobody_apart(dataset: Path, tmp_path: Path) -> None:
    submit(tmp_path / "in" / "a", dataset, gold)
    submit(tmp_path / "in" / "b", dataset)
    build_site(tmp_path / "in", dataset, tmp_path / "out", "--resamples", 0)
    for entry in results(tmp_path / "out")["submissions"]:
        assert entry["ranks"]["overall"]["macro_f1_open"]["first"] == 1
        assert entry["scores"]["overall"]["macro_f1"]["low"] is None


def test_every_sample_needs_a_prediction(dataset: Path, tmp_path: Path) -> None:
    def half(sample: Sample) -> str:
        return budget_left(sample)

    submit(tmp_path / "in" / "a", dataset, half)
    file = tmp_path / "in/a/predictions.jsonl"
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:-3], lines[0]]))
    (refused,) = build_site(tmp_path / "in", dataset, tmp_path / "out", code=1)["refused"]
    reasons = "\n".join(refused["reasons"])
    assert "3 samples without a prediction" in reasons
    assert "1 sample predicted more than once" in reasons


def test_more_submissions_than_a_board_holds_are_refused_by_name(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(MOST_SUBMISSIONS + 2):
        (tmp_path / "in" / f"s{number:05}").mkdir(parents=True)
    flags = ("--submissions", tmp_path / "in", "--dataset", dataset, "--out", tmp_path / "out")
    assert leaderboard("build", *flags) == 1
    message = " ".join(capsys.readouterr().err.split())
    assert "holds 10,002 folders; expected at most 10,000 submissions; move 's10000'" in message
    assert not (tmp_path / "out").exists()
