"""Engines that a build runs on, as processes that can be killed one by one."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

import pytest

from tests.making import REPO

WORKER, NODE, DRIVER = "worker", "node", "driver"
"""Victims: a process that does jobs, what watches over these, and the command itself."""
_SECONDS_TO_END = 180
"""Seconds in which processes end whose parent was killed; Ray's agents look for theirs rarely."""


def descendants(pid: int) -> dict[int, bytes]:
    """Return the command line of each process that another one started, or one of those did."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(stat.parent.name))
    commands, waiting = {}, [pid]
    while waiting:
        for child in children.get(waiting.pop(), ()):
            with suppress(OSError):
                commands[child] = Path(f"/proc/{child}/cmdline").read_bytes()
            waiting.append(child)
    return commands


def outlive(pids: Collection[int]) -> list[int]:
    """Wait for processes to end, and return those that do not."""
    end = time.monotonic() + _SECONDS_TO_END
    while (left := [pid for pid in pids if _is_alive(pid)]) and time.monotonic() < end:
        time.sleep(0.05)
    return left


def _is_alive(pid: int) -> bool:
    try:
        return b") Z" not in Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return False


class LocalEngine:
    """Worker processes of the command itself."""

    executor = "local:2"
    victims = (WORKER, DRIVER)
    ends_with_command = True
    """Whether no process of it may outlive the command."""

    def pids(self, victim: str, driver: int) -> list[int]:
        """Return the processes that are victims of a kind just now."""
        if victim == DRIVER:
            return [driver]
        lines = descendants(driver).items()
        return [pid for pid, line in lines if b"spawn_main" in line]

    def put_right(self) -> None:
        """Start what was killed anew."""

    def close(self) -> None:
        """End everything."""


class RayEngine(LocalEngine):
    """A Ray that the command starts for itself."""

    executor = "ray"
    victims = (WORKER, NODE, DRIVER)

    def __init__(self) -> None:
        pytest.importorskip("ray", reason="Ray is not installed (the extra 'ray')")

    def pids(self, victim: str, driver: int) -> list[int]:
        """Return the processes that are victims of a kind just now."""
        if victim == DRIVER:
            return [driver]
        names = (b"ray::",) if victim == WORKER else (b"/raylet", b"gcs_server")
        lines = descendants(driver).items()
        return [pid for pid, line in lines if any(name in line.split(b"\0")[0] for name in names)]


class DaskEngine(LocalEngine):
    """A scheduler and two workers, each under a nanny, that outlive the commands.

    Jobs without a worker fail after a while: nobody starts a nanny that was killed.
    """

    victims = (WORKER, NODE, DRIVER)
    ends_with_command = False

    def __init__(self, folder: Path) -> None:
        pytest.importorskip("distributed", reason="Dask is not installed (the extra 'dask')")
        self._folder = folder
        self._processes: list[subprocess.Popen[bytes]] = []
        self.put_right()

    def pids(self, victim: str, driver: int) -> list[int]:
        """Return the processes that are victims of a kind just now."""
        scheduler, nanny = self._processes
        if victim == DRIVER:
            return [driver]
        if victim == NODE:
            return [scheduler.pid, nanny.pid]
        lines = descendants(nanny.pid).items()
        return [pid for pid, line in lines if b"spawn_main" in line]

    def put_right(self) -> None:
        """Start the cluster anew if its scheduler or its nanny is dead."""
        if self._processes and all(process.poll() is None for process in self._processes):
            return
        self.close()
        file = self._folder / "scheduler.json"
        file.unlink(missing_ok=True)
        more = ["--no-dashboard", "--scheduler-file", str(file)]
        scheduler = ["scheduler", "--host", "127.0.0.1", "--port", "0"]
        workers = ["worker", "--nworkers", "2", "--nthreads", "1", "--local-directory"]
        self._start([*scheduler, *more])
        while not file.exists() or not file.read_bytes():
            time.sleep(0.05)
        self._start([*workers, str(self._folder), *more])
        from distributed import Client

        with Client(scheduler_file=str(file), set_as_default=False) as client:
            client.wait_for_workers(2, timeout=120)
            self.executor = f"dask:{client.scheduler.address}"

    def close(self) -> None:
        """End the scheduler, the nannies and the workers."""
        for process in self._processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self._processes = []

    def _start(self, arguments: list[str]) -> None:
        self._processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "dask", *arguments],
                cwd=REPO,
                env=os.environ | {"DASK_DISTRIBUTED__SCHEDULER__NO_WORKERS_TIMEOUT": "20s"},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )
