"""Files that other sites read: those of the Hub, and records of Every Eval Ever."""

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import parse_eval_result_entries

from bagen_data.errors import InputError
from bagen_data.scoring.all_scores import HEADLINE_SCORES, SCORES
from leaderboard.exports.every_eval_ever import EXPORTED, export_eee, record_of
from leaderboard.exports.exported_board import path_part
from leaderboard.exports.hub_files import export_hub
from leaderboard.results import FORMAT
from tests.leaderboard.made_submissions import leaderboard

COMMIT = "531a" * 10
HOSTILE = (
    "../../../etc/passwd",
    "..",
    "/etc/passwd",
    "..\\..\\windows\\system32",
    "a/../../b",
    "CON/nul",
    "data/unknown",
    ".git/hooks",
    "org/\u202emodel\u2028\ufeff\U0001f4a5 e\u0301",
    "- x: &a [*a] # {'<script>alert(1)</script>': \"!!python/object\"}",
    "~/" + "x" * 198,
)


def score(value: float | None = 0.5, n: int = 194) -> dict[str, Any]:
    if value is None:
        return {"value": None, "n": 0, "low": None, "high": None}
    return {"value": value, "n": n, "low": value - 0.1, "high": value + 0.1}


def scores(**changed: float | None) -> dict[str, Any]:
    return {name: score(changed.get(name, 0.5)) for name in SCORES}


def submission(folder: str = "mine", **changed: Any) -> dict[str, Any]:
    metadata = {
        "estimator": "Mine",
        "provider": "vllm",
        "model_id": "Org/Model-7B",
        "decoding": {"temperature": 0.5, "max_tokens": 1024, "stop": ["</answer>"], "seed": 7},
        "prompt_variant": "interval_think",
        "trained_on": "none",
        "constrained": False,
        "dataset_revision": COMMIT,
        "date": "2026-11-21",
        "link": "https://example.org/mine",
        "weights": "open",
        "benchmark_version": "1.0",
    }
    spent = {"predictions": 194, "cost_usd_per_1000": None, "output_tokens": 30.5}
    file = {"name": "predictions.jsonl", "bytes": 1, "sha256": "ab" * 32, "predictions": 194}
    return {
        "folder": folder,
        "metadata": metadata | changed,
        "files": [file],
        "answered": ["searchr1", "swebench"],
        "complete": True,
        "label_matches": {"intervals": 40, "matches": 1, "noted": False},
        "scores": {
            "overall": scores(),
            "tasks": {
                "searchr1": scores(macro_f1_open=0.25),
                "swebench": scores(macro_f1_open=0.75),
            },
            "families": {},
        },
        "spent": {"overall": spent, "swebench": spent},
    }


def results(*submissions: dict[str, Any], **dataset: Any) -> dict[str, Any]:
    task = {
        "samples": 60,
        "feasible": 20,
        "rollouts": 8,
        "families": ["swebench/gpt-x"],
        "resources": ["tokens"],
    }
    built = {
        "id": "MLL-Lab/BAGEN",
        "revision": COMMIT,
        "split": "test",
        "samples": 194,
        "prompt_variant": "interval_think",
        "has_verdicts": True,
    }
    return {
        "format": FORMAT,
        "benchmark_version": "1.0",
        "scorer": {"name": "bagen-data", "version": "0.1.0"},
        "dataset": built | {"tasks": {"searchr1": task, "swebench": task}} | dataset,
        "resampling": {"resamples": 1000, "seed": 0, "level": 0.95, "alpha": 0.2},
        "submissions": list(submissions),
        "refused": [],
        "apart": [],
    }


def incomplete() -> dict[str, Any]:
    return submission() | {
        "answered": ["swebench"],
        "complete": False,
        "scores": {"overall": None, "tasks": {"swebench": scores()}, "families": {}},
    }


def entries(path: Path) -> list[Any]:
    return parse_eval_result_entries(yaml.safe_load(path.read_text(encoding="utf-8")))


