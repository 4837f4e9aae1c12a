"""Score many submissions in processes that may die of one without taking the others along."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, TypeVar

from bagen_data.worker_processes import Died, Failed, run_all

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

    When a process dies (for want of memory or time, in a library's native code, or because somebody
    ended it), its job is run once more, alone, after all others.

    Args:
        function: of the top level of a module.
        jobs: its arguments.
        workers: processes.
        set_up: called once in each process before its first job.
        arguments: of `set_up`.

    Yields:
        A job's position, and its result; None if its process died of it.

    Raises:
        WorkerDiedError: processes die without any job.
    """
    died = []
    with _one_thread():
        for number, result in _run(function, jobs, workers, set_up, arguments):
            if isinstance(result, Died):
                died.append(number)
            else:
                yield number, result
        for number in died:
            [(_, result)] = _run(function, [jobs[number]], 1, set_up, arguments)
            yield number, None if isinstance(result, Died) else result


def _run(
    function: Callable[[_Job], _Result],
    jobs: Sequence[_Job],
    workers: int,
    set_up: Callable[..., None],
    arguments: tuple[Any, ...],
) -> Iterator[tuple[int, Any]]:
    """Yield what `run_all` does, with limits; an error of a job is raised."""
    limited = partial(_timed, function)
    set_up_all = (_set_up, (set_up, arguments))
    for number, result in run_all(limited, [(job,) for job in jobs], workers, *set_up_all):
        if isinstance(result, Failed):
            raise result.error
        yield number, result


@contextmanager
def _one_thread() -> Iterator[None]:
    """Start processes whose sums are added up by one thread."""
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
