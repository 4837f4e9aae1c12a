"""Results as files of the Hugging Face Hub.

`eval.yaml`, at the root of the dataset, makes it one of the Hub's benchmarks. Inspect's own scorers
compare texts, so it is written only where they can judge: for questions about intervals, of samples
with the column `verdict`.
`.eval_results/bagen.yaml`, in a model's repository, shows its scores on the model's page and on the
dataset's leaderboard. See https://huggingface.co/docs/hub/eval-results.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from bagen_data.errors import InputError
from bagen_data.prompt_variants import find_variant, question_of
from bagen_data.scoring.all_scores import HEADLINE_SCORES
from bagen_data.scoring.sample_table import DERIVED, OPTIONAL, REQUIRED
from leaderboard.exports.exported_board import groups, write_text
from leaderboard.exports.verdict_pattern import verdict_pattern
from leaderboard.rankings import INTERVALS
from leaderboard.results import OVERALL, has_model

if TYPE_CHECKING:
    from huggingface_hub import EvalResultEntry

REGISTRATION = "eval.yaml"
RESULTS = Path(".eval_results", "bagen.yaml")
"""The path of the results in a model's repository."""
RANKED = INTERVALS.headline
"""The score that the Hub shows, which every estimator is ranked by."""

_DESCRIPTION = (
    "Does an LLM agent know what it is about to spend? Recorded agent rollouts are replayed turn "
    "by turn, and a model is asked whether the task can still be finished within the budget, and "
    "how much of each resource is still needed. The scorer below reports feasibility accuracy and "
    "nothing else: the share of a task's samples that are answered 'impossible' where the run "
    "failed or overspent, and with an interval where it did not, however good that interval is. "
    "It is 'accuracy' of 'bagen score' for one family of rollouts, where that averages several "
    "families and tasks. It is not what BAGEN ranks by, and a result that is verified by running "
    "it verifies no score of BAGEN: results on the Hub are macro_f1_open. 'inspect score LOG "
    "--scorer bagen_data/estimate' makes all of BAGEN's scores of a log."
)
_COMMIT = re.compile(r"[0-9a-f]{40}")
_REPOSITORY = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)


def export_hub(results: dict[str, Any], out: Path, dataset_id: str | None = None) -> list[Path]:
    """Write `eval.yaml`, and `FOLDER/.eval_results/bagen.yaml` for each model with open weights.

    A dataset that `unregistered` gives a reason for gets no `eval.yaml`.

    A submission whose metadata do not say whether the weights are open counts as one if its
    `model_id` reads ORG/NAME.

    Args:
        results: the content of `results.json`.
        out: the folder to write into.
        dataset_id: the id of the Hub's dataset, if the results are of the same samples in a
            folder. A revision is named only if it is a commit.

    Returns:
        The files, `eval.yaml` first if it is written.

    Raises:
        InputError: the results are of no dataset of the Hub, or a folder has a bad name.
    """
    dataset = results["dataset"]
    dataset_id = dataset_id or dataset["id"]
    if dataset_id is None:
        raise InputError(
            "results.json: is of a built folder, and the Hub shows results of its own datasets "
            "only; build the leaderboard from the dataset's id, e.g. MLL-Lab/BAGEN, or give "
            "--dataset-id"
        )
    contents: dict[Path, Any] = {}
    if unregistered(dataset) is None:
        contents[Path(REGISTRATION)] = registration(dataset)
    for submission in filter(_is_of_the_hub, results["submissions"]):
        rows = eval_results(results, submission, dataset_id)
        if rows:
            contents[_folder(submission) / RESULTS] = rows
    return [write_text(out / path, _yaml(content)) for path, content in contents.items()]


def unregistered(dataset: Mapping[str, Any]) -> str | None:
    """Return why a dataset has no `eval.yaml`; None if it has one.

    Args:
        dataset: the dataset of `results.json`.
    """
    variant = dataset.get("prompt_variant")
    if not dataset.get("has_verdicts") or not isinstance(variant, str):
        return (
            "the samples have no column 'verdict', which Inspect's scorer compares answers with; "
            "build the dataset anew with 'python -m builders build', then the site"
        )
    question = question_of(find_variant(variant))
    if question != "interval":
        return (
            f"the prompts ask the question '{question}', and no scorer of Inspect's own can tell "
            "which verdict its answers give; a dataset that is built with --prompt interval_think "
            "or interval_no_think has one"
        )
    return None


def registration(dataset: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of `eval.yaml`: a task for each of the dataset's, and one of all of them.

    Inspect runs them (`inspect eval hf/ORG/NAME/TASK`) and reports the share of samples with
    the right verdict. Its logs hold what BAGEN's own scorer needs.

    Args:
        dataset: the dataset of `results.json`; `unregistered` has no reason against it.
    """
    resources = {task: about["resources"] for task, about in dataset["tasks"].items()}
    configs = {OVERALL: "default"} | {task: task for task in resources}
    fields = {
        "input": "prompt",
        "target": "verdict",
        "metadata": [*REQUIRED, *DERIVED, *OPTIONAL],
    }
    tasks = []
    for task, config in configs.items():
        asked = resources.values() if task == OVERALL else [resources[task]]
        pattern = verdict_pattern({tuple(names) for names in asked})
        tasks.append(
            {
                "id": task,
                "config": config,
                "split": dataset["split"],
                "field_spec": fields,
                "solvers": [{"name": "generate"}],
                "scorers": [{"name": "pattern", "args": {"pattern": pattern}}],
            }
        )
    return {
        "name": "BAGEN",
        "description": _DESCRIPTION,
        "evaluation_framework": "inspect-ai",
        "tasks": tasks,
    }


def eval_results(
    results: dict[str, Any], submission: dict[str, Any], dataset_id: str
) -> list[dict[str, Any]]:
    """Return the content of `.eval_results/bagen.yaml`: a row for each group that has a score."""
    from huggingface_hub import eval_result_entries_to_yaml

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
    """Yield notes: the prompt, the interval of the score, other scores, and the scorer."""
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
    """Return whether a name reads ORG/NAME."""
    return bool(_REPOSITORY.fullmatch(name))


def _is_of_the_hub(submission: dict[str, Any]) -> bool:
    """Return whether a submission is of a model that may have a repository on the Hub."""
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
    return yaml.dump(
        content, Dumper=_AnchorlessDumper, sort_keys=False, allow_unicode=True, width=100
    )


class _AnchorlessDumper(yaml.SafeDumper):
    """YAML without anchors: equal values are written again."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True
