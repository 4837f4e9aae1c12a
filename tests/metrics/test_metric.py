"""The metric as people use it: `evaluate.load` of the folder, and of a Space."""

import doctest
import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import evaluate
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
import yaml
from datasets import Dataset
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import bagen_data
from bagen_data import published
from bagen_data.replay import gold_estimate
from bagen_data.schema import Target
from bagen_data.scoring import SCORES, score
from tests.making import REPO, SAMPLE, WITHOUT_TRANSFORMERS, build
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
    """Caches of this file: a module that is imported stays where it was copied to."""
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


Way = Callable[..., dict[str, Any]]


def given(metric: evaluate.Metric, predictions: Any, references: Any, **options: Any) -> Any:
    """Scores of what is given to `compute`."""
    return metric.compute(predictions=predictions, references=references, **options)


def added(metric: evaluate.Metric, predictions: Any, references: Any, **options: Any) -> Any:
    """Scores of the same by way of `evaluate`'s file."""
    metric.add_batch(predictions=predictions, references=references)
    return metric.compute(**options)


WAYS = [given, added]


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
    """The scores of the same by `bagen_data.scoring.score`."""
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
        *("accuracy_balanced", "rl_reward_balanced"),
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
@pytest.mark.parametrize("way", WAYS)
def test_what_cannot_be_read_is_named_and_not_kept(
    metric: evaluate.Metric, way: Way, predictions: Any, references: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        way(metric, predictions, references)
    assert len(metric) == 0
    assert still_works(metric)


def test_what_cannot_be_scored_is_named(metric: evaluate.Metric) -> None:
    wrong = [
        ([ROW, ROW], r"row 1: sample 'sokoban/m/r1/1' appears twice"),
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
    with pytest.raises(ValueError, match="nothing was added to score"):
        metric.compute()
    with pytest.raises(ValueError, match="predictions are empty"):
        metric.compute(predictions=[], references=[])
    assert still_works(metric)


KINDS_OF_TABLES: dict[str, Callable[[Dataset], Any]] = {
    "a list": Dataset.to_list,
    "an Arrow table": lambda rows: rows.with_format("arrow")[:],
    "a dataset": lambda rows: rows,
    "a dataset in another format": lambda rows: rows.with_format("numpy"),
    "a dataset in memory": lambda rows: rows.map(dict, keep_in_memory=True),
    "a frame of pandas": Dataset.to_pandas,
    "a frame of Polars": Dataset.to_polars,
    "rows of a dataset": lambda rows: (row for row in rows),
}
KINDS_OF_COLUMNS: dict[str, Callable[[Dataset], Any]] = {
    "a list": lambda answers: answers["response"][:],
    "a tuple": lambda answers: tuple(answers["response"]),
    "a column": lambda answers: answers["response"],
    "a column in another format": lambda answers: answers.with_format("numpy")["response"],
    "a chunked array": lambda answers: answers.with_format("arrow")["response"],
    "an array": lambda answers: answers.with_format("arrow")["response"].combine_chunks(),
    "a dictionary": lambda answers: answers.with_format("arrow")["response"].dictionary_encode(),
    "an array of NumPy": lambda answers: np.array(answers["response"][:]),
    "a column of pandas": lambda answers: answers.to_pandas()["response"],
    "a column of Polars": lambda answers: answers.to_polars()["response"],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS_OF_TABLES)
def test_references_are_any_kind_of_table(
    metric: evaluate.Metric, samples: Dataset, way: Way, kind: str
) -> None:
    shuffled = samples.shuffle(seed=4).select(range(60))
    responses = all_kinds(shuffled)
    whole = metric.compute(predictions=responses, references=shuffled.to_list())
    assert way(metric, responses, KINDS_OF_TABLES[kind](shuffled)) == whole


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS_OF_COLUMNS)
def test_predictions_are_any_kind_of_column(
    metric: evaluate.Metric, samples: Dataset, way: Way, kind: str
) -> None:
    responses = all_kinds(samples)
    answers = Dataset.from_dict({"number": range(len(responses)), "response": responses})
    scores = way(metric, KINDS_OF_COLUMNS[kind](answers), samples.to_list())
    assert scores == expected(samples.to_list(), responses)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"feasible": None}, "reference 1: feasible is None; expected True or False"),
        ({"sample_id": None}, "reference 1: sample_id is None; expected a string"),
        ({"resources": None}, "reference 1: resources is None"),
        ({"resources": [TOKENS | {"used": None}]}, "reference 1, resources: used is None"),
        ({"resources": [None]}, "reference 1, resources has no 'resource'; expected a dict"),
    ],
)
@pytest.mark.parametrize("way", WAYS)
def test_a_null_in_a_table_is_named(
    metric: evaluate.Metric, way: Way, changes: dict[str, Any], message: str
) -> None:
    table = pa.Table.from_pylist([ROW, NEXT | changes])
    for references in (table, Dataset(table)):
        with pytest.raises(ValueError, match=message):
            way(metric, [GOOD, GOOD], references)
    with pytest.raises(ValueError, match="prediction 1 is NoneType; expected the raw response"):
        way(metric, pa.array([GOOD, None]), [ROW, NEXT])


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (pa.float64(), r"reference 0: feasible is 1\.0; expected True or False"),
        (pa.string(), "reference 0: feasible is 'true'; expected True or False"),
    ],
)
def test_a_column_of_another_type_is_named(
    metric: evaluate.Metric, kind: pa.DataType, message: str
) -> None:
    table = pa.Table.from_pylist([ROW])
    table = table.set_column(1, "feasible", pc.cast(table["feasible"], pa.int8()).cast(kind))
    if pa.types.is_string(kind):
        table = table.set_column(1, "feasible", pa.array(["true"]))
    with pytest.raises(ValueError, match=message):
        metric.compute(predictions=[GOOD], references=table)


