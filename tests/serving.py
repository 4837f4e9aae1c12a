"""Serve from a thread for as long as a block lasts."""

from collections.abc import Iterator
from contextlib import contextmanager
from socketserver import BaseServer
from threading import Thread

POLL = 0.01
"""Seconds between two looks at whether the block has ended."""


@contextmanager
def serving(server: BaseServer) -> Iterator[None]:
    """Serve until the block ends, however it ends; then the socket and the thread are gone."""
    with server:
        thread = Thread(target=server.serve_forever, args=(POLL,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
