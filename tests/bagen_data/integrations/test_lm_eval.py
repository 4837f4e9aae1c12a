"""The lm-evaluation-harness, offline, with models of our own."""

import json
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import lm_eval
import numpy as np
import pytest
from huggingface_hub import close_session
from lm_eval.loggers import EvaluationTracker
from lm_eval.tasks import TaskManager
from lm_eval.utils import make_table

import bagen_data
from bagen_data.errors import InputError
from bagen_data.gold_answers import gold_answer
from bagen_data.hub import load_reference
from bagen_data.integrations.lm_eval import tasks
from bagen_data.integrations.lm_eval.tasks import AskedRows
from bagen_data.prompt_variants import question_of
from bagen_data.scoring import SCORES, score
from bagen_data.scoring.match_predictions import match_predictions, reader_in_memory
from bagen_data.scoring.measure import measure
from bagen_data.scoring.ranking import RANKED
from bagen_data.scoring.resampling import Resampling
from bagen_data.scoring.sample_table import SampleTable
from bagen_data.scoring.score import ALPHA
from tests.harness_model import Answering
from tests.loopback_hub import loopback_hub
from tests.making import REPO, SAMPLE, build

FOLDER = REPO / "bagen_data" / "integrations" / "lm_eval"
NAMES = ["bagen_searchr1", "bagen_sokoban", "bagen_swebench", "bagen_warehouse"]
KINDS = ("", "_forecast", "_point", "_start_point")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "out"
    assert build(SAMPLE, out) == 0
    return out


@pytest.fixture(scope="module", autouse=True)
def _offline_with_own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path_factory.mktemp("cache"))
        patch.setattr("datasets.config.HF_HUB_OFFLINE", True)
        patch.setattr("lm_eval.evaluator.add_env_info", lambda _: None)  # lists all packages
        yield


@dataclass(frozen=True)
class GoldRun:
    """Gold answers to every task."""

    results: dict[str, Any]
    sizes: list[int]
    """The number of samples of each table that was scored."""


@pytest.fixture(scope="module")
def gold_run(built: Path) -> GoldRun:
    with counted_tables() as sizes:
        return GoldRun(run(Answering(gold), manager_of(built)), sizes)


@contextmanager
def counted_tables() -> Iterator[list[int]]:
    """Yield a list of the number of samples of each table that is scored in the block."""
    sizes: list[int] = []

    def counted(table: Any, *arguments: Any) -> Any:
        sizes.append(len(table))
        return measure(table, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "measure", counted)
        yield sizes


@pytest.fixture
def manager(built: Path) -> TaskManager:
    return manager_of(built)


def manager_of(folder: Path) -> TaskManager:
    return TaskManager(
        include_path=str(FOLDER), include_defaults=False, metadata={"dataset": str(folder)}
    )


def run(lm: Answering, manager: TaskManager, *names: str, **options: Any) -> dict[str, Any]:
    evaluation: dict[str, Any] = lm_eval.simple_evaluate(
        model=lm,
        tasks=list(names or ["bagen"]),
        task_manager=manager,
        **{"apply_chat_template": True, **options},
    )
    return evaluation


def values(results: dict[str, Any], name: str) -> dict[str, float | None]:
    return {metric: results["results"][name][f"{metric},none"] for metric in tasks.METRICS}


def gold(row: dict[str, Any]) -> str:
    return gold_answer(row, question_of(row["prompt_variant"]))


def check_best(scores: dict[str, float | None]) -> None:
    """Check the scores of the best answers; a skill has no value where there is no reference."""
    assert scores.pop("brier_skill") == 1
    assert scores.pop("wis_skill") in (1.0, None)  # of a forecast, of another answer
    assert (scores.pop("brier"), scores.pop("wis") in (0.0, None)) == (0, True)
    assert scores.pop("start_correlation") in (pytest.approx(1), None)  # of start probes, of others
    assert 0.2 < (scores.pop("rl_reward") or 0) <= 1.8  # its best is not 1
    assert scores == dict.fromkeys(scores, 1.0)