@pytest.mark.parametrize("way", WAYS)
def test_what_only_some_rows_of_a_table_know_is_left_out(metric: evaluate.Metric, way: Way) -> None:
    rows = [ROW | {"total_turns": 3, "rollout_success": True, "instance_id": ""}, NEXT]
    rows[1] = NEXT | {"total_turns": None, "rollout_success": True, "instance_id": "i"}
    scores = [way(metric, [GOOD, GOOD], each) for each in (rows, pa.Table.from_pylist(rows))]
    assert scores[0] == scores[1]
    assert scores[0]["first_alarm"] is None
    assert scores[0]["paper_reward"] == 0.8


@pytest.mark.parametrize("way", WAYS)
def test_characters_that_no_file_can_hold_are_replaced(metric: evaluate.Metric, way: Way) -> None:
    responses = [f"\ud800{GOOD}", "<answer>[360, \udfff440]</answer>"]
    scores = way(metric, responses, [ROW, NEXT])
    assert (scores["valid_rate"], scores["reward"]) == (0.5, 0.4)


@pytest.mark.parametrize("way", WAYS)
def test_numbers_of_numpy_and_other_keys_are_taken(metric: evaluate.Metric, way: Way) -> None:
    amounts = {name: np.float32(value) for name, value in TOKENS.items() if name != "resource"}
    row = ROW | {"feasible": np.True_, "other": object(), "total_turns": np.int64(3)}
    row["resources"] = [{"resource": "tokens", "unit": "tokens"} | amounts]
    assert way(metric, [GOOD], [row]) == metric.compute(
        predictions=[GOOD], references=[ROW | {"total_turns": 3}]
    )


@pytest.mark.parametrize("way", WAYS)
def test_an_unknown_option_is_refused(metric: evaluate.Metric, way: Way) -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'question_asked'"):
        way(metric, [GOOD], [ROW], question_asked="interval")


def test_what_is_given_whole_is_written_nowhere(tmp_path: Path) -> None:
    metric = evaluate.load(str(FOLDER), cache_dir=str(tmp_path))
    assert still_works(metric)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    metric.add(prediction=GOOD, reference=ROW)
    assert list(tmp_path.rglob("*.arrow"))
    scores = metric.compute(predictions=[""], references=[NEXT])
    assert scores == expected([ROW, NEXT], [GOOD, ""])


def test_two_processes_are_scored_together(tmp_path: Path) -> None:
    parts = [([GOOD], [ROW]), ([""], [NEXT])]

    def scored(number: int) -> dict[str, Any] | None:
        metric = evaluate.load(
            str(FOLDER),
            num_process=2,
            process_id=number,
            experiment_id="two",
            cache_dir=str(tmp_path),
        )
        predictions, references = parts[number]
        return metric.compute(predictions=predictions, references=references)

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(scored, range(2))
    assert second is None
    assert first == expected([ROW, NEXT], [GOOD, ""])


def test_it_says_where_it_is_from(metric: evaluate.Metric) -> None:
    info = metric.info
    assert (info.license, info.homepage) == ("MIT", published.PROJECT_PAGE)
    assert info.codebase_urls == [published.CODE_PAGE]
    assert published.PAPER_PAGE in info.reference_urls
    assert all(author in info.citation for author in published.AUTHORS)
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert info.citation.strip() in card
    assert all(address in card for address in (*info.codebase_urls, *info.reference_urls))


def test_its_space_runs_what_the_locks_have() -> None:
    _, head, _ = (FOLDER / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    settings = yaml.safe_load(head)
    locked = (REPO / "requirements/dev.lock").read_text(encoding="utf-8")
    assert f"gradio=={settings['sdk_version']} " in locked
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert settings["python_version"] in SpecifierSet(project["requires-python"])
    assert len(settings["short_description"]) <= 60
    assert settings["datasets"] == [published.HUB_ID]


def test_it_loads_under_another_name(tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "budgets")
    (folder / "bagen.py").rename(folder / "budgets.py")
    assert still_works(evaluate.load(str(folder)))


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "lonely")
    (folder / "bagen.py").rename(folder / "lonely.py")
    monkeypatch.setitem(sys.modules, "bagen_data", None)
    with pytest.raises(ImportError, match=r"pip install .*'bagen-data\[metric\]'"):
        evaluate.load(str(folder))


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
    handler = partial(_QuietFileHandler, directory=str(tmp_path / "hub"))
    data = {"predictions": [GOOD], "references": [ROW]}
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with serving(server):
        environment = os.environ | {
            "HF_ENDPOINT": f"http://127.0.0.1:{server.server_port}",
            "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_UPDATE_DOWNLOAD_COUNTS": "0",
            "PYTHONPATH": WITHOUT_TRANSFORMERS,
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


class _QuietFileHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Keep quiet."""
