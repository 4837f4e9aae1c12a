"""Serve a built site, in a Space that runs Python or on one's own machine.

A Space with `sdk: gradio` (or `docker`) runs `python app.py` and asks port 7860. Put this file
beside the folder `site`, or name the folder in the environment as `SITE`. It needs only
Python's standard library. A Space with `sdk: static` needs no server: it holds the site's files.

Readers may be hostile, and so may a page open in the same browser. Only plain files that lie in the
site are served, links out of it are not followed, and a connection has limited time. A server of
this machine alone answers only requests that name this machine, so that a foreign page, the name of
whose host leads to 127.0.0.1, can read nothing.
"""

import os
import socket
import stat
import sys
import time
from contextlib import ExitStack, suppress
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

ALL_HOSTS, LOOPBACK = "0.0.0.0", "127.0.0.1"  # noqa: S104  a Space is reached from outside
PORT = 7860
CONNECTIONS = 64
"""The most connections at once; a further one is answered with a request to come again."""
ASKING_SECONDS = 10
"""The time that a request may take to arrive."""
ANSWERING_SECONDS = 600
"""The time that an answer may take to be read."""
STALLED_SECONDS = 30
"""The time that one read, or one write of 64 kB, may take."""
_OUR_HOSTS = {LOOPBACK, "localhost"}
_PART = 1 << 16
_INDEX = "index.html"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_TEXT = {".jsonl": "text/plain", ".yaml": "text/plain", ".parquet": "application/octet-stream"}
"""Files of strangers, which browsers must not show as pages."""


class Handler(SimpleHTTPRequestHandler):
    """Files of one folder, and nothing else; no folder is listed."""

    server: "SiteServer"
    timeout = STALLED_SECONDS
    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, **_TEXT}  # noqa: RUF012

    def end_headers(self) -> None:
        """Send the project's headers and end them."""
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def send_head(self) -> BinaryIO | None:
        """Send the status and the headers of a request; return the file to send, if any."""
        self.server.may_answer(self.connection)
        if not self._is_asked_here():
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
            return None
        try:
            asked = urlsplit(self.path).path
            path = self._inside(unquote(asked, errors="surrogateescape"))
            if path.is_dir() and not asked.endswith("/"):
                self._redirect_to_folder(asked)
                return None
            file = _open_plain(self._inside(_INDEX, path) if asked.endswith("/") else path)
        except (OSError, ValueError, RuntimeError):  # RuntimeError: a loop of links
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        with ExitStack() as stack:
            stack.callback(file.close)  # unless the reader stays for it
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", self.guess_type(file.name))
            self.send_header("Content-Length", str(os.fstat(file.fileno()).st_size))
            self.end_headers()
            stack.pop_all()
        return file

    def _is_asked_here(self) -> bool:
        """Return whether a request names this server, once.

        A server of all hosts has many names.
        """
        hosts = self.headers.get_all("Host", [])
        if not self.server.is_private:
            return len(hosts) <= 1
        name, _, port = (hosts[0] if len(hosts) == 1 else "").partition(":")
        return name.lower() in _OUR_HOSTS and port in ("", str(self.server.server_port))

    def _inside(self, path: str, folder: Path | None = None) -> Path:
        """Return where a path leads, links followed.

        Raises:
            OSError: the path leads to nothing.
            ValueError: the path leads out of the site, or cannot be a path.
        """
        parts = path.split("/")
        if ".." in parts or "\\" in path:
            raise ValueError(path)
        site = Path(self.directory).resolve(strict=True)
        target = (folder or site).joinpath(*filter(None, parts)).resolve(strict=True)
        target.relative_to(site)
        return target

    def _redirect_to_folder(self, asked: str) -> None:
        # a path of one slash and a name, never of two, which a browser would take for a host
        self.send_response(HTTPStatus.MOVED_PERMANENTLY)
        self.send_header("Location", f"/{asked.strip('/')}/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def copyfile(self, source: Any, outputfile: Any) -> None:
        """Send a file; one that grew meanwhile is cut at the length that was said."""
        size = os.fstat(source.fileno()).st_size
        while size > 0 and (part := source.read(min(size, _PART))):
            outputfile.write(part)
            size -= len(part)


def _open_plain(path: Path) -> BufferedReader:
    """Open a plain file; a pipe would be waited for.

    Raises:
        OSError: the file is missing.
        ValueError: it is not a plain file.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ValueError(path)
    return open(path, "rb", opener=lambda *_: descriptor)  # the handler closes it


class SiteServer(ThreadingHTTPServer):
    """A server of a folder, with a limit of connections and of the time that each may take."""

    request_queue_size = 128
    """Connections that may wait to be accepted; a further one is lost, and tries again later."""

    def __init__(self, site: Path, host: str, port: int) -> None:
        self.is_private = host == LOOPBACK
        self._ends: dict[socket.socket, float] = {}
        super().__init__((host, port), partial(Handler, directory=str(site)))

    def may_answer(self, connection: socket.socket) -> None:
        """Give a connection the time of an answer, after its request has arrived."""
        self._ends[connection] = time.monotonic() + ANSWERING_SECONDS

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a connection in a thread of its own, if not too many are open."""
        if len(self._ends) >= CONNECTIONS:
            request.settimeout(1)
            with suppress(OSError):  # the reader is gone
                request.sendall(b"HTTP/1.0 503 Busy\r\nRetry-After: 10\r\n\r\n")
            self.shutdown_request(request)
            return
        self._ends[request] = time.monotonic() + ASKING_SECONDS
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection."""
        self._ends.pop(request, None)
        super().shutdown_request(request)

    def service_actions(self) -> None:
        """End connections whose time is over; called twice a second."""
        now = time.monotonic()
        for connection, end in list(self._ends.items()):
            if now > end:
                with suppress(OSError):  # its thread has closed it meanwhile
                    connection.shutdown(socket.SHUT_RDWR)  # its thread reads an end, and closes it

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print errors of this server, but none of a reader that went away."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


def server(site: Path, host: str, port: int) -> SiteServer:
    """Return a server of a folder that is not running yet; port 0 takes any free one."""
    return SiteServer(site, host, port)


if __name__ == "__main__":
    server(Path(os.environ.get("SITE", "site")), ALL_HOSTS, PORT).serve_forever()
