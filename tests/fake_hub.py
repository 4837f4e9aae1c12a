"""A Hub that holds one dataset and only answers reads: enough for `load_dataset` by id.

with fake_hub("ORG/NAME", folder) as endpoint: ...     # set HF_ENDPOINT to it
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.serving import serving

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@contextmanager
def fake_hub(dataset: str, folder: Path) -> Iterator[str]:
    """Serve `folder` as the dataset's main revision on a free port of this machine."""
    handler = type("Handler", (_Handler,), {"dataset": dataset, "folder": folder})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}"


class _Handler(BaseHTTPRequestHandler):
    dataset: str
    folder: Path
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self._answer(self.rfile.read(length))

    def _answer(self, body: bytes = b"") -> None:
        path = unquote(urlsplit(self.path).path)
        api, files = f"/api/datasets/{self.dataset}", f"/datasets/{self.dataset}/resolve/"
        if path in (api, f"{api}/revision/main", f"{api}/revision/{COMMIT}"):
            siblings = [{"rfilename": name} for name in self._names()]
            info = {
                "id": self.dataset,
                "sha": COMMIT,
                "private": False,
                "tags": [],
                "siblings": siblings,
                "lastModified": "2026-01-01T00:00:00.000Z",
            }
            self._json(info)
        elif path.startswith(f"{api}/tree/"):
            self._json(self._tree(path.removeprefix(f"{api}/tree/").partition("/")[2]))
        elif path.startswith(f"{api}/paths-info/"):
            wanted = set(json.loads(body)["paths"])
            self._json([entry for entry in self._tree("") if entry["path"] in wanted])
        elif (
            path.startswith(files)
            and (name := path.removeprefix(files).partition("/")[2]) in self._names()
        ):
            self._file(self.folder / name)
        else:
            self._send(404, b"{}", {"X-Error-Code": "EntryNotFound"})

    def _names(self) -> list[str]:
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(path.relative_to(self.folder).as_posix() for path in found)

    def _tree(self, below: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = []
        folders = set()
        for name in self._names():
            if not name.startswith(below):
                continue
            path = self.folder / name
            entries.append(
                {"type": "file", "path": name, "size": path.stat().st_size, "oid": _etag(path)}
            )
            folders |= {str(parent) for parent in Path(name).parents if str(parent) != "."}
        entries += [
            {"type": "directory", "path": folder, "oid": COMMIT} for folder in sorted(folders)
        ]
        return entries

    def _file(self, path: Path) -> None:
        data = path.read_bytes()
        headers = {"ETag": f'"{_etag(path)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        wanted = self.headers.get("Range")
        if wanted and self.command == "GET":
            first, last = wanted.removeprefix("bytes=").split("-")
            end = min(int(last) if last else len(data) - 1, len(data) - 1)
            headers["Content-Range"] = f"bytes {first}-{end}/{len(data)}"
            self._send(206, data[int(first) : end + 1], headers)
        else:
            self._send(200, data, headers)

    def _json(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _send(self, status: int, data: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (headers | {"Content-Length": str(len(data))}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def _etag(path: Path) -> str:
    return hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()
