"""The metric as people use it: `evaluate.load` of the folder, and of a Space."""

import doctest
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import evaluate
import numpy as np
import pytest
from datasets import Dataset
from packaging.requirements import Requirement

import bagen_data
from bagen_data.replay import gold_estimate
from bagen_data.schema import Target
from bagen_data.scoring import SCORES, score
from tests.making import REPO, SAMPLE, build
from tests.serving import serving

FOLDER = REPO / "metrics" / "bagen"
TOKENS = {"resource": "tokens", "budget": 900.0, "used": 200.0, "remaining": 400.0}
ROW: dict[str, Any] = {"sample_id": "sokoban/m/r1/1", "feasible": True, "resources": [TOKENS]}
NEXT = ROW | {"sample_id": "sokoban/m/r1/2"}
GOOD = "<answer>[360, 440]</answer>"
KINDS = ("failed", "over_budget", "failed_over_budget")
FORECAST_SCORES = {
    *("brier_skill", "wis_skill", "curve_skill", "log_score", "success_brier", "wis"),
    *("coverage_80", "coverage_50", "curve_brier", "start_correlation"),
}
NEEDS_ALL_TURNS = {"extrapolation_mre_p50", "first_alarm"}
NEEDS_SUCCESS = {
    *("paper_hit_rate", "paper_reward", "any_success_drop"),
    *("paper_stopped_failed", "paper_saved_rate"),
    *(f"{what}_{kind}" for what in ("share", "recall") for kind in KINDS),
}


