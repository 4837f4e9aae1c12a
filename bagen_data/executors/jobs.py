"""Many jobs of one function on any executor: results in order, errors as they were raised."""

import pickle
import platform
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import islice
from typing import Any, TypeVar

from bagen_data.errors import BagenError, InputError, WorkerDiedError
from bagen_data.executors.job_executor import JobExecutor, LostWorkerError
from bagen_data.versions import __version__

_Result = TypeVar("_Result")
_AHEAD = 16
"""Jobs that are submitted beside two for each worker, so that a cluster sees work to grow for."""
_SHOWN_REASON = 300
"""Characters of an engine's own reason that a message shows."""
_ONE_AT_A_TIME = threading.Lock()
"""Held in a worker while it does a job: a worker of Dask may have several threads."""


@dataclass(frozen=True)
class _FailedJob:
    """An error that a job raised."""

    error: Exception


def run_jobs(
    function: Callable[..., _Result],
    jobs: Sequence[tuple[Any, ...]],
    executor: JobExecutor,
    what: Callable[..., str],
    after: str = "nothing was written; run again",
) -> Iterator[_Result]:
    """Yield `function(*job)` of each job, in the order of the jobs.

    A bounded number of jobs is submitted before their results are asked for. Whoever asks for no
    more closes the generator: jobs that wait are cancelled then, and those at work are ended or
    waited for.

    Args:
        function: a function of a module's top level, which other processes can import. It may be
            called more than once with the same job, because a worker that died is replaced.
        jobs: its arguments.
        executor: where they are done; without need for a worker, this process does them.
        what: says in words what a job does, from its arguments: "it read m".
        after: what is left after a worker died, and what to do, for its message.

    Raises:
        WorkerDiedError: a job was given up because its workers died; the message names the job.
        Exception: what the first failing job of the order raised.
    """
    if len(jobs) < executor.fewest_jobs:
        for job in jobs:
            yield function(*job)
        return
    sent = pickle.dumps(_versions() if executor.is_remote else {}), pickle.dumps(function)
    waiting: deque[Future[bytes]] = deque()
    following = iter(jobs)
    try:
        for job in jobs:
            for another in islice(following, 2 * executor.workers + _AHEAD - len(waiting)):
                waiting.append(executor.submit(_attempt, *sent, pickle.dumps(another)))
            result = _result(waiting[0], what(*job), after)
            waiting.popleft()
            if isinstance(result, _FailedJob):
                raise result.error
            yield result
    finally:
        if waiting:
            executor.stop(waiting)


def _result(future: "Future[bytes]", what: str, after: str) -> Any:
    """Wait for the result of a job, or the error that it raised.

    Raises:
        WorkerDiedError: the executor gave it up.
    """
    try:
        outcome = future.result()
    except WorkerDiedError:
        raise
    except LostWorkerError as error:
        raise WorkerDiedError(
            f"a worker process {error.how} while {what}, after {error.tries - 1} others died of "
            "it; expected it to end by itself; perhaps the memory ran out, or somebody ended it; "
            f"{after}, with fewer --workers where memory is short"
        ) from None
    except ImportError as error:
        raise WorkerDiedError(
            f"the executor's workers cannot import what they need while {what}: {error}; expected "
            f"the packages of this process; install them there (docs/scale.md); {after}"
        ) from error
    except Exception as error:
        reason = " ".join(str(error).split())[:_SHOWN_REASON] or "no reason was given"
        raise WorkerDiedError(
            f"the executor gave up a job while {what}: {type(error).__name__}: {reason}; expected "
            f"a worker to end it; perhaps its memory ran out, or its node is gone; {after}"
        ) from error
    return pickle.loads(outcome)  # noqa: S301  a worker's, of this moment


@cache
def _versions() -> dict[str, str]:
    """Return the versions of what decides the bytes of an output."""
    from importlib.metadata import version

    python = ".".join(platform.python_version_tuple()[:2])
    packages = {name: version(name) for name in ("numpy", "pyarrow")}
    return {"Python": python, "bagen-data": __version__} | packages


def _attempt(sent_versions: bytes, function: bytes, job: bytes) -> bytes:
    """Do a job in a worker, and return its pickled result, or the error that it raised."""
    with _ONE_AT_A_TIME:
        try:
            _check_versions(pickle.loads(sent_versions))  # noqa: S301  the driver's
            return pickle.dumps(_loaded(function)(*pickle.loads(job)))  # noqa: S301
        except Exception as error:
            return pickle.dumps(_FailedJob(portable(error)))


@lru_cache(maxsize=2)
def _loaded(function: bytes) -> Callable[..., Any]:
    loaded: Callable[..., Any] = pickle.loads(function)  # noqa: S301  the driver's
    return loaded


def _check_versions(expected: dict[str, str]) -> None:
    """Refuse a worker whose output could differ from that of the process that sent the job.

    Raises:
        InputError: a package has another version.
    """
    for name, wanted in expected.items():
        if (version := _versions()[name]) != wanted:
            raise InputError(
                f"a worker of the executor has {name} {version}; expected {wanted}, as in the "
                "process that sends the jobs; install the same there (docs/scale.md)"
            )


def portable(error: Exception) -> Exception:
    """Return an error as it can be sent, with its traceback if it is not one of ours."""
    if not isinstance(error, BagenError):
        error.add_note(f"in a worker process:\n{traceback.format_exc()}")
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  our own, of this moment
    except Exception:  # whatever an error's own class raises
        kind = BagenError if isinstance(error, BagenError) else RuntimeError
        return kind(f"{error}" if kind is BagenError else f"{type(error).__name__}: {error}")
    return error
