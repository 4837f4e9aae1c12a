"""The log files of a folder: when each was written, and which of them are parts of one session."""

import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.log_formats import known_suffixes, recognising, session_of
from bagen_data.logs.lines import Line
from bagen_data.logs.rollout_log import SessionFile
from bagen_data.reading.family_files import decode
from bagen_data.reading.folder_listing import has_suffix, list_folder
from bagen_data.reading.json_items import BIG, list_items, starts_list
from bagen_data.reading.labels import LABELS
from bagen_data.steady_files import FileMark

_HEAD_LINES = 20
_HEAD_BYTES = 4_000_000
"""Bytes of a file in which its first lines are looked for."""


@dataclass(frozen=True)
class LogFile:
    """A file of a folder that may hold logs."""

    path: str
    """Relative to the folder."""
    mark: FileMark
    session: SessionFile | None
    """The session whose work it holds; None where it holds none, or does not say yet."""


class LogFolder:
    """Remembers whose work the files of a folder hold.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, LogFile] = {}

    def scan(self) -> Mapping[str, LogFile]:
        """Return the files of the folder and of those in it, by path.

        Only the beginning of a file is read, and no more once it says whose work the file holds.

        Raises:
            OSError: the folder cannot be listed.
        """
        os.scandir(self.path).close()
        return self._looked_at(list_folder(str(self.path)).files)

    def scan_near(self, path: str) -> Mapping[str, LogFile]:
        """Return a file, and those of its own folder and of the outermost one.

        Args:
            path: the file, relative to the folder; it may be absent.
        """
        near = {path}
        for folder in {os.path.dirname(path), ""}:
            near.update(os.path.join(folder, name) for name in self._names(folder))
        return self._looked_at(sorted(near))

    def _names(self, folder: str) -> list[str]:
        try:
            with os.scandir(self.path / folder) as entries:
                return [
                    entry.name
                    for entry in entries
                    if has_suffix(entry.name, known_suffixes()) and entry.name[0] != "."
                ]
        except OSError:
            return []

    def _looked_at(self, paths: Iterable[str]) -> Mapping[str, LogFile]:
        self._known = {
            path: file
            for path in paths
            if os.path.basename(path) != LABELS and (file := self._look(path)) is not None
        }
        return self._known

    def _look(self, path: str) -> LogFile | None:
        try:
            status = os.stat(self.path / path)
        except OSError:
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        mark = FileMark.of(status)
        before = self._known.get(path)
        if before is not None and before.mark == mark:
            return before
        is_same = before is not None and before.mark[:2] == mark[:2]
        if before is not None and before.session and is_same and before.mark.bytes <= mark.bytes:
            return LogFile(path, mark, before.session)
        return LogFile(path, mark, self._session(path) if path.endswith(".jsonl") else None)

    def _session(self, path: str) -> SessionFile | None:
        try:
            return session_of(_head(self.path / path), path)
        except OSError:
            return None


def _head(path: Path) -> list[Line]:
    """Return the first lines of a JSONL file that hold JSON.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        lines = file.readlines(_HEAD_BYTES)
    return list(islice(filter(None, map(_whole_line, lines)), _HEAD_LINES))


def is_log_file(path: Path) -> bool:
    """Return whether a format recognises a file, or the first of its records."""
    try:
        if has_suffix(path.name, [".jsonl"]):
            records = [line.value for line in _head(path)]
            return any(recognising("lines", each) or _is_value(each) for each in records)
        if not has_suffix(path.name, [".json"]):
            return bool(recognising("file", path))
        with open(path, "rb") as file:
            if os.fstat(file.fileno()).st_size >= BIG and starts_list(file):
                return any(map(_is_value, islice(list_items(file), 1)))
            value = decode(file.read())
    except (OSError, RolloutError):
        return False
    return any(map(_is_value, value[:1] if isinstance(value, list) else [value]))


def _is_value(value: Any) -> bool:
    return isinstance(value, dict) and bool(recognising("value", value))


def _whole_line(text: bytes) -> Line | None:
    """Return a line that holds JSON; None where it holds none, or is still being written."""
    try:
        return Line(0, decode(text))
    except RolloutError:
        return None


def parts_of(files: Mapping[str, LogFile], path: str, ids: Iterable[str]) -> list[str]:
    """Return a session's file and those of its subagents, and of theirs.

    Args:
        files: the files of a folder.
        path: the session's file.
        ids: further ids of the session, beside the one that its file begins with.
    """
    own = files.get(path)
    waiting = [*ids, *([own.session.id] if own is not None and own.session else [])]
    parts, done = {path: None}, set[str]()
    while waiting:
        session_id = waiting.pop()
        if not session_id or session_id in done:
            continue
        done.add(session_id)
        for file in files.values():
            if file.session and file.session.part_of == session_id and file.path not in parts:
                parts[file.path] = None
                waiting.append(file.session.id)
    return list(parts)


def session_files(files: Mapping[str, LogFile]) -> list[tuple[str, int]]:
    """Return the files that are no subagent's, and when each session was written, the last first.

    The time is the latest of the file and of those of its subagents, in nanoseconds.

    Args:
        files: the files of a folder.
    """
    by_id = {
        file.session.id: file.path for file in files.values() if file.session and file.session.id
    }
    written: dict[str, int] = {}
    for file in files.values():
        path = _own_session(file.path, files, by_id)
        if path:
            written[path] = max(written.get(path, 0), file.mark.modified)
    return sorted(written.items(), key=lambda item: (-item[1], item[0]))


def _own_session(path: str, files: Mapping[str, LogFile], by_id: Mapping[str, str]) -> str:
    """Return the file of the session that a file is a part of; empty where it is not there."""
    seen = set[str]()
    while path and path not in seen:
        seen.add(path)
        session = files[path].session
        if session is None or not session.part_of:
            return path
        path = by_id.get(session.part_of, "")
    return ""