@pytest.fixture(scope="module", autouse=True)
def _own_caches(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One for all tests: a module that is imported stays where it was copied to."""
    cache = tmp_path_factory.mktemp("huggingface")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("evaluate.config.HF_MODULES_CACHE", cache / "modules")
        patch.setattr("evaluate.config.HF_METRICS_CACHE", cache / "metrics")
        patch.setattr("evaluate.config.HF_EVALUATE_CACHE", cache / "evaluate")
        patch.setattr("evaluate.config.DOWNLOADED_EVALUATE_PATH", cache / "downloads")
        patch.setattr("datasets.config.HF_DATASETS_CACHE", cache / "datasets")
        patch.setattr(sys, "path", sys.path[:])
        yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "evaluate_modules"]:
        del sys.modules[name]


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory, _own_caches: None) -> Dataset:
    """The benchmark of the bundled rollouts, all four tasks."""
    out = tmp_path_factory.mktemp("built") / "out"
    assert build(SAMPLE, out) == 0
    loaded = bagen_data.load(out, split="test")
    assert isinstance(loaded, Dataset)
    return loaded


@pytest.fixture
def metric() -> evaluate.Metric:
    return evaluate.load(str(FOLDER))


def gold(row: dict[str, Any]) -> str:
    remaining = {each["resource"]: each["remaining"] for each in row["resources"]}
    return bagen_data.render(gold_estimate(Target(row["feasible"], remaining)))


def all_kinds(rows: Dataset) -> list[str]:
    """Answers good and bad, in turns: right, wide, too low, `impossible`, invalid, none."""
    responses = []
    for number, row in enumerate(rows):
        kind = number % 7
        if kind in {0, 1}:
            responses.append(gold(row))
        elif kind in {2, 3}:
            low, high = ((0.8, 1.3), (0.1, 0.9))[kind - 2]
            left = {each["resource"]: each["remaining"] for each in row["resources"]}
            parts = [f"{name}:[{r * low:.3f}, {r * high:.3f}]" for name, r in left.items()]
            content = ", ".join(parts) if len(parts) > 1 else parts[0].partition(":")[2]
            responses.append(f"<think>hm, [1, 2]?</think><answer>{content}</answer>")
        else:
            responses.append(
                ("<answer>impossible</answer>", "<answer>about 5</answer>", "")[kind - 4]
            )
    return responses


def expected(rows: Any, responses: list[str]) -> dict[str, Any]:
    """What `bagen_data.scoring.score` says of the same."""
    answers = [
        {"sample_id": row["sample_id"], "response": response}
        for row, response in zip(rows, responses, strict=True)
    ]
    report = score(rows, answers, resamples=0)
    values: dict[str, Any] = {name: report.overall[name].value for name in SCORES}
    return values | {"benchmark_version": bagen_data.BENCHMARK_VERSION}


def still_works(metric: evaluate.Metric) -> bool:
    scores = metric.compute(predictions=[GOOD, GOOD], references=[ROW, NEXT])
    return bool(scores == expected([ROW, NEXT], [GOOD, GOOD]))


def test_gold_answers_score_1_where_they_should(metric: evaluate.Metric, samples: Dataset) -> None:
    scores = metric.compute(predictions=list(map(gold, samples)), references=samples)
    assert {name for name, value in scores.items() if value == 1.0} == {
        *("valid_rate", "macro_f1", "macro_f1_first_turn", "fail_f1", "accuracy"),
        *("recall_feasible", "recall_infeasible", "hit_rate", "coverage", "reward"),
        *("macro_f1_open", "fail_f1_open", "accuracy_open", "interval_skill", "within_2x"),
        *("stopped_failed", "paper_stopped_failed", "paper_reward"),
        *(f"recall_{kind}" for kind in KINDS),
    }
    assert {name for name, value in scores.items() if value == 0.0} == {
        *("optimistic", "conservative", "interval_score", "exceed_rate", "mre_p50", "mre_p90"),
        *("false_abort_rate", "success_drop", "brier"),
    }
    assert {name for name, value in scores.items() if value is None} == {
        "exceed_by",
        *FORECAST_SCORES,
    }
    assert scores["benchmark_version"] == bagen_data.BENCHMARK_VERSION


def test_a_dataset_scores_as_its_rows_do_in_bagen_data(
    metric: evaluate.Metric, samples: Dataset
) -> None:
    responses = all_kinds(samples)
    scores = metric.compute(predictions=responses, references=samples)
    # The metric's references name no instances, and sums go by instance: the last bits differ.
    for name, value in expected(samples, responses).items():
        is_number = isinstance(value, float)
        assert scores[name] == (pytest.approx(value, rel=1e-12) if is_number else value), name
    assert 0 < scores["valid_rate"] < 1
    assert 0 < scores["macro_f1"] < 1


def test_forecasts_have_skills_beside_a_reference(metric: evaluate.Metric) -> None:
    row = ROW | {"rollout_success": True}
    response = "<answer>finish=0.9, success=0.9, tokens=[100, 300, 400, 500, 900]</answer>"
    amounts = {"resource": "tokens", "quantiles": [10.0, 20.0, 30.0, 40.0, 50.0]}
    reference = [
        {"sample_id": row["sample_id"], "finish": 0.5, "success": 0.5, "resources": [amounts]}
    ]
    arguments = {"predictions": [response], "references": [row], "question": "forecast"}
    scores = metric.compute(**arguments, reference=reference)
    assert scores["brier_skill"] == pytest.approx(1 - 0.01 / 0.25)
    assert 0 < scores["wis_skill"] < 1
    assert metric.compute(**arguments)["brier_skill"] is None
    with pytest.raises(bagen_data.BagenError, match="pass question='forecast'"):
        metric.compute(predictions=[response], references=[row])
    with pytest.raises(bagen_data.BagenError, match="expected one of: interval, point, forecast"):
        metric.compute(predictions=[response], references=[row], question="guess")


def test_references_are_a_dataset_its_rows_or_only_what_is_needed(
    metric: evaluate.Metric, samples: Dataset
) -> None:
    responses = all_kinds(samples)
    whole = metric.compute(predictions=responses, references=samples)
    assert metric.compute(predictions=responses, references=samples.to_list()) == whole
    needed = [{name: row[name] for name in ROW} for row in samples]
    least = metric.compute(predictions=responses, references=needed)
    unknown = NEEDS_ALL_TURNS | NEEDS_SUCCESS
    # Sums are taken instance by instance, so without instances they differ by rounding.
    differing = {name for name in whole if least[name] != pytest.approx(whole[name])}
    assert differing == unknown
    assert all(least[name] is None for name in unknown)


def test_what_only_some_references_know_is_left_out(metric: evaluate.Metric) -> None:
    rows = [ROW | {"total_turns": 3, "rollout_success": True}, NEXT | {"rollout_success": True}]
    scores = metric.compute(predictions=[GOOD, GOOD], references=rows)
    assert scores["first_alarm"] is None
    assert scores["paper_reward"] == 0.8


def test_what_is_added_bit_by_bit_scores_as_a_whole(
    metric: evaluate.Metric, samples: Dataset
) -> None:
    responses = all_kinds(samples)
    for response, row in zip(responses[:50], samples.select(range(50)), strict=True):
        metric.add(prediction=response, reference=row)
    for start in range(50, len(samples), 40):
        stop = min(start + 40, len(samples))
        batch = samples.select(range(start, stop))
        metric.add_batch(predictions=responses[start:stop], references=batch)
    metric.add_batch(predictions=[], references=[])
    assert metric.compute() == expected(samples, responses)


def test_the_order_of_rows_changes_nothing(metric: evaluate.Metric, samples: Dataset) -> None:
    responses = all_kinds(samples)
    scores = metric.compute(predictions=responses[::-1], references=samples.to_list()[::-1])
    assert scores == expected(samples, responses)


def test_combine_computes_and_adds_batches(samples: Dataset) -> None:
    both = evaluate.combine(
        {"all": evaluate.load(str(FOLDER)), "again": evaluate.load(str(FOLDER))}
    )
    responses = all_kinds(samples)
    values = expected(samples, responses)
    prefixed = {
        f"{name}_{key}": value for name in ("all", "again") for key, value in values.items()
    }
    assert both.compute(predictions=responses, references=samples) == prefixed
    both.add_batch(predictions=responses, references=samples)
    assert both.compute() == prefixed


def test_combine_adds_one_by_one() -> None:
    one = evaluate.combine([evaluate.load(str(FOLDER))])
    one.add(prediction=GOOD, reference=ROW)
    assert one.compute() == expected([ROW], [GOOD])


def test_two_metrics_at_once_do_not_mix(metric: evaluate.Metric) -> None:
    other = evaluate.load(str(FOLDER))
    metric.add(prediction=GOOD, reference=ROW)
    other.add(prediction="", reference=ROW)
    assert (metric.compute()["reward"], other.compute()["reward"]) == (0.8, 0.0)


def test_it_works_without_files() -> None:
    assert still_works(evaluate.load(str(FOLDER), keep_in_memory=True))


def test_details_are_the_report(metric: evaluate.Metric, samples: Dataset) -> None:
    responses = all_kinds(samples)
    answers = [
        {"sample_id": name, "response": response}
        for name, response in zip(samples["sample_id"], responses, strict=True)
    ]
    scores = metric.compute(predictions=responses, references=samples, details=True, resamples=50)
    report = score(samples, answers, resamples=50).to_dict()
    assert scores.pop("details") == report
    assert scores == expected(samples, responses)
    assert report["overall"]["macro_f1"]["low"] < scores["macro_f1"]
    assert json.loads(json.dumps(report)) == report


def test_the_example_of_its_description_holds(
    metric: evaluate.Metric, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(REPO)
    example = doctest.DocTestParser().get_doctest(
        metric.inputs_description, {}, "inputs_description", None, None
    )
    assert example.examples
    assert doctest.DocTestRunner().run(example).failed == 0


@pytest.mark.parametrize(
    ("predictions", "references", "message"),
    [
        ([GOOD, None], [ROW, NEXT], r"prediction 1 is NoneType; expected the raw response"),
        ([GOOD, 5], [ROW, NEXT], r"prediction 1 is int; expected the raw response as a string"),
        ([[GOOD]], [ROW], r"prediction 0 is list; expected the raw response"),
        ([GOOD], [ROW, NEXT], r"1 predictions for 2 references; expected one for each"),
        ([GOOD, GOOD], [ROW], r"2 predictions for 1 references; expected one for each"),
        ([GOOD], None, r"references is NoneType; expected a list"),
        ([GOOD], [None], r"reference 0 has no 'sample_id'; expected a dict"),
        ([GOOD], ["sokoban/m/r1/1"], r"reference 0 has no 'sample_id'; expected a dict"),
        ([GOOD], [{"sample_id": "a/b/c/1", "feasible": True}], r"0 has no 'resources'; expected"),
        ([GOOD, GOOD], [ROW, {"sample_id": "a/b/c/1"}], r"reference 1 has no 'feasible'"),
        ([GOOD], [ROW | {"resources": [{"resource": "x"}]}], r"0, resources has no 'budget'"),
        ([GOOD], [ROW | {"resources": TOKENS}], r"reference 0: resources is .*a list"),
        ([GOOD], [ROW | {"feasible": None}], r"feasible is None; expected True or False"),
        ([GOOD], [ROW | {"resources": None}], r"reference 0: resources is None"),
    ],
)
def test_what_cannot_be_read_is_named_and_not_kept(
    metric: evaluate.Metric, predictions: Any, references: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        metric.compute(predictions=predictions, references=references)
    assert len(metric) == 0
    assert still_works(metric)


def test_what_cannot_be_scored_is_named(metric: evaluate.Metric) -> None:
    wrong = [
        ([ROW, ROW], r"row 1: sample 'sokoban/m/r1/1' is there twice"),
        ([ROW | {"sample_id": "r1"}, NEXT], r"'r1'; expected task/rollout_model/rollout_id/k"),
        ([ROW, NEXT | {"resources": [TOKENS | {"used": float("nan")}]}], r"row 1: .* used "),
        ([ROW, NEXT | {"resources": [TOKENS | {"budget": -1}]}], r"row 1: .* budget "),
    ]
    for references, message in wrong:
        with pytest.raises(bagen_data.BagenError, match=message):
            metric.compute(predictions=[GOOD, GOOD], references=references)
        assert len(metric) == 0
    assert still_works(metric)


@pytest.mark.parametrize("wrong", [None, 5, ["text"]])
def test_a_wrong_prediction_leaves_what_was_added_before(
    metric: evaluate.Metric, wrong: Any
) -> None:
    metric.add(prediction=GOOD, reference=ROW)
    with pytest.raises(ValueError, match="expected the raw response"):
        metric.add(prediction=wrong, reference=NEXT)
    with pytest.raises(ValueError, match="expected the raw response"):
        metric.add_batch(predictions=[GOOD, wrong], references=[NEXT, ROW])
    metric.add(prediction="", reference=NEXT)
    assert metric.compute() == expected([ROW, NEXT], [GOOD, ""])


def test_there_must_be_something_to_score(metric: evaluate.Metric) -> None:
    with pytest.raises(ValueError, match="there is nothing to score"):
        metric.compute()
    with pytest.raises(ValueError, match="there are no predictions"):
        metric.compute(predictions=[], references=[])
    assert still_works(metric)


def test_predictions_may_be_an_array(metric: evaluate.Metric) -> None:
    scores = metric.compute(predictions=np.array([GOOD, GOOD]), references=[ROW, NEXT])
    assert scores["reward"] == 0.8


@pytest.mark.parametrize("name", ["feasible", "rollout_success"])
def test_a_truth_in_words_is_refused(metric: evaluate.Metric, name: str) -> None:
    with pytest.raises(ValueError, match=name):
        metric.compute(predictions=[GOOD], references=[ROW | {name: "False"}])


def test_one_string_is_not_a_list_of_predictions(metric: evaluate.Metric) -> None:
    with pytest.raises(ValueError, match="list"):
        metric.compute(predictions="?", references=[ROW])


def test_requirements_are_this_package_with_what_the_metric_needs() -> None:
    lines = (FOLDER / "requirements.txt").read_text(encoding="utf-8").splitlines()
    [required] = [Requirement(line) for line in lines if line.strip()]
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert required.name == project["name"]
    assert bagen_data.__version__ in required.specifier
    extras = {
        Requirement(each).name
        for extra in required.extras
        for each in project["optional-dependencies"][extra]
    }
    assert "evaluate" in extras


LOAD = """
import json, sys
def watch(event, arguments):
    host = {"socket.getaddrinfo": lambda: arguments[0], "socket.connect": lambda: arguments[1][0]}
    if event in host and host[event]() not in (None, "127.0.0.1", "localhost"):
        print("asked", arguments, file=sys.stderr)
sys.addaudithook(watch)
import evaluate
metric = evaluate.load("MLL-Lab/bagen")
print(json.dumps(metric.compute(**json.loads(sys.argv[1]))))
"""


def test_it_loads_by_id_from_a_space(tmp_path: Path) -> None:
    space = tmp_path / "hub" / "spaces" / "MLL-Lab" / "bagen" / "resolve" / "main"
    shutil.copytree(FOLDER, space, ignore=shutil.ignore_patterns("__pycache__"))
    handler = partial(_Files, directory=str(tmp_path / "hub"))
    data = {"predictions": [GOOD], "references": [ROW]}
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with serving(server):
        environment = os.environ | {
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",
            "PYTHONPATH": str(REPO),
            "NO_PROXY": "127.0.0.1",
        }
        done = subprocess.run(
            [sys.executable, "-c", LOAD, json.dumps(data)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert "asked" not in done.stderr
    assert json.loads(done.stdout) == expected([ROW], [GOOD])


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep quiet."""
