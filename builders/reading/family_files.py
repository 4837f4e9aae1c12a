"""Read the records of a family's files: once, in order, and with a reason for each that is not."""

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bagen_data.errors import RolloutError
from bagen_data.tables import sha256_of
from builders.logs.evaluation_report import belongs_to_trajectories, is_report
from builders.reading.origin import Family

_TRAJECTORY = ".traj.json"
_SUFFIXES = (".json", ".jsonl")
_NAME_LENGTH = 80


@dataclass(frozen=True)
class Source:
    """A file that was read."""

    path: str
    """Relative to the family's folder."""
    bytes: int
    sha256: str


@dataclass(frozen=True)
class SourceRecord:
    """One JSON value that should be a rollout, or the error that stands for it."""

    where: str
    value: Any
    error: str = ""


class FamilyFiles:
    """Reads a family's files once, in order, and remembers what it read."""

    def __init__(self, family: Family) -> None:
        self.family = family
        self.paths = _json_files(str(family.folder))
        """Relative, with `/`, in order."""
        self.sources: list[Source] = []
        self._has_trajectories = any(path.endswith(_TRAJECTORY) for path in self.paths)
        self.resolved = self._find_report()

    def records(self, relative: str) -> Iterator[SourceRecord]:
        """The records of one file; what cannot be read is a record with an error."""
        if relative.endswith(".jsonl"):
            yield from self._lines(relative)
            return
        where = _as_text(relative)
        try:
            value = self._load(relative)
        except RolloutError as error:
            yield SourceRecord(where, None, str(error))
            return
        if value == []:
            yield SourceRecord(where, None, "is an empty list; expected rollouts")
        elif isinstance(value, list):
            for position, item in enumerate(value):
                yield SourceRecord(f"{where}[{position}]{_named(item)}", item)
        elif not (self._has_trajectories and belongs_to_trajectories(value)):
            yield SourceRecord(where, value)

    def _lines(self, relative: str) -> Iterator[SourceRecord]:
        path, where = self.family.folder / relative, _as_text(relative)
        try:
            _refuse_special(path)
            self.sources.append(Source(where, path.stat().st_size, sha256_of(path)))
            file = path.open("rb")
        except OSError as error:
            yield SourceRecord(where, None, f"cannot be read: {error.strerror}")
            return
        empty = True
        with file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    empty = False
                    yield _line_record(line, f"{where}:{number}")
        if empty:
            yield SourceRecord(where, None, "is empty; expected one rollout a line")

    def _load(self, relative: str) -> Any:
        try:
            data = self._read(relative)
        except OSError as error:
            raise RolloutError(f"cannot be read: {error.strerror}") from error
        self.sources.append(Source(_as_text(relative), len(data), hashlib.sha256(data).hexdigest()))
        return decode(data)

    def _read(self, relative: str) -> bytes:
        path = f"{self.family.folder}/{relative}"
        _refuse_special(path)
        with open(path, "rb") as file:
            return file.read()

    def _find_report(self) -> frozenset[str] | None:
        """The resolved instances, if the family has trajectories and reports that agree."""
        others = [path for path in self.paths if not path.endswith(_TRAJECTORY)]
        if not self._has_trajectories:
            return None
        reports = set()
        for path in others:
            if path.endswith(".json"):
                try:
                    value = decode(self._read(path))
                except (OSError, RolloutError):
                    continue  # reported when its records are read
                if is_report(value):
                    reports.add(frozenset(value["resolved_ids"]))
        return reports.pop() if len(reports) == 1 else None


def _json_files(folder: str) -> list[str]:
    """Every JSON and JSON-lines file below a folder, relative to it; links are followed once."""
    paths = []
    seen = {os.path.realpath(folder)}
    for below, folders, names in os.walk(folder, followlinks=True):
        for name in [name for name in folders if os.path.islink(f"{below}/{name}")]:
            real = os.path.realpath(f"{below}/{name}")
            if real in seen:
                folders.remove(name)
            seen.add(real)
        paths += [
            f"{below}/{name}"[len(folder) + 1 :]
            for name in names
            if name.endswith(_SUFFIXES) and not name.startswith(".")
        ]
    return sorted(paths)


def _refuse_special(path: str | Path) -> None:
    """Pipes and devices have no end; reading one would never come back."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")


def _as_text(path: str) -> str:
    """A path as UTF-8 text, whatever its bytes and the locale are."""
    return os.fsencode(path).decode("utf-8", "replace")


def decode(data: bytes) -> Any:
    """A JSON value from UTF-8 bytes.

    Raises:
        RolloutError: the bytes are empty, not UTF-8 or not JSON; the message says where.
    """
    if not data or data.isspace():
        raise RolloutError("is empty; expected JSON")
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        pass  # the slower reader also takes NaN, huge numbers and lone surrogates, and says where
    try:
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise RolloutError(
            f"is not UTF-8: byte {error.start} is 0x{data[error.start]:02x}"
        ) from error
    except (ValueError, RecursionError) as error:
        raise RolloutError(f"is not JSON, or cut off: {error}") from error


def _line_record(line: bytes, where: str) -> SourceRecord:
    try:
        value = decode(line)
    except RolloutError as error:
        return SourceRecord(where, None, str(error))
    return SourceRecord(where + _named(value), value)


def _named(value: Any) -> str:
    """The source's own name of a record, in brackets, for messages."""
    if isinstance(value, dict):
        for name in ("custom_id", "env_id", "instance_id"):
            if isinstance(value.get(name), str | int):
                text = str(value[name])
                readable = text.isprintable() and len(text) <= _NAME_LENGTH
                return f" ({text if readable else ascii(text)[:_NAME_LENGTH]})"
    return ""
