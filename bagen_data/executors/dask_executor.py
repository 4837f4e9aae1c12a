"""Jobs on a Dask cluster."""

import logging
import time
from asyncio import CancelledError
from collections.abc import Callable, Collection, Sequence
from concurrent import futures
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from itertools import count
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

from bagen_data.errors import InputError, MissingExtraError
from bagen_data.executors.dask_code import code_sender
from bagen_data.executors.job_executor import JobExecutor

_P = ParamSpec("_P")
_T = TypeVar("_T")
_SECONDS_TO_STOP = 60
"""Seconds that jobs at work have to end after they were stopped."""
_SECONDS_TO_ANSWER = 5
"""Seconds that workers have to say what they are at."""
_DONE = ("memory", "error", "released", "forgotten")
"""States of a worker's tasks that it is not at, and will not begin."""
_LOGGERS = ("distributed", "distributed.client")
"""Logs that are silent while the executor is open: a lost scheduler is an error of a job."""
_SECONDS_BETWEEN_LOOKS = 0.05


class DaskExecutor(JobExecutor):
    """The workers of a Dask cluster, one job a worker process.

    The scheduler gives a job up when its `allowed-failures`, 3 by default, workers died of it
    and another one does.

    Args:
        address: of the scheduler, as `tcp://10.0.0.1:8786`.
        packages: names of the packages whose code is sent to the workers, where each runs it in
            place of its own.

    Raises:
        MissingExtraError: Dask's `distributed` is not installed.
        InputError: nothing answers at the address.
    """

    is_remote = True

    def __init__(self, address: str, packages: Sequence[str]) -> None:
        try:
            from distributed import Client
            from distributed.comm import get_address_host_port
        except ModuleNotFoundError as error:
            raise MissingExtraError("distributed", "dask") from error
        self._levels = {name: logging.getLogger(name).level for name in _LOGGERS}
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        try:
            get_address_host_port(address)  # a client that fails at this ends a minute later
            self._client = Client(address, set_as_default=False)
        except (OSError, ValueError, TimeoutError) as error:
            self._restore_logs()
            reason = " ".join(str(error).split())[:300]
            raise InputError(
                f"--executor dask:{address}: no scheduler can be reached: {reason}; expected the "
                "address that 'dask scheduler' prints, as tcp://10.0.0.1:8786"
            ) from error
        self._client.register_plugin(code_sender(packages))
        self._numbers = count()
        self._name = f"bagen-{uuid4()}"
        self._tasks: dict[Future[Any], Any] = {}
        self._workers = 1

    @property
    def workers(self) -> int:
        """The number of worker processes at present; each does a job at a time."""
        self._workers = self._asked(lambda: max(1, len(self._client.nthreads())), self._workers)
        return self._workers

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Submit a job as a task of Dask.

        The executor that Dask has itself never ends a future whose result was on its way when the
        scheduler died.
        """
        key = f"{self._name}-{next(self._numbers)}"
        future: Future[_T] = Future()
        task = self._asked(
            lambda: self._client.submit(fn, *args, key=key, pure=False, **kwargs), None
        )
        if task is None:
            future.set_exception(ConnectionError("the scheduler is gone"))
            return future
        self._tasks[future] = task
        future.add_done_callback(self._forget)
        self._client.loop.add_callback(self._settle, task, future)
        return future

    async def _settle(self, task: Any, future: "Future[Any]") -> None:
        """Give a future the result of its task, or the reason why there will be none."""
        try:
            result = await self._client.gather(task, asynchronous=True)
        except (Exception, CancelledError) as error:
            with suppress(InvalidStateError):
                future.set_exception(error)
        else:
            with suppress(InvalidStateError):
                future.set_result(result)

    def stop(self, unneeded: Collection[Future[Any]]) -> None:
        """Cancel jobs, and wait for those at work, which Dask cannot end."""
        tasks = [task for task in map(self._tasks.get, unneeded) if task is not None]
        for future in unneeded:
            future.cancel()
        keys = {task.key for task in tasks}
        self._asked(lambda: self._client.cancel(tasks), None)
        end = time.monotonic() + _SECONDS_TO_STOP
        while keys and time.monotonic() < end:
            time.sleep(_SECONDS_BETWEEN_LOOKS)  # workers hear of it first
            keys = self._held(keys)

    def _held(self, keys: set[str]) -> set[str]:
        """Return which of some jobs workers are at; all of them if nobody answers in time.

        None of them where the scheduler is gone, without which nobody can be asked.
        """

        async def ask() -> dict[str, list[str]]:
            answers: dict[str, list[str]] = await self._client.run(_held, keys, on_error="ignore")
            return answers

        def answers() -> set[str]:
            try:
                held = self._client.sync(ask, callback_timeout=_SECONDS_TO_ANSWER)
            except TimeoutError:
                return keys
            return {key for of_worker in held.values() for key in of_worker}

        return self._asked(answers, set())

    def _asked(self, question: Callable[[], _T], otherwise: _T) -> _T:
        """Return the scheduler's answer, or another one where it is gone, as jobs then say."""
        try:
            return question()
        except OSError:
            return otherwise
        except Exception:  # which one a closed client raises changes with what it is asked
            if self._client.status == "running":
                raise
            return otherwise

    def kill(self) -> None:
        """Stop all jobs."""
        self.stop(list(self._tasks))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, when the jobs are done or those that wait are cancelled."""
        if cancel_futures:
            self.stop(list(self._tasks))
        elif wait:
            futures.wait(list(self._tasks))
        self._asked(self._client.close, None)
        self._restore_logs()

    def _restore_logs(self) -> None:
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)

    def _forget(self, future: "Future[Any]") -> None:
        self._tasks.pop(future, None)


def _held(keys: Collection[str], dask_worker: Any) -> list[str]:
    """Return the jobs among these that the worker which runs this is at, or has yet to do."""
    tasks = {key: dask_worker.state.tasks.get(key) for key in keys}
    return [key for key, task in tasks.items() if task and task.state not in _DONE]
