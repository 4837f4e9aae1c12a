"""Results as records of Every Eval Ever, a schema that many leaderboards share.

Each submission is one JSON file, `data/bagen/DEVELOPER/MODEL/UUID.json`, as in its datastore. See
https://github.com/evaleval/every_eval_ever.
"""

import datetime
import hashlib
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from bagen_data.prompt_variants import thinks
from bagen_data.scoring.all_scores import HEADLINE_SCORES, SCORES
from bagen_data.scoring.scores.intervals import RL_INTERVAL
from bagen_data.tables import to_json
from leaderboard.exports.exported_board import groups, path_part, write_text
from leaderboard.results import OVERALL, has_model

SCHEMA_VERSION = "0.3.0"
BENCHMARK = "bagen"
EXPORTED = (*HEADLINE_SCORES, "fail_f1_open", "optimistic", "conservative")
"""The scores of a record."""

_SHARE = (0, 1)
_RANGES: dict[str, tuple[float | str, float | str]] = {
    "rl_reward": (0, RL_INTERVAL),
    "interval_skill": ("-Infinity", 1),
    "brier_skill": ("-Infinity", 1),
    "wis_skill": ("-Infinity", 1),
    "wis": (0, "Infinity"),
    "start_correlation": (-1, 1),
}
"""The range of each score that is not a share."""
_KINDS = {"macro_f1": "f1", "fail_f1": "f1", "macro_f1_open": "f1", "fail_f1_open": "f1"}
_ENGINES = frozenset({"hf", "llama-cpp-python", "mlx", "ollama", "sglang", "vllm"})
"""Providers that run a model on the submitter's own machine."""
_AVAILABILITY = {"open": "open_weights", "closed": "closed_weights"}


def export_eee(results: dict[str, Any], out: Path) -> list[Path]:
    """Write a record for each submission with a score.

    The same results give the same bytes: times are midnight UTC of the submission's date, and a
    file is named by its content.

    Args:
        results: the content of `results.json`.
        out: the folder to write `data/bagen/...` into.

    Returns:
        The files, in the order of the submissions.
    """
    records = (record_of(results, submission) for submission in results["submissions"])
    return [_write(record, out) for record in records if record["evaluation_results"]]


def record_of(results: dict[str, Any], submission: dict[str, Any]) -> dict[str, Any]:
    """Return a submission's record."""
    metadata, scorer = submission["metadata"], results["scorer"]
    model, seconds = _model_info(submission), _midnight(metadata["date"])
    return {
        "schema_version": SCHEMA_VERSION,
        "evaluation_id": f"{BENCHMARK}/{submission['folder']}/{model['id']}/{seconds}",
        "evaluation_timestamp": seconds,
        "retrieved_timestamp": seconds,
        "source_metadata": _source_metadata(submission),
        "eval_library": {
            "name": scorer["name"],
            "version": scorer["version"],
            "additional_details": _strings(
                {"benchmark_version": results["benchmark_version"], **results["resampling"]}
            ),
        },
        "model_info": model,
        "evaluation_results": list(_evaluation_results(results, submission)),
    }


def _write(record: dict[str, Any], out: Path) -> Path:
    text = to_json(record, indent=2) + "\n"
    digest = hashlib.sha256(text.encode()).digest()
    name = uuid.UUID(bytes=digest[:16], version=4)  # the datastore takes no other version
    developer, *model = record["model_info"]["id"].split("/")
    folder = Path("data", BENCHMARK, path_part(developer), path_part("_".join(model)))
    return write_text(out / folder / f"{name}.json", text)


def _midnight(date: str) -> str:
    """Return the seconds from 1970 to the beginning of a day in UTC."""
    day = datetime.datetime.fromisoformat(date).replace(tzinfo=datetime.UTC)
    return str(int(day.timestamp()))


def _source_metadata(submission: dict[str, Any]) -> dict[str, Any]:
    metadata = submission["metadata"]
    costs = submission["spent"].get(OVERALL) or {}
    return {
        "source_name": "BAGEN leaderboard",
        "source_type": "evaluation_run",
        "source_organization_name": "BAGEN",
        "evaluator_relationship": "other",
        "additional_details": _strings(
            {
                "submission": submission["folder"],
                "estimator": metadata["estimator"],
                "link": metadata["link"],
                "dataset_revision": metadata["dataset_revision"],
                "prediction_files": submission["files"],
                "label_matches": submission["label_matches"],
                "spent": {name: value for name, value in costs.items() if value is not None},
            }
        ),
    }


