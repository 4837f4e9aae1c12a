"""A pool of worker processes."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, wait
from multiprocessing import active_children
from pathlib import Path

import pytest

from bagen_data.errors import WorkerDiedError
from bagen_data.executors.job_executor import LostWorkerError
from bagen_data.worker_processes import WorkerProcesses


def crash(*_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def own_pid(started: Path) -> int:
    started.write_text(str(os.getpid()))
    return os.getpid()


def sleep(started: Path) -> None:
    own_pid(started)
    time.sleep(3600)


def wait_for(path: Path) -> int:
    while not path.exists() or not path.read_text():
        time.sleep(0.01)
    return int(path.read_text())


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture
def pool() -> Iterator[WorkerProcesses]:
    before = set(active_children())  # of fixtures that other test files share
    pool = WorkerProcesses(2)
    yield pool
    pool.shutdown()
    assert set(active_children()) == before


def test_processes_stay_for_the_next_job(pool: WorkerProcesses, tmp_path: Path) -> None:
    first = pool.submit(own_pid, tmp_path / "a").result()
    assert first != os.getpid()
    assert pool.submit(own_pid, tmp_path / "b").result() == first


def test_a_job_that_kills_its_process_takes_no_other_along(
    pool: WorkerProcesses, tmp_path: Path
) -> None:
    died = pool.submit(crash)
    others = [pool.submit(own_pid, tmp_path / str(n)) for n in range(4)]
    with pytest.raises(LostWorkerError) as caught:
        died.result()
    assert (caught.value.how, caught.value.tries) == ("was ended by signal 9 (Killed)", 3)
    assert all(other.result() for other in others)


def test_a_job_that_is_stopped_ends_with_its_process(pool: WorkerProcesses, tmp_path: Path) -> None:
    futures = [pool.submit(sleep, tmp_path / str(n)) for n in range(5)]
    at_work = [wait_for(tmp_path / str(n)) for n in range(2)]
    pool.stop(futures)
    assert not any(map(is_alive, at_work))
    assert all(future.cancelled() for future in futures)
    assert pool.submit(own_pid, tmp_path / "next").result()


def test_a_killed_pool_ends_at_once_and_cancels_what_waits(tmp_path: Path) -> None:
    pool = WorkerProcesses(1)
    futures = [pool.submit(sleep, tmp_path / str(n)) for n in range(3)]
    at_work = wait_for(tmp_path / "0")
    pool.kill()
    assert not is_alive(at_work)
    assert not wait(futures, timeout=0).not_done
    with pytest.raises(CancelledError):
        futures[0].result()
    with pytest.raises(RuntimeError, match="take no more jobs"):
        pool.submit(own_pid, tmp_path / "late")


def test_processes_that_never_start_fail_every_job() -> None:
    before = set(active_children())
    pool = WorkerProcesses(2, set_up=crash)
    futures = [pool.submit(crash) for _ in range(2)]
    wait(futures)
    futures.append(pool.submit(crash))
    for future in futures:
        with pytest.raises(WorkerDiedError, match="worker processes cannot be started"):
            future.result()
    pool.shutdown()
    assert set(active_children()) == before


def test_a_pool_without_jobs_starts_nothing() -> None:
    before = set(active_children())
    pool = WorkerProcesses(2)
    pool.stop([])
    pool.shutdown()
    assert set(active_children()) == before
