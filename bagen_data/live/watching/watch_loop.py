"""Show a watched log once, or until the watch is ended."""

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rich.live import Live

from bagen_data.console import STDERR, shown, stdout_console
from bagen_data.errors import InputError
from bagen_data.live.watching.run_states import TurnState
from bagen_data.live.watching.state_json import line_json, state_json
from bagen_data.live.watching.state_screen import Screen
from bagen_data.live.watching.state_text import turn_line
from bagen_data.live.watching.watcher import Watcher, WatchState

_TRIES = 5
"""Looks at a log that cannot be read at first, as it may be half written."""
_PAUSE = 0.2
"""Seconds between them."""
_PAUSE_WHERE_NEW, _PAUSE_ELSE = 10, 100
"""Least pause, in times that the look before it took: a folder of thousands of logs costs little
while nothing changes."""
_ENDS = ("SIGTERM", "SIGHUP")


def look_once(watcher: Watcher) -> WatchState:
    """Return the state of a log as it is now.

    Raises:
        InputError: the log does not exist, is a folder without a log, or cannot be read.
    """
    for _ in range(_TRIES):
        watcher.look()
        if not watcher.state.problem:
            break
        time.sleep(_PAUSE)
    if not watcher.log.exists():
        raise InputError(f"{watcher.log}: does not exist; expected a log file or a folder of logs")
    if watcher.state.problem:
        raise InputError(watcher.state.problem)
    if watcher.log.is_dir() and watcher.state.path == watcher.log:
        raise InputError(
            f"{watcher.log}: holds no log; expected a folder of logs, or leave --once out to wait "
            "for one"
        )
    return watcher.state


def print_json_once(watcher: Watcher) -> None:
    """Print the state of a log as one JSON object."""
    _print(json.dumps(state_json(look_once(watcher), watcher.setup), indent=2))


def print_screen_once(watcher: Watcher) -> None:
    """Print the state of a log for people."""
    stdout_console().print(Screen(look_once(watcher), watcher.setup), crop=False)


def follow_on_screen(watcher: Watcher, every: float) -> None:
    """Redraw the state of a log in the terminal; the last one stays there at the end."""
    console = stdout_console()
    size = console.size
    with _ended_by_signals(), Live(console=console, auto_refresh=False) as live:
        for is_new in _looks(watcher, every):
            if is_new or console.size != size:
                size = console.size
                screen = Screen(watcher.state, watcher.setup, size.height)
                live.update(screen, refresh=True)


def follow_in_lines(watcher: Watcher, every: float) -> None:
    """Print a line of text for each new turn, and for each remark."""

    def line(turn: TurnState) -> str:
        return shown(turn_line(turn, watcher.setup.budgets)).plain

    def remark(text: str) -> None:
        _print(f"note: {shown(text).plain}")

    _follow(watcher, every, line, remark)


def follow_in_json(watcher: Watcher, every: float) -> None:
    """Print a line of JSON for each new turn; remarks go to stderr."""

    def line(turn: TurnState) -> str:
        return json.dumps(line_json(watcher.state, turn))

    def remark(text: str) -> None:
        STDERR.print(shown(text))

    _follow(watcher, every, line, remark)


def _follow(
    watcher: Watcher,
    every: float,
    line: Callable[[TurnState], str],
    remark: Callable[[str], None],
) -> None:
    """Print a line for each turn that is new or another one, and each new remark."""
    printed: tuple[str, ...] = ()
    with _ended_by_signals(), _until_nobody_reads():
        for is_new in _looks(watcher, every):
            state = watcher.state
            if not is_new:
                continue
            for turn in state.turns[state.first_new :]:
                _print(line(turn))
            remarks = (*state.notes, *filter(None, [state.problem]))
            for text in remarks:
                if text not in printed:
                    remark(text)
            printed = remarks


def _looks(watcher: Watcher, every: float) -> Iterator[bool]:
    """Look at a log again and again; yield whether there was anything new."""
    while True:
        start = time.monotonic()
        is_new = watcher.look()
        yield is_new
        pause = (_PAUSE_WHERE_NEW if is_new else _PAUSE_ELSE) * (time.monotonic() - start)
        time.sleep(max(every, pause))


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


@contextmanager
def _until_nobody_reads() -> Iterator[None]:
    """End quietly where the reader of stdout has gone away, as `head` does."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """End by an exception where a signal asks for the end, so that the terminal is left in order.

    Signals can be handled in the main thread alone; elsewhere they stay as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in _ENDS if hasattr(signal, name)]
    before: list[tuple[int, Any]] = [(each, signal.signal(each, _end)) for each in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)
