"""A submission held against a dataset before it is handed in, by the code that judges it later."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.answer_columns import INVALID
from bagen_data.dataset_configs import start_config
from bagen_data.errors import InputError
from bagen_data.hub import load_unchanged_samples, splits
from bagen_data.prompt_variants import question_of
from bagen_data.redaction import holds_secret
from bagen_data.repositories.dataset_places import pinned
from bagen_data.repositories.revisions import names_content
from bagen_data.schema import Question
from bagen_data.scoring.check_predictions import of_tasks
from bagen_data.scoring.match_predictions import match_predictions
from bagen_data.scoring.other_question import correct_metadata, refuse_other_question
from bagen_data.scoring.sample_table import SampleTable
from bagen_data.submission_folder import SubmissionFolder, read_submission_folder
from bagen_data.submissions import METADATA, Metadata
from bagen_data.submitted_predictions import read_predictions
from bagen_data.versions import BENCHMARK_VERSION

_SPLIT = "test"


@dataclass(frozen=True)
class CheckedFolder:
    """A submission that fits a dataset."""

    folder: SubmissionFolder
    answered: tuple[str, ...]
    """The configs that it answers."""
    predictions: int
    """Predictions in all of its files but those to a hidden split."""
    invalid: int
    """Answers that cannot be read, and count as wrong."""


def check_submission(folder: Path, dataset: str, name: str | None = None) -> CheckedFolder:
    """Check that a submission's folder, metadata and predictions fit a dataset.

    Args:
        folder: the submission.
        dataset: a folder that `python -m builders build` wrote, or a dataset on the Hub.
        name: the name that the folder is to have where submissions are kept; its own if None.

    Raises:
        InputError: the dataset cannot be loaded; or the submission does not fit it, is of another
            revision or version, or holds what looks like a key.
    """
    dataset = pinned(dataset)
    loaded = load_unchanged_samples(dataset, None, _SPLIT)
    tasks = sorted(pc.unique(loaded.table["task"].cast(pa.string())).to_pylist())
    start_tasks = [task for task in tasks if _SPLIT in splits(dataset, start_config(task))]
    read = read_submission_folder(folder, [*tasks, *map(start_config, start_tasks)], name)
    _check_metadata(folder / METADATA, read.metadata, loaded.source)
    predictions = read_predictions(read, tasks, start_tasks)
    own = of_tasks(loaded.table, predictions.tasks)
    invalid = _count_invalid(own, predictions.table, read)
    configs = list(predictions.tasks)
    for task in predictions.start_tasks:
        start = load_unchanged_samples(dataset, start_config(task), _SPLIT).table
        answers = of_tasks(predictions.start.rename_columns(_as_task), [start_config(task)])
        invalid += _count_invalid(start, answers, read)
        configs.append(start_config(task))
    return CheckedFolder(read, tuple(configs), sum(predictions.rows), invalid)


_as_task = ["sample_id", "response", "usage", "cost_usd", "task"]
"""Names of the columns of predictions, with their config as `task`."""


def _check_metadata(path: Path, metadata: Metadata, source: Mapping[str, Any]) -> None:
    """Refuse metadata that would keep a submission out of the ranks, or tell a secret.

    Raises:
        InputError: the message does not repeat a secret.
    """
    for key, value in metadata.model_dump(mode="json").items():
        if holds_secret({key: value}):
            raise InputError(
                f"{path}: {key} holds what looks like a key or a password, and a pull request is "
                "public; take it out, and make a new key if it was a real one"
            )
    if metadata.benchmark_version not in (None, BENCHMARK_VERSION):
        raise InputError(
            f"{path}: was made for BAGEN {metadata.benchmark_version}, and this is "
            f"{BENCHMARK_VERSION}: it would never be ranked; predict anew"
        )
    declared, revision, dataset = metadata.dataset_revision, source["revision"], source["path"]
    repository = dataset if "commit" in source else None
    if not names_content(declared, revision or "", repository):
        raise InputError(
            f"{path}: says dataset_revision {declared}, and {dataset} is {revision}: it "
            "would never be ranked; predict anew, or name the dataset that was answered, as "
            "--dataset ORG/NAME@REVISION or --dataset FOLDER"
        )


def _count_invalid(samples: pa.Table, predictions: pa.Table, folder: SubmissionFolder) -> int:
    """Return how many answers cannot be read.

    Raises:
        InputError: they do not fit the samples one to one, or answer another question.
    """
    table = SampleTable.of(samples)
    variant = folder.metadata.prompt_variant
    question: Question = question_of(variant)
    reader = predictions.to_batches
    matched = match_predictions(table, reader, folder.name, question)
    invalid = sum(int((answers.verdict == INVALID).sum()) for _, answers in matched)
    if invalid == len(table):
        remedy = correct_metadata(METADATA, variant)
        refuse_other_question(table, reader, folder.name, question, remedy)
    return invalid
