"""A dataset that cannot be reached: one message that says why, and what to do without it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from huggingface_hub import close_session, constants, hf_api

from bagen_data import load
from bagen_data.cli import main
from bagen_data.errors import InputError, StoreError
from bagen_data.locations import HubPath
from bagen_data.repositories import hub_requests
from bagen_data.repositories.dataset_places import locate
from bagen_data.repositories.snapshots import local_file
from tests.loopback_hub import LoopbackHub, loopback_hub
from tests.making import exit_code
from tests.serving import serving

NAME = "ORG/NAME"
WITHOUT_IT = "without the Hub, 'bagen demo' tries the tools on a sample in the package"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that has asked nothing yet, and does not wait between tries."""
    monkeypatch.setattr(hub_requests, "_FIRST_PAUSE", 0)
    monkeypatch.setattr(hub_requests, "_reached", set())


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home")
        yield hub
        close_session()


def use_endpoint(monkeypatch: pytest.MonkeyPatch, endpoint: str) -> None:
    files = endpoint + "/{repo_id}/resolve/{revision}/{filename}"
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", files)
    monkeypatch.setattr(hf_api.api, "endpoint", endpoint)


@contextmanager
def always_answering(status: int, headers: dict[str, str], body: bytes) -> Iterator[str]:
    """Give the address of a server that answers every request alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}"


def said(capsys: pytest.CaptureFixture[str], tmp_path: Path, dataset: str = NAME) -> str:
    """Return the one line that `bagen predict` says of a dataset, and ends with."""
    command = ["predict", "baseline", "over_budget", "--dataset", dataset]
    assert exit_code(main, *command, "--out", tmp_path / "out") == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    return error


def test_a_hub_that_refuses_connections(
    hub: LoopbackHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    del hub
    use_endpoint(monkeypatch, "http://127.0.0.1:9")
    line = said(capsys, tmp_path)
    assert "does not answer after 6 tries (ConnectError at http://127.0.0.1:9: " in line
    assert "refused" in line
    assert "check the network, the proxy (HTTPS_PROXY) and HF_ENDPOINT" in line
    assert WITHOUT_IT in line
    assert f"no folder {NAME} exists here either; " in line
    assert "'python -m builders build', which runs in a clone of https://" in line
    with pytest.raises(StoreError, match="'bagen demo'"):
        load(NAME, "swebench", split="test")


def test_an_endpoint_without_a_scheme_is_not_asked_six_times(
    hub: LoopbackHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    del hub
    use_endpoint(monkeypatch, "hf-mirror.com")
    line = said(capsys, tmp_path)
    assert "HF_ENDPOINT is 'hf-mirror.com', which is not an address; expected one that" in line


def test_an_endpoint_that_is_another_site(
    hub: LoopbackHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    del hub
    with always_answering(200, {}, b"<html>welcome</html>") as endpoint:
        use_endpoint(monkeypatch, endpoint)
        line = said(capsys, tmp_path)
    assert f"a page that is not JSON at {endpoint}" in line
    assert WITHOUT_IT in line


def test_a_gated_dataset(
    hub: LoopbackHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    del hub
    with always_answering(403, {"X-Error-Code": "GatedRepo"}, b"{}") as endpoint:
        use_endpoint(monkeypatch, endpoint)
        line = said(capsys, tmp_path)
    assert f"{NAME}: is gated on the Hub; ask for access on its page, and log in with 'hf" in line
    assert WITHOUT_IT in line


def test_a_token_that_is_refused(
    hub: LoopbackHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    del hub
    body = b'{"error": "Invalid credentials in Authorization header"}'
    message = {"X-Error-Message": "Invalid credentials in Authorization header"}
    with always_answering(401, message, body) as endpoint:
        use_endpoint(monkeypatch, endpoint)
        line = said(capsys, tmp_path)
    assert "the Hub refuses this with status 401; log in with 'hf auth login'" in line
    assert WITHOUT_IT in line


def test_a_dataset_that_is_absent_or_private(
    hub: LoopbackHub, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    hub.repository("ORG/PRIVATE", "dataset").private = True
    for name in ("ORG/OTHER", "ORG/PRIVATE"):
        line = said(capsys, tmp_path, name)
        assert f"{name}: the Hub has no such dataset, or it is private; check the name" in line
        assert WITHOUT_IT in line


def test_a_revision_that_is_absent_is_no_reason_to_go_without(
    hub: LoopbackHub, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    hub.commit(NAME, {"manifest.jsonl": b""})
    assert "'bagen demo'" not in said(capsys, tmp_path, f"{NAME}@v9")


def test_a_hub_that_is_down(
    hub: LoopbackHub, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    hub.fail_every(1, (503,))
    line = said(capsys, tmp_path)
    assert "the Hub does not answer after 6 tries (status 503); run again later" in line
    assert WITHOUT_IT in line


def test_offline_with_an_empty_cache(
    hub: LoopbackHub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    line = said(capsys, tmp_path)
    assert "HF_HUB_OFFLINE is set, and the cache of huggingface_hub has not seen" in line
    assert WITHOUT_IT in line
    assert hub.requests == []


def test_what_the_cache_has_is_named_where_the_hub_cannot_be_reached(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = hub.commit(NAME, {"manifest.jsonl": b""})
    assert locate(NAME) == HubPath(NAME, commit)
    use_endpoint(monkeypatch, "http://127.0.0.1:9")
    with pytest.raises(StoreError, match="with HF_HUB_OFFLINE=1, what was read before is read"):
        locate(NAME)
    with pytest.raises(StoreError, match="'bagen demo'"):
        locate("ORG/OTHER")


def test_a_hub_that_is_silent_is_asked_once(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_requests, "_READING", 0.2)
    hub.fail_every(1, (), ("before",), hang=1)
    with pytest.raises(StoreError, match=r"does not answer after 1 try \(ReadTimeout"):
        locate(NAME)
    assert len(hub.requests) <= 1


def test_a_file_of_a_known_commit_is_not_asked_for_in_vain_dozens_of_times(
    hub: LoopbackHub, capsys: pytest.CaptureFixture[str]
) -> None:
    commit = hub.commit(NAME, {"manifest.jsonl": b"", "build.json": b"{}"})
    hub.fail_every(1, (503,))
    with pytest.raises(StoreError, match="does not answer after 6 tries"):
        local_file(HubPath(NAME, commit, "build.json"))
    assert hub.gone_wrong == hub_requests.TRIES
    assert "Retrying" not in capsys.readouterr().err
    hub.fail_every(0)
    copy = local_file(HubPath(NAME, commit, "build.json"))
    hub.fail_every(1, (503,))
    assert local_file(HubPath(NAME, commit, "build.json")) == copy


def test_an_address_of_a_revision_names_the_dataset(hub: LoopbackHub) -> None:
    del hub
    with pytest.raises(InputError, match=r"^ORG/OTHER: the Hub has no such dataset"):
        locate(f"ORG/OTHER@{'0' * 40}")
