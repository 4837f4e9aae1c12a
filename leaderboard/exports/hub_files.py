"""Results as files of the Hugging Face Hub.

`eval.yaml`, at the root of the dataset, makes it one of the Hub's benchmarks.
`.eval_results/bagen.yaml`, in a model's repository, shows its scores on the model's page and on the
dataset's leaderboard. See https://huggingface.co/docs/hub/eval-results.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from bagen_data.errors import InputError, MissingExtraError
from bagen_data.scoring.all_scores import HEADLINE_SCORES
from bagen_data.scoring.sample_table import DERIVED, OPTIONAL, REQUIRED
from leaderboard.exports.exported_board import groups, write_text
from leaderboard.rankings import INTERVALS
from leaderboard.results import OVERALL, has_model

if TYPE_CHECKING:
    from huggingface_hub import EvalResultEntry

REGISTRATION = "eval.yaml"
RESULTS = Path(".eval_results", "bagen.yaml")
"""Where a model's repository has its results."""
RANKED = INTERVALS.headline
"""The score that the Hub shows: everybody is ranked by it."""

_ANSWER = r"<(answer)>\s*(?:impossible|[^<\[]*\[[^<]*\])\s*</answer>(?![\s\S]*</think>)"
_DESCRIPTION = (
    "Does an LLM agent know what it is about to spend? Recorded agent rollouts are replayed turn "
    "by turn, and a model is asked whether the task can still be finished within the budget, and "
    "how much of each resource is still needed. Results are macro-F1 of feasible and infeasible "
    "over probes within every budget so far, macro_f1_open of 'bagen score'. The scorer below sees "
    "no more than whether a reply has the form of an answer; for scores run 'inspect score "
    "LOG --scorer bagen_data/estimate'."
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)


def export_hub(results: dict[str, Any], out: Path, dataset_id: str | None = None) -> list[Path]:
    """Write `eval.yaml`, and `FOLDER/.eval_results/bagen.yaml` for each model with open weights.

    A submission whose metadata do not say whether the weights are open counts as one if its
    `model_id` reads ORG/NAME.

    Args:
        results: the content of `results.json`.
        out: the folder to write into.
        dataset_id: of the Hub's dataset, if the results are not those of one but of the same
            samples in a folder. A revision is named only if it is a commit.

    Returns:
        The files, `eval.yaml` first.

    Raises:
        InputError: the results are of no dataset of the Hub, or a submission's folder is no name.
        MissingExtraError: `huggingface_hub` is not installed.
    """
    dataset = results["dataset"]
    dataset_id = dataset_id or dataset["id"]
    if dataset_id is None:
        raise InputError(
            "results.json: is of a built folder, and the Hub shows results of its own datasets "
            "only; build the leaderboard from the dataset's id, e.g. MLL-Lab/BAGEN, or give "
            "--dataset-id"
        )
    contents: dict[Path, Any] = {Path(REGISTRATION): registration(dataset)}
    for submission in filter(_is_of_the_hub, results["submissions"]):
        rows = eval_results(results, submission, dataset_id)
        if rows:
            contents[_folder(submission) / RESULTS] = rows
    return [write_text(out / path, _yaml(content)) for path, content in contents.items()]


def registration(dataset: dict[str, Any]) -> dict[str, Any]:
    """The content of `eval.yaml`: a task for each of the dataset's, and one of all of them.

    Inspect runs them too (`inspect eval hf/ORG/NAME/TASK`), and its logs hold what BAGEN's own
    scorer needs.
    """
    configs = {OVERALL: "default"} | {task: task for task in dataset["tasks"]}
    fields = {
        "input": "prompt",
        "target": "literal:answer",
        "metadata": [*REQUIRED, *DERIVED, *OPTIONAL],
    }
    tasks = [
        {
            "id": task,
            "config": config,
            "split": dataset["split"],
            "field_spec": fields,
            "solvers": [{"name": "generate"}],
            "scorers": [{"name": "pattern", "args": {"pattern": _ANSWER}}],
        }
        for task, config in configs.items()
    ]
    return {
        "name": "BAGEN",
        "description": _DESCRIPTION,
        "evaluation_framework": "inspect-ai",
        "tasks": tasks,
    }


def eval_results(
    results: dict[str, Any], submission: dict[str, Any], dataset_id: str
) -> list[dict[str, Any]]:
    """The content of `.eval_results/bagen.yaml`: a row for each group of tasks with a score.

    Raises:
        MissingExtraError: `huggingface_hub` is not installed.
    """
    try:
        from huggingface_hub import eval_result_entries_to_yaml
    except ModuleNotFoundError as error:
        raise MissingExtraError("huggingface_hub", "leaderboard") from error
    rows: list[dict[str, Any]] = eval_result_entries_to_yaml(
        [
            _result_entry(results, submission["metadata"], scores, dataset_id, group)
            for group, scores in groups(submission)
            if scores[RANKED]["value"] is not None
        ]
    )
    return rows


def _result_entry(
    results: dict[str, Any],
    metadata: dict[str, Any],
    scores: dict[str, Any],
    dataset_id: str,
    task_id: str,
) -> "EvalResultEntry":
    from huggingface_hub import EvalResultEntry

    dataset = results["dataset"]
    commit = dataset.get("commit") or dataset["revision"]  # earlier results name no commit apart
    return EvalResultEntry(
        dataset_id=dataset_id,
        task_id=task_id,
        value=scores[RANKED]["value"],
        dataset_revision=commit if _COMMIT.fullmatch(commit or "") else None,
        date=metadata["date"],
        source_url=metadata["link"],
        source_name=metadata["estimator"],
        notes="; ".join(_notes(results, metadata, scores)),
    )


def _notes(
    results: dict[str, Any], metadata: dict[str, Any], scores: dict[str, Any]
) -> Iterator[str]:
    """How the estimator was asked, how sure its score is, its other scores, and who scored."""
    yield f"prompt {metadata['prompt_variant']}"
    yield f"trained on {metadata['trained_on']}"
    yield f"{'constrained' if metadata['constrained'] else 'free'} decoding"
    ranked = scores[RANKED]
    if ranked["low"] is not None and ranked["high"] is not None:
        level = results["resampling"]["level"]
        yield f"{RANKED} {level:.0%} interval [{ranked['low']:.3f}, {ranked['high']:.3f}]"
    yield f"n {ranked['n']}"
    for name in HEADLINE_SCORES:
        value = scores[name]["value"] if name in scores else None
        if name != RANKED and value is not None:
            yield f"{name} {value:.3f}"
    yield " ".join((results["scorer"]["name"], results["scorer"]["version"]))
    yield f"benchmark {results['benchmark_version']}"


def is_repository(name: str) -> bool:
    """Whether it reads ORG/NAME."""
    return bool(_REPOSITORY.fullmatch(name))


def _is_of_the_hub(submission: dict[str, Any]) -> bool:
    """Whether it is of a model that may have a repository there."""
    metadata = submission["metadata"]
    if metadata["weights"] is None:
        return has_model(metadata) and is_repository(metadata["model_id"])
    return has_model(metadata) and metadata["weights"] == "open"


def _folder(submission: dict[str, Any]) -> Path:
    folder: str = submission["folder"]
    if re.fullmatch(r"\.*|.*[/\\].*", folder, re.DOTALL) or folder.lower() == REGISTRATION:
        raise InputError(f"submission {folder!r}: cannot be the name of a folder; rename it")
    return Path(folder)


def _yaml(content: Any) -> str:
    return yaml.dump(content, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100)


class _Plain(yaml.SafeDumper):
    """YAML that repeats what is there twice."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True