def record(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_hub_reads_its_results_back(tmp_path: Path) -> None:
    registration, path = export_hub(results(submission()), tmp_path)
    assert registration == tmp_path / "eval.yaml"
    assert path == tmp_path / "mine" / ".eval_results" / "bagen.yaml"
    overall, searchr1, swebench = entries(path)
    tasks = [each["id"] for each in yaml.safe_load(registration.read_text())["tasks"]]
    assert [each.task_id for each in (overall, searchr1, swebench)] == tasks
    assert [each.value for each in (overall, searchr1, swebench)] == [0.5, 0.25, 0.75]
    assert (overall.dataset_id, overall.dataset_revision) == ("MLL-Lab/BAGEN", COMMIT)
    assert overall.date == "2026-11-21"
    assert (overall.source_url, overall.source_name) == ("https://example.org/mine", "Mine")
    assert overall.notes == (
        "prompt interval_think; trained on none; free decoding; macro_f1_open 95% interval "
        "[0.400, 0.600]; n 194; brier_skill 0.500; wis_skill 0.500; valid_rate 0.500; "
        "brier 0.500; wis 0.500; start_correlation 0.500; macro_f1 0.500; fail_f1 0.500; "
        "accuracy 0.500; hit_rate 0.500; coverage 0.500; reward 0.500; rl_reward 0.500; "
        "interval_skill 0.500; bagen-data 0.1.0; benchmark 1.0"
    )


def test_inspect_takes_every_task_of_eval_yaml(tmp_path: Path) -> None:
    tasks = pytest.importorskip("inspect_ai._eval.task.hf")
    [path] = export_hub(results(), tmp_path)
    content = yaml.safe_load(path.read_text())
    read = [tasks.HFTask.model_validate(each) for each in content["tasks"]]
    assert [(task.id, task.config, task.split) for task in read] == [
        ("overall", "default", "test"),
        ("searchr1", "searchr1", "test"),
        ("swebench", "swebench", "test"),
    ]
    assert content["evaluation_framework"] == "inspect-ai"


def test_eval_yaml_says_what_its_scorer_is(tmp_path: Path) -> None:
    [path] = export_hub(results(), tmp_path)
    content = yaml.safe_load(path.read_text())
    assert "feasibility accuracy and nothing else" in content["description"]
    assert {task["field_spec"]["target"] for task in content["tasks"]} == {"verdict"}


def test_results_of_a_dataset_without_verdicts_have_no_eval_yaml(tmp_path: Path) -> None:
    [path] = export_hub(results(submission(), has_verdicts=False), tmp_path)
    assert path.name == "bagen.yaml"


@pytest.mark.parametrize(
    ("metadata", "has_a_file"),
    [
        ({"weights": "open", "model_id": "my-model"}, True),
        ({"weights": None, "model_id": "Org/Model"}, True),
        ({"weights": None, "model_id": "gpt-5.2"}, False),
        ({"weights": "closed", "model_id": "Org/Model"}, False),
        ({"weights": "none"}, False),
        ({"weights": None, "model_id": "none"}, False),
        ({"weights": "open", "provider": "none"}, False),
    ],
)
def test_only_models_that_may_be_on_the_hub_get_a_file(
    tmp_path: Path, metadata: dict[str, Any], has_a_file: bool
) -> None:
    assert len(export_hub(results(submission(**metadata)), tmp_path)) == 1 + has_a_file


def test_results_of_a_built_folder_are_not_the_hubs(tmp_path: Path) -> None:
    private = results(submission(), id=None, revision="5" * 64)
    with pytest.raises(InputError, match="build the leaderboard from the dataset's id"):
        export_hub(private, tmp_path)
    assert not files_of(tmp_path)
    _, path = export_hub(private, tmp_path, "Org/Copy")
    assert {(each.dataset_id, each.dataset_revision) for each in entries(path)} == {
        ("Org/Copy", None)
    }
    _, path = export_hub(results(submission(), id=None), tmp_path, "Org/Copy")
    assert {each.dataset_revision for each in entries(path)} == {COMMIT}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"format": 2}', "lacks benchmark_version, scorer, dataset, resampling, submissions; "),
        ('{"format": 3}', "expected results of format 2, found format 3; "),
        ("{}", "expected results of format 2, found no format; "),
        ("[]", "expected an object of results, found a list; "),
    ],
)
@pytest.mark.parametrize("to", ["hub", "eee"])
def test_what_no_build_wrote_is_not_exported(
    text: str, message: str, to: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "results.json").write_text(text)
    assert leaderboard("export", tmp_path / "results.json", "--format", to) == 1
    assert f"results.json: {message}build the site again" in " ".join(
        capsys.readouterr().err.split()
    )