def _model_info(submission: dict[str, Any]) -> dict[str, Any]:
    metadata = submission["metadata"]
    provider, details = metadata["provider"], {"deployment_type": "unknown"}
    details["model_availability"] = _AVAILABILITY.get(metadata["weights"], "unknown")
    if not has_model(metadata):
        info = _identity(f"no-model/{submission['folder']}", metadata["estimator"])
        return info | {"additional_details": details}
    model = metadata["model_id"]
    info = _identity(model if "/" in model else f"{provider}/{model}", model)
    if provider in _ENGINES:
        info["inference_engine"] = {"name": provider}
        details["deployment_type"] = "self_deployed"
    else:
        info["inference_platform"] = provider
        if metadata["weights"] == "closed":
            details["deployment_type"] = "externally_managed"
    return info | {"additional_details": details}


def _identity(model: str, name: str) -> dict[str, Any]:
    return {"name": name, "id": model, "developer": model.partition("/")[0]}


def _evaluation_results(
    results: dict[str, Any], submission: dict[str, Any]
) -> Iterator[dict[str, Any]]:
    generation = _generation_config(submission["metadata"])
    for group, scores in groups(submission):
        name = BENCHMARK if group == OVERALL else f"{BENCHMARK}/{group}"
        source = _source_data(results["dataset"], group)
        for score_name in EXPORTED:
            score = scores.get(score_name)
            if score is not None and score["value"] is not None:
                yield {
                    "evaluation_result_id": f"{BENCHMARK}/{group}/{score_name}",
                    "evaluation_name": name,
                    "source_data": source,
                    "metric_config": _metric_config(score_name, results["resampling"]["alpha"]),
                    "score_details": _score_details(score, results["resampling"]),
                    "generation_config": generation,
                }


def _source_data(dataset: dict[str, Any], group: str) -> dict[str, Any]:
    part = dataset if group == OVERALL else dataset["tasks"][group]
    config = "default" if group == OVERALL else group
    details: dict[str, Any] = {"revision": dataset["revision"], "config": config}
    source: dict[str, Any] = {"dataset_name": "BAGEN"}
    if dataset["id"] is None:
        details |= {"split": dataset["split"], "samples_number": part["samples"]}
        return source | {"source_type": "other", "additional_details": _strings(details)}
    return source | {
        "source_type": "hf_dataset",
        "hf_repo": dataset["id"],
        "hf_split": dataset["split"],
        "samples_number": part["samples"],
        "additional_details": _strings(details),
    }


def _metric_config(name: str, alpha: float) -> dict[str, Any]:
    least, most = _RANGES.get(name, _SHARE)
    config = {
        "evaluation_description": SCORES[name].meaning,
        "metric_id": f"{BENCHMARK}.{name}",
        "metric_name": name,
        "metric_kind": _KINDS.get(name, name),
        "metric_unit": "points" if name in _RANGES else "proportion",
        "lower_is_better": SCORES[name].better == "lower",
        "score_type": "continuous",
        "min_score": least,
        "max_score": most,
    }
    return config | ({"metric_parameters": {"alpha": alpha}} if name == "interval_skill" else {})


def _score_details(score: dict[str, Any], resampling: dict[str, Any]) -> dict[str, Any]:
    uncertainty: dict[str, Any] = {"num_samples": score["n"]}
    if score["low"] is not None and score["high"] is not None:
        uncertainty["confidence_interval"] = {
            "lower": score["low"],
            "upper": score["high"],
            "confidence_level": resampling["level"],
            "method": "bootstrap of task instances",
        }
        uncertainty["num_bootstrap_samples"] = resampling["resamples"]
    return {"score": score["value"], "uncertainty": uncertainty}


def _generation_config(metadata: dict[str, Any]) -> dict[str, Any]:
    decoding = metadata["decoding"]
    arguments = {name: value for name, value in decoding.items() if _is_argument(name, value)}
    rest = {f"decoding_{name}": value for name, value in decoding.items() if name not in arguments}
    if thinks(metadata["prompt_variant"]):
        arguments["reasoning"] = True
    details = {name: metadata[name] for name in ("prompt_variant", "trained_on", "constrained")}
    return {"generation_args": arguments, "additional_details": _strings(details | rest)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_ARGUMENTS: dict[str, Callable[[Any], bool]] = {
    "temperature": _is_number,
    "top_p": _is_number,
    "top_k": _is_number,
    "max_tokens": lambda value: type(value) is int and value >= 1,
}
"""Decoding parameters that the schema has a place for."""


def _is_argument(name: str, value: Any) -> bool:
    return name in _ARGUMENTS and _ARGUMENTS[name](value)


def _strings(details: Mapping[str, Any]) -> dict[str, str]:
    """Return details as strings, which the schema wants: other values as JSON, None left out."""
    return {
        name: value if isinstance(value, str) else to_json(value)
        for name, value in details.items()
        if value is not None and value != {}
    }
