"""Serving a site."""

import http.client
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from leaderboard.app import LOOPBACK, server
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
    "path", ["/../secret.txt", "/%2e%2e/secret.txt", "//secret.txt", "/files/", "/nothing"]
)
def test_nothing_else_is_served(path: str, port: int) -> None:
    status, _, body = get(port, path)
    assert (status, b"secret" in body) == (404, False)


def test_what_is_no_site_is_not_served(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert leaderboard("serve", tmp_path) == 1
    assert "is no site" in capsys.readouterr().err


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
            assert process.wait() == 0
        finally:
            process.kill()