def test_an_export_is_replaced_and_a_foreign_folder_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    for some in (results(submission("a"), submission("b")), results(submission("a"))):
        (tmp_path / "results.json").write_text(json.dumps(some))
        export = ("export", tmp_path / "results.json", "--format", "hub", "--out", out)
        assert leaderboard(*export) == 0
    assert files_of(out).keys() == {"eval.yaml", "a/.eval_results/bagen.yaml", "exported.txt"}
    (out / "exported.txt").write_bytes(b"\xff mine")
    assert leaderboard(*export) == 1
    message = " ".join(capsys.readouterr().err.split())
    assert "that no build wrote (a/.eval_results/bagen.yaml, eval.yaml, exported.txt)" in message
    assert (out / "exported.txt").read_bytes() == b"\xff mine"


@pytest.mark.parametrize("folder", ["", ".", "..", "eval.yaml", "Eval.YAML", "a/b", "..\\a"])
def test_a_folder_that_is_no_name_is_refused(tmp_path: Path, folder: str) -> None:
    with pytest.raises(InputError, match="cannot be the name of a folder"):
        export_hub(results(submission(folder)), tmp_path / "out")
    assert not files_of(tmp_path)


def test_a_record_has_the_shape_of_the_schema(tmp_path: Path) -> None:
    [path] = export_eee(results(submission()), tmp_path)
    uuid4 = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
    where = path.relative_to(tmp_path).as_posix()
    assert re.fullmatch(rf"data/bagen/Org/Model-7B/{uuid4}\.json", where)
    exported = record(path)
    assert exported["schema_version"] == "0.3.0"
    assert exported["evaluation_id"] == "bagen/mine/Org/Model-7B/1795219200"
    assert exported["retrieved_timestamp"] == exported["evaluation_timestamp"] == "1795219200"
    assert exported["eval_library"]["name"] == "bagen-data"
    assert exported["model_info"] == {
        "name": "Org/Model-7B",
        "id": "Org/Model-7B",
        "developer": "Org",
        "inference_engine": {"name": "vllm"},
        "additional_details": {
            "deployment_type": "self_deployed",
            "model_availability": "open_weights",
        },
    }
    source = exported["source_metadata"]
    assert source["source_type"] == "evaluation_run"
    assert "ab" * 32 in source["additional_details"]["prediction_files"]
    assert [each["evaluation_result_id"] for each in exported["evaluation_results"]] == [
        f"bagen/{group}/{name}"
        for group in ("overall", "searchr1", "swebench")
        for name in EXPORTED
    ]
    assert set(HEADLINE_SCORES) < set(EXPORTED)


