"""Rollouts wait here between reading and writing, in memory while they are few, then on disk.

Budgets and splits need to know a whole family before the first of its samples can be written.
"""

import pickle
from collections.abc import Iterator
from pathlib import Path

from bagen_data.schema import Rollout

MEMORY_TEXT = 32_000_000
"""Characters of text kept in memory, of all spools of a build together."""


class RolloutSpool:
    """Rollouts in the order they were added, to be read any number of times.

    Args:
        path: of the file, which need not be written.
        memory_text: characters of text that may wait in memory.
    """

    def __init__(self, path: Path, memory_text: int = MEMORY_TEXT) -> None:
        self._path = path
        self._memory_text = memory_text
        self.clear()

    @property
    def folder(self) -> Path:
        """The folder of the file, which is there."""
        return self._path.parent

    def clear(self) -> None:
        """Forget every rollout."""
        self._path.unlink(missing_ok=True)
        self._recent: list[Rollout] = []
        self._text_size = 0

    def add(self, rollout: Rollout) -> None:
        """Add one; what is in memory goes to disk when it is much."""
        self._recent.append(rollout)
        self._text_size += sum(len(turn.user) + len(turn.assistant) for turn in rollout.turns)
        if self._text_size > self._memory_text:
            with self._path.open("ab") as file:
                for waiting in self._recent:
                    pickle.dump(waiting, file, pickle.HIGHEST_PROTOCOL)
            self._recent = []
            self._text_size = 0

    def __iter__(self) -> Iterator[Rollout]:
        if self._path.exists():
            with self._path.open("rb") as file:
                while file.peek(1):
                    rollout: Rollout = pickle.load(file)  # noqa: S301 - our own, of a moment ago
                    yield rollout
        yield from self._recent
