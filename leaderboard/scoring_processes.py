"""Score many submissions in processes that may die of one without taking the others along."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from typing import Any, TypeVar

from bagen_data.errors import OutputError
from bagen_data.worker_processes import die_with

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")

MEMORY = 4 << 30
"""Bytes of data a worker may hold; what needs more is refused."""
SECONDS = 900
"""Of a processor that a job may take; what needs more dies of it."""
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Sums that several threads add up may differ in their last bits from run to run."""


def run_each(
    function: Callable[[_Job], _Result],
    jobs: Sequence[_Job],
    workers: int,
    set_up: Callable[..., None],
    arguments: tuple[Any, ...],
) -> Iterator[tuple[int, _Result | None]]:
    """`function` of each job, as they are done.

    When a process dies (for want of memory or time, or in a library's native code), the jobs that
    may have been at work are run once more, each alone, and the others go on together.

    Args:
        function: of the top level of a module.
        jobs: its arguments.
        workers: processes.
        set_up: called once in each process before its first job.
        arguments: of `set_up`.

    Yields:
        A job's position, and its result; None if its process died of it.

    Raises:
        OutputError: processes die without any job.
    """
    open_jobs = dict.fromkeys(range(len(jobs)))  # in their order, and quick to take one from
    while open_jobs:
        try:
            with _pool(workers, set_up, arguments) as pool:
                futures: dict[Future[_Result], int] = {
                    pool.submit(_timed, function, jobs[number]): number for number in open_jobs
                }
                for future in as_completed(futures):
                    number = futures.pop(future)  # or it would hold its result until the end
                    result = future.result()
                    del open_jobs[number], future
                    yield number, result
        except BrokenProcessPool:
            if _alone(abs, 0, set_up, arguments) is None:
                raise OutputError("worker processes cannot be started") from None
            for number in list(open_jobs)[:workers]:  # jobs are begun in their order
                del open_jobs[number]
                yield number, _alone(function, jobs[number], set_up, arguments)


def _alone(
    function: Callable[[_Job], _Result],
    job: _Job,
    set_up: Callable[..., None],
    arguments: tuple[Any, ...],
) -> _Result | None:
    try:
        with _pool(1, set_up, arguments) as pool:
            return pool.submit(_timed, function, job).result()
    except BrokenProcessPool:
        return None


@contextmanager
def _pool(
    workers: int, set_up: Callable[..., None], arguments: tuple[Any, ...]
) -> Iterator[ProcessPoolExecutor]:
    before = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ |= dict.fromkeys(_ONE_THREAD, "1")
    pool = ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),
        initializer=_set_up,
        initargs=(os.getpid(), set_up, arguments),
    )
    try:
        yield pool
    except BaseException:  # Ctrl-C, say: nobody waits for the other jobs
        for worker in active_children():
            worker.kill()
        raise
    finally:
        pool.shutdown()
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


def _set_up(parent: int, set_up: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    die_with(parent)
    _lower_limit("RLIMIT_DATA", MEMORY)
    set_up(*arguments)


def _timed(function: Callable[[_Job], _Result], job: _Job) -> _Result:
    """In a worker: a job that takes too long ends it, even in native code."""
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
