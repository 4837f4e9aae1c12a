"""Worker processes: they leave Ctrl-C to their parent, do not outlive it, and may die.

The pool is our own, because `concurrent.futures` does not say which job a process died of, fails
every other job with it, and now and then never ends when processes are killed.
"""

import ctypes
import os
import pickle
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from bagen_data.errors import WorkerDiedError
from bagen_data.executors.job_executor import JobExecutor, LostWorkerError
from bagen_data.executors.jobs import portable

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

_P = ParamSpec("_P")
_T = TypeVar("_T")
_SET_DEATH_SIGNAL = 1
"""prctl's PR_SET_PDEATHSIG."""
_STARTS = 5
"""Processes in a row that may die before they have set themselves up."""
_SECONDS_TO_END = 10
"""Seconds that a process has to end after its last job."""
_TRIES = 3
"""Processes that may die of a job."""


def no_set_up() -> None:
    """Set up a process that needs nothing."""


def how_it_ended(exit_code: int) -> str:
    """Return in words how a process ended.

    Args:
        exit_code: the code of `multiprocessing`: minus the signal's number where one ended it.

    >>> how_it_ended(-9), how_it_ended(3)
    ('was ended by signal 9 (Killed)', 'ended with exit code 3')
    """
    if exit_code >= 0:
        return f"ended with exit code {exit_code}"
    return f"was ended by signal {-exit_code} ({signal.strsignal(-exit_code)})"


@dataclass(eq=False)
class _Job:
    call: bytes
    """The pickled function and its arguments."""
    future: "Future[Any]"
    """Pending until the job is done, so that it can be cancelled while a process is at work."""
    died: int = 0
    """Processes that died of it."""


@dataclass(eq=False)
class _Worker:
    process: "BaseProcess"
    pipe: "Connection"
    is_ready: bool = False
    """Whether the process has set itself up."""
    job: _Job | None = None
    """The job that the process is at."""


