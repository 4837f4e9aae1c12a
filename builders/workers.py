"""Run one function over many jobs, in this process or in several that die with it."""

import ctypes
import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from typing import Any, TypeVar

_Result = TypeVar("_Result")

_SET_DEATH_SIGNAL = 1
"""prctl's PR_SET_PDEATHSIG."""


def run_jobs(
    function: Callable[..., _Result], jobs: Sequence[tuple[Any, ...]], workers: int
) -> Iterator[_Result]:
    """`function(*job)` of each job, in the order of the jobs."""
    if workers == 1 or len(jobs) < 2:
        for job in jobs:
            yield function(*job)
        return
    pool = ProcessPoolExecutor(
        min(workers, len(jobs)),
        mp_context=get_context("spawn"),
        initializer=_set_up_worker,
        initargs=(os.getpid(),),
    )
    try:
        yield from pool.map(function, *zip(*jobs, strict=True))
    except BaseException:  # an error, or Ctrl-C: the other jobs are not waited for
        for worker in active_children():
            worker.kill()
        raise
    finally:
        pool.shutdown()


@contextmanager
def paused_collector() -> Iterator[None]:
    """Rollouts and JSON values hold no cycles; walking them over and over would double the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _set_up_worker(parent: int) -> None:
    """Leave Ctrl-C to the parent, and die with it, which the kernel sees to where it can."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
