"""Requests that try to read more than a site, or to keep its server from answering others.

A NUL in a path ended in a traceback, links in the site were followed out of it, a page of another
host whose name leads to 127.0.0.1 could read the site, and a few hundred connections that say
nothing kept the server busy for ever.
"""

import os
import random
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from leaderboard import app
from leaderboard.app import LOOPBACK, server
from tests.attacks.tallies import Tally
from tests.serving import serving

SECRET = b"what lies outside of the site"
PARTS = (
    *("..", "%2e%2e", ".%2e", "%252e%252e", "..%2f", "%2f", "%5c", "\\", "//", "/", ".", "%00"),
    *("secret.txt", "out.txt", "up", "loop", "pipe", "files", "index.html", "%ff", "%0d%0aX: y"),
    *("\0", "\x7f", ";", "?", "#", "~root", "C:", "con", "etc", "passwd", "%u002e", "%c0%ae", "@"),
)
HOSTS = ("localhost", "127.0.0.1", "evil.example", "", "localhost, evil", "a" * 300, "\0")
LINES = ("GET {path} HTTP/1.1", "HEAD {path} HTTP/1.0", "GET {path}", "POST {path} HTTP/1.1")
OTHERS = (
    "PUT {path} HTTP/1.1",
    "GET http://evil{path} HTTP/1.1",
    "GET http://[{path} HTTP/1.1",
    "GET {path} HTTP/9.9",
)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    (site / "files").mkdir(parents=True)
    (site / "index.html").write_text("here")
    (tmp_path / "secret.txt").write_bytes(SECRET)
    (site / "out.txt").symlink_to(tmp_path / "secret.txt")
    (site / "files" / "index.html").symlink_to("../../secret.txt")
    (site / "up").symlink_to("..")
    (site / "loop").symlink_to("loop")
    os.mkfifo(site / "pipe")
    return site


@pytest.fixture
def port(site: Path) -> Iterator[int]:
    running = server(site, LOOPBACK, 0)
    with serving(running):
        yield running.server_port


def ask(port: int, request: bytes) -> bytes:
    """The answer to bytes as they are; b"" if there is none."""
    with socket.create_connection((LOOPBACK, port), timeout=15) as connection:
        answer = b""
        try:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(1 << 16):
                answer += part
        except TimeoutError:
            raise
        except OSError:
            pass  # the server has ended the connection
        return answer


@pytest.mark.attack("requests for what a site does not hold")
def test_requests_for_what_a_site_does_not_hold(
    port: int, tally: Tally, capfd: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(17)
    for _ in range(tally.size(500, 20_000)):
        path = "/" + draw.choice(["", "/"]).join(draw.choices(PARTS, k=draw.randint(1, 6)))
        lines = [draw.choice(LINES if draw.random() < 0.8 else OTHERS).format(path=path)]
        host = draw.choice(HOSTS)
        lines += [f"Host: {host}"] * draw.choice([1, 1, 1, 0, 2])
        request = "\r\n".join([*lines, "", ""]).encode("utf-8")
        tally.tried += 1
        try:
            answer = ask(port, request)
        except TimeoutError:
            tally.hung += 1
            continue
        is_ours = host in ("localhost", "127.0.0.1")
        tally.wrong += SECRET in answer or (not is_ours and b"\r\nhere" in answer)
        tally.wrong += b"\r\nX: y" in answer
    tally.crashed += capfd.readouterr().err.count("Traceback")
    assert b"here" in ask(port, f"GET / HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n".encode())


@pytest.mark.attack("connections that keep a server busy")
def test_connections_that_keep_a_server_busy(
    port: int, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = tally.size(1, app.ASKING_SECONDS)
    monkeypatch.setattr(app, "ASKING_SECONDS", seconds)
    longest = 0.0
    for drips in (b"", b"G", b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "):
        with ExitStack() as stack:
            count = tally.size(100, 300)
            idle = [
                stack.enter_context(socket.create_connection((LOOPBACK, port), timeout=15))
                for _ in range(count)
            ]
            begin = time.monotonic()
            answered = False
            while not answered and time.monotonic() - begin < seconds + 15:
                for connection in idle:
                    try:
                        connection.sendall(drips)
                    except OSError:
                        continue  # the server has ended it
                answer = ask(port, b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                answered = answer.endswith(b"here")
                time.sleep(0.05)
            tally.tried += count
            tally.hung += not answered
            longest = max(longest, time.monotonic() - begin)
    tally.worst = f"{longest:.1f} s until another reader is answered"