def all_kinds(row: dict[str, Any]) -> str | None:
    """Good and bad answers, by the sample's id."""
    first = row["resources"][0]
    kind = crc32(row["sample_id"].encode()) % 6
    if kind == 0:
        return "<answer>impossible</answer>"
    if kind == 1:
        return ("<answer>[1, 2", "", None)[row["completed_turns"] % 3]
    if kind == 2 and len(row["resources"]) == 1:
        return f"<answer>[{first['remaining'] // 2}, {first['remaining'] * 2}]</answer>"
    return gold(row)


def test_gold_answers_score_1_in_every_task(gold_run: GoldRun) -> None:
    results = gold_run.results
    assert sorted(results["results"]) == ["bagen", *NAMES]
    for name in NAMES:
        scores = values(results, name)
        check_best(scores)
        assert results["versions"][name] == bagen_data.BENCHMARK_VERSION


def test_scores_are_those_of_bagen_data(manager: TaskManager, built: Path) -> None:
    results = run(Answering(all_kinds), manager)
    for name in NAMES:
        task = name.removeprefix("bagen_")
        rows = bagen_data.load(built, task, split="test")
        answers = [
            {"sample_id": row["sample_id"], "response": all_kinds(row) or ""} for row in rows
        ]
        report = score(rows, answers, reference=load_reference(str(built), task), resamples=0)
        assert values(results, name) == {
            metric: report.overall[metric].value for metric in tasks.METRICS
        }
        assert 0 < (report.overall["valid_rate"].value or 0) < 1


