"""Serving a site."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from leaderboard import app
from leaderboard.app import ALL_HOSTS, LOOPBACK, server
from tests.leaderboard.made_submissions import leaderboard
from tests.making import REPO
from tests.serving import serving


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    site = tmp_path / "site"
    (site / "files").mkdir(parents=True)
    (site / "index.html").write_text("<h1>here</h1>")
    (site / "files" / "a.jsonl").write_text("<script>alert(1)</script>")
    (site / "files" / "metadata.yaml").write_text("a: <b>")
    (tmp_path / "secret.txt").write_text("secret")
    running = server(site, LOOPBACK, 0)
    with serving(running):
        yield running.server_port


def get(port: int, path: str) -> tuple[int, dict[str, str], bytes]:
    with closing(http.client.HTTPConnection(LOOPBACK, port)) as connection:
        connection.request("GET", path)
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, headers, response.read()


def test_the_first_page_is_served(port: int) -> None:
    status, headers, body = get(port, "/")
    assert (status, body) == (200, b"<h1>here</h1>")
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/files/a.jsonl", "/files/metadata.yaml"])
def test_files_of_strangers_are_never_taken_for_pages(path: str, port: int) -> None:
    status, headers, _ = get(port, path)
    assert (status, headers["content-type"]) == (200, "text/plain")


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "//secret.txt",
        "/files/",
        "/nothing",
        "/%00",
        "/a%00.jsonl",
        *("/%5c..%5csecret.txt", "/..%2fsecret.txt", "/%252e%252e/secret.txt", "/" + "a" * 5_000),
        *("/%ff", "/index.html/", "/index.html/x"),
    ],
)
def test_nothing_else_is_served(path: str, port: int) -> None:
    status, _, body = get(port, path)
    assert (status, b"secret" in body) == (404, False)


def ask(port: int, request: bytes) -> bytes:
    """The answer to bytes as they are."""
    with socket.create_connection((LOOPBACK, port), timeout=20) as connection:
        with suppress(OSError):  # the server may have ended it already
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(1 << 16), b""))


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1:1", "", "[::1]"]
)
def test_a_name_that_only_leads_here_reads_nothing(host: str, port: int) -> None:
    request = f"GET / HTTP/1.1\r\nHost: {host.format(port=port)}\r\n\r\n"
    answer = ask(port, request.encode())
    assert answer.startswith(b"HTTP/1.0 421 ")
    assert b"here" not in answer


@pytest.mark.parametrize("hosts", [[], ["localhost", "localhost"]])
def test_a_request_names_one_host(hosts: list[str], port: int) -> None:
    lines = ["GET / HTTP/1.1", *(f"Host: {host}" for host in hosts), "", ""]
    assert ask(port, "\r\n".join(lines).encode()).startswith(b"HTTP/1.0 421 ")


def test_a_server_of_all_hosts_has_many_names(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("here")
    running = server(tmp_path, ALL_HOSTS, 0)
    with serving(running):
        answer = ask(running.server_port, b"GET / HTTP/1.1\r\nHost: o-n.hf.space\r\n\r\n")
    assert answer.endswith(b"here")


def test_links_are_followed_within_the_site_alone(port: int, tmp_path: Path) -> None:
    site = tmp_path / "site"
    (site / "out.txt").symlink_to(tmp_path / "secret.txt")
    (site / "up").symlink_to(tmp_path)
    (site / "loop").symlink_to("loop")
    (site / "within").symlink_to("files")
    os.mkfifo(site / "pipe")
    (site / "folder").mkdir()
    (site / "folder" / "index.html").symlink_to(tmp_path / "secret.txt")
    for path in ("/out.txt", "/up/secret.txt", "/loop", "/pipe", "/folder/", "/up/site/x"):
        status, _, body = get(port, path)
        assert (status, b"secret" in body) == (404, False), path
    assert get(port, "/within/a.jsonl")[0] == 200


def test_a_folder_leads_to_its_page(port: int, tmp_path: Path) -> None:
    (tmp_path / "site" / "tasks").mkdir()
    (tmp_path / "site" / "tasks" / "index.html").write_text("tasks")
    status, headers, _ = get(port, "//tasks")
    assert (status, headers["location"]) == (301, "/tasks/")
    assert get(port, "/tasks/")[2] == b"tasks"


def test_a_request_that_does_not_end_is_ended(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "ASKING_SECONDS", 0.5)
    with socket.create_connection((LOOPBACK, port), timeout=20) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: ")
        assert connection.recv(99) == b""


def test_connections_are_limited(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "CONNECTIONS", 3)
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(socket.create_connection((LOOPBACK, port), timeout=20))
        wait_until(lambda: ask(port, b"").startswith(b"HTTP/1.0 503 "))
    wait_until(lambda: get(port, "/")[0] == 200)


def test_connections_that_come_at_once_wait_to_be_accepted(tmp_path: Path) -> None:
    """The server accepts none here: the kernel keeps those for which there is a place."""
    (tmp_path / "index.html").write_text("here")
    with server(tmp_path, LOOPBACK, 0) as busy, ExitStack() as stack:
        for _ in range(100):
            address = LOOPBACK, busy.server_port
            stack.enter_context(socket.create_connection(address, timeout=20))


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end


def test_a_port_in_use_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "results.json").write_text("{}")
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        assert leaderboard("serve", tmp_path, "--port", port) == 1
    assert f"--port {port}: cannot be used: Address already in use; pass" in capsys.readouterr().err


def test_what_is_no_site_is_not_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert leaderboard("serve", tmp_path) == 1
    assert "is not a site" in capsys.readouterr().err


def test_serve_says_where_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("{}")
    (tmp_path / "index.html").write_text("here")
    command = [sys.executable, "-m", "leaderboard", "serve", str(tmp_path), "--port", "0"]
    with subprocess.Popen(
        command, cwd=REPO, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            address = process.stdout.readline().split()[0]
            assert address.startswith(f"http://{LOOPBACK}:")
            assert get(int(address.rstrip("/").rpartition(":")[2]), "/")[2] == b"here"
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=300) == 0  # where Ctrl-C is ignored, it never ends
        finally:
            process.kill()
