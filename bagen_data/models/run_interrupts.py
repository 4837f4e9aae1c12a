"""Ctrl-C during a run: what was answered is kept, and one line says so."""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import resource_tracker
from pathlib import Path
from types import FrameType
from typing import Any

from bagen_data.errors import InterruptedRunError

LOGS = "logs"
"""The folder of Inspect's logs in that of the predictions."""
_GO_ON = "the same command with --resume"
_IGNORED = 1
"""Interrupts that are ignored after the first one, while the log is written."""
_CAN_BLOCK = hasattr(signal, "pthread_sigmask")  # not on Windows


@dataclass
class RunAt:
    """The progress of a run, for the line that an interrupt ends it with."""

    out: Path
    """The folder of its submission."""
    asked: Sequence[str] = ()
    """The log's ids of all samples of the run; empty until earlier logs are read."""

    @property
    def logs(self) -> Path:
        """The folder of its logs."""
        return (self.out / LOGS).absolute()

    def interrupted(self) -> InterruptedRunError:
        """Return the error that says what was answered, and how to go on."""
        if self.asked:
            from bagen_data.models.run_logs import answered_ids, run_logs  # imported by now

            answered = set().union(*map(answered_ids, run_logs(self.logs))) & set(self.asked)
            if answered:
                return InterruptedRunError(
                    f"interrupted; {len(answered):,} of {len(self.asked):,} samples are answered "
                    f"and kept in {self.logs}; go on with: {_GO_ON}"
                )
            return InterruptedRunError(
                f"interrupted; no sample is answered yet; go on with: {_GO_ON}"
            )
        if any(self.logs.glob("*.eval")):
            return InterruptedRunError(
                f"interrupted; what was answered before is kept in {self.logs}; go on with: "
                f"{_GO_ON}"
            )
        return InterruptedRunError("interrupted before anything was asked; nothing was written")


@contextmanager
def said_interrupts(out: Path) -> Iterator[RunAt]:
    """Turn Ctrl-C into an error that says what was answered.

    Args:
        out: the folder of the run's submission.

    Raises:
        InterruptedRunError: the block was interrupted.
    """
    run = RunAt(out)
    try:
        yield run
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process ends with this error
        raise run.interrupted() from None


@contextmanager
def interrupts_ignored() -> Iterator[None]:
    """Ignore Ctrl-C until the block ends."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def interrupts_held() -> Iterator[None]:
    """Let Ctrl-C act when the block ends; processes that start in it begin deaf to it.

    Such a process calls `heed_interrupts` when it is ready. On Windows it is not deaf.
    """
    came = False

    def note(*_: object) -> None:
        nonlocal came
        came = True

    if _CAN_BLOCK:
        resource_tracker.ensure_running()  # the first process starts it, which unblocks signals
    before = signal.signal(signal.SIGINT, note)  # the signal may reach another thread
    if _CAN_BLOCK:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # processes inherit it
    try:
        yield
    finally:
        if _CAN_BLOCK:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)


def heed_interrupts() -> None:
    """Heed Ctrl-C from now on, in a process that began deaf to it; earlier ones are forgotten."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if _CAN_BLOCK:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGINT, signal.default_int_handler)


@contextmanager
def second_interrupt_ignored() -> Iterator[Callable[[], None]]:
    """Yield a function that, once Inspect's loop runs, has it end in peace after an interrupt.

    The loop puts its own handler in place, which ends the run and writes its log at the first
    interrupt, and cuts that off at the second. Impatient users send two.
    """
    before = signal.getsignal(signal.SIGINT)
    handlers: list[Any] = []
    sent = 0

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal sent
        sent += 1
        if sent == 1 or sent > 1 + _IGNORED:
            handlers[0](number, frame)

    def guard() -> None:
        handler = signal.getsignal(signal.SIGINT)
        is_main = threading.current_thread() is threading.main_thread()
        if not handlers and is_main and callable(handler):
            handlers.append(handler)
            signal.signal(signal.SIGINT, handle)

    try:
        yield guard
    finally:
        if handlers:
            signal.signal(signal.SIGINT, before)
