"""Workers that die."""

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from bagen_data.errors import WorkerDiedError
from leaderboard import scoring_processes
from leaderboard.scoring_processes import MEMORY, ScoringProcesses

_added: list[int] = []
_left: list[bytearray] = []


def add(number: int) -> None:
    _added.append(number)


def work(job: int) -> int:
    if job < 0:
        os.kill(os.getpid(), signal.SIGSEGV)
    return job + sum(_added)


def hoard(job: int) -> str:
    try:
        return str(len(bytearray(job)))
    except MemoryError:
        return "refused"


def spin_at_one(job: int) -> int:
    while job == 1:
        pass
    return job


def hurry() -> None:
    scoring_processes.SECONDS = 1


def die() -> None:
    os._exit(1)


def run_each(
    function: Callable[[int], Any],
    jobs: Sequence[int],
    workers: int,
    set_up: Callable[..., None],
    arguments: tuple[Any, ...],
) -> Iterator[tuple[int, Any]]:
    """Do jobs in processes of their own."""
    with ScoringProcesses(workers, set_up, arguments) as processes:
        yield from processes.run_each(function, jobs)


def test_results_come_with_their_positions() -> None:
    assert sorted(run_each(work, [1, 2, 3], 2, add, (10,))) == [(0, 11), (1, 12), (2, 13)]


def test_who_kills_a_process_takes_nobody_along() -> None:
    results = dict(run_each(work, [1, -1, 3, -1, 5, 6, 7, 8], 2, add, (10,)))
    assert results == {0: 11, 1: None, 2: 13, 3: None, 4: 15, 5: 16, 6: 17, 7: 18}


def process_of(job: int) -> int:
    work(job)
    return os.getpid()


def test_processes_stay_for_further_jobs_and_one_that_died_is_replaced() -> None:
    with ScoringProcesses(1, add, (10,)) as processes:
        [(_, first)] = processes.run_each(process_of, [1])
        assert list(processes.run_each(process_of, [2])) == [(0, first)]
        assert list(processes.run_each(process_of, [-1])) == [(0, None)]
        [(_, second)] = processes.run_each(process_of, [3])
        assert second not in (None, first)


def test_a_job_that_does_not_end_is_ended() -> None:
    assert dict(run_each(spin_at_one, range(4), 2, hurry, ())) == {0: 0, 1: None, 2: 2, 3: 3}


def test_memory_is_limited() -> None:
    results = dict(run_each(hoard, [10, 2 * MEMORY], 1, add, (0,)))
    assert results == {0: "10", 1: "refused"}


def keep(job: int) -> int:
    """Leave as much memory in the process as the job says; return the number of such jobs in it."""
    _left.append(bytearray(job))
    return len(_left)


def test_a_job_that_finds_no_memory_is_done_again_alone() -> None:
    large = MEMORY * 5 // 8
    results = dict(run_each(keep, [large, large, 2 * MEMORY], 1, add, (0,)))
    assert results == {0: 1, 1: 1, 2: None}


def test_processes_that_cannot_be_set_up_refuse_nobody() -> None:
    with pytest.raises(WorkerDiedError, match="worker processes cannot be started"):
        list(run_each(work, [1, 2], 1, die, ()))


def test_threads_of_the_parent_are_not_limited() -> None:
    before = os.environ.get("OMP_NUM_THREADS")
    assert list(run_each(work, [1], 1, add, (0,))) == [(0, 1)]
    assert os.environ.get("OMP_NUM_THREADS") == before
