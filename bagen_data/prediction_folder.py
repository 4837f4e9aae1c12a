"""Predictions in a folder: one file for all configs, or one for each, read for those asked about.

`docs/leaderboard.md` says how a submission's folder is laid out. Files are read in batches, as one
file is; nothing but the batch at hand is in memory.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.dataset_configs import (
    DEFAULT,
    is_start,
    is_training,
    start_config,
    task_of,
    training_config,
)
from bagen_data.errors import InputError, UnansweredError
from bagen_data.prediction_files import (
    ALL_TASKS,
    config_named_by,
    files_in,
    prediction_reader,
)
from bagen_data.scoring.match_predictions import PredictionReader
from bagen_data.submission_folder import HIDDEN
from bagen_data.wording import numbered

_LISTED = 5
"""Most tasks that a message names."""
_SHOWN = 80
"""Most characters of a name in it."""


@dataclass(frozen=True)
class ExpectedSamples:
    """The samples that predictions are to answer."""

    config: str | None
    """The config that was chosen; None for every task's benchmark."""
    tasks: tuple[str, ...]
    """The tasks of the samples, in the order of the samples."""
    start_tasks: tuple[str, ...]
    """The tasks of the dataset that have start probes, which end in /0."""
    is_hidden: bool = False
    """Whether the samples are of a hidden split, whose answers are in a file of its own."""


@dataclass
class _SeenTasks:
    """The tasks that predictions were seen to answer."""

    tasks: set[str] = field(default_factory=set)
    is_whole: bool = False
    """Whether the predictions were read to their end."""
    others: int = 0
    """Predictions of other configs, which one file holds beside those of the chosen config."""


@dataclass(frozen=True)
class FolderPredictions:
    """The files that answer the samples asked about, and a reader of all of them."""

    path: Path
    """The name of the predictions in messages: the one file, or the folder of several."""
    files: tuple[Path, ...]
    left_aside: tuple[Path, ...]
    """Files of the folder that answer other configs."""
    asked: ExpectedSamples
    read: PredictionReader
    """Reads the predictions from the first one on, without those of other configs."""
    _seen: _SeenTasks = field(default_factory=_SeenTasks, repr=False)

    @property
    def others(self) -> int:
        """Predictions of other configs that were left aside while the one file was read."""
        return self._seen.others

    def check_whole(self) -> None:
        """Refuse predictions that leave a task out, if they were read to their end.

        Raises:
            InputError: the message names the tasks.
        """
        answered = self._seen.tasks
        missing = [task for task in self.asked.tasks if task not in answered]
        if self._seen.is_whole and missing and answered:
            raise _unanswered(self.path, missing, sorted(answered))


def choose_predictions(path: Path, asked: ExpectedSamples) -> FolderPredictions:
    """Return the predictions of a path that answer the samples asked about.

    Args:
        path: a file; or a folder with one file, or with one for each config. A single file is read
            whatever its name. Answers to other configs than a chosen one are left aside, and
            without one, answers to other configs in a folder's file `predictions`.
        asked: the samples.

    Raises:
        InputError: there is no file of predictions; several answer one config; a file of a folder
            with several is not named for a config; or a task has no file. While reading, a file
            answers samples of another config than it is named for.
    """
    files = files_in(path)
    seen = _SeenTasks()
    if path.is_file() or (len(files) == 1 and config_named_by(files[0]) != ALL_TASKS):
        [file] = files
        read = prediction_reader(file)
        if _is_of_tasks(asked):
            read = partial(_some, partial(_own_rows, read, asked, seen), [file], asked)
        read = partial(_noting, read, asked, seen)
        return FolderPredictions(file, (file,), (), asked, read, seen)
    chosen = _chosen(path, files, asked)
    readers = [partial(_rows_of, prediction_reader(file), asked, file) for file in chosen]
    named = chosen[0] if len(chosen) == 1 else path
    read = partial(_one_after_another, readers)
    if _is_of_tasks(asked):
        read = partial(_some, read, chosen, asked)
    read = partial(_noting, read, asked, seen)
    aside = tuple(file for file in files if file not in chosen)
    return FolderPredictions(named, tuple(chosen), aside, asked, read, seen)


def _chosen(folder: Path, files: Sequence[Path], asked: ExpectedSamples) -> list[Path]:
    """Return the files that answer the samples, in the order of the tasks.

    Raises:
        InputError: as `choose_predictions`.
    """
    stems = [config_named_by(file) for file in files]
    by_stem = dict(zip(stems, files, strict=True))
    if asked.is_hidden and HIDDEN in by_stem:
        return [by_stem[HIDDEN]]
    wanted = list(asked.tasks) if asked.config is None else [asked.config]
    names = _names(asked) if asked.config is None else set(stems)
    if not set(stems) <= names or by_stem.keys().isdisjoint({*wanted, ALL_TASKS}):
        raise InputError(
            f"{folder}: holds several prediction files: {', '.join(file.name for file in files)}; "
            f"expected {ALL_TASKS}.jsonl, or one named for each config ({', '.join(wanted)}); name "
            "one of them, or move the others away"
        )
    twice = [stem for stem in stems if stems.count(stem) > 1]
    if twice:
        raise InputError(f"{folder}: holds several files of {min(twice)}; leave one")
    missing = [config for config in wanted if config not in by_stem]
    if missing and ALL_TASKS not in by_stem:
        raise _unanswered(folder, missing, [name for name in wanted if name in by_stem])
    return [by_stem[name] for name in (*wanted, ALL_TASKS) if name in by_stem]


def _unanswered(path: Path, missing: Sequence[str], answered: Sequence[str]) -> UnansweredError:
    return UnansweredError(
        f"{path}: answers no sample of {', '.join(missing)}; expected answers to every sample; "
        f"write a file for each config, or pass --config {answered[0]} to take one config alone",
        answered,
    )


def _names(asked: ExpectedSamples) -> set[str]:
    """Return the names that the files of a folder may have where every task is asked about."""
    of_tasks = ((task, start_config(task), training_config(task)) for task in asked.tasks)
    return {ALL_TASKS, HIDDEN}.union(*of_tasks)


def _one_after_another(readers: Sequence[PredictionReader]) -> Iterator[pa.RecordBatch]:
    for reader in readers:
        yield from reader()


def _is_of_tasks(asked: ExpectedSamples) -> bool:
    """Return whether one config was chosen, whose samples other configs do not have."""
    return bool(asked.config) and not asked.is_hidden and not is_training(asked.config or "")


def _some(
    reader: PredictionReader, files: Sequence[Path], asked: ExpectedSamples
) -> Iterator[pa.RecordBatch]:
    """Yield the predictions that answer the chosen config.

    Raises:
        InputError: there are none, and the files answer other tasks.
    """
    rows = 0
    for batch in reader():
        rows += len(batch)
        yield batch
    if rows:
        return
    config = asked.config or ""
    others: Counter[str] = Counter()
    for file in files:
        for batch in prediction_reader(file)():
            others.update(id_.partition("/")[0] for id_ in batch["sample_id"].to_pylist())
    if others and task_of(config) not in others:
        tasks = ", ".join(f"{task[:_SHOWN]!a}" for task in sorted(others)[:_LISTED])
        raise InputError(
            f"{files[0]}: answers no sample of {config}; its "
            f"{numbered(others.total(), 'prediction')} answer {tasks}; pass --config of these, or "
            "give other predictions"
        )


def _own_rows(
    reader: PredictionReader, asked: ExpectedSamples, seen: _SeenTasks
) -> Iterator[pa.RecordBatch]:
    """Yield the predictions of one file that answer the chosen config, and count the others."""
    others = 0
    for batch in reader():
        own = batch.filter(_is_of(batch["sample_id"], asked))
        others += len(batch) - len(own)
        yield own
    seen.others = others


def _rows_of(
    reader: PredictionReader, asked: ExpectedSamples, file: Path
) -> Iterator[pa.RecordBatch]:
    """Yield the predictions of a file that answer the samples asked about.

    Raises:
        InputError: the file is named for a config, and answers samples of another one.
    """
    named = config_named_by(file)
    for batch in reader():
        if asked.is_hidden or is_training(named) or (asked.config and is_training(asked.config)):
            yield batch
            continue
        ids = batch["sample_id"]
        if named in (ALL_TASKS, HIDDEN):
            is_own = _is_of(ids, asked)
        else:
            is_own = _is_of_config(ids, named, asked.start_tasks)
            if not pc.all(is_own, min_count=0).as_py():
                other = ids.filter(pc.invert(is_own))[0].as_py()
                raise InputError(
                    f"{file}: is named for {named}, and answers {other[:80]!a}, which is not a "
                    "sample of it; move that prediction to the file of its config"
                )
        yield batch if pc.all(is_own, min_count=0).as_py() else batch.filter(is_own)


def _is_of(ids: Any, asked: ExpectedSamples) -> Any:
    """Return which ids may be of the samples asked about: no known config of others has them."""
    if asked.config is not None and asked.config != DEFAULT:
        return _is_of_config(ids, asked.config, asked.start_tasks)
    return pc.invert(_is_start_probe(ids, asked.start_tasks))


def _is_of_config(ids: Any, config: str, start_tasks: Sequence[str]) -> Any:
    of_task = pc.starts_with(ids, f"{task_of(config)}/")
    is_probe = _is_start_probe(ids, start_tasks)
    return pc.and_(of_task, is_probe if is_start(config) else pc.invert(is_probe))


def _is_start_probe(ids: Any, start_tasks: Sequence[str]) -> Any:
    is_first = pc.ends_with(ids, "/0")
    of_any = pa.repeat(pa.scalar(False), len(ids))
    for task in start_tasks:
        of_any = pc.or_(of_any, pc.starts_with(ids, f"{task}/"))
    return pc.and_(is_first, of_any)


def _noting(
    reader: PredictionReader, asked: ExpectedSamples, seen: _SeenTasks
) -> Iterator[pa.RecordBatch]:
    """Yield predictions, and note the tasks that they answer."""
    for batch in reader():
        ids = batch["sample_id"]
        seen.tasks |= {
            task
            for task in asked.tasks
            if task not in seen.tasks
            and pc.any(pc.starts_with(ids, f"{task}/"), min_count=0).as_py()
        }
        yield batch
    seen.is_whole = True
