"""Run a command whose Python children are forks: SCRIPT OPTION..., or -m MODULE OPTION...

A launcher, a sweep, an evaluation by several engines and a run on several servers start Python anew
for each process, which then imports for seconds. Here a child is a fork of the process that
`tests/forks.py` keeps, at the state before the command ran. It has the id, files, environment,
folder, session and way with Ctrl-C that `subprocess` or `multiprocessing` would give it, and the
command is its parent: it waits for it and sends it signals. A child of a child that `subprocess`
starts is a fork too. Without Linux, or for any other program, nothing is changed.
"""

import ctypes
import json
import multiprocessing.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bagen_data.worker_processes import die_with
from tests.forks import run_program

_ADOPT = 36
"""prctl's PR_SET_CHILD_SUBREAPER: a child's children become this process's when the child ends."""
_NOT_PIPED = -1
_ERRORS, _NEW_SESSION = 7, 9
"""Places of the pipe for errors and of `start_new_session` in `rest`, below."""


class _Child(NamedTuple):
    """A child to fork."""

    words: Sequence[str]
    """A script, `-m MODULE` or `-c CODE`, and options."""
    variables: Mapping[str, str]
    folder: str
    is_session: bool
    """Whether a session begins with it."""
    is_blocked: bool
    """Whether the main thread of the parent holds Ctrl-C back."""
    is_ignored: bool
    """Whether the parent ignores Ctrl-C."""
    files: Sequence[int]
    """The number of each open file that it is sent."""


def run(words: Sequence[str]) -> None:
    """Run a script or a module as `python` would, with children that are forks."""
    if sys.platform == "linux":
        _fork_children()
    run_program(list(words))


def _fork_children() -> None:
    """Keep this process's state in a fork of it, and ask that for children."""
    here = os.getpid()
    ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        die_with(here)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _serve(theirs)
    theirs.close()
    ctypes.CDLL(None).prctl(_ADOPT, 1)
    lock = threading.Lock()

    def fork(child: _Child, files: Sequence[int]) -> int:
        with lock:
            socket.send_fds(ours, [json.dumps(child).encode()], files)
            return int(ours.recv(32))

    _fork_those_of_subprocess(fork)
    _fork_those_of_multiprocessing(fork)


def _fork_those_of_subprocess(fork: Callable[[_Child, Sequence[int]], int]) -> None:
    begin: Any = subprocess._fork_exec  # type: ignore[attr-defined]

    def started(
        command: Sequence[bytes | str],
        programs: Any,
        close: bool,
        kept: Sequence[int],
        folder: Any,
        environment: Sequence[bytes] | None,
        *rest: Any,
    ) -> Any:
        words = _of_python([os.fsdecode(word) for word in command])
        if not words or list(kept) != [rest[_ERRORS]]:
            return begin(command, programs, close, kept, folder, environment, *rest)
        pairs = [os.fsdecode(each).partition("=") for each in environment or ()]
        variables = (
            dict(os.environ) if environment is None else {name: value for name, _, value in pairs}
        )
        place = os.fsdecode(folder or Path.cwd())
        piped = rest[0], rest[3], rest[5]
        files = [n if own == _NOT_PIPED else own for n, own in enumerate(piped)]
        session = bool(rest[_NEW_SESSION])
        return fork(_Child(words, variables, place, session, *_of_interrupts(), [0, 1, 2]), files)

    subprocess._fork_exec = started  # type: ignore[attr-defined]
    subprocess._USE_POSIX_SPAWN = False  # type: ignore[attr-defined]


def _of_python(command: Sequence[str]) -> list[str]:
    """Return what a command of this Python runs, and its options; nothing of another command."""
    words = list(command[1:])
    if words[:1] == ["-u"]:
        del words[0]
    is_script = bool(words) and (words[0] == "-m" or words[0].endswith(".py"))
    return words if command[0] == sys.executable and is_script else []


def _fork_those_of_multiprocessing(fork: Callable[[_Child, Sequence[int]], int]) -> None:
    begin: Any = multiprocessing.util.spawnv_passfds  # type: ignore[attr-defined]

    def started(program: Any, command: Sequence[Any], files: Sequence[int]) -> Any:
        if "--multiprocessing-fork" not in command:
            return begin(program, command, files)
        words = list(map(str, command[command.index("-c") :]))
        files = [0, 1, 2, *files]
        place = str(Path.cwd())
        return fork(_Child(words, dict(os.environ), place, False, *_of_interrupts(), files), files)

    multiprocessing.util.spawnv_passfds = started  # type: ignore[attr-defined]


def _of_interrupts() -> tuple[bool, bool]:
    """Return whether this thread holds Ctrl-C back, and whether this process ignores it."""
    is_blocked = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    return is_blocked, signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def _serve(requests: socket.socket) -> None:
    """Fork a child of the parent for each request until there are no more."""
    while True:
        request, files, _, _ = socket.recv_fds(requests, 1 << 20, 100)
        if not request:
            os._exit(0)
        reader, writer = os.pipe()
        between = os.fork()
        if between == 0:
            between = os.getpid()
            if os.fork():
                os._exit(0)
            for file in (reader, requests.detach()):
                os.close(file)
            while os.getppid() == between:
                time.sleep(0.001)
            _become(_Child(*json.loads(request)), writer, files)
        for file in (writer, *files):
            os.close(file)
        os.waitpid(between, 0)  # from here on the child is the parent's
        requests.send(os.read(reader, 32))
        os.close(reader)


def _become(child: _Child, started: int, files: Sequence[int]) -> None:
    """Say to the pipe `started` that a child has started, run it, and exit as it does."""
    if child.is_blocked:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    heed = signal.SIG_IGN if child.is_ignored else signal.default_int_handler
    signal.signal(signal.SIGINT, heed)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if child.is_session:
        os.setsid()
    os.write(started, b"%d" % os.getpid())  # from here on it may be sent signals
    os.close(started)
    os.chdir(child.folder)
    os.environ.clear()
    os.environ.update(child.variables)
    from fcntl import F_DUPFD, fcntl  # not on Windows

    free = max(child.files) + 1
    moved = [fcntl(file, F_DUPFD, free) for file in files]  # away from the numbers of others
    for file in files:
        os.close(file)
    for number, file in zip(child.files, moved, strict=True):
        os.dup2(file, number)
        os.close(file)
    (run_program if child.words[0] == "-c" else run)(list(child.words))


if __name__ == "__main__":
    run(sys.argv[1:])
