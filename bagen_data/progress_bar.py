"""The progress of a command: a bar on a terminal, and a line now and then elsewhere."""

import threading
import time
from typing import Any

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)

from bagen_data.console import STDERR, shown
from bagen_data.redaction import redact

SECONDS_BETWEEN_LINES = 30.0
"""Least time before the first line of progress, and between two, where no bar is shown."""
LEAST_SHARE = 0.01
"""Least share of all that must be done between two lines: a run of days has about 100 lines."""


class _Bar(Progress):
    """A bar, or lines where it is not shown: there Rich up to 14 would leave an empty line."""

    def __init__(self, *columns: Any, **options: Any) -> None:
        super().__init__(*columns, **options)
        self._lines = threading.Lock()
        self._last_line = time.monotonic()
        self._said: dict[TaskID, float] = {}
        """The amount of each task that was done at its last line, or at its begin."""

    def stop(self) -> None:
        if not self.disable:
            super().stop()

    def add_task(self, description: str, *arguments: Any, **options: Any) -> TaskID:
        task_id = super().add_task(description, *arguments, **options)
        self._said[task_id] = self._task(task_id).completed
        return task_id

    def update(self, task_id: TaskID, **changes: Any) -> None:
        super().update(task_id, **changes)
        self._say(task_id)

    def advance(self, task_id: TaskID, advance: float = 1) -> None:
        super().advance(task_id, advance)
        self._say(task_id)

    def _task(self, task_id: TaskID) -> Task:
        return next(each for each in self.tasks if each.id == task_id)

    def _say(self, task_id: TaskID) -> None:
        """Print a line where no bar is shown, some time after the last one and if more is done."""
        if not self.disable:
            return
        with self._lines:
            now, task = time.monotonic(), self._task(task_id)
            more = task.completed - self._said[task_id]
            is_little = more <= 0 or more < LEAST_SHARE * (task.total or 0)
            if is_little or now - self._last_line < SECONDS_BETWEEN_LINES:
                return
            self._last_line, self._said[task_id] = now, task.completed
        of_all = "" if task.total is None else f" of {task.total:,.0f}"
        STDERR.print(shown(redact(f"{task.description}: {task.completed:,.0f}{of_all} done")))


def progress_bar() -> Progress:
    """Return a bar on stderr of what is done, of how many and for how long; it vanishes at its end.

    A description is shown as it stands, without Rich's markup.

    Where stderr is not a terminal, or one that cannot redraw a line, a line such as
    `sokoban-origin-m: 31 of 94 done` is printed instead, every 30 seconds at most.
    """
    return _Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=STDERR,
        transient=True,
        disable=not STDERR.is_terminal or STDERR.is_dumb_terminal,
    )
