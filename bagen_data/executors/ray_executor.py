"""Jobs on a Ray cluster, or on a Ray of this machine alone."""

import logging
import re
import socket
import time
from collections.abc import Callable, Collection, Sequence
from concurrent import futures
from concurrent.futures import Future
from importlib import import_module
from typing import Any, ParamSpec, TypeVar

from bagen_data.errors import InputError, MissingExtraError
from bagen_data.executors.job_executor import JobExecutor

_P = ParamSpec("_P")
_T = TypeVar("_T")
_RETRIES = 3
"""Workers and nodes that may die of a job, beside the first."""
_SECONDS_TO_CONNECT = 30
"""Seconds in which something must listen at an address; Ray alone tries for five minutes."""
_HOST_AND_PORT = re.compile(r"(?:ray://)?([^\s/\[\]:]+):(\d{1,5})")
_SECONDS_TO_STOP = 60
"""Seconds that jobs at work have to end after they were stopped."""


class RayExecutor(JobExecutor):
    """The workers of a Ray cluster, one job a core.

    Args:
        address: as `ray.init` takes it; empty for the cluster that it finds (`RAY_ADDRESS`, or one
            that `ray start` started here), and otherwise a Ray of this machine for as long as the
            executor is open.
        packages: names of the packages whose code is sent to the workers, where each runs it in
            place of its own.

    Raises:
        MissingExtraError: Ray is not installed.
        InputError: nothing answers at the address.
    """

    is_remote = True

    def __init__(self, address: str, packages: Sequence[str]) -> None:
        try:
            import ray
        except ModuleNotFoundError as error:
            raise MissingExtraError("ray", "ray") from error
        self._ray = ray
        folders = [import_module(name).__path__[0] for name in packages]
        try:
            _wait_for(address)
            ray.init(
                address or None,
                runtime_env={"py_modules": folders},
                include_dashboard=None if address else False,
                log_to_driver=False,
                logging_level=logging.WARNING,
            )
        except (OSError, OverflowError, ValueError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:300]
            raise InputError(
                f"--executor ray{address and f':{address}'}: Ray cannot be reached: {reason}; "
                "expected a running cluster; start it with ray start --head, set "
                "RAY_AUTH_MODE=token if it asks for a token, or leave the address out for a Ray of "
                "this machine"
            ) from error
        self._call = ray.remote(_call).options(num_cpus=1, max_retries=_RETRIES)
        self._references: dict[Future[Any], Any] = {}

    @property
    def workers(self) -> int:
        """The cores of the cluster."""
        return max(1, int(self._ray.cluster_resources().get("CPU", 1)))

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Submit a job as a task of Ray."""
        reference = self._call.remote(fn, args, kwargs)
        future: Future[_T] = reference.future()
        self._references[future] = reference
        future.add_done_callback(self._forget)
        return future

    def stop(self, unneeded: Collection[Future[Any]]) -> None:
        """Cancel jobs, end the workers at work on them, and wait for the end of these."""
        running = {each: self._references.get(each) for each in unneeded}
        for reference in filter(None, running.values()):
            self._ray.cancel(reference, force=True)
        futures.wait(running, _SECONDS_TO_STOP)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster, or end the Ray of this machine; a job at work ends with that."""
        if cancel_futures:
            self.stop(list(self._references))
        elif wait:
            futures.wait(list(self._references))
        self._ray.shutdown()

    def kill(self) -> None:
        """Stop all jobs."""
        self.stop(list(self._references))

    def _forget(self, future: "Future[Any]") -> None:
        self._references.pop(future, None)


def _wait_for(address: str) -> None:
    """Wait until something listens at HOST:PORT; any other address is left to Ray.

    Raises:
        OSError: nothing listens there.
        OverflowError: the port is above 65535.
    """
    match = _HOST_AND_PORT.fullmatch(address)
    if match is None:
        return
    end = time.monotonic() + _SECONDS_TO_CONNECT
    while True:
        try:
            socket.create_connection((match[1], int(match[2])), timeout=5).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(1)
        else:
            return


def _call(function: Callable[..., _T], arguments: tuple[Any, ...], named: dict[str, Any]) -> _T:
    """Do a job in a worker."""
    return function(*arguments, **named)
