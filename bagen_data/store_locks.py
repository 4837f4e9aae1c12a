"""A lock object in a folder of a store, so that two processes rarely write to one place at once.

An object store has no locks. A process writes an object with a token of its own, where the store
can say that only if nothing is there yet, and rewrites it every 20 seconds as a sign of life. The
lock of a process that has ended is taken over: at once where it ran on this machine, else after it
gave no sign for 70 seconds. A process looks for its token before each step that others would see.

What remains: a process that loses its lock between such a look and the step after it, because it or
the store stood still for more than a minute, may write beside its successor. Readers notice, as
the manifest then differs from the files; the next build puts it right.
"""

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

from bagen_data.errors import BagenError, OutputError
from bagen_data.folder_staging import new_token
from bagen_data.locations import StoreUrl
from bagen_data.stores import create, read_bytes, remove, write_bytes

LOCK = ".building.lock"
"""The lock's name in the folder."""
_BEAT = 20
"""Seconds between two signs of life."""
_SILENCE = 70
"""Seconds without a sign of life after which a process is taken to have ended."""
_LOOK = 2
"""Seconds between two looks for a sign of life."""
_SETTLE = 0.2
"""Seconds after which another lock that was written at the same time would show."""
_TRIES = 5
"""Times that a lock may vanish or change while it is taken."""


@dataclass(frozen=True)
class StoreLock:
    """The lock of a folder, held by this process as long as `check` says so."""

    folder: StoreUrl
    token: str

    def check(self) -> None:
        """Refuse to go on if another process took the lock over.

        Raises:
            OutputError: it did.
        """
        holder = _holder(self.folder)
        if holder.get("token") != self.token:
            other = _described(holder) if holder else "removed its lock"
            raise OutputError(
                f"{self.folder}: another process writes it or {other}; expected one at a time; "
                "run again when nothing writes to it"
            )

    def beat(self) -> None:
        """Show that this process lives, unless it lost the lock."""
        if _holder(self.folder).get("token") == self.token:
            write_bytes(self.folder / LOCK, _content(self.token))


@contextmanager
def held_store(folder: StoreUrl) -> Iterator[StoreLock]:
    """Hold a folder of a store for the length of a block, as far as a store allows it.

    Raises:
        OutputError: another process holds it.
        StoreError, OSError: the lock cannot be written.
    """
    lock = StoreLock(folder, new_token())
    _take(lock)
    ended = Event()
    signs = Thread(target=_live, args=(lock, ended), daemon=True)
    signs.start()
    try:
        yield lock
    finally:
        ended.set()
        signs.join()
        with suppress(BagenError, OSError):  # the next process takes it over
            if _holder(folder).get("token") == lock.token:
                remove(folder / LOCK)


def _live(lock: StoreLock, ended: Event) -> None:
    while not ended.wait(_BEAT):
        with suppress(BagenError, OSError):  # `check` says what became of the lock
            lock.beat()


def _take(lock: StoreLock) -> None:
    for _ in range(_TRIES):
        holder = _holder(lock.folder)
        if holder and holder.get("token") != lock.token:
            if not _has_ended(lock.folder, holder):
                raise OutputError(
                    f"{lock.folder}: another process {_described(holder)}; wait for its end, or "
                    f"give another --out; if nothing writes there, remove {lock.folder / LOCK}"
                )
            remove(lock.folder / LOCK)
        create(lock.folder / LOCK, _content(lock.token))
        if _holder(lock.folder).get("token") == lock.token:
            time.sleep(_SETTLE)
            lock.check()
            return
    raise OutputError(
        f"{lock.folder}: its lock {LOCK} changes again and again; expected one process to write "
        "there; wait for the end of the others, or give another --out"
    )


def _holder(folder: StoreUrl) -> dict[str, Any]:
    """Return what a lock says of its process; empty if the lock is missing."""
    try:
        content = json.loads(read_bytes(folder / LOCK))
    except FileNotFoundError:
        return {}
    except ValueError:
        content = None
    return content if isinstance(content, dict) else {"token": ""}


def _content(token: str) -> bytes:
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    process = {"host": socket.gethostname(), "machine": _machine(), "process": os.getpid()}
    begun = _begun(os.getpid())
    return json.dumps({"token": token, **process, "begun": begun, "sign_of_life": now}).encode()


def _described(holder: dict[str, Any]) -> str:
    return (
        f"writes it (process {holder.get('process', 'unknown')} on "
        f"{holder.get('host', 'an unknown machine')}, last seen {holder.get('sign_of_life', '-')})"
    )


def _has_ended(folder: StoreUrl, holder: dict[str, Any]) -> bool:
    """Return whether the process of a lock has ended; it is waited for a sign of life."""
    machine, process = holder.get("machine"), holder.get("process")
    if machine and machine == _machine() and isinstance(process, int):
        return _begun(process) != holder.get("begun")
    until = time.monotonic() + _SILENCE
    while time.monotonic() < until:
        time.sleep(min(_LOOK, _SILENCE))
        if _holder(folder) != holder:
            return False
    return True


def _machine() -> str:
    """Return what tells this run of a machine, and a container on it, from others; may be empty."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{socket.gethostname()} {boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:  # another system than Linux
        return ""


def _begun(process: int) -> str:
    """Return when a process of this machine began; empty where it has ended."""
    try:
        status = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    state, *fields = status.rpartition(")")[2].split()
    return "" if state in {"Z", "X"} else fields[18]
