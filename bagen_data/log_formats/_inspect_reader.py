"""Inspect's own reader of logs, a sample at a time, with one kind of error."""

import io
import json
import math
import zipfile
from collections.abc import Callable, Collection, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from bagen_data.errors import MissingExtraError, RolloutError
from bagen_data.fast_json import load_lenient_json
from bagen_data.unique_keys import RepeatedKeyError
from bagen_data.usage_fields import brief

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.scorer import Score

NO_SAMPLES = "the log has no samples; expected one or more, as log_samples=True writes them"
_UNUSED = {"store", "timelines"}
"""Fields of a sample that say nothing about turns and can be large."""
_HEADER = ("version", "status", "eval", "plan", "invalidated", "error")
"""Fields of a JSON log that its samples need."""
_SAMPLES = "samples/"
"""Begins the names of samples in an `.eval` file."""
_REASON_LENGTH = 300
_Read = TypeVar("_Read")


class EvalFileSample(NamedTuple):
    """A sample in the list of samples of an `.eval` file."""

    id: int | str
    epoch: int
    scores: "Mapping[str, Score]"

    @property
    def file(self) -> str:
        """The name of the sample's file in the zip."""
        return f"{_SAMPLES}{self.id}_epoch_{self.epoch}.json"


class LogReader:
    """Reads headers and samples of logs.

    Raises:
        MissingExtraError: Inspect is not installed.
    """

    def __init__(self) -> None:
        try:
            from inspect_ai import log
        except ModuleNotFoundError as error:
            raise MissingExtraError("inspect_ai", "models") from error
        self._log = log

    def header(self, path: Path) -> "EvalLog":
        """Return the header of an `.eval` file.

        Raises:
            RolloutError: Inspect cannot read it, or a file in it that is not a sample holds a key
                twice.
        """
        header: EvalLog = _asked(
            lambda: self._log.read_eval_log(path, header_only=True, format="eval"),
            "its header",
            path,
        )
        _refuse_repeated_keys(path, lambda name: not name.startswith(_SAMPLES))
        return header

    def samples(self, path: Path) -> list[EvalFileSample]:
        """Return the samples that an `.eval` file lists, one for each id and epoch.

        Raises:
            RolloutError: Inspect cannot read them, or there are none.
        """
        summaries = _asked(
            lambda: self._log.read_eval_log_sample_summaries(path, format="eval"),
            "its list of samples",
            path,
        )
        if not summaries:
            raise RolloutError(NO_SAMPLES)
        return [EvalFileSample(each.id, each.epoch, each.scores or {}) for each in summaries]

    def sample(self, path: Path, listed: EvalFileSample) -> "EvalSample":
        """Return one sample of an `.eval` file, with its attachments in place.

        Raises:
            RolloutError: Inspect cannot read it, its file holds a key twice or another sample, or
                its scores are not those in the list.
        """
        _refuse_repeated_keys(path, listed.file.__eq__)
        sample: EvalSample = _asked(
            lambda: self._log.read_eval_log_sample(
                path,
                listed.id,
                listed.epoch,
                resolve_attachments=True,
                format="eval",
                exclude_fields=_UNUSED,
            ),
            "the sample",
            path,
        )
        _refuse_another_sample(sample, listed)
        return sample

    def header_of(self, record: Mapping[str, Any]) -> "EvalLog":
        """Return the header of a JSON log.

        Raises:
            RolloutError: Inspect cannot read it.
        """
        return self._from_json({name: record[name] for name in _HEADER if name in record})

    def sample_of(self, record: Mapping[str, Any], sample: Mapping[str, Any]) -> "EvalSample":
        """Return one sample of a JSON log, with its attachments in place.

        Raises:
            RolloutError: Inspect cannot read it.
        """
        kept = {name: value for name, value in sample.items() if name not in _UNUSED}
        header = {name: record[name] for name in _HEADER if name in record}
        return (self._from_json({**header, "samples": [kept]}).samples or [])[0]

    def _from_json(self, record: Mapping[str, Any]) -> "EvalLog":
        file = io.BytesIO(json.dumps(record).encode())
        log: EvalLog = _asked(
            lambda: self._log.read_eval_log(file, resolve_attachments=True, format="json"),
            "the sample" if "samples" in record else "its header",
        )
        return log


def unlisted_files(path: Path, listed: Collection[EvalFileSample]) -> list[str]:
    """Return the names of an `.eval` file's samples that are not in its list of samples."""
    known = {each.file for each in listed}
    with _asked(lambda: zipfile.ZipFile(path), "its list of files") as members:
        names = dict.fromkeys(members.namelist())
    return [
        name
        for name in names
        if name.startswith(_SAMPLES) and name.endswith(".json") and name not in known
    ]


def refuse_missing_samples(status: str, completed: int, samples: int) -> None:
    """Refuse a finished log that completed more samples than it holds.

    It may hold more than it completed: samples that broke are logged, too.

    Args:
        status: the log's status.
        completed: `completed_samples` of the log's results; 0 where it is not stated.
        samples: samples that the log holds.

    Raises:
        RolloutError: samples are missing.
    """
    if status == "success" and completed > samples:
        raise RolloutError(
            f"results.completed_samples is {completed}, and the log holds {samples} samples; "
            f"expected {completed} or more in a log with status success; restore the samples that "
            "are missing, or remove the log"
        )


def _refuse_another_sample(sample: "EvalSample", listed: EvalFileSample) -> None:
    """Refuse a sample that is not what the list of samples says of it.

    Scores of numbers, letters and truth values are compared, as Inspect may shorten others.

    Raises:
        RolloutError: its id or epoch, or a score, is another.
    """
    if (str(sample.id), sample.epoch) != (str(listed.id), listed.epoch):
        raise RolloutError(
            f"{listed.file} holds sample {sample.id}, epoch {sample.epoch}; expected the sample "
            "and epoch of its name; restore the file"
        )
    for name, score in (sample.scores or {}).items():
        said = listed.scores.get(name)
        values = [score.value, None if said is None else said.value]
        if all(map(_is_plain, values)) and values[0] != values[1]:
            raise RolloutError(
                f"{listed.file} has the score {name} {brief(values[0])}, and the list of samples "
                f"states {brief(values[1])}; expected the same; restore the file, or score the log "
                "again with 'inspect score'"
            )


def _is_plain(value: Any) -> bool:
    """Return whether a score is a letter, a number or a truth value."""
    if isinstance(value, str):
        return len(value) == 1
    return isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))


def _refuse_repeated_keys(path: Path, is_wanted: Callable[[str], bool]) -> None:
    """Refuse an `.eval` file with a JSON file that holds a key twice; Inspect keeps its last value.

    Raises:
        RolloutError: the message names the file in the zip and the key.
    """
    with _asked(lambda: zipfile.ZipFile(path), "its list of files") as members:
        for name in filter(is_wanted, members.namelist()):
            data = _asked(partial(members.read, name), name)
            try:
                if name.endswith(".json"):
                    load_lenient_json(data)
            except RepeatedKeyError as error:
                raise RolloutError(f"{name} {error}; restore the file") from error
            except (ValueError, RecursionError):
                continue  # Inspect's reader says what is wrong


def describes_logs(value: Any) -> bool:
    """Return whether a JSON value is what Inspect writes beside logs about all of them."""
    if not isinstance(value, dict) or not value:
        return False
    is_listing = all(
        str(name).endswith((".eval", ".json")) and isinstance(header, dict) and "eval" in header
        for name, header in value.items()
    )
    return is_listing or {"eval_set_id", "tasks"} <= value.keys()


def _asked(question: Callable[[], _Read], part: str, path: Path | None = None) -> _Read:
    """Return what Inspect's reader answers.

    Args:
        question: asks it.
        part: the part of a log that is read, for messages.
        path: the file, whose folder is temporary and is not named; None where there is no file.

    Raises:
        RolloutError: Inspect raises anything.
    """
    try:
        return question()
    except Exception as error:  # whatever Inspect's reader raises
        folder = "" if path is None else f"{path.parent}/"
        text = f"{type(error).__name__}: {error}".replace(folder, "")
        reason = " ".join(text.split())[:_REASON_LENGTH]
        raise RolloutError(
            f"Inspect cannot read {part}: {reason}; restore the file, or read it with the version "
            "of inspect_ai that wrote it"
        ) from error
