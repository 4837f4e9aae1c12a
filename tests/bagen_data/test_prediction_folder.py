"""A submission's folder, as `bagen score` and `bagen validate` read it."""

import gzip
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bagen_data.cli import main
from bagen_data.hub import load_samples
from bagen_data.prediction_folder import ExpectedSamples, choose_predictions
from tests.making import SAMPLE, build, exit_code, write_json, write_lines

METADATA = {
    "estimator": "nobody",
    "provider": "none",
    "model_id": "none",
    "decoding": {},
    "prompt_variant": "none",
    "trained_on": "none",
    "constrained": False,
    "date": "2026-11-21",
    "link": "https://example.org/nobody",
    "dataset_revision": "unknown",
}
TASKS = ("searchr1", "sokoban", "swebench", "warehouse")
Rows = list[dict[str, Any]]
Layout = Callable[[Path, dict[str, Rows]], None]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("folders") / "built"
    assert build(SAMPLE, out) == 0
    return out


@pytest.fixture(scope="module")
def answers(built: Path) -> dict[str, Rows]:
    """An answer to each sample by config, half of them impossible."""
    configs = [*TASKS, *(f"{task}_start" for task in TASKS)]
    return {config: answers_to(built, config) for config in configs}


def answers_to(built: Path, config: str) -> Rows:
    texts = ("<answer>impossible</answer>", "<answer>[1, 100000]</answer>")
    ids = load_samples(str(built), config).table["sample_id"].to_pylist()
    return [{"sample_id": name, "response": texts[number % 2]} for number, name in enumerate(ids)]


def layout(*files: str) -> Layout:
    """Files by name, each with the configs that its name lists after a colon, or its own."""

    def make(folder: Path, answers: dict[str, Rows]) -> None:
        for file in files:
            name, _, configs = file.partition(":")
            own = configs.split("+") if configs else [name.partition(".")[0]]
            write(folder / name, [row for config in own for row in answers[config]])

    return make


def write(path: Path, rows: Rows) -> None:
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    else:
        write_lines(path, rows)


def made(folder: Path, answers: dict[str, Rows], make: Layout) -> Path:
    folder.mkdir(parents=True)
    write_json(folder / "metadata.yaml", METADATA)
    make(folder, answers)
    return folder


def run(*arguments: object) -> int:
    return exit_code(main, *arguments)


def scores(folder: Path, built: Path, *flags: object) -> dict[str, Any]:
    out = folder / "scores.json"
    assert run("score", folder, "--dataset", built, "--json", out, "--resamples", 0, *flags) == 0
    content: dict[str, Any] = json.loads(out.read_bytes())
    out.unlink()
    return content


ALL = "+".join(TASKS)
GOOD = {
    "one file": layout(f"predictions.jsonl:{ALL}"),
    "one file of any name": layout(f"mine.jsonl:{ALL}"),
    "one file a config": layout(*(f"{task}.jsonl" for task in TASKS)),
    "one file a config, named predictions-": layout(
        *(f"predictions-{task}.jsonl:{task}" for task in TASKS)
    ),
    "one a config in three formats": layout(
        "searchr1.jsonl.gz", "sokoban.parquet", "swebench.jsonl", "warehouse.jsonl"
    ),
    "start probes beside": layout(
        *(f"{task}.jsonl" for task in TASKS), "swebench_start.jsonl", "sokoban_start.parquet"
    ),
    "start probes among others": layout(f"predictions.jsonl:swebench_start+{ALL}+sokoban_start"),
    "a hidden split beside": layout(f"predictions.jsonl:{ALL}", "hidden.jsonl:sokoban"),
    "a hidden split beside each": layout(*(f"{t}.jsonl" for t in TASKS), "hidden.jsonl:sokoban"),
    "some in one file": layout(
        "predictions.jsonl:searchr1+warehouse", "sokoban.jsonl", "swebench.jsonl"
    ),
    "configs in another order": layout(f"predictions.parquet:{'+'.join(reversed(TASKS))}"),
}


@pytest.mark.parametrize("name", GOOD)
def test_every_layout_scores_the_same(
    name: str, built: Path, answers: dict[str, Rows], tmp_path: Path
) -> None:
    plain = made(tmp_path / "plain", answers, GOOD["one file"])
    folder = made(tmp_path / "folder", answers, GOOD[name])
    assert scores(folder, built) == scores(plain, built)
    assert run("validate", folder, "--dataset", built) == 0


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("config", ["sokoban", "swebench"])
def test_a_config_is_selected(
    config: str, name: str, built: Path, answers: dict[str, Rows], tmp_path: Path
) -> None:
    if name == "one file of any name":
        pytest.skip("a file of another name is read whole, as a file given by its path is")
    alone = made(tmp_path / "alone", answers, layout(f"{config}.jsonl"))
    folder = made(tmp_path / "folder", answers, GOOD[name])
    expected = scores(alone, built, "--config", config)
    assert scores(folder, built, "--config", config) == expected
    assert run("validate", folder, "--dataset", built, "--config", config) == 0


@pytest.mark.parametrize("name", ["start probes beside", "start probes among others"])
def test_start_probes_are_selected(
    name: str, built: Path, answers: dict[str, Rows], tmp_path: Path
) -> None:
    folder = made(tmp_path / "folder", answers, GOOD[name])
    report = scores(folder, built, "--config", "swebench_start")
    assert report["dataset"]["samples"] == len(answers["swebench_start"])


