"""Serve a built site: for a Space that runs Python, and for a look at it on one's own machine.

A Space with `sdk: gradio` (or `docker`) runs `python app.py` and asks port 7860. Put this file
beside the folder `site`, or name the folder in the environment as `SITE`. It needs nothing that is
not part of Python. A Space with `sdk: static` needs no server: its files are those of the site.
"""

import os
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ALL_HOSTS, LOOPBACK = "0.0.0.0", "127.0.0.1"  # noqa: S104  a Space is reached from outside
PORT = 7860
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
_TEXT = {".jsonl": "text/plain", ".yaml": "text/plain", ".parquet": "application/octet-stream"}
"""Strangers' files are never taken for pages."""


class Handler(SimpleHTTPRequestHandler):
    """Files of one folder, and nothing else; no folder is listed."""

    extensions_map = {**SimpleHTTPRequestHandler.extensions_map, **_TEXT}  # noqa: RUF012

    def end_headers(self) -> None:
        """With ours."""
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def list_directory(self, path: object) -> None:  # noqa: ARG002
        """A folder without an index is not found."""
        self.send_error(404)


def server(site: Path, host: str, port: int) -> ThreadingHTTPServer:
    """A server of a folder that is not running yet; port 0 takes any free one."""
    return ThreadingHTTPServer((host, port), partial(Handler, directory=str(site)))


if __name__ == "__main__":
    server(Path(os.environ.get("SITE", "site")), ALL_HOSTS, PORT).serve_forever()
