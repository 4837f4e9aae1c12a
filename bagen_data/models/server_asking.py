"""Ask servers: one in this process, several in a process each.

Inspect runs one evaluation at a time in a process, at about 20 samples a second. So each server
has its own process, connections, retries and log, and none waits for another.
"""

import os
import signal
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from inspect_ai import eval as evaluate
from inspect_ai.model import Model, ModelCost, ModelInfo, get_model_info, set_model_info

from bagen_data.errors import OutputError
from bagen_data.executors.jobs import portable
from bagen_data.models.asked_prompts import sample_of
from bagen_data.models.model_log import SERVERS, TASK
from bagen_data.models.model_run import ModelRun, Price
from bagen_data.models.providers import find_model, prerequisites
from bagen_data.models.request_events import RequestEvent, SampleBegun, on_request_event
from bagen_data.models.run_interrupts import (
    heed_interrupts,
    interrupts_held,
    interrupts_ignored,
    second_interrupt_ignored,
)
from bagen_data.models.run_logs import RUN, server_mark
from bagen_data.models.server_share import ServerShare
from bagen_data.worker_processes import die_with, how_it_ended

GIVE_UP = 20
"""Samples that failed for good after which a server is given up, or a tenth of its samples if that
is more: the next would hardly do better."""


@dataclass(frozen=True)
class _Ready:
    """The first message of a process: from now on it heeds an interrupt."""


@dataclass(frozen=True)
class _Ended:
    """The server's share was asked, whatever came of it."""

    errors: Sequence[str]


@dataclass(frozen=True)
class _FailedRun:
    """The run cannot be asked of any server."""

    error: Exception


@dataclass(frozen=True)
class _Died:
    """The process ended before its share was asked."""

    how: str


_Message = _Ready | RequestEvent | _Ended | _FailedRun | _Died
_SECONDS_TO_END = 10
"""Seconds that a process has to end after its last message."""


@dataclass(frozen=True)
class Asking:
    """A run, and what each of its servers is asked with."""

    run: ModelRun
    price: Price | None
    """The price of the model's tokens; unknown if None."""
    logs: Path
    """The folder of logs."""


def ask_server(asking: Asking, model: Model, share: ServerShare) -> list[str]:
    """Ask a server its share; the answers are in a new log.

    Returns:
        The errors that ended the whole evaluation; failures of single samples are in the log.

    Raises:
        InputError: a package or a key of the model is missing.
        OutputError: the log, or Inspect's own data, cannot be written.
        KeyboardInterrupt: the user stopped it; what was answered is in the log.
    """
    try:
        return _evaluated(asking, model, share)
    except (OSError, sqlite3.Error) as error:
        raise OutputError(
            f"{asking.logs}: cannot be written, or Inspect's own data folder cannot: {error}; what "
            "was answered is kept; make room or give rights, then go on with --resume"
        ) from error


