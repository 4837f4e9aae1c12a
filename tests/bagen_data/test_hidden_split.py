"""Whoever has a hidden split's questions alone: loading, answering and checking them."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bagen_data.cli import main
from bagen_data.forecasters.learning.examples import _rollout
from bagen_data.forecasters.learning.hidden_probes import load_hidden_probes
from bagen_data.hub import is_hidden, load_questions, load_rollouts, load_samples
from bagen_data.replay import replay
from tests.loopback_hub import loopback_hub
from tests.making import SAMPLE, build, exit_code


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "out"
    assert build(SAMPLE, out) == 0
    return out


@pytest.fixture(scope="module")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("split") / "out"
    assert build(SAMPLE, out, "--hidden", 6) == 0
    return out


@pytest.fixture
def public(split: Path) -> Path:
    return split / "public"


@pytest.fixture
def key(split: Path) -> Path:
    return split / "KEY-DO-NOT-PUBLISH"


def bagen(*arguments: object) -> int:
    return exit_code(main, *arguments)


def test_its_probes_are_those_of_the_rollouts(built: Path, public: Path, key: Path) -> None:
    rows = load_rollouts(str(built), "test").to_pylist()
    rollouts = {row["rollout_id"]: _rollout(row) for row in rows}
    keys = load_samples(str(key)).table.to_pylist()
    loaded = load_hidden_probes(str(public), None, "test")
    for asked, row in zip(loaded.probes, keys, strict=True):
        rollout, probe = rollouts[row["rollout_id"]], asked.probe
        ((expected, _),) = replay(rollout, probe.budget, [row["completed_turns"]])
        assert probe == replace(expected, system="")
        assert asked.sample_id == row["sample_id"]


def test_it_has_no_labels_to_load(public: Path, key: Path, built: Path, capsys: Any) -> None:
    assert is_hidden(str(public))
    assert not is_hidden(str(key))
    assert not is_hidden(str(built))
    name = load_questions(str(public)).table["sample_id"][0].as_py()
    assert bagen("show", name, "--dataset", public) == 1
    assert "holds no labels" in capsys.readouterr().err


def test_baselines_answer_it(
    built: Path, public: Path, key: Path, tmp_path: Path, capsys: Any
) -> None:
    predict = ("predict", "baseline")
    flags = ("--dataset", public, "--out")
    assert bagen(*predict, "over_budget", *flags, tmp_path / "rule") == 0
    assert bagen(*predict, "quantiles", *flags, tmp_path / "l", "--learn-from", built) == 0
    for name in ("rule", "l"):
        assert bagen("validate", tmp_path / name, "--dataset", public) == 0
        assert bagen("score", tmp_path / name, "--dataset", key, "--resamples", 0) == 0
        (tmp_path / name / "predictions.jsonl").rename(tmp_path / name / "hidden.jsonl")
        for other in ("predictions.jsonl", "sokoban_start.jsonl"):
            (tmp_path / name / other).write_text("answers of a public config")
        assert bagen("validate", tmp_path / name, "--dataset", public) == 0
        assert bagen("score", tmp_path / name, "--dataset", key, "--resamples", 0) == 0
        assert bagen("score", tmp_path / name, "--dataset", public) == 1
        assert "holds no labels" in capsys.readouterr().err
    as_key = tmp_path / "of-one-task"
    assert bagen(*predict, "over_budget", *flags, as_key, "--config", "sokoban") == 0
    assert bagen("validate", as_key, "--dataset", public, "--config", "sokoban") == 0


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("quantiles",), "give --learn-from DATASET"),
        (("quantiles", "--cross-validate"), "without labels to learn from"),
        (("over_budget", "--learn-from", "x"), "is of no use"),
    ],
)
def test_what_needs_labels_is_refused(
    public: Path, tmp_path: Path, capsys: Any, flags: tuple[str, ...], message: str
) -> None:
    out = tmp_path / "out"
    assert bagen("predict", "baseline", *flags, "--dataset", public, "--out", out) == 2
    assert message in capsys.readouterr().err
    assert not out.exists()


Rows = list[dict[str, Any]]


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda rows: rows[1:], "1 sample without a prediction"),
        (lambda rows: [*rows, rows[0]], "1 sample predicted more than once"),
        (lambda rows: [*rows, {**rows[0], "sample_id": "sokoban/x"}], "1 prediction of no sample"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(
    public: Path, tmp_path: Path, capsys: Any, spoil: Callable[[Rows], Rows], message: str
) -> None:
    flags = ("--dataset", public, "--out", tmp_path)
    assert bagen("predict", "baseline", "over_budget", *flags) == 0
    file = tmp_path / "predictions.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    file.write_text("".join(json.dumps(row) + "\n" for row in spoil(rows)))
    assert bagen("validate", tmp_path, "--dataset", public) == 1
    assert message in capsys.readouterr().err


def test_answers_to_another_question_are_refused(public: Path, tmp_path: Path, capsys: Any) -> None:
    flags = ("--dataset", public, "--out", tmp_path)
    assert bagen("predict", "baseline", "over_budget", *flags) == 0
    file = tmp_path / "predictions.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    numbers = [{**row, "response": "<answer>400</answer>"} for row in rows]
    file.write_text("".join(json.dumps(row) + "\n" for row in numbers))
    assert bagen("validate", tmp_path, "--dataset", public) == 1
    assert "look like answers to 'point'" in capsys.readouterr().err.replace("\n", " ")


def test_invalid_answers_are_counted(public: Path, tmp_path: Path, capsys: Any) -> None:
    flags = ("--dataset", public, "--out", tmp_path)
    assert bagen("predict", "baseline", "over_budget", *flags) == 0
    file = tmp_path / "predictions.jsonl"
    file.write_text(file.read_text().replace("</answer>", "", 3))
    assert bagen("validate", tmp_path, "--dataset", public) == 0
    assert "count as wrong: 3;" in capsys.readouterr().out


def test_on_the_hub_it_is_the_same(public: Path, tmp_path: Path) -> None:
    code = (
        "from bagen_data.hub import *; name = 'ORG/HIDDEN'; print(is_hidden(name)); "
        "loaded = load_questions(name); print(loaded.source['revision'], len(loaded.table))"
    )
    revision = load_questions(str(public)).source["revision"]
    with loopback_hub() as hub:
        hub.upload("ORG/HIDDEN", public)
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=hub.environment(tmp_path / "home"),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stdout.split() == ["True", revision, "24"], done.stderr
