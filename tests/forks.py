"""Commands as forks of a process that has imported what they need.

A command that asks a model or trains one imports for seconds before it does anything. Here one
process imports once, and forks for each command: a process of its own, which can be killed, has
its own environment and output, and runs a module or a script as `python` would.
"""

import atexit
import gc
import inspect
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from bagen_data.worker_processes import die_with
from tests.making import REPO

TO_THE_VERY_END = "TEST_ENDS_AS_PYTHON_DOES"
"""An environment variable: a command ends as Python does, and frees all modules."""
FORKED_CHILDREN = "tests/forked_children.py"
"""The script that goes before a command whose own Python processes are to be forks too."""


class Forks:
    """Starts commands; the process that they are forked from is started with the first.

    That process lives as long as this one, so the test files of a worker share it: it has imported
    for ten seconds. `close` ends it earlier.
    """

    def __init__(self, *modules: str, environment: Mapping[str, str]) -> None:
        self._modules = modules
        self._environment = dict(environment)
        self._parent: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None

    def start(
        self, command: Sequence[object], environment: Mapping[str, str], folder: Path = REPO
    ) -> "Fork":
        """Start `-m MODULE ...` or `SCRIPT ...` in a folder, in a session of its own."""
        requests = self._socket or self._begin()
        ours, theirs = socket.socketpair()
        out, err = (tempfile.TemporaryFile() for _ in range(2))  # noqa: SIM115  the fork's
        with theirs:
            words = list(map(str, command))
            request = json.dumps([words, dict(environment), str(folder)]).encode()
            files = [theirs.fileno(), out.fileno(), err.fileno()]
            socket.send_fds(requests, [request], files)
        return Fork(ours, out, err)

    def run(
        self, command: Sequence[object], environment: Mapping[str, str], folder: Path = REPO
    ) -> "subprocess.CompletedProcess[str]":
        """Start a command and wait for its end."""
        process = self.start(command, environment, folder)
        out, err = process.communicate()
        return subprocess.CompletedProcess(command, process.returncode or 0, out, err)

    def close(self) -> None:
        """End the process that commands are forked from; the next command starts another."""
        atexit.unregister(self.close)
        if self._parent is not None and self._socket is not None:
            self._socket.close()
            self._parent.wait()
            self._parent = self._socket = None

    def _begin(self) -> socket.socket:
        ours, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
        with theirs:
            self._parent = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.forks"),
                    *(str(theirs.fileno()), str(os.getpid()), *self._modules),
                ],
                cwd=REPO,
                env=self._environment,
                pass_fds=[theirs.fileno()],
            )
            atexit.register(self.close)
        self._socket = ours
        return ours


class Fork:
    """A command that was started, as `subprocess.Popen` would show it."""

    def __init__(self, connection: socket.socket, out: Any, err: Any) -> None:
        self._connection = connection
        self._files = out, err
        self._heard = b""
        self.returncode: int | None = None
        self.pid = int(self._told())

    def poll(self) -> int | None:
        """Return the exit code, that of a signal below 0; None while it runs."""
        if self.returncode is None and (
            self._heard or select.select([self._connection], [], [], 0)[0]
        ):
            self.wait()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, so many seconds at most, and return the exit code."""
        if self.returncode is None:
            self._connection.settimeout(timeout)
            self.returncode = int(self._told())
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """Wait for its end and return its standard output and its standard error."""
        self.wait(timeout)
        written = []
        for file in self._files:
            file.seek(0)
            written.append(file.read().decode())
        self.close()
        return written[0], written[1]

    def close(self) -> None:
        """Close what it is told by and what it writes to; the process itself is left alone."""
        for open_file in (self._connection, *self._files):
            open_file.close()

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill it and all that it started in its session, of which some may outlive it."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _told(self) -> bytes:
        while b"\n" not in self._heard:
            part = self._connection.recv(16)
            if not part:
                raise RuntimeError("the process that commands are forked from has died")
            self._heard += part
        line, _, self._heard = self._heard.partition(b"\n")
        return line


def _serve(requests: socket.socket, modules: Sequence[str]) -> None:
    """Fork for each request until there are no more."""
    for name in modules:
        import_module(name)
    gc.freeze()
    waiting = set()
    while True:
        request, files, _, _ = socket.recv_fds(requests, 1 << 20, 3)
        if not request:
            break
        fork = os.fork()
        if fork == 0:
            requests.close()
            _wait_for(request, files)
        for file in files:
            os.close(file)
        waiting = {one for one in (*waiting, fork) if not os.waitpid(one, os.WNOHANG)[0]}
    for one in waiting:
        os.waitpid(one, 0)


def _wait_for(request: bytes, files: Sequence[int]) -> None:
    """Fork the command, tell its id and its end, and exit; only the command itself returns."""
    here = os.getpid()
    child = os.fork()
    if child == 0:
        die_with(here)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.close(files[0])
        _become(*json.loads(request), *files[1:])
    os.write(files[0], b"%d\n" % child)
    _, status = os.waitpid(child, 0)
    os.write(files[0], b"%d\n" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(
    command: list[str], environment: dict[str, str], folder: str, out: int, err: int
) -> None:
    """Run the command with its environment, folder and files, and exit as it does."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    for source, target in ((out, 1), (err, 2)):
        os.dup2(source, target)
        os.close(source)
    run_program(command)


def run_program(command: list[str]) -> None:
    """Run `-m MODULE`, `-c CODE` or `SCRIPT`, and options, as `python` would.

    Only an exception leaves it. At its end Python frees every module, which in a fork copies their
    memory first: most of a second after PyTorch was imported. Here the process ends after the
    functions of `atexit`, unless the environment has `TO_THE_VERY_END`.
    """
    # torchrun looks at the stack, and would search all modules for the file of each frame of runpy
    inspect.modulesbyfile[inspect.getabsfile(runpy.run_path.__code__)] = "runpy"
    code: object = None
    try:
        if command[0] == "-m":
            sys.argv = command[1:]
            sys.path[0] = str(REPO)
            runpy.run_module(command[1], run_name="__main__", alter_sys=True)
        elif command[0] == "-c":
            sys.argv = ["-c", *command[2:]]
            exec(command[1], {"__name__": "__main__"})  # noqa: S102
        else:
            sys.argv = command
            sys.path[0] = str(Path(command[0]).resolve().parent)
            runpy.run_path(command[0], run_name="__main__")
    except SystemExit as end:
        code = end.code
    if not isinstance(code, int | None) or TO_THE_VERY_END in os.environ:
        sys.exit(code)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream and not stream.closed:
            stream.flush()
    os._exit(code or 0)


if __name__ == "__main__":
    die_with(int(sys.argv[2]))
    _serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[3:])
