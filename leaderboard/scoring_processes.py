"""Score many submissions in processes, so that one that kills its process stops no other."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from contextlib import contextmanager
from typing import Any, Self, TypeVar

from bagen_data.executors.job_executor import LostWorkerError
from bagen_data.worker_processes import WorkerProcesses

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")

MEMORY = 4 << 30
"""Bytes of data that a worker may hold; a submission that needs more is refused."""
SECONDS = 900
"""Processor seconds that a job may take; a job that needs more is killed."""
_ENDED = (LostWorkerError, MemoryError)
"""Errors of a job that may succeed alone."""
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Sums that several threads add up may differ in their last bits from run to run."""


class ScoringProcesses:
    """Processes for jobs of one kind, which stay for further jobs until the block ends.

    Use as a context manager. The processes start with the first job.

    Args:
        workers: the most processes.
        set_up: called once in each process before its first job.
        arguments: the arguments of `set_up`.
    """

    def __init__(
        self, workers: int, set_up: Callable[..., None], arguments: tuple[Any, ...]
    ) -> None:
        self._start = (set_up, arguments)
        self._processes = WorkerProcesses(workers, _set_up, self._start, tries=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:  # an error, or Ctrl-C: nobody waits for the other jobs
            self._processes.kill()
        self._processes.shutdown()

    def run_each(
        self, function: Callable[[_Job], _Result], jobs: Sequence[_Job]
    ) -> Iterator[tuple[int, _Result | None]]:
        """Yield `function` of each job, as they are done.

        When a process dies (for want of memory or time, in a library's native code, or because
        somebody ended it) or a job raises MemoryError, perhaps of what earlier jobs have left in
        its process, the job is run once more, in a process alone, after all others.

        Args:
            function: a function of the top level of a module.
            jobs: the argument of each call.

        Yields:
            A job's position, and its result; None if its process or its memory ended.

        Raises:
            WorkerDiedError: processes die without any job.
        """
        died = []
        with _one_thread():
            for number, result in self._run(function, jobs):
                if isinstance(result, _ENDED):
                    died.append(number)
                else:
                    yield number, result
            for number in died:
                with ScoringProcesses(1, *self._start) as alone:
                    [(_, result)] = alone._run(function, [jobs[number]])
                yield number, None if isinstance(result, _ENDED) else result

    def _run(
        self, function: Callable[[_Job], _Result], jobs: Sequence[_Job]
    ) -> Iterator[tuple[int, _Result | LostWorkerError | MemoryError]]:
        """Yield each job's number, and its result or what ended it; raise other errors."""
        numbers = {self._processes.submit(_timed, function, job): n for n, job in enumerate(jobs)}
        for future in as_completed(numbers):
            number = numbers.pop(future)  # and with it the result, which may be large
            error = future.exception()
            if error is None:
                yield number, future.result()
            elif isinstance(error, _ENDED):
                yield number, error
            else:
                raise error


@contextmanager
def _one_thread() -> Iterator[None]:
    """Start processes that add up sums in one thread."""
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ |= dict.fromkeys(_ONE_THREAD, "1")
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _set_up(set_up: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    _lower_limit("RLIMIT_DATA", MEMORY)
    set_up(*arguments)


def _timed(function: Callable[[_Job], _Result], job: _Job) -> _Result:
    """Run a job in a worker, which ends if the job takes too long, even in native code."""
    _lower_limit("RLIMIT_CPU", int(time.process_time()) + SECONDS)
    return function(job)


def _lower_limit(name: str, limit: int) -> None:
    """Limit what this process may take of a resource, where the system can."""
    try:
        import resource
    except ModuleNotFoundError:  # not on Windows
        return
    kind = getattr(resource, name)
    _, most = resource.getrlimit(kind)
    resource.setrlimit(kind, (limit if most == resource.RLIM_INFINITY else min(limit, most), most))
