"""A Hub on this machine, to read and to write with the real clients.

with loopback_hub() as hub:
    hub.repository("ORG/NAME", "dataset")                      # an empty one
    hub.commit("ORG/NAME", {"README.md": b"..."})              # as somebody else would
    subprocess.run([...], env=hub.environment(tmp_path, token="hf_write"))
    HfApi(endpoint=hub.endpoint, token="hf_write").list_repo_tree("ORG/NAME", repo_type="dataset")
    assert "README.md" in hub.files("ORG/NAME")

huggingface_hub, datasets and evaluate read HF_ENDPOINT once, when they are imported, so a process
of its own is the sure way. `hub.patch(monkeypatch, home)` points those that are imported here at
the Hub too, which serves code that makes its `HfApi()` when it is called.

The Hub of the web resolves the beginning of a commit's id in some of its calls and not in others,
and its clients ask for the whole; here it is a RevisionNotFound everywhere.
"""

import contextlib
import os
import re
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.hub_answers import Answer, HubRequest, account_of, answered, json_answer, refusal
from tests.hub_repositories import MAIN, Hub, RefusedError, blob, without
from tests.serving import serving

if TYPE_CHECKING:
    import pytest

REPO = Path(__file__).parent.parent
CLIENT_WARNING = "ignore:Use 'content=:DeprecationWarning"
"""Filter for what huggingface_hub 2.4 itself warns of when it uploads a large file without Xet."""


@dataclass(frozen=True)
class Faults:
    """Faults of one request in `every`, in turns."""

    every: int
    kinds: Sequence[int | str]
    """Statuses; "before": the connection is dropped and nothing has happened; "after": it is
    dropped when the request took effect, so that its answer is lost."""
    hang: float
    """Seconds that pass before it goes wrong."""
    only: str
    """Pattern of "METHOD PATH" of the requests that are counted."""