@pytest.mark.parametrize("kind", ["", "_forecast"])
def test_a_group_has_the_overall_scores_and_their_standard_errors(
    manager: TaskManager, built: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The sample has few instances, so that without the patch no score has a standard error."""
    answers: dict[str, str] = {}

    def answer(row: dict[str, Any]) -> str:
        answers[row["sample_id"]] = all_kinds(row) or ""
        return answers[row["sample_id"]]

    monkeypatch.setattr(tasks, "FEWEST_INSTANCES", 2)
    results = run(Answering(answer), manager, f"bagen{kind}")
    group = results["groups"][f"bagen{kind}"]
    rows = bagen_data.load(built, "default", split="test").to_list()
    table = SampleTable.of(rows, load_reference(str(built)))
    responses = [{"sample_id": name, "response": text} for name, text in answers.items()]
    question = question_of(f"{kind.strip('_') or 'interval'}_think")
    matched = match_predictions(table, reader_in_memory(responses), "answers", question)
    measured = measure(table, matched, Resampling(4_000, seed=1), ALPHA)
    overall = measured.overall
    scores = ["brier_skill", "macro_f1_open", "valid_rate", *(["wis_skill"] if kind else [])]
    assert {name for name in group if name.endswith(",none")} == {
        f"{name}{part},none" for name in scores for part in ("", "_stderr")
    }
    for name in scores:
        assert group[f"{name},none"] == pytest.approx(overall[name].values[0])
        spread = np.nanstd(overall[name].values[1:])
        counts = [scores[name].instances for scores in measured.tasks.values()]
        expansions = [math.sqrt(count / (count - 1)) for count in counts]
        error = group[f"{name}_stderr,none"]
        assert 0.93 * min(expansions) * spread < error < 1.07 * max(expansions) * spread
        assert spread > 0
    assert f"|bagen{kind}" in make_table(results, "groups").replace(" ", "")


def test_few_instances_have_no_standard_error(manager: TaskManager) -> None:
    results = run(Answering(all_kinds), manager, "bagen_sokoban")
    assert results["results"]["bagen_sokoban"]["brier_skill_stderr,none"] == "N/A"
    assert "N/A" in make_table(results)


@pytest.mark.parametrize("question", ["point", "forecast"])
def test_the_question_is_that_of_the_tasks_name(
    manager: TaskManager, built: Path, tmp_path: Path, question: str
) -> None:
    other = tmp_path / "other"
    assert build(SAMPLE, other, "--prompt", f"{question}_think", "--task", "sokoban") == 0
    lm = Answering(gold)
    run(lm, manager, f"bagen_sokoban_{question}", limit=2)
    rows = bagen_data.load(other, "sokoban", split="test")
    assert [json.loads(asked) for asked, _ in lm.asked] == [rows[0]["prompt"], rows[1]["prompt"]]
    back = Answering(gold)
    run(back, manager_of(other), "bagen_sokoban", limit=1)
    first = bagen_data.load(built, "sokoban", split="test")[0]
    assert json.loads(back.asked[0][0]) == first["prompt"]


def test_a_variant_can_be_chosen(built: Path) -> None:
    chosen = {"dataset": str(built), "variant": "forecast_no_think"}
    manager = TaskManager(include_path=str(FOLDER), include_defaults=False, metadata=chosen)
    lm = Answering(gold)
    run(lm, manager, "bagen_warehouse_forecast", limit=1)
    assert "Answer once, without reasoning" in lm.asked[0][0]
    with pytest.raises(InputError, match="asks for a forecast, and the task for a point; give po"):
        run(lm, manager, "bagen_warehouse_point", limit=1)


def test_a_revision_of_the_hub_can_be_chosen(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home")
        commit = hub.upload("ORG/NAME", built)
        hub.commit("ORG/NAME", {"manifest.jsonl": b""})  # nothing of it is left on main
        chosen = {"dataset": "ORG/NAME", "revision": f"{commit[:12]}"}
        manager = TaskManager(include_path=str(FOLDER), include_defaults=False, metadata=chosen)
        evaluation = run(Answering(gold), manager, "bagen_sokoban", limit=2)
        close_session()
    assert evaluation["configs"]["bagen_sokoban"]["dataset_path"] == f"ORG/NAME@{commit}"
    assert values(evaluation, "bagen_sokoban")["macro_f1"] is not None


def test_a_task_that_asks_an_unknown_question_is_refused(built: Path) -> None:
    with pytest.raises(InputError, match="no question named 'guess'; expected one of: interval"):
        AskedRows.of({"question": "guess"}, str(built), "warehouse")


@pytest.mark.parametrize("question", ["point", "forecast", "start_point"])
def test_gold_answers_to_other_questions_score_1(manager: TaskManager, question: str) -> None:
    results = run(Answering(gold), manager, f"bagen_{question}")
    for name in NAMES:
        scores = values(results, f"{name}_{question}")
        check_best(scores)


def test_a_task_is_scored_once_for_all_metrics(manager: TaskManager, gold_run: GoldRun) -> None:
    samples = gold_run.results["n-samples"]
    assert gold_run.sizes == [samples[name]["effective"] for name in samples]
    assert len(gold_run.sizes) == 4
    with counted_tables() as sizes:
        run(Answering(lambda _: ""), manager, "bagen_sokoban")
    assert len(sizes) == 1


def test_the_model_is_asked_the_recorded_chat(manager: TaskManager, built: Path) -> None:
    lm = Answering(gold)
    run(lm, manager, "bagen_warehouse")
    rows = bagen_data.load(built, "warehouse", split="test")
    assert [json.loads(asked) for asked, _ in lm.asked] == [row["prompt"] for row in rows]
    options = lm.asked[0][1]
    assert options["temperature"] == 0.0
    assert options["do_sample"] is False


@pytest.mark.parametrize("nothing", ["", None])
def test_no_response_is_an_invalid_answer(manager: TaskManager, nothing: str | None) -> None:
    scores = values(run(Answering(lambda _: nothing), manager, "bagen_sokoban"), "bagen_sokoban")
    assert (scores.pop("brier_skill") or 0) < 0
    assert scores.pop("brier") == 1
    without_a_value = ("wis_skill", "wis", "start_correlation", "coverage", "interval_skill")
    nothing_said = dict.fromkeys(without_a_value, None)
    assert scores == dict.fromkeys(scores, 0.0) | nothing_said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"apply_chat_template": False}, "bagen_sokoban asks with a chat; give --apply_chat_temp"),
        ({"system_instruction": "Be brief."}, "leave out --system_instruction"),
    ],
)
def test_a_prompt_that_would_be_another_is_refused(
    manager: TaskManager, options: dict[str, Any], message: str
) -> None:
    lm = Answering(gold)
    with pytest.raises(ValueError, match=message):
        run(lm, manager, "bagen_sokoban", limit=2, **options)
    assert lm.asked == []


def test_few_shot_examples_are_not_put_in(manager: TaskManager) -> None:
    plain, with_examples = Answering(gold), Answering(gold)
    run(plain, manager, "bagen_sokoban", limit=3)
    run(with_examples, manager, "bagen_sokoban", limit=3, num_fewshot=2)
    assert with_examples.asked == plain.asked


def test_a_folder_without_a_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(bagen_data.BagenError, match=r"holds no manifest\.jsonl"):
        run(Answering(gold), manager_of(tmp_path), "bagen_sokoban")


def test_two_datasets_are_not_mixed_up(manager: TaskManager, built: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    assert build(SAMPLE, other, "--prompt", "interval_no_think") == 0
    lm = Answering(gold)
    for each in (manager, manager_of(other)):
        results = run(lm, each, "bagen_sokoban", limit=1, cache_requests=True)
    assert results["configs"]["bagen_sokoban"]["dataset_path"] == str(other)
    expected = [
        bagen_data.load(folder, "sokoban", split="test")[0]["prompt"] for folder in (built, other)
    ]
    assert expected[0] != expected[1]
    assert [json.loads(asked) for asked, _ in lm.asked] == expected


def test_every_task_is_found_by_name_and_together(manager: TaskManager) -> None:
    every = sorted(f"{name}{kind}" for name in NAMES for kind in KINDS)
    assert sorted(manager.all_subtasks) == every
    assert sorted(manager.all_groups) == sorted(f"bagen{kind}" for kind in KINDS)
    assert sorted(path.stem for path in FOLDER.glob("bagen_*.yaml")) == every


def test_every_metric_is_a_score_and_is_listed() -> None:
    listed = (FOLDER / "_bagen.yaml").read_text("utf-8")
    for name in tasks.METRICS:
        assert f"metric: {name}, aggregation: !function {tasks.__name__}.{name}," in listed
        direction = "false" if SCORES[name].better == "lower" else "true"
        assert re.search(rf"metric: {name}, .* higher_is_better: {direction}}}", listed)
        error = f"{name}{tasks.STANDARD_ERROR}"
        assert f"metric: {error}, aggregation: !function {tasks.__name__}.{error}," in listed
    assert listed.count("metric:") == 2 * len(tasks.METRICS)


def test_the_ranked_scores_are_shown_first() -> None:
    assert tasks.METRICS[: len(RANKED)] == RANKED


def test_the_log_of_samples_holds_responses_and_no_copies(
    manager: TaskManager, tmp_path: Path
) -> None:
    results = run(Answering(gold), manager, "bagen_sokoban", limit=2)
    tracker = EvaluationTracker(output_path=str(tmp_path))
    tracker.general_config_tracker.model_name_sanitized = "fixed"
    tracker.save_results_aggregated(results=dict(results), samples=results["samples"])
    tracker.save_results_samples("bagen_sokoban", results["samples"]["bagen_sokoban"])
    [log] = tmp_path.rglob("samples_*.jsonl")
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert [line["target"] for line in lines] == [line["resps"][0][0] for line in lines]
    assert [line["reward"] for line in lines] == [line["doc"]["sample_id"] for line in lines]


def test_the_module_prints_the_folder_of_the_tasks(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bagen_data.integrations.lm_eval"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{FOLDER}\n"
    assert done.stderr == ""
