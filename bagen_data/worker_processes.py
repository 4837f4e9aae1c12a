"""Worker processes: they leave Ctrl-C to their parent, do not outlive it, and may die.

The pool is our own, because `concurrent.futures` does not say which job a process died of, fails
every other job with it, and now and then never ends when processes are killed.
"""

import ctypes
import os
import pickle
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from bagen_data.errors import BagenError, WorkerDiedError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

_Result = TypeVar("_Result")
_SET_DEATH_SIGNAL = 1
"""prctl's PR_SET_PDEATHSIG."""
_STARTS = 5
"""Processes in a row that may die before they have set themselves up."""
_SECONDS_TO_END = 10
"""Seconds that a process has to end after its last job."""


@dataclass(frozen=True)
class Died:
    """The end of a process that was at work on a job."""

    exit_code: int
    """The code of `multiprocessing`: minus the signal's number where a signal ended it."""

    @property
    def how(self) -> str:
        """The end in words.

        >>> Died(-9).how, Died(3).how
        ('was ended by signal 9 (Killed)', 'ended with exit code 3')
        """
        if self.exit_code >= 0:
            return f"ended with exit code {self.exit_code}"
        return f"was ended by signal {-self.exit_code} ({signal.strsignal(-self.exit_code)})"


@dataclass(frozen=True)
class Failed:
    """An error that a job raised."""

    error: BaseException


def run_jobs(
    function: Callable[..., _Result],
    jobs: Sequence[tuple[Any, ...]],
    workers: int,
    what: Callable[..., str],
    after: str = "nothing was written; run again",
) -> Iterator[_Result]:
    """Yield `function(*job)` of each job, in the order of the jobs.

    Args:
        function: a function of a module's top level, which other processes can import.
        jobs: its arguments.
        workers: the number of processes; with 1, or fewer than two jobs, this process works.
        what: says in words what a job does, from its arguments: "reading m".
        after: what is left after a process died, and what to do, for its message.

    Raises:
        WorkerDiedError: a process was killed, or crashed; the message says over which job.
    """
    if workers == 1 or len(jobs) < 2:
        for job in jobs:
            yield function(*job)
        return
    results: dict[int, _Result | Failed] = {}
    following = 0
    for number, result in run_all(function, jobs, workers):
        if isinstance(result, Died):
            raise WorkerDiedError(
                f"a worker process {result.how} while {what(*jobs[number])}; expected it to end by "
                f"itself; perhaps the memory ran out, or somebody ended it; {after}, with fewer "
                "--workers where memory is short"
            )
        results[number] = result
        while following in results:
            done = results.pop(following)
            if isinstance(done, Failed):
                raise done.error
            yield done
            following += 1


def no_set_up() -> None:
    """Set up a process that needs nothing."""


def run_all(
    function: Callable[..., _Result],
    jobs: Sequence[tuple[Any, ...]],
    workers: int,
    set_up: Callable[..., None] = no_set_up,
    arguments: tuple[Any, ...] = (),
) -> Iterator[tuple[int, "_Result | Failed | Died"]]:
    """Yield each job's number, and its result or how its process ended, as they are done.

    Args:
        function: a function of a module's top level.
        jobs: its arguments.
        workers: the number of processes; another one takes the place of one that died.
        set_up: called once in each process before its first job.
        arguments: the arguments of `set_up`.

    Raises:
        WorkerDiedError: processes die before they have a job.
    """
    pool = _Pool(function, set_up, arguments)
    try:
        yield from pool.run(jobs, workers)
    except BaseException:  # an error, or Ctrl-C: nobody waits for the other jobs
        pool.kill()
        raise
    finally:
        pool.end()


@dataclass
class _Worker:
    process: "BaseProcess"
    pipe: "Connection"
    is_ready: bool = False
    """Whether it has set itself up."""
    job: int | None = None
    """The number of the job that it is at."""


