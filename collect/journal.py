"""Rollouts as they come in: a line each, in one file, from which a stopped run goes on.

The first line says how they are collected. A line is whole once its newline is there; what a killed
run left half written is cut off.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from bagen_data.errors import InputError, OutputError, WrongUsageError
from bagen_data.fast_json import load_json
from bagen_data.wording import differences

NAME = "rollouts.partial"
"""Name of a journal; builders read no file with this ending."""


class Journal:
    """The rollouts that are there, and how they are collected. `open_journal` makes one."""

    def __init__(self, file: BinaryIO) -> None:
        """Read a file that is open to be read and written, and cut off a line half written.

        Raises:
            ValueError, KeyError, TypeError: a whole line is none of ours.
        """
        self._file = file
        self.settings: Mapping[str, Any] = {}
        """Settings of the collection."""
        self._offsets: dict[int, int] = {}
        """Offset of each rollout's line, by the rollout's number."""
        end = 0
        for line in file:
            if not line.endswith(b"\n"):
                break
            content = load_json(line)
            if end:
                self._offsets[content["number"]] = end
            else:
                self.settings = content["told"]
            end += len(line)
        file.truncate(end)

    def begin(self, settings: Mapping[str, Any]) -> None:
        """Begin the file with how the rollouts are collected, while there are none."""
        self._file.truncate(0)
        self.settings = settings
        self._append(orjson.dumps({"told": settings}))

    @property
    def numbers(self) -> list[int]:
        """Return the numbers of the rollouts that are there, sorted."""
        return sorted(self._offsets)

    def add(self, number: int, rollout: bytes) -> None:
        """Keep a rollout, given as JSON: from now on no kill loses it."""
        self._offsets[number] = self._append(b'{"number":%d,"rollout":%b}' % (number, rollout))

    def _append(self, line: bytes) -> int:
        """Append a line, and return its offset."""
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(line + b"\n")
        self._file.flush()
        return offset

    def rollouts(self) -> Iterator[dict[str, Any]]:
        """Yield all rollouts by number, read one at a time."""
        for number in self.numbers:
            self._file.seek(self._offsets[number])
            yield load_json(self._file.readline())["rollout"]


@contextmanager
def open_journal(folder: Path, settings: Mapping[str, Any], *, resume: bool) -> Iterator[Journal]:
    """Open the journal of a family's folder, a new one or one to go on with.

    Args:
        folder: the caller holds it (`held_folder`).
        settings: how rollouts are collected; what is gone on with must have been begun so.
        resume: whether there may be one to go on with.

    Raises:
        OutputError: there is one and it is not to be resumed, or the folder cannot be written.
        WrongUsageError: it was begun with other settings.
        InputError: it is none of ours.
    """
    try:
        path = folder / NAME
        path.touch()
        file = path.open("r+b")
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from error
    with file:
        try:
            journal = Journal(file)
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}: is not a journal of rollouts: {error}") from error
        if not journal.numbers:  # a run that got nowhere, perhaps with a wrong option
            journal.begin(settings)
        elif not resume:
            raise OutputError(
                f"{folder}: {len(journal.numbers)} rollouts are there already; go on with "
                "--resume, or give another --out"
            )
        check_same(folder, journal.settings, settings)
        yield journal


def check_same(folder: Path, begun: Mapping[str, Any], settings: Mapping[str, Any]) -> None:
    """Refuse to go on with other settings than the rollouts were begun with.

    Raises:
        WrongUsageError: something differs; the message names it.
    """
    changed = differences(begun, settings)
    if changed:
        raise WrongUsageError(
            f"--resume: {folder} was begun with {changed}; give what it was begun with, or another "
            "--out"
        )
