"""The standard executor, and the little more that running many jobs needs."""

import math
from collections.abc import Callable, Collection
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


class LostWorkerError(Exception):
    """The end of a job whose workers died: the exception of its future.

    Args:
        how: the end of the last one in words, as `was ended by signal 9 (Killed)`.
        tries: the number of workers that died of the job.
    """

    def __init__(self, how: str, tries: int) -> None:
        super().__init__(how, tries)
        self.how = how
        self.tries = tries


class JobExecutor(Executor):
    """A standard executor that says how much it does at once, and ends jobs that nobody needs."""

    is_remote = False
    """Whether workers have packages of their own, whose versions may differ."""
    fewest_jobs: float = 0
    """Jobs for which workers are worth while; the process that has fewer does them itself."""

    @property
    def workers(self) -> int:
        """Jobs that are done at once; may change while a cluster grows."""
        raise NotImplementedError

    def stop(self, unneeded: Collection[Future[Any]]) -> None:
        """End jobs whose results nobody needs, and wait until no worker is at one of them."""
        raise NotImplementedError

    def kill(self) -> None:
        """End everything that can be ended at once; called before `shutdown` after a failure."""


class ThisProcess(JobExecutor):
    """The process itself, one job at a time."""

    fewest_jobs = math.inf

    @property
    def workers(self) -> int:
        """The number of jobs at a time: one."""
        return 1

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Do the job now, and return its result."""
        future: Future[_T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    def stop(self, unneeded: Collection[Future[Any]]) -> None:
        """Do nothing: all jobs are done."""
