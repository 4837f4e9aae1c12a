"""Streams that tell which threads call them."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bagen_data.steady_files import SteadyFile, steady_file


class WatchedStream(io.BytesIO):
    """Bytes, and the threads that have read them or looked for a place in them.

    Args:
        data: the bytes.
        threads: takes the threads' numbers.
    """

    def __init__(self, data: bytes, threads: set[int]) -> None:
        super().__init__(data)
        self._threads = threads

    def read(self, size: int | None = -1, /) -> bytes:
        self._threads.add(threading.get_ident())
        return super().read(size)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._threads.add(threading.get_ident())
        return super().seek(offset, whence)


class WatchedFiles:
    """Takes the place of `steady_file`, and collects the threads that read."""

    def __init__(self) -> None:
        self.threads: set[int] = set()

    @contextmanager
    def __call__(self, path: Path, *options: Any) -> Iterator[SteadyFile]:
        """Open a file as `steady_file` does, with a stream that is watched."""
        with steady_file(path, *options) as file:
            watched: Any = WatchedStream(file.stream.read(), self.threads)
            yield file._replace(stream=watched)
