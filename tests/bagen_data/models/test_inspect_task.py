"""The Inspect task, run as its users run it, and what becomes of its logs."""

import gc
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from huggingface_hub import close_session
from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.dataset import Sample
from inspect_ai.log import EvalLog, read_eval_log
from inspect_ai.model import ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import match

from bagen_data.answers import grammar, render
from bagen_data.cli import main
from bagen_data.errors import WrongUsageError
from bagen_data.hub import load_reference, load_samples
from bagen_data.models.asked_samples import load_asked
from bagen_data.models.inspect_task import bagen
from bagen_data.prompt_variants import VARIANTS
from bagen_data.replay import gold_estimate
from bagen_data.schema import Target
from bagen_data.scoring import score
from bagen_data.scoring.all_scores import HEADLINE_SCORES
from bagen_data.submissions import METADATA, read_metadata
from tests.loopback_hub import loopback_hub
from tests.making import SAMPLE, build, exit_code
from tests.model_server import KEY, MODEL, model_server

pytestmark = [
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
"""Inspect leaves streams of its own unclosed."""


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Remove what Inspect left before the next test."""
    yield
    gc.collect()


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "built"
    assert build(SAMPLE, out) == 0
    return out


def bagen_command(*arguments: object) -> int:
    return exit_code(main, *arguments)


def run_inspect(home: Path, *arguments: object) -> "subprocess.CompletedProcess[str]":
    known = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    return subprocess.run(
        [Path(sys.executable).parent / "inspect", *map(str, arguments)],
        env=known | {"HOME": str(home), "LOCAL_API_KEY": KEY},
        capture_output=True,
        text=True,
        check=False,
    )


def answered(task: Task, logs: Path, answer: Any, **options: Any) -> EvalLog:
    model = get_model("mockllm/model", custom_outputs=answer)
    (log,) = evaluate(task, model=model, log_dir=str(logs), display="none", **options)
    return log


def says(text: str) -> Any:
    def output(*_: object) -> ModelOutput:
        made = ModelOutput.from_content("mockllm/model", text)
        return made.model_copy(update={"usage": ModelUsage()})

    return output


def log_file(log: EvalLog) -> Path:
    return Path(log.location.removeprefix("file://"))


def test_inspect_eval_finds_the_task_by_name_and_scores_as_we_do(
    sample: Path, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    with model_server() as server:
        done = run_inspect(
            *(tmp_path, "eval", "bagen_data/bagen", "-T", f"dataset={sample}", "-T"),
            *("config=sokoban", "--model", f"openai-api/local/{MODEL}"),
            *("--model-base-url", server.url, "--log-dir", logs, "--display", "none"),
        )
        assert done.returncode == 0, done.stderr
    (path,) = logs.glob("*.eval")
    out = tmp_path / "out"
    assert bagen_command("predictions-from-log", path, "--out", out, "--name", "mine") == 0
    assert bagen_command("validate", out, "--dataset", sample, "--config", "sokoban") == 0
    rows = [json.loads(line) for line in (out / "predictions.jsonl").open(encoding="utf-8")]
    reference = load_reference(str(sample), "sokoban")
    table = load_samples(str(sample), "sokoban").table
    report = score(table, rows, reference=reference, resamples=0)
    results = read_eval_log(str(path), header_only=True).results
    assert results
    metrics = {name: each.value for name, each in results.scores[0].metrics.items()}
    known = {name: report.overall[name].value for name in HEADLINE_SCORES}
    assert metrics == {
        name: pytest.approx(value) for name, value in known.items() if value is not None
    }
    metadata = read_metadata(out / METADATA)
    assert (metadata.estimator, metadata.model_id, metadata.provider) == ("mine", MODEL, "local")
    assert metadata.decoding == {"max_tokens": 4096}
    assert metadata.prompt_variant == "interval_think"


def test_gold_answers_get_full_marks(sample: Path, tmp_path: Path) -> None:
    rows = load_samples(str(sample), also=("prompt",)).table.to_pylist()[::9]
    gold = {}
    for row in rows:
        remaining = {part["resource"]: part["remaining"] for part in row["resources"]}
        gold[row["prompt"][-1]["content"] + row["prompt"][1]["content"]] = render(
            gold_estimate(Target(row["feasible"], remaining))
        )

    def answer(messages: list[Any], *_: object) -> ModelOutput:
        known = gold[messages[-1].text + messages[1].text]
        return ModelOutput.from_content("mockllm/model", known).model_copy(
            update={"usage": ModelUsage()}
        )

    log = answered(bagen(str(sample), samples=[row["sample_id"] for row in rows]), tmp_path, answer)
    assert log.status == "success"
    assert log.results
    assert len({(row["task"], row["feasible"]) for row in rows}) == 8
    assert len(log.samples or ()) == len(rows)
    values = {name: each.value for name, each in log.results.scores[0].metrics.items()}
    ones = ("valid_rate", "macro_f1", "fail_f1", "accuracy", "hit_rate", "coverage", "reward")
    assert [values[name] for name in ones] == [1.0] * len(ones)
    assert all(each.scores["estimate"].value is True for each in log.samples or ())


@pytest.mark.parametrize("variant", ["point_think", "forecast_no_think"])
def test_any_variant_can_be_asked(sample: Path, tmp_path: Path, variant: str) -> None:
    ids = load_samples(str(sample), "warehouse").table["sample_id"].to_pylist()[::9]
    task = bagen(str(sample), "warehouse", variant=variant, samples=ids)
    best = {each.input[-1].text + each.input[1].text: str(each.target) for each in task.dataset}

    def answer(messages: list[Any], *_: object) -> ModelOutput:
        known = best[messages[-1].text + messages[1].text]
        return says(f"<think>Right?</think> {known}")()  # type: ignore[no-any-return]

    log = answered(task, tmp_path / "logs", answer)
    scored = [each.scores["estimate"] for each in log.samples or ()]
    assert [each.value for each in scored] == [True] * len(ids)
    assert {each.answer for each in scored} <= set(best.values())
    assert log.results
    values = {name: each.value for name, each in log.results.scores[0].metrics.items()}
    assert (values["macro_f1"], values["brier_skill"]) == (1.0, 1.0)
    assert (values.get("wis_skill") == 1.0) is variant.startswith("forecast")
    out = tmp_path / "out"
    assert bagen_command("predictions-from-log", log_file(log), "--out", out) == 0
    assert read_metadata(out / METADATA).prompt_variant == variant


def test_probes_before_the_first_turn_can_be_asked(sample: Path, tmp_path: Path) -> None:
    task = bagen(str(sample), "sokoban_start", variant="point_no_think")
    assert all(len(each.input) == 2 for each in task.dataset)
    log = answered(task, tmp_path, says("<answer>9</answer>"))
    assert {each.scores["estimate"].answer for each in log.samples or ()} == {"<answer>9</answer>"}
    assert log.results
    assert log.results.scores[0].metrics["valid_rate"].value == 1


def test_decoding_can_be_held_to_the_grammar_of_each_question(sample: Path, tmp_path: Path) -> None:
    patterns = []

    def answer(_: object, __: object, ___: object, config: Any) -> ModelOutput:
        patterns.append(config.extra_body["structured_outputs"]["regex"])
        return says("<answer>impossible</answer>")()  # type: ignore[no-any-return]

    for variant in VARIANTS:
        task = bagen(str(sample), "sokoban", constrained=True, variant=variant)
        answered(task, tmp_path / variant, answer, limit=1)
    assert patterns == [grammar(["tokens"], variant) for variant in VARIANTS]


def test_a_dataset_of_version_1_is_asked_under_the_new_name(sample: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(sample, old)
    (file,) = (old / "data" / "sokoban").glob("*.parquet")
    table = pq.read_table(file)
    place = table.column_names.index("prompt_variant")
    field = table.schema.field(place)
    pq.write_table(table.set_column(place, field, [["think"] * len(table)]), file)
    asked, known = (load_asked(str(each), "sokoban", "test") for each in (old, sample))
    assert asked.variant == "interval_think"
    assert asked.table == known.table
    forecasts = load_asked(str(old), "sokoban", "test", "forecast_think")
    assert set(forecasts.table["prompt_variant"].to_pylist()) == {"forecast_think"}


def test_a_reply_without_an_answer_is_an_answer_that_is_wrong(sample: Path, tmp_path: Path) -> None:
    log = answered(bagen(str(sample), "sokoban"), tmp_path / "logs", says(""), limit=3)
    assert [each.scores["estimate"].value for each in log.samples or ()] == [False] * 3
    assert [each.scores["estimate"].answer for each in log.samples or ()] == ["no_answer"] * 3
    out = tmp_path / "out"
    assert bagen_command("predictions-from-log", log_file(log), "--out", out) == 0
    lines = (out / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["response"] for line in lines] == [""] * 3


def test_a_failure_leaves_the_log_open(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = iter(range(100))

    def answer(*_: object) -> ModelOutput:
        if next(asked) == 1:
            raise RuntimeError("the cable was cut")
        return says("<answer>[0, 1]</answer>")()  # type: ignore[no-any-return]

    options = {"limit": 4, "fail_on_error": False, "max_samples": 1}
    log = answered(bagen(str(sample), "sokoban"), tmp_path / "logs", answer, **options)
    assert log.status == "success"  # so Inspect says; a sample is open all the same
    capsys.readouterr()
    assert bagen_command("predictions-from-log", log_file(log), "--out", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert "1 of 4 samples have no answer" in said
    assert "the cable was cut" in said
    assert "inspect eval-retry" in said
    assert not (tmp_path / "out").exists()


def test_a_log_of_something_else_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = answered(
        Task(dataset=[Sample(input="1+1", target="2")], scorer=match()), tmp_path, says("2")
    )
    (tmp_path / "no.eval").write_text("hm", encoding="utf-8")
    (tmp_path / "no.json").write_text('{"a": 1}', encoding="utf-8")
    for path, words in (
        (log_file(log), "expected one of bagen_data/bagen"),
        (tmp_path / "no.eval", "cannot be read as an Inspect log: it is cut off, or another kind"),
        (tmp_path / "no.json", "cannot be read as an Inspect log: it is cut off, or another kind"),
        (tmp_path / "nowhere.eval", "no such file"),
        (tmp_path, "is a folder; expected an Inspect log"),
    ):
        assert bagen_command("predictions-from-log", path, "--out", tmp_path / "out") == 1
        assert words in capsys.readouterr().err


def test_epochs_are_refused(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = answered(bagen(str(sample), "sokoban"), tmp_path, says("x"), limit=1, epochs=2)
    assert bagen_command("predictions-from-log", log_file(log), "--out", tmp_path / "out") == 1
    assert "more than once" in capsys.readouterr().err


def test_ids_change_with_prompts_and_with_nothing_else(sample: Path) -> None:
    ids = [each.id for each in bagen(str(sample), "sokoban").dataset]
    assert ids == [each.id for each in bagen(str(sample)).dataset if "sokoban/" in str(each.id)]
    assert len(set(ids)) == len(ids)


def test_a_revision_of_the_hub_is_asked(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = load_asked(str(sample), "sokoban", "test")
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home")
        commit = hub.upload("ORG/NAME", sample)
        hub.commit("ORG/NAME", {"manifest.jsonl": b""})  # nothing of it is left on main
        for name, revision in (("ORG/NAME", commit[:8]), (f"ORG/NAME@{commit}", None)):
            task = bagen(name, "sokoban", revision=revision)
            source = (task.metadata or {})["bagen"]
            assert source["commit"] == commit
            assert source["revision"] == here.source["revision"]
            assert len(task.dataset) == len(here.table)
        close_session()
    with pytest.raises(WrongUsageError, match="was read as a number; give the dataset as ORG/N"):
        bagen("ORG/NAME", revision=1234567)  # type: ignore[arg-type]  as YAML reads it
