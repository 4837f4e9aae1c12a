"""The same jobs on every executor: in this process, in worker processes, on Dask and on Ray."""

import os
import signal
import time
from collections.abc import Iterator
from functools import partial
from multiprocessing import active_children
from pathlib import Path

import pytest

from bagen_data.errors import InputError, MissingExtraError, WorkerDiedError, WrongUsageError
from bagen_data.executors import ExecutorChoice, open_executor, parse_executor
from bagen_data.executors.job_executor import JobExecutor
from bagen_data.executors.jobs import run_jobs
from tests.executors import ENGINES, cluster


class OddError(Exception):
    """An error that cannot be pickled and read again."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(f"{one} and {two}")


def work(number: int) -> int:
    if number == 3:
        raise MissingExtraError("torch", "train")
    if number == 4:
        raise InputError("a.json: not this one")
    if number == 5:
        raise ValueError("of another kind")
    if number == 6:
        raise OddError(1, 2)
    return number * number


def wait_and_work(number: int) -> tuple[int, str]:
    time.sleep(0.02 * (number % 3))
    return number, "text" * number


def die_once(folder: Path, number: int) -> int:
    mark = folder / str(number)
    if number == 2 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die(number: int) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def mark(folder: Path, number: int) -> int:
    (folder / str(number)).touch()
    return number


def says(number: int) -> str:
    return f"it was at {number}"


def jobs(*numbers: int) -> list[tuple[int]]:
    return [(number,) for number in numbers]


@pytest.fixture(scope="module", params=ENGINES)
def executor(request: pytest.FixtureRequest) -> Iterator[JobExecutor]:
    before = set(active_children())  # of fixtures that other test files share
    with cluster(request.param) as text:
        with open_executor(parse_executor(text), ("builders",)) as opened:
            yield opened
        if "dask" not in text:
            assert set(active_children()) == before


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("local", ExecutorChoice("local", 1)),
        ("local:1", ExecutorChoice("local", 1)),
        ("local:16", ExecutorChoice("local", 16)),
        ("ray", ExecutorChoice("ray")),
        ("ray:auto", ExecutorChoice("ray", address="auto")),
        ("ray:ray://head:10001", ExecutorChoice("ray", address="ray://head:10001")),
        ("dask:tcp://10.0.0.1:8786", ExecutorChoice("dask", address="tcp://10.0.0.1:8786")),
    ],
)
def test_an_executor_is_named_by_a_text(text: str, choice: ExecutorChoice) -> None:
    assert parse_executor(text) == choice


@pytest.mark.parametrize(
    "text",
    [
        *("", "4", "local:", "local:0", "local:-1", "local:1.5", "local: 2", "local:2²", "Local:2"),
        *("local:9999999", "ray:", "dask", "dask:", "spark"),
    ],
)
def test_another_text_is_wrong_usage(text: str) -> None:
    with pytest.raises(WrongUsageError, match=f"^--executor {text}: expected local, local:N"):
        parse_executor(text)


@pytest.mark.parametrize("count", [0, 1, 2, 60])
def test_results_come_in_the_order_of_the_jobs(executor: JobExecutor, count: int) -> None:
    results = list(run_jobs(wait_and_work, jobs(*range(count)), executor, says))
    assert results == [wait_and_work(number) for number in range(count)]


def test_the_first_failing_job_raises_its_own_error(executor: JobExecutor) -> None:
    with pytest.raises(
        MissingExtraError, match=r"^torch is not installed; .*bagen-data\[train\]'$"
    ):
        list(run_jobs(work, jobs(1, 2, 3, 4, 5), executor, says))
    with pytest.raises(InputError, match=r"^a.json: not this one$"):
        list(run_jobs(work, jobs(4, 3, 5), executor, says))
    with pytest.raises(ValueError, match=r"^of another kind"):
        list(run_jobs(work, jobs(5, 3), executor, says))


def test_an_error_that_cannot_be_sent_is_told_in_words(executor: JobExecutor) -> None:
    with pytest.raises((RuntimeError, OddError), match="1 and 2"):
        list(run_jobs(work, jobs(6, 1), executor, says))


def test_results_before_a_failing_job_are_given(executor: JobExecutor) -> None:
    results = run_jobs(work, jobs(1, 2, 3), executor, says)
    assert [next(results), next(results)] == [1, 4]
    with pytest.raises(MissingExtraError):
        next(results)


def test_the_executor_goes_on_after_an_error(executor: JobExecutor) -> None:
    with pytest.raises(MissingExtraError):
        list(run_jobs(work, jobs(3, *[1] * 30), executor, says))
    assert list(run_jobs(work, jobs(1, 2), executor, says)) == [1, 4]


def settled(folder: Path) -> int:
    """The number of files in a folder once it has stayed the same for a while."""
    before, now = -1, len(list(folder.iterdir()))
    while before != now:
        time.sleep(0.5)
        before, now = now, len(list(folder.iterdir()))
    return now


def test_jobs_are_begun_as_results_are_taken(executor: JobExecutor, tmp_path: Path) -> None:
    many = 400
    results = run_jobs(partial(mark, tmp_path), jobs(*range(many)), executor, says)
    assert next(results) == 0
    results.close()  # type: ignore[attr-defined]  a generator
    assert settled(tmp_path) < many / 2  # a job that a worker has begun is finished
    assert list(run_jobs(work, jobs(1, 2), executor, says)) == [1, 4]


def test_a_worker_that_died_is_replaced(executor: JobExecutor, tmp_path: Path) -> None:
    if executor.fewest_jobs > 2:
        pytest.skip("it is this process that would die")
    results = list(run_jobs(partial(die_once, tmp_path), jobs(*range(6)), executor, says))
    assert results == list(range(6))


def test_a_job_that_always_dies_is_named(executor: JobExecutor) -> None:
    if executor.fewest_jobs > 2:
        pytest.skip("it is this process that would die")
    with pytest.raises(WorkerDiedError, match=r"while it was at 1[,:]") as caught:
        list(run_jobs(die, jobs(0, 1, 2), executor, says))
    assert str(caught.value).count("nothing was written; run again") == 1


def test_one_local_job_is_done_here() -> None:
    before = set(active_children())  # of a cluster that other tests share
    with open_executor(parse_executor("local:4")) as executor:
        assert list(run_jobs(os.getpid, [()], executor, lambda: "")) == [os.getpid()]
        assert set(active_children()) == before


def test_a_result_that_is_lost_on_its_way_ends_its_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """The case of a Dask scheduler that dies while the result of a finished job is asked for."""
    with cluster("dask", in_threads=True) as text, open_executor(parse_executor(text)) as executor:
        from distributed import Client

        async def lost(*_: object, **__: object) -> None:
            raise ConnectionResetError("the scheduler is gone")

        with monkeypatch.context() as patch:
            patch.setattr(Client, "_gather", lost)
            with pytest.raises(ConnectionResetError, match="is gone"):
                executor.submit(os.getpid).result(30)


def test_an_address_where_nothing_answers_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    dask = pytest.importorskip("dask", reason="Dask is not installed (the extra 'dask')")
    pytest.importorskip("distributed")  # whose settings are to stay when the block ends
    with (
        dask.config.set({"distributed.comm.timeouts.connect": "200ms"}),
        pytest.raises(InputError, match=r"^--executor dask:tcp://127.0.0.1:1: no scheduler"),
        open_executor(parse_executor("dask:tcp://127.0.0.1:1")),
    ):
        pass
    monkeypatch.setitem(__import__("sys").modules, "distributed", None)
    with (
        pytest.raises(MissingExtraError, match=r"pip install 'bagen-data\[dask\]'"),
        open_executor(parse_executor("dask:tcp://127.0.0.1:1")),
    ):
        pass
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with (
        pytest.raises(MissingExtraError, match=r"pip install 'bagen-data\[ray\]'"),
        open_executor(parse_executor("ray")),
    ):
        pass


@pytest.mark.parametrize("address", ["node", "tcp://node", "tcp://node:port", "http://node:8787"])
def test_what_is_not_an_address_of_dask_is_refused_before_a_client_starts(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    distributed = pytest.importorskip(
        "distributed", reason="Dask is not installed (the extra 'dask')"
    )
    monkeypatch.setattr(distributed, "Client", lambda *_, **__: pytest.fail("a client started"))
    with (
        pytest.raises(InputError, match=rf"^--executor dask:{address}: no scheduler"),
        open_executor(parse_executor(f"dask:{address}")),
    ):
        pass


def test_a_scheduler_that_is_gone_is_an_error_of_a_job() -> None:
    distributed = pytest.importorskip(
        "distributed", reason="Dask is not installed (the extra 'dask')"
    )
    import dask

    def lose(text: str) -> None:
        with open_executor(parse_executor(text)) as executor:
            results = run_jobs(wait_and_work, jobs(*range(300)), executor, says)
            next(results)
            with distributed.Client(text.removeprefix("dask:"), set_as_default=False) as other:
                other.shutdown()
            list(results)

    with (
        dask.config.set({"distributed.comm.timeouts.connect": "1s"}),
        cluster("dask", in_threads=True) as text,
        pytest.raises(WorkerDiedError, match="the executor gave up a job while"),
    ):
        lose(text)
