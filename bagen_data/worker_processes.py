"""Worker processes: they leave Ctrl-C to their parent, and do not outlive it."""

import ctypes
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

_Result = TypeVar("_Result")
_SET_DEATH_SIGNAL = 1
"""prctl's PR_SET_PDEATHSIG."""


def run_jobs(
    function: Callable[..., _Result], jobs: Sequence[tuple[Any, ...]], workers: int
) -> Iterator[_Result]:
    """Yield `function(*job)` of each job, in the order of the jobs.

    Args:
        function: a function of a module's top level, which other processes can import.
        jobs: its arguments.
        workers: the number of processes; with 1, or fewer than two jobs, this process works.
    """
    if workers == 1 or len(jobs) < 2:
        for job in jobs:
            yield function(*job)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import active_children, get_context

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


def die_with(parent: int) -> None:
    """Set a worker up: the kernel kills it when its parent dies, where it can.

    Args:
        parent: the id of the process that started the worker.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
