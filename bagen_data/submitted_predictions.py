"""The predictions of one submission: read within limits, each with its task."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.dataset_configs import start_config
from bagen_data.errors import InputError
from bagen_data.prediction_files import SCHEMA, read_held
from bagen_data.steady_files import HeldFile
from bagen_data.submission_folder import LARGEST, PredictionFile, SubmissionFolder

MOST_ROWS = 1 << 21
"""Most predictions in one file."""
_SHOWN = 5


class NothingAnsweredError(InputError):
    """Predictions of no task of a dataset."""


@dataclass(frozen=True)
class SubmittedPredictions:
    """The predictions of one submission."""

    table: pa.Table
    """Predictions of the benchmark's samples, in the columns of a prediction file, and `config`,
    read off the sample id."""
    tasks: tuple[str, ...]
    """The tasks of the dataset that the submission answers anything of; by name."""
    start: pa.Table
    """Predictions of start probes, in the same columns."""
    start_tasks: tuple[str, ...]
    """The tasks whose start probes the submission answers any of; by name."""
    rows: tuple[int, ...]
    """The number of predictions in each file of the submission."""


def read_predictions(
    folder: SubmissionFolder, tasks: Sequence[str], start_tasks: Sequence[str] = ()
) -> SubmittedPredictions:
    """Read all files of a submission.

    Predictions of start probes may stand in a file `TASK_start`, or among others in `predictions`.

    Args:
        folder: the submission.
        tasks: the tasks of the dataset.
        start_tasks: the tasks that have start probes.

    Raises:
        InputError: a file holds something else than predictions, too much, or predictions of
            another task than it is named for.
        NothingAnsweredError: no task of the dataset is answered.
    """
    starts = {start_config(task): task for task in start_tasks}
    tables = [_read(file, list(starts.values())) for file in folder.files]
    table = pa.concat_tables(tables)
    configs = set(pc.unique(table["config"]).to_pylist())
    answered_tasks = sorted(configs & set(tasks))
    if not answered_tasks:
        if configs & set(starts):
            raise NothingAnsweredError(
                f"{folder.name}: answers start probes alone; expected answers to the samples of "
                f"one of {', '.join(tasks)} too"
            )
        raise NothingAnsweredError(
            f"{folder.name}: answers no sample of the dataset, whose configs are {', '.join(tasks)}"
        )
    is_start = pc.is_in(table["config"], pa.array(list(starts), pa.string()))
    return SubmittedPredictions(
        table.filter(pc.invert(is_start)),
        tuple(answered_tasks),
        table.filter(is_start),
        tuple(sorted(starts[config] for config in configs & set(starts))),
        tuple(map(len, tables)),
    )


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


def _read(file: PredictionFile, start_tasks: Sequence[str]) -> pa.Table:
    batches, rows = [], 0
    for batch in read_held(file.path, _held(file), LARGEST):
        rows += len(batch)
        if rows > MOST_ROWS:
            raise InputError(f"{file.path}: holds more than {MOST_ROWS:,} predictions")
        batches.append(batch)
    table = pa.Table.from_batches(batches, SCHEMA)
    table = table.append_column("config", _configs(table["sample_id"], start_tasks))
    others = [config for config in pc.unique(table["config"]).to_pylist() if config != file.task]
    if file.task is not None and others:
        names = ", ".join(ascii(config[: _SHOWN * 8]) for config in others[:_SHOWN])
        raise InputError(f"{file.path}: is named for {file.task}, and answers samples of {names}")
    return table


def _configs(sample_id: pa.ChunkedArray, start_tasks: Sequence[str]) -> pa.ChunkedArray:
    """Return the config of each sample: its task, or that task's start probes."""
    task = pc.replace_substring_regex(sample_id, "/.*", "")
    is_first = pc.match_substring_regex(sample_id, "/.+/0$")
    is_start = pc.and_(is_first, pc.is_in(task, pa.array(start_tasks, pa.string())))
    return pc.if_else(is_start, pc.binary_join_element_wise(task, start_config(""), ""), task)
