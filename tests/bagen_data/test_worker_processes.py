"""Jobs in worker processes."""

import os
import signal
import time
from collections.abc import Iterator
from multiprocessing import active_children

import pytest

from bagen_data.errors import MissingExtraError, WorkerDiedError
from bagen_data.worker_processes import Died, run_all, run_jobs


def work(number: int) -> int:
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 5:
        raise MissingExtraError("torch", "train")
    return number


def wait_and_work(number: int) -> int:
    time.sleep(0.05 * (5 - number))
    return number


def crash() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def says(number: int) -> str:
    return f"it was at {number}"


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    assert not active_children()


def jobs(*numbers: int) -> list[tuple[int]]:
    return [(number,) for number in numbers]


@pytest.mark.parametrize("workers", [1, 2, 9])
def test_results_come_in_the_order_of_the_jobs(workers: int) -> None:
    assert list(run_jobs(wait_and_work, jobs(1, 2, 3, 4), workers, says)) == [1, 2, 3, 4]


def test_a_killed_worker_is_named_with_its_job() -> None:
    message = r"ended by signal 9 \(Killed\) while it was at 3; .*; nothing was written; run again"
    with pytest.raises(WorkerDiedError, match=message):
        list(run_jobs(work, jobs(1, 2, 3, 4), 2, says))


def test_an_error_of_a_job_is_raised_here() -> None:
    with pytest.raises(MissingExtraError, match="torch is not installed"):
        list(run_jobs(work, jobs(4, 5, 6), 2, says))


def test_a_worker_that_died_is_replaced() -> None:
    results = dict(run_all(work, jobs(1, 3, 3, 4), 2))
    assert results == {0: 1, 1: Died(-9), 2: Died(-9), 3: 4}


def test_workers_that_never_start_are_one_error() -> None:
    with pytest.raises(WorkerDiedError, match="worker processes cannot be started"):
        list(run_all(work, jobs(1, 2), 2, crash))


def test_no_job_needs_no_worker() -> None:
    assert list(run_all(work, [], 2)) == []
