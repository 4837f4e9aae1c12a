"""A worker process that scores for all boards of this folder's tests.

A worker process imports for a second before it scores anything, and a test's board has few
submissions. `test_scoring_processes.py` tests the processes that a board has of its own.
"""

import pickle
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any, Self

from bagen_data.worker_processes import no_set_up
from leaderboard.scoring_processes import ScoringProcesses

_Job = tuple[int, bytes, Callable[[Any], Any], Any]
_NUMBERS = count(1)
_set_up_for = 0
"""The number of the board that the worker is set up for."""


class SharedWorker:
    """The worker, which starts with the first job and ends with the block."""

    def __init__(self) -> None:
        self._processes = ScoringProcesses(1, no_set_up, ())

    def __enter__(self) -> Self:
        self._processes.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._processes.__exit__(*error)

    def processes(
        self, _workers: int, set_up: Callable[..., None], arguments: tuple[Any, ...]
    ) -> "BoardProcesses":
        """Return what a board takes for processes of its own."""
        return BoardProcesses(self._processes, pickle.dumps((set_up, arguments)))


class BoardProcesses:
    """The shared worker as one board sees it, in the place of `ScoringProcesses`."""

    def __init__(self, processes: ScoringProcesses, start: bytes) -> None:
        self._processes, self._number, self._start = processes, next(_NUMBERS), start

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def run_each(
        self, function: Callable[[Any], Any], jobs: Sequence[Any]
    ) -> Iterator[tuple[int, Any]]:
        """Yield `function` of each job, done by the worker with the set-up of this board."""
        own: list[_Job] = [(self._number, self._start, function, job) for job in jobs]
        yield from self._processes.run_each(_set_up_and_do, own)


def _set_up_and_do(job: _Job) -> Any:
    global _set_up_for  # noqa: PLW0603  the worker's only state
    number, start, function, argument = job
    if number != _set_up_for:
        set_up, arguments = pickle.loads(start)  # noqa: S301  our own
        set_up(*arguments)
        _set_up_for = number
    return function(argument)