@dataclass
class LoopbackHub(Hub):
    """The repositories of a Hub, what was asked of it, and what is to go wrong."""

    requests: list[HubRequest] = field(default_factory=list)
    faults: Faults | None = None
    counted: int = 0
    """Requests of those that faults count."""
    gone_wrong: int = 0
    """Faults so far."""
    hooks: list[tuple[str, Callable[[], object]]] = field(default_factory=list)
    counting: Any = field(default_factory=Lock)

    def commit(
        self,
        repo_id: str,
        files: Mapping[str, bytes],
        deleted: Sequence[str] = (),
        repo_type: str = "dataset",
        *,
        ref: str = MAIN,
        title: str = "A commit of somebody else",
    ) -> str:
        """Add and delete files, as somebody beside the client under test; return the new commit."""
        with self.lock:
            repository = self.repository(repo_id, repo_type)
            left = without(repository.commit_of(ref).files, deleted, ())
            left |= {path: blob(path, data) for path, data in files.items()}
            return repository.changed(left, ref, (title, ""), "somebody_else").id

    def upload(self, repo_id: str, folder: Path, repo_type: str = "dataset") -> str:
        """Make a commit of exactly a folder's files; return it."""
        paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        with self.lock:
            stale = set(self.repository(repo_id, repo_type).commit_of("main").files) - set(files)
            return self.commit(repo_id, files, sorted(stale), repo_type)

    def pull_request(
        self,
        repo_id: str,
        files: Mapping[str, bytes],
        repo_type: str = "dataset",
        title: str = "A change",
    ) -> int:
        """Open a pull request that adds files, as a stranger; return its number."""
        with self.lock:
            repository = self.repository(repo_id, repo_type)
            made = repository.opened(title, "stranger", "open", repository.refs[MAIN])
            self.commit(repo_id, files, (), repo_type, ref=made.ref, title=title)
            return made.number

    def files(
        self, repo_id: str, revision: str = "main", repo_type: str = "dataset"
    ) -> dict[str, bytes]:
        """Return the content of each file by its path."""
        with self.lock:
            commit = self.repositories[repo_type, repo_id].commit_of(revision)
            return {path: kept.data for path, kept in commit.files.items()}

    def head(self, repo_id: str, repo_type: str = "dataset") -> str:
        """Return the id of the newest commit of main."""
        return self.repositories[repo_type, repo_id].refs[MAIN]

    def fail_every(
        self,
        every: int,
        statuses: Sequence[int] = (500, 503),
        drops: Sequence[str] = (),
        hang: float = 0.0,
        only: str = "",
    ) -> None:
        """Let one request in `every` fail, in turns with these statuses and drops.

        Args:
            every: 5 fails the fifth request, the tenth, and so on; 0 ends it.
            statuses: of answers to requests that took no effect.
            drops: "before" and "after": connections dropped, see `Faults.kinds`.
            hang: seconds before it goes wrong.
            only: regular expression for "METHOD PATH"; other requests never fail.
        """
        with self.counting:
            kinds: list[int | str] = [*statuses, *drops]
            self.faults = Faults(every, kinds, hang, only) if every else None
            self.counted = self.gone_wrong = 0

    def before(self, pattern: str, hook: Callable[[], object]) -> None:
        """Call a hook once, before the next request whose "METHOD PATH" matches is handled.

        A hook may commit, or kill the client that asks.
        """
        self.hooks.append((pattern, hook))

    def asked(self, pattern: str) -> list[HubRequest]:
        """Return the requests so far whose "METHOD PATH" matches a regular expression."""
        return [each for each in self.requests if re.search(pattern, f"{each.method} {each.path}")]

    def environment(self, home: Path, token: str | None = None) -> dict[str, str]:
        """Return the environment of a process that has this Hub for the Hub.

        Args:
            home: folder for its caches and its login.
            token: "hf_write", ... (see hub_answers.ACCOUNTS); None leaves it logged out.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        made = {
            **kept,
            "HF_ENDPOINT": self.endpoint,
            "HF_HOME": str(home),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_OFFLINE": "0",
            "NO_PROXY": "127.0.0.1,localhost",
            "PYTHONPATH": str(REPO),
        }
        return made | ({"HF_TOKEN": token} if token is not None else {})

    def patch(
        self, monkeypatch: "pytest.MonkeyPatch", home: Path, token: str | None = None
    ) -> None:
        """Point the clients imported in this process at the Hub, until the test ends."""
        from huggingface_hub import constants, hf_api

        files = self.endpoint + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "ENDPOINT", self.endpoint)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", files)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(home / "token"))
        monkeypatch.setattr(hf_api.api, "endpoint", self.endpoint)
        if (transformers := sys.modules.get("transformers.utils.hub")) is not None:
            # Its client keeps the address of an earlier Hub, and asks there for half a minute.
            monkeypatch.setattr(transformers, "_hf_api", None, raising=False)
        monkeypatch.setenv("HF_TOKEN", token or "")

    def answer(self, request: HubRequest, authorization: str | None) -> Answer:
        """Do what a request asks."""
        with self.lock:
            try:
                return answered(self, request, account_of(authorization))
            except RefusedError as error:
                return refusal(error)

    def fault(self, request: HubRequest) -> int | str | None:
        """Return what goes wrong with a request; None for nothing."""
        with self.counting:
            faults = self.faults
            if faults is None or not re.search(faults.only, f"{request.method} {request.path}"):
                return None
            self.counted += 1
            if self.counted % faults.every:
                return None
            kind = faults.kinds[self.gone_wrong % len(faults.kinds)]
            self.gone_wrong += 1
        time.sleep(faults.hang)
        return kind

    def hook(self, request: HubRequest) -> None:
        """Call the hook that waits for such a request."""
        line = f"{request.method} {request.path}"
        with self.counting:
            waiting = [each for each in self.hooks if re.search(each[0], line)]
            for each in waiting[:1]:
                self.hooks.remove(each)
        for _, hook in waiting[:1]:
            hook()


@contextmanager
def loopback_hub() -> Iterator[LoopbackHub]:
    """Serve a Hub without repositories on a free port of this machine."""
    hub = LoopbackHub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    with serving(server):
        yield hub


class _Handler(BaseHTTPRequestHandler):
    hub: LoopbackHub
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        self._handle()

    def do_HEAD(self) -> None:
        self._handle()

    def do_POST(self) -> None:
        self._handle()

    def do_PUT(self) -> None:
        self._handle()

    def do_DELETE(self) -> None:
        self._handle()

    def _handle(self) -> None:
        parts = urlsplit(self.path)
        authorization = self.headers.get("Authorization")
        request = HubRequest(
            self.command,
            parts.path,
            parse_qs(parts.query, keep_blank_values=True),
            authorization is not None,
            self._body(),
        )
        self.hub.requests.append(request)
        self.hub.hook(request)
        fault = self.hub.fault(request)
        if fault == "before":
            self._drop()
        elif isinstance(fault, int):
            self._send(json_answer({"error": "a fault of the test"}, fault))
        else:
            answer = self.hub.answer(request, authorization)
            if fault == "after":
                self._drop()
            else:
                self._send(_part(answer, self.headers.get("Range"), self.command))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _drop(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _send(self, answer: Answer) -> None:
        with contextlib.suppress(ConnectionError):  # the client was killed
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.data)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.data)
            self.wfile.flush()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def _part(answer: Answer, wanted: str | None, method: str) -> Answer:
    """Return the range of a file that a client wants."""
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", wanted or "")
    if match is None or method != "GET" or answer.status != 200 or not answer.headers.get("ETag"):
        return answer
    size = len(answer.data)
    first, last = int(match[1]), min(int(match[2] or size - 1), size - 1)
    if first >= size:
        return Answer(416, b"", {"Content-Range": f"bytes */{size}"})
    headers = {**answer.headers, "Content-Range": f"bytes {first}-{last}/{size}"}
    return Answer(206, answer.data[first : last + 1], headers)
