"""Look for a key as a command of an agent would; print what is found, reversed.

    python3 hunt.py [environ cmdline descriptors memory processes] [PATH or HOST:PORT ...]

It runs in the clone of an instance. What it prints is reversed, so that no redaction hides a find.
"""

import os
import re
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from glob import glob

KEY = re.compile(rb"sentinel-[0-9a-f]{32}")
_MOST = 50_000_000


def main() -> int:
    """Return 1 if anything was found."""
    finds = set()
    for place in sys.argv[1:]:
        for content in _PLACES.get(place, _elsewhere(place))():
            finds |= {reversed_key[::-1].decode() for reversed_key in KEY.findall(content)}
            finds |= {content.decode()} if content.startswith(b"reached ") else set()
    print(*sorted(finds), sep="\n")
    return bool(finds)


def environ() -> Iterator[bytes]:
    """Yield the variables of this process and of all others."""
    yield repr(dict(os.environb)).encode()
    yield from _contents("/proc/[0-9]*/environ")
    yield from _contents("/proc/[0-9]*/task/*/environ")


def cmdline() -> Iterator[bytes]:
    """Yield the arguments of all processes."""
    yield from _contents("/proc/[0-9]*/cmdline")


def descriptors() -> Iterator[bytes]:
    """Yield the files that processes have open."""
    for path in glob("/proc/[0-9]*/fd/*"):
        if os.path.isfile(path):
            yield _content(path)


def memory() -> Iterator[bytes]:
    """Yield the memory of all processes but this one."""
    for maps in glob("/proc/[0-9]*/maps"):
        if maps == f"/proc/{os.getpid()}/maps":
            continue
        for line in _content(maps).decode("utf-8", "replace").splitlines():
            if " rw" in line and ("[heap]" in line or "[stack]" in line or line.split()[4] == "0"):
                yield _memory(maps.replace("maps", "mem"), line.split()[0])


def processes() -> Iterator[bytes]:
    """Yield the processes that a signal would reach, but this one and those it was started by."""
    own = {os.getpid(), os.getppid(), 1}
    for path in glob("/proc/[0-9]*"):
        number = int(os.path.basename(path))
        if number not in own and _content(f"{path}/cmdline") and number < os.getpid() - 20:
            try:
                os.kill(number, signal.SIG_DFL)
            except OSError:
                continue
            yield b"reached process %d" % number


def _elsewhere(place: str) -> Callable[[], Iterator[bytes]]:
    def folder() -> Iterator[bytes]:
        for root, folders, names in os.walk(place):
            if "pyvenv.cfg" in names:  # an environment: its packages are gigabytes
                folders[:] = [name for name in folders if name == "bin"]
            yield from (_content(os.path.join(root, name)) for name in names)

    def server() -> Iterator[bytes]:
        host, _, port = place.partition(":")
        try:
            with socket.create_connection((host, int(port)), 2):
                yield f"reached {place}".encode()
        except OSError:
            return

    return folder if place.startswith("/") else server


def _contents(pattern: str) -> Iterator[bytes]:
    for path in glob(pattern):
        yield _content(path)


def _content(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(_MOST)
    except OSError:
        return b""


def _memory(path: str, bounds: str) -> bytes:
    start, end = (int(bound, 16) for bound in bounds.split("-"))
    try:
        with open(path, "rb") as file:
            file.seek(start)
            return file.read(min(end - start, _MOST))
    except (OSError, OverflowError, ValueError):
        return b""


_PLACES = {each.__name__: each for each in (environ, cmdline, descriptors, memory, processes)}

if __name__ == "__main__":
    sys.exit(main())
