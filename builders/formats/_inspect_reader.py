"""Inspect's own reader of logs, a sample at a time, with one kind of error."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from bagen_data.errors import MissingExtraError, RolloutError
from bagen_data.fast_json import load_lenient_json
from bagen_data.unique_keys import RepeatedKeyError

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample

NO_SAMPLES = "the log has no samples; expected one or more, as log_samples=True writes them"
_UNUSED = {"store", "timelines"}
"""Fields of a sample that say nothing about turns and can be large."""
_HEADER = ("version", "status", "eval", "plan", "invalidated", "error")
"""Fields of a JSON log that its samples need."""
_SAMPLES = "samples/"
"""Begins the names of samples in an `.eval` file."""
_REASON_LENGTH = 300
_Read = TypeVar("_Read")


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

    def samples(self, path: Path) -> list[tuple[int | str, int]]:
        """Return the id and epoch of each sample of an `.eval` file.

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
        return [(summary.id, summary.epoch) for summary in summaries]

    def sample(self, path: Path, sample_id: int | str, epoch: int) -> "EvalSample":
        """Return one sample of an `.eval` file, with its attachments in place.

        Raises:
            RolloutError: Inspect cannot read it, or its file holds a key twice.
        """
        name = f"{_SAMPLES}{sample_id}_epoch_{epoch}.json"
        _refuse_repeated_keys(path, name.__eq__)
        sample: EvalSample = _asked(
            lambda: self._log.read_eval_log_sample(
                path,
                sample_id,
                epoch,
                resolve_attachments=True,
                format="eval",
                exclude_fields=_UNUSED,
            ),
            "the sample",
            path,
        )
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
        told = f"{type(error).__name__}: {error}".replace(folder, "")
        reason = " ".join(told.split())[:_REASON_LENGTH]
        raise RolloutError(
            f"Inspect cannot read {part}: {reason}; restore the file, or read it with the version "
            "of inspect_ai that wrote it"
        ) from error