def test_a_result_says_what_was_measured_and_how_surely() -> None:
    evaluations = record_of(results(submission()), submission())["evaluation_results"]
    by_id = {each["evaluation_result_id"]: each for each in evaluations}
    result = by_id["bagen/swebench/macro_f1_open"]
    assert result["evaluation_name"] == "bagen/swebench"
    assert result["source_data"] == {
        "dataset_name": "BAGEN",
        "source_type": "hf_dataset",
        "hf_repo": "MLL-Lab/BAGEN",
        "hf_split": "test",
        "samples_number": 60,
        "additional_details": {"revision": COMMIT, "config": "swebench"},
    }
    assert result["score_details"] == {
        "score": 0.75,
        "uncertainty": {
            "num_samples": 194,
            "confidence_interval": {
                "lower": 0.65,
                "upper": 0.85,
                "confidence_level": 0.95,
                "method": "bootstrap of task instances",
            },
            "num_bootstrap_samples": 1000,
        },
    }
    assert result["generation_config"] == {
        "generation_args": {"temperature": 0.5, "max_tokens": 1024, "reasoning": True},
        "additional_details": {
            "prompt_variant": "interval_think",
            "trained_on": "none",
            "constrained": "false",
            "decoding_stop": '["</answer>"]',
            "decoding_seed": "7",
        },
    }
    configs = {name: by_id[f"bagen/overall/{name}"]["metric_config"] for name in EXPORTED}
    worse = {name for name, config in configs.items() if config["lower_is_better"]}
    assert worse == {name for name in EXPORTED if SCORES[name].better == "lower"}
    ranges = {name: (config["min_score"], config["max_score"]) for name, config in configs.items()}
    assert (ranges["macro_f1"], ranges["rl_reward"]) == ((0, 1), (0, 1.8))
    assert ranges["interval_skill"] == ("-Infinity", 1)
    assert (ranges["wis"], ranges["start_correlation"]) == ((0, "Infinity"), (-1, 1))


def test_decoding_that_the_schema_has_no_place_for_is_a_detail() -> None:
    odd = submission(decoding={"temperature": "low", "top_p": True, "max_tokens": 0, "top_k": 40})
    config = record_of(results(odd), odd)["evaluation_results"][0]["generation_config"]
    assert config["generation_args"] == {"top_k": 40, "reasoning": True}
    details = config["additional_details"]
    assert (details["decoding_temperature"], details["decoding_top_p"]) == ("low", "true")
    assert details["decoding_max_tokens"] == "0"


def test_a_built_folder_is_named_as_one() -> None:
    private = results(submission(), id=None, revision="5" * 64)
    source = record_of(private, submission())["evaluation_results"][0]["source_data"]
    assert source["source_type"] == "other"
    assert source["additional_details"]["revision"] == "5" * 64
    assert source["additional_details"]["samples_number"] == "194"


def test_an_estimator_without_a_model_is_filed_apart(tmp_path: Path) -> None:
    rule = submission("over-budget", model_id="none", provider="none", weights="none")
    [path] = export_eee(results(rule), tmp_path)
    assert path.parent == tmp_path / "data" / "bagen" / "no-model" / "over-budget"
    assert record(path)["model_info"]["name"] == "Mine"


@pytest.mark.parametrize(
    ("metadata", "model_id", "where", "how"),
    [
        ({"provider": "openai", "model_id": "gpt-5.2", "weights": "closed"}, "openai/gpt-5.2",
         "openai/gpt-5.2", "externally_managed"),
        ({"provider": "openrouter", "model_id": "z-ai/glm:free", "weights": None}, "z-ai/glm:free",
         "z-ai/glm_free", "unknown"),
        ({"provider": "fireworks", "model_id": "accounts/f/models/m"}, "accounts/f/models/m",
         "accounts/f_models_m", "unknown"),
    ],
)  # fmt: skip
def test_a_model_is_filed_by_its_id(
    tmp_path: Path, metadata: dict[str, Any], model_id: str, where: str, how: str
) -> None:
    [path] = export_eee(results(submission(**metadata)), tmp_path)
    assert path.parent == tmp_path / "data" / "bagen" / where
    model = record(path)["model_info"]
    assert (model["id"], model["inference_platform"]) == (model_id, metadata["provider"])
    assert model["additional_details"]["deployment_type"] == how


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    some = results(submission("a"), submission("b"), submission("c", estimator="Other"))
    for out in ("one", "two"):
        export_hub(some, tmp_path / out)
        export_eee(some, tmp_path / out)
    assert files_of(tmp_path / "one") == files_of(tmp_path / "two")
    assert len(files_of(tmp_path / "one")) == 1 + 3 + 3