class _Pool:
    """Processes that take a job at a time."""

    def __init__(
        self, function: Callable[..., Any], set_up: Callable[..., None], arguments: tuple[Any, ...]
    ) -> None:
        self._start = (os.getpid(), function, set_up, arguments)
        self._workers: list[_Worker] = []
        self._died_early = 0

    def run(self, jobs: Sequence[tuple[Any, ...]], workers: int) -> Iterator[tuple[int, Any]]:
        """Yield what `run_all` does."""
        from multiprocessing.connection import wait

        waiting = deque(range(len(jobs)))
        while waiting or any(worker.job is not None for worker in self._workers):
            wanted = min(workers, len(waiting) + sum(w.job is not None for w in self._workers))
            while len(self._workers) < wanted:
                self._workers.append(self._started())
            ready = wait([worker.pipe for worker in self._workers])
            for worker in [worker for worker in self._workers if worker.pipe in ready]:
                yield from self._heard(worker)
                if worker.is_ready and worker.job is None and waiting:
                    worker.job = waiting.popleft()
                    with suppress(OSError):  # it died, which is heard next
                        worker.pipe.send(jobs[worker.job])

    def kill(self) -> None:
        """End all processes at once."""
        for worker in self._workers:
            worker.process.kill()

    def end(self) -> None:
        """End all processes, which are idle or killed, and wait for them."""
        for worker in self._workers:
            if not worker.is_ready:  # it still imports what nobody needs any more
                worker.process.kill()
            worker.pipe.close()  # which they take for the end
        for worker in self._workers:
            worker.process.join(_SECONDS_TO_END)
            if worker.process.exitcode is None:
                worker.process.kill()
                worker.process.join()
            worker.process.close()

    def _started(self) -> _Worker:
        from multiprocessing import get_context

        context = get_context("spawn")
        while True:
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, *self._start), daemon=True)
            try:
                process.start()
            except BrokenPipeError:  # it died before it heard what it is for
                ours.close()
                self._count_early_death("died at its start")
            else:
                return _Worker(process, ours)
            finally:
                theirs.close()  # the worker has the only other one, and its end closes the pipe

    def _count_early_death(self, how: str) -> None:
        self._died_early += 1
        if self._died_early == _STARTS:
            raise WorkerDiedError(
                f"worker processes cannot be started: the last one {how}; expected it to wait for "
                "work; perhaps the memory ran out; run again, with fewer --workers"
            )

    def _heard(self, worker: _Worker) -> Iterator[tuple[int, Any]]:
        """Take what a worker says: that it is ready, a result, or its end."""
        died: Died | None = None
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):
            self._workers.remove(worker)
            worker.pipe.close()
            worker.process.join()
            died = Died(worker.process.exitcode or 0)
        number, worker.job = worker.job, None
        if died is not None:
            if number is not None:
                yield number, died
            elif not worker.is_ready:
                self._count_early_death(died.how)
            worker.is_ready = False
            return
        if number is None:
            worker.is_ready = True
            self._died_early = 0
        else:
            yield number, message


def _work(
    pipe: "Connection",
    parent: int,
    function: Callable[..., Any],
    set_up: Callable[..., None],
    arguments: tuple[Any, ...],
) -> None:
    """In a worker: do one job after another until the pipe is closed."""
    die_with(parent)
    set_up(*arguments)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent needs no more
        pipe.send(None)
        while True:
            job = pipe.recv()
            try:
                outcome = pickle.dumps(function(*job))
            except Exception as error:  # raised in the parent
                outcome = pickle.dumps(Failed(_portable(error)))
            pipe.send_bytes(outcome)


def _portable(error: Exception) -> Exception:
    """Return an error as it can be sent, with its traceback if it is one of ours."""
    if not isinstance(error, BagenError):
        error.add_note(f"in a worker process:\n{traceback.format_exc()}")
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  our own, of this moment
    except Exception:  # whatever an error's own class raises
        kind = BagenError if isinstance(error, BagenError) else RuntimeError
        return kind(f"{error}" if kind is BagenError else f"{type(error).__name__}: {error}")
    return error


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