BAD: dict[str, tuple[Layout, tuple[str, ...], Sequence[str]]] = {
    "a config without a file": (
        layout("sokoban.jsonl", "swebench.jsonl", "warehouse.jsonl"),
        (),
        ["answers no sample of searchr1;", "--config sokoban"],
    ),
    "one config alone": (
        layout("sokoban.jsonl"),
        (),
        ["answers no sample of searchr1, swebench, warehouse;", "--config sokoban"],
    ),
    "configs that one file leaves out": (
        layout("predictions.jsonl:sokoban+swebench"),
        (),
        ["answers no sample of searchr1, warehouse;", "--config sokoban"],
    ),
    "a config that was not answered": (
        layout("sokoban.jsonl", "swebench.jsonl"),
        ("--config", "warehouse"),
        ["holds several prediction files: sokoban.jsonl, swebench.jsonl;", "(warehouse)"],
    ),
    "two files of one config": (
        layout("sokoban.jsonl", "sokoban.parquet"),
        ("--config", "sokoban"),
        ["holds several files of sokoban; leave one"],
    ),
    "a config twice": (
        layout(f"predictions.jsonl:{ALL}", "sokoban.jsonl"),
        (),
        ["samples predicted"],
    ),
    "a file named for another config": (
        layout("sokoban.jsonl:swebench", "swebench.jsonl"),
        ("--config", "sokoban"),
        ["sokoban.jsonl: is named for sokoban, and answers 'swebench/"],
    ),
    "a start probe in the file of its task": (
        layout("sokoban.jsonl:sokoban+sokoban_start", "swebench.jsonl"),
        ("--config", "sokoban"),
        ["sokoban.jsonl: is named for sokoban, and answers 'sokoban/"],
    ),
    "a name that is not a config's": (
        layout("sokoban.jsonl", "mine.jsonl:swebench"),
        (),
        ["holds several prediction files: mine.jsonl, sokoban.jsonl;", "predictions.jsonl"],
    ),
}


PARTS = {
    "a config without a file": ["sokoban", "swebench", "warehouse"],
    "one config alone": ["sokoban"],
    "configs that one file leaves out": ["sokoban", "swebench"],
}
"""The tasks that are answered, in folders that leave others out."""


@pytest.mark.parametrize(
    ("command", "name"),
    [(command, name) for command in ("validate", "score") for name in BAD if name not in PARTS],
)
def test_what_is_missing_or_wrong_is_named(
    command: str,
    name: str,
    built: Path,
    answers: dict[str, Rows],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make, flags, words = BAD[name]
    folder = made(tmp_path / "folder", answers, make)
    assert run(command, folder, "--dataset", built, *flags) == 1
    error = capsys.readouterr().err
    assert "Traceback" not in error
    for word in words:
        assert word in error


@pytest.mark.parametrize("name", PARTS)
def test_what_is_answered_is_scored_and_cannot_be_submitted(
    name: str,
    built: Path,
    answers: dict[str, Rows],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = made(tmp_path / "folder", answers, BAD[name][0])
    report = scores(folder, built)
    assert list(report["tasks"]) == PARTS[name]
    assert report["answered"]["answered"] == sum(len(answers[task]) for task in PARTS[name])
    assert "not submittable" in capsys.readouterr().err
    assert run("validate", folder, "--dataset", built) == 0
    out, error = capsys.readouterr()
    assert f"one for each sample of {', '.join(PARTS[name])}\n" in out
    missing = ", ".join(task for task in TASKS if task not in PARTS[name])
    assert f"no sample of {missing} is answered" in " ".join(error.split())


def test_a_line_that_cannot_be_read_is_named_and_not_a_config(
    built: Path, answers: dict[str, Rows], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = made(tmp_path / "folder", answers, GOOD["one file a config"])
    (folder / "sokoban.jsonl").write_text("{}\n")
    assert run("score", folder, "--dataset", built) == 1
    error = capsys.readouterr().err
    assert "sokoban.jsonl:1: sample_id: is missing" in error
    assert "answers no sample" not in error


def test_files_that_are_left_aside_are_named(
    built: Path, answers: dict[str, Rows], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = made(tmp_path / "folder", answers, GOOD["start probes beside"])
    assert run("validate", folder, "--dataset", built, "--config", "sokoban") == 0
    assert "left aside: searchr1.jsonl, sokoban_start.parquet, swebench.jsonl" in (
        capsys.readouterr().err
    )


def test_folders_of_two_layouts_are_compared(
    built: Path, answers: dict[str, Rows], tmp_path: Path
) -> None:
    one = made(tmp_path / "one", answers, GOOD["one file"])
    each = made(tmp_path / "each", answers, GOOD["one a config in three formats"])
    report = scores(each, built, "--compare", one)
    assert report["comparison"]


def test_a_folder_of_one_file_for_each_config_holds_few_rows_at_a_time(
    answers: dict[str, Rows], tmp_path: Path
) -> None:
    rows = [dict(row, response="x" * 100_000) for row in answers["sokoban"]]
    folder = made(tmp_path / "folder", {"sokoban": rows, "swebench": rows}, layout("sokoban.jsonl"))
    shutil.copy(folder / "sokoban.jsonl", folder / "swebench.jsonl")
    asked = ExpectedSamples("sokoban", ("sokoban",), ("sokoban",))
    batches = choose_predictions(folder, asked).read()
    sizes = [batch.nbytes for batch in batches]
    assert len(sizes) > 1
    assert max(sizes) < 3 << 20