class WorkerProcesses(JobExecutor):
    """Processes that take a job at a time; they start when there are jobs.

    The future of a job whose processes died fails with `LostWorkerError`; where processes cannot be
    started at all, every future fails with `WorkerDiedError`. A process that is at work on a job
    that is cancelled is ended.

    Args:
        processes: the most processes; another one takes the place of one that died.
        set_up: a function of a module's top level, called once in each process before its first
            job.
        arguments: the arguments of `set_up`.
        tries: the number of processes that may die of a job before it is given up.
    """

    fewest_jobs = 2

    def __init__(
        self,
        processes: int,
        set_up: Callable[..., None] = no_set_up,
        arguments: tuple[Any, ...] = (),
        tries: int = _TRIES,
    ) -> None:
        self._most = processes
        self._start = (os.getpid(), set_up, arguments)
        self._tries = tries
        self._lock = threading.RLock()
        self._waiting: deque[_Job] = deque()
        self._is_closed = False
        self._is_killed = False
        self._broken: BaseException | None = None
        """Why no job can be done any more."""
        self._stops: list[threading.Event] = []
        """Events to set when no process is at a cancelled job."""
        self._bell: Connection | None = None
        """The pipe that wakes the thread; None before there is one."""
        self._has_rung = False
        self._thread: threading.Thread | None = None
        self._workers: list[_Worker] = []
        """The thread's alone."""
        self._died_early = 0

    @property
    def workers(self) -> int:
        """The most processes."""
        return self._most

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Pickle a job for the next process that is idle."""
        job = _Job(pickle.dumps((fn, args, kwargs)), Future())
        with self._lock:
            if self._is_closed:
                raise RuntimeError("worker processes that were shut down take no more jobs")
            if self._broken is not None:
                job.future.set_exception(self._broken)
                return job.future
            if self._thread is None:
                self._begin()
            self._waiting.append(job)
        job.future.add_done_callback(self._see_cancelled)
        self._ring()
        return job.future

    def stop(self, unneeded: Collection[Future[Any]]) -> None:
        """Cancel jobs, end the processes at work on them, and wait for the end of these."""
        for future in unneeded:
            future.cancel()
        stop = threading.Event()
        with self._lock:
            if self._bell is None:  # no process was started, or all have ended
                return
            self._stops.append(stop)
        self._ring()
        stop.wait()

    def kill(self) -> None:
        """Cancel all jobs, and end all processes at once."""
        self._is_killed = True
        self.shutdown()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more jobs, and end the processes when the last job is done.

        Args:
            wait: whether to wait for their end.
            cancel_futures: whether to cancel the jobs that wait for a process.
        """
        with self._lock:
            self._is_closed = True
            waiting = list(self._waiting) if cancel_futures else []
        for job in waiting:
            job.future.cancel()
        self._ring()
        if wait and self._thread is not None:
            self._thread.join()

    def _begin(self) -> None:
        from multiprocessing import Pipe

        ear, self._bell = Pipe(duplex=False)
        self._thread = threading.Thread(
            target=self._run, args=(ear,), name="worker processes", daemon=True
        )
        self._thread.start()

    def _ring(self) -> None:
        """Wake the thread, which waits for its workers."""
        with self._lock:
            if self._bell is not None and not self._has_rung:
                self._has_rung = True
                self._bell.send_bytes(b"")

    def _see_cancelled(self, future: "Future[Any]") -> None:
        if future.cancelled():
            self._ring()

    def _run(self, ear: "Connection") -> None:
        """Give jobs to processes from the thread, and hear from them, until all jobs are done.

        The processes are started here and nowhere else: the kernel kills them when the thread that
        started them ends.
        """
        from multiprocessing.connection import wait

        try:
            while self._give_jobs():
                ready = wait([ear, *(worker.pipe for worker in self._workers)])
                if ear in ready:
                    with self._lock:
                        ear.recv_bytes()
                        self._has_rung = False
                for worker in [worker for worker in self._workers if worker.pipe in ready]:
                    self._hear(worker)
        except BaseException as error:
            self._break(error)
        finally:
            self._end_workers()
            with self._lock:
                self._set_stops()
                if self._bell is not None:
                    self._bell.close()
                    self._bell = None
                ear.close()

    def _give_jobs(self) -> bool:
        """Start as many processes as there is work for, and give them jobs.

        Returns whether there is, or may be, anything left to wait for.
        """
        with self._lock:
            if self._is_killed:
                self._cancel(self._waiting)
            for job in [job for job in self._waiting if job.future.cancelled()]:
                self._waiting.remove(job)
                job.future.set_running_or_notify_cancel()
            waiting, stops, is_closed = len(self._waiting), bool(self._stops), self._is_closed
        at_work = [worker for worker in self._workers if worker.job is not None]
        if self._is_killed:
            self._cancel(worker.job for worker in at_work if worker.job is not None)
        for worker in at_work:
            if worker.job is not None and worker.job.future.cancelled():
                worker.process.kill()
                self._bury(worker)
                worker.job.future.set_running_or_notify_cancel()
        busy = sum(worker.job is not None for worker in self._workers)
        if stops:
            with self._lock:
                self._set_stops()
        if is_closed and not waiting and not busy:
            return False
        while len(self._workers) < min(self._most, waiting + busy):
            self._workers.append(self._started())
        for worker in self._workers:
            if worker.is_ready and worker.job is None:
                with self._lock:
                    if not self._waiting:
                        break
                    worker.job = self._waiting.popleft()
                with suppress(OSError):  # the worker died, which is heard next
                    worker.pipe.send_bytes(worker.job.call)
        return True

    def _hear(self, worker: _Worker) -> None:
        """Take what a worker says: that it is ready, a result, or its end."""
        try:
            message = worker.pipe.recv_bytes()
        except (EOFError, OSError):
            self._mourn(worker)
            return
        job, worker.job = worker.job, None
        if job is None:
            worker.is_ready = True
            self._died_early = 0
            return
        try:
            is_done, result = pickle.loads(message)  # noqa: S301  our own
        except Exception as error:  # whatever a result's own class raises
            is_done, result = False, error
        if job.future.set_running_or_notify_cancel():
            if is_done:
                job.future.set_result(result)
            else:
                job.future.set_exception(result)

    def _mourn(self, worker: _Worker) -> None:
        """Take note of a process that died, and give its job to another, or up."""
        how = how_it_ended(self._bury(worker))
        job = worker.job
        if job is None:
            if not worker.is_ready:
                self._count_early_death(how)
            return
        job.died += 1
        if job.died < self._tries:
            with self._lock:
                self._waiting.appendleft(job)
        elif job.future.set_running_or_notify_cancel():
            job.future.set_exception(LostWorkerError(how, job.died))

    def _bury(self, worker: _Worker) -> int:
        """Forget a process that is dead, or about to be; returns its exit code."""
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join()
        exit_code = worker.process.exitcode or 0
        worker.process.close()
        return exit_code

    def _started(self) -> _Worker:
        from multiprocessing import get_context

        context = get_context("spawn")
        while True:
            ours, theirs = context.Pipe()
            process = context.Process(target=_work, args=(theirs, *self._start), daemon=True)
            try:
                process.start()
            except BrokenPipeError:  # the worker died before it heard of its job
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

    def _break(self, error: BaseException) -> None:
        """Fail all jobs, those of the future too."""
        with self._lock:
            self._broken = error
            lost = [*self._waiting, *(worker.job for worker in self._workers if worker.job)]
            self._waiting.clear()
        for job in lost:
            if job.future.set_running_or_notify_cancel():
                job.future.set_exception(error)
        for worker in self._workers:
            worker.process.kill()

    @staticmethod
    def _cancel(jobs: Iterable[_Job]) -> None:
        for job in jobs:
            job.future.cancel()

    def _set_stops(self) -> None:
        while self._stops:
            self._stops.pop().set()

    def _end_workers(self) -> None:
        """End all processes, which are idle or killed, and wait for them."""
        for worker in self._workers:
            if not worker.is_ready:  # the worker still imports modules that nobody needs
                worker.process.kill()
            worker.pipe.close()  # workers take that for the end
        for worker in self._workers:
            worker.process.join(_SECONDS_TO_END)
            if worker.process.exitcode is None:
                worker.process.kill()
                worker.process.join()
            worker.process.close()
        self._workers.clear()


def _work(
    pipe: "Connection", parent: int, set_up: Callable[..., None], arguments: tuple[Any, ...]
) -> None:
    """Do one job after another in a worker, until the pipe is closed.

    It ends without taking apart what it imported, for which its parent would have to wait.
    """
    die_with(parent)
    set_up(*arguments)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent needs no more
        pipe.send_bytes(b"")
        while True:
            call = pipe.recv_bytes()
            try:
                function, positional, named = pickle.loads(call)  # noqa: S301  the parent's
                outcome = pickle.dumps((True, function(*positional, **named)))
            except Exception as error:  # raised in the parent
                outcome = pickle.dumps((False, portable(error)))
            pipe.send_bytes(outcome)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


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