def _evaluated(asking: Asking, model: Model, share: ServerShare) -> list[str]:
    run = asking.run
    if asking.price:
        info = get_model_info(run.model) or ModelInfo()
        cost = ModelCost.model_validate(asdict(asking.price))
        set_model_info(run.model, info.model_copy(update={"cost": cost}))
    options: dict[str, Any] = {
        "log_dir": str(asking.logs),
        "fail_on_error": max(GIVE_UP, len(share.open) // 10),
        **run.options.generation,
        **run.options.limits,
    }
    with prerequisites(), _ends_in_peace():
        ended = evaluate(
            TASK,
            task_args={
                "dataset": run.dataset,
                "config": run.config,
                "split": run.split,
                "constrained": run.constrained,
                "variant": run.variant,
                "samples": [sample_of(each) for each in share.open],
            },
            model=model,
            metadata={RUN: run.record(), SERVERS: [server_mark(share.server)]},
            log_header_only=True,
            log_model_api=False,
            log_format="eval",
            score_display=False,
            display="none",
            ctl_server=False,
            **options,
        )
    if not ended or any(log.status == "cancelled" for log in ended):
        raise KeyboardInterrupt  # which Inspect keeps to itself
    return [log.error.message for log in ended if log.error]


@contextmanager
def _ends_in_peace() -> Iterator[None]:
    """Let an impatient second Ctrl-C not cut off the log that the first one has written."""
    heed = on_request_event.get()
    with second_interrupt_ignored() as guard:

        def guarded(event: RequestEvent) -> None:
            if isinstance(event, SampleBegun):
                guard()
            else:
                heed(event)

        token = on_request_event.set(guarded)
        try:
            yield
        finally:
            on_request_event.reset(token)


def ask_servers(
    asking: Asking, shares: Sequence[ServerShare], heed: Callable[[RequestEvent, str], None]
) -> dict[str | None, list[str]]:
    """Ask several servers at once.

    Ctrl-C ends all of them, and what was answered is kept. A process that dies is an error of its
    server; the others go on.

    Args:
        asking: what is asked.
        shares: the share of each server.
        heed: called with each event and the address of its server.

    Returns:
        What `ask_server` returns, by the server's address.

    Raises:
        as `ask_server`.
    """
    errors: dict[str | None, list[str]] = {}
    is_interrupted = False
    with _processes(asking, shares) as processes:
        while processes:
            try:
                _hear(processes, errors, heed)
            except KeyboardInterrupt:
                is_interrupted = True
                with interrupts_ignored():
                    _interrupt(processes)
    if is_interrupted:
        raise KeyboardInterrupt
    return errors


@dataclass
class _ServerProcess:
    """A server, and the process that asks it."""

    address: str | None
    process: BaseProcess
    pipe: Connection
    is_ready: bool = False
    """Whether the process heeds an interrupt."""
    is_stopped: bool = False
    """Whether the process was killed by an interrupt, before it asked anything."""


@contextmanager
def _processes(asking: Asking, shares: Sequence[ServerShare]) -> Iterator[list[_ServerProcess]]:
    """Start a process a server; none is left when the block ends, however it ends."""
    context = get_context("spawn")
    started: list[_ServerProcess] = []
    try:
        with interrupts_held():
            for share in shares:
                ours, theirs = context.Pipe()
                arguments = (theirs, os.getpid(), asking, share)
                process = context.Process(target=_ask_in_process, args=arguments, daemon=True)
                process.start()
                theirs.close()
                started.append(_ServerProcess(share.server, process, ours))
        running = list(started)
        yield running
    finally:
        for each in started:
            if not each.pipe.closed:
                each.process.kill()
                each.pipe.close()
            each.process.join(_SECONDS_TO_END)
            each.process.kill()
            each.process.join()


def _hear(
    running: list[_ServerProcess],
    errors: dict[str | None, list[str]],
    heed: Callable[[RequestEvent, str], None],
) -> None:
    """Take a message of each process that has one; those that ended are taken out."""
    ready = wait([each.pipe for each in running])
    for server in [each for each in running if each.pipe in ready]:
        message: _Message
        try:
            message = server.pipe.recv()
        except (EOFError, OSError):
            server.process.join()
            message = _Died(how_it_ended(server.process.exitcode or 0))
        if isinstance(message, _FailedRun):
            raise message.error
        if isinstance(message, _Ready):
            server.is_ready = True
        elif isinstance(message, RequestEvent):
            heed(message, server.address or "")
        else:
            running.remove(server)
            server.pipe.close()
            if isinstance(message, _Died):
                errors[server.address] = [] if server.is_stopped else [_words(message)]
            else:
                errors[server.address] = list(message.errors)


def _words(died: _Died) -> str:
    return f"the process that asked this server {died.how}; perhaps the memory ran out"


def _interrupt(running: Sequence[_ServerProcess]) -> None:
    """Have each process end as one that is interrupted; kill one that has not started."""
    for each in running:
        if each.is_ready and each.process.pid:
            with suppress(ProcessLookupError):
                os.kill(each.process.pid, signal.SIGINT)
        else:
            each.is_stopped = True
            each.process.kill()


def _ask_in_process(pipe: Connection, parent: int, asking: Asking, share: ServerShare) -> None:
    """Ask a server in a process of its own, and say what becomes of it."""
    die_with(parent)
    if hasattr(os, "setsid"):  # not on Windows
        os.setsid()  # Ctrl-C reaches the parent alone, which passes it on once
    on_request_event.set(pipe.send)
    message: _Message
    try:
        heed_interrupts()
        pipe.send(_Ready())
        options = replace(asking.run.options, base_url=share.server)
        message = _Ended(ask_server(asking, find_model(asking.run.model, options), share))
    except KeyboardInterrupt:
        message = _Ended([])
    except Exception as error:  # raised in the parent
        message = _FailedRun(portable(error))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError):  # the parent is gone
        pipe.send(message)
