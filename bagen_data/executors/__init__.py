"""Executors of jobs: this process, worker processes, a Ray cluster or a Dask cluster.

    with open_executor(parse_executor("local:4")) as executor:
        results = list(run_jobs(function, jobs, executor, what))

An executor is a standard `concurrent.futures.Executor`. Scheduling, placement and retries after
the death of a worker are its own; `run_jobs` knows nothing of them.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from bagen_data.errors import WrongUsageError
from bagen_data.executors.job_executor import JobExecutor, ThisProcess

Engine = Literal["local", "ray", "dask"]

_SPELLINGS = "local, local:N with N of at least 1, ray, ray:ADDRESS or dask:ADDRESS"
_COUNT = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)


@dataclass(frozen=True)
class ExecutorChoice:
    """An engine, and where it is."""

    engine: Engine = "local"
    workers: int = 1
    """Processes of this machine; 1 of another engine, which has workers of its own."""
    address: str = ""
    """The address of a cluster; empty for `local`, and for the Ray that `ray.init()` finds."""

    @property
    def is_remote(self) -> bool:
        """Whether workers may be on other machines, or have another current folder."""
        return self.engine != "local"

    @property
    def works_here(self) -> bool:
        """Whether this process does all jobs itself."""
        return not self.is_remote and self.workers == 1


def parse_executor(text: str) -> ExecutorChoice:
    """Return the executor that a text names.

    Args:
        text: `local`, which is `local:1`, `local:N`, `ray`, `ray:ADDRESS` or `dask:ADDRESS`.

    Raises:
        WrongUsageError: the text has another form.

    >>> parse_executor("local:4").workers, parse_executor("dask:tcp://10.0.0.1:8786").address
    (4, 'tcp://10.0.0.1:8786')
    """
    name, colon, rest = text.partition(":")
    match name:
        case "local" if not colon:
            return ExecutorChoice()
        case "local" if _COUNT.fullmatch(rest):
            return ExecutorChoice("local", int(rest))
        case "ray" if bool(colon) == bool(rest):
            return ExecutorChoice("ray", address=rest)
        case "dask" if rest:
            return ExecutorChoice("dask", address=rest)
    raise WrongUsageError(f"--executor {text}: expected {_SPELLINGS}")


@contextmanager
def open_executor(choice: ExecutorChoice, packages: Sequence[str] = ()) -> Iterator[JobExecutor]:
    """Give an executor that is closed when the block ends; its jobs end with it if that fails.

    Args:
        choice: the engine, and where it is.
        packages: names of packages that jobs import beside `bagen_data`. A Ray or Dask cluster is
            sent the code of all of them; what they import in turn must be installed there.

    Raises:
        MissingExtraError: the engine is not installed.
        InputError: nothing answers at the address.
    """
    executor = _start(choice, ("bagen_data", *packages))
    try:
        yield executor
    except BaseException:  # an error, or Ctrl-C: nobody waits for the jobs
        executor.kill()
        raise
    finally:
        executor.shutdown()


def _start(choice: ExecutorChoice, packages: Sequence[str]) -> JobExecutor:
    if choice.works_here:
        return ThisProcess()
    if choice.engine == "local":
        from bagen_data.worker_processes import WorkerProcesses

        return WorkerProcesses(choice.workers)
    if choice.engine == "ray":
        from bagen_data.executors.ray_executor import RayExecutor

        return RayExecutor(choice.address, packages)
    from bagen_data.executors.dask_executor import DaskExecutor

    return DaskExecutor(choice.address, packages)