def test_scores_that_are_null_are_left_out(tmp_path: Path) -> None:
    some = submission()
    some["scores"]["overall"] = scores(coverage=None)
    some["scores"]["tasks"]["swebench"]["macro_f1_open"] = score(None)
    some["scores"]["overall"]["macro_f1_open"] |= {"low": None, "high": None}
    [_, path], [written] = export_hub(results(some), tmp_path), export_eee(results(some), tmp_path)
    overall, searchr1 = entries(path)
    assert (overall.task_id, searchr1.task_id) == ("overall", "searchr1")
    assert "coverage" not in overall.notes
    assert "interval [" not in overall.notes
    details = {
        each["evaluation_result_id"]: each["score_details"]
        for each in record(written)["evaluation_results"]
    }
    assert not {"bagen/swebench/macro_f1_open", "bagen/overall/coverage"} & details.keys()
    assert details["bagen/overall/macro_f1_open"]["uncertainty"] == {"num_samples": 194}


def test_nothing_is_overall_if_a_task_is_missing(tmp_path: Path) -> None:
    some = results(incomplete())
    [_, path], [written] = export_hub(some, tmp_path), export_eee(some, tmp_path)
    assert [each.task_id for each in entries(path)] == ["swebench"]
    names = {each["evaluation_name"] for each in record(written)["evaluation_results"]}
    assert names == {"bagen/swebench"}


def test_a_submission_without_a_score_has_no_file(tmp_path: Path) -> None:
    silent = incomplete()
    silent["scores"]["tasks"]["swebench"] = dict.fromkeys(SCORES, score(None))
    assert export_eee(results(silent), tmp_path) == []
    assert len(export_hub(results(silent), tmp_path)) == 1


@pytest.mark.parametrize("text", HOSTILE)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, text: str) -> None:
    out = tmp_path / "a" / "b" / "c" / "out"
    names = {"estimator": text, "model_id": text, "provider": text, "decoding": {text[:50]: text}}
    some = results(submission(**names), submission("rule", estimator=text, weights="none"))
    written = export_hub(some, out) + export_eee(some, out)
    assert {path.relative_to(out).as_posix() for path in written} == files_of(out).keys()
    assert set(files_of(tmp_path)) == {f"a/b/c/out/{name}" for name in files_of(out)}
    for path in written:
        parts = path.relative_to(out).parts
        assert all(re.fullmatch(r"[A-Za-z0-9._+@-]{1,100}", part) for part in parts)
    assert {each.source_name for each in entries(written[1])} == {text}
    assert record(written[-2])["model_info"]["name"] == text


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("gpt-5.2", "gpt-5.2"),
        ("", "_"),
        (".", "_"),
        ("...", "_"),
        ("a/b\\c:d", "a_b_c_d"),
        ("nul\0", "nul_"),
        ("COM1.txt", "_COM1.txt"),
        ("lpt0", "_lpt0"),
        ("x" * 300, "x" * 100),
    ],
)
def test_any_text_gives_one_part_of_a_path(text: str, part: str) -> None:
    assert path_part(text) == part


@pytest.mark.skipif(
    importlib.util.find_spec("every_eval_ever") is None,
    reason="every-eval-ever is not installed; it needs Python 3.12 or newer",
)
def test_every_eval_ever_takes_the_records(tmp_path: Path) -> None:
    from every_eval_ever.validation_core import validate_aggregate

    made = [
        submission(),
        submission("closed", provider="openai", model_id="gpt-5.2", weights="closed"),
        submission("rule", provider="none", model_id="none", weights="none"),
        submission("colon", provider="openrouter", model_id="z-ai/glm:free", weights=None),
        incomplete() | {"folder": "incomplete"},
    ]
    for folder, dataset in (("hub", {}), ("built", {"id": None})):
        for path in export_eee(results(*made, **dataset), tmp_path / folder):
            where = path.relative_to(tmp_path / folder).as_posix()
            report = validate_aggregate(path, repo_path=where, run_semantic_checks=True)
            assert (report.valid, report.errors, report.warnings) == (True, [], [])
