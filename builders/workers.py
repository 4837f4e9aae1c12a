"""Run one function over many jobs, in this process or in several that die with it."""

import gc
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import active_children, get_context
from typing import Any, TypeVar

from bagen_data.processes import die_with

_Result = TypeVar("_Result")


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
        initializer=die_with,
        initargs=(os.getpid(),),
    )
    try:
        # not `pool.map`: it cancels what waits before the workers are killed, and a pool that loses
        # its workers while jobs are cancelled neither ends nor lets this process end
        waiting = deque(pool.submit(function, *job) for job in jobs)
        while waiting:
            yield waiting.popleft().result()
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
