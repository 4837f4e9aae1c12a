"""The predictions of one submission: read within limits, each with its task."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.errors import InputError
from bagen_data.prediction_files import SCHEMA, read_held
from bagen_data.steady_files import HeldFile
from leaderboard.submission_folder import LARGEST, PredictionFile, SubmissionFolder

MOST_ROWS = 1 << 21
"""Of one file."""
_SHOWN = 5


class NothingAnsweredError(InputError):
    """Predictions of no task of a dataset."""


@dataclass(frozen=True)
class SubmittedPredictions:
    """All predictions of one submission."""

    table: pa.Table
    """In the columns of a prediction file, and `task`, read off the sample id."""
    tasks: tuple[str, ...]
    """Of the dataset's, those it answers anything of; by name."""
    rows: tuple[int, ...]
    """Of each of its files."""


def read_predictions(folder: SubmissionFolder, tasks: Sequence[str]) -> SubmittedPredictions:
    """Read all files of a submission.

    Args:
        folder: the submission.
        tasks: the tasks of the dataset.

    Raises:
        InputError: a file holds something else than predictions, too much, or predictions of
            another task than it is named for.
        NothingAnsweredError: no task of the dataset is answered.
    """
    tables = [_read(file) for file in folder.files]
    table = pa.concat_tables(tables)
    answered_tasks = sorted(set(pc.unique(table["task"]).to_pylist()) & set(tasks))
    if not answered_tasks:
        raise NothingAnsweredError(
            f"{folder.name}: answers no sample of the dataset, whose configs are {', '.join(tasks)}"
        )
    return SubmittedPredictions(table, tuple(answered_tasks), tuple(map(len, tables)))


def _held(file: PredictionFile) -> HeldFile:
    """Hold the bytes of a file that its hash was made of.

    Raises:
        InputError: the file holds others now, or is not there any more.
    """
    try:
        held = HeldFile(file.path, "refused", largest=LARGEST)
    except OSError as error:
        raise InputError(f"{file.path}: cannot be read: {error.strerror}") from error
    if held.digest.sha256 != file.sha256:
        raise InputError(
            f"{file.path}: was changed while it was judged; run again when nothing writes to it"
        )
    return held


def _read(file: PredictionFile) -> pa.Table:
    batches, rows = [], 0
    for batch in read_held(file.path, _held(file), LARGEST):
        rows += len(batch)
        if rows > MOST_ROWS:
            raise InputError(f"{file.path}: holds more than {MOST_ROWS:,} predictions")
        batches.append(batch)
    table = pa.Table.from_batches(batches, SCHEMA)
    table = table.append_column("task", pc.replace_substring_regex(table["sample_id"], "/.*", ""))
    others = [task for task in pc.unique(table["task"]).to_pylist() if task != file.task]
    if file.task is not None and others:
        names = ", ".join(ascii(task[: _SHOWN * 8]) for task in others[:_SHOWN])
        raise InputError(f"{file.path}: is named for {file.task}, and answers samples of {names}")
    return table
