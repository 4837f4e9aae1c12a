"""A folder of a store whose files others may change while they are read.

A store has no open files: a file is asked for whole, and its facts (size, hash or version, time)
are compared with those of the listing afterwards. A change that leaves all of them stays unseen;
the copy may then mix two contents only where the store itself answers with such a mixture.
"""

import hashlib
import io
import shutil
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from bagen_data.errors import StoreError
from bagen_data.locations import StoreUrl
from bagen_data.source_folders import OpenFile
from bagen_data.steady_files import FileDigest, HeldCopy, changed, refuse_no_room
from bagen_data.stores import StoredFile, download, facts_of, list_files, read_bytes, read_part

_MEMORY = 1 << 24
"""Bytes of a file that is open from memory; a longer one is a temporary file."""
_BLOCK = 1 << 20
_AHEAD = 8
"""Files that are asked for at once, before they are needed."""
_MOST_AHEAD = 1 << 23
"""Bytes of a file that is asked for before it is needed, at most."""
_TRIES = 4
"""Times that a file may arrive with another size than it has before it is refused."""


class _Ahead:
    """Copies of files that follow the one that was read last; other processes begin without any."""

    def __init__(self, names: Sequence[str] = ()) -> None:
        self.names = names
        """The files that are read, in their order."""
        self.copies: dict[str, Future[HeldCopy]] = {}
        self._threads: ThreadPoolExecutor | None = None

    def __reduce__(self) -> tuple[type["_Ahead"], tuple[Sequence[str]]]:
        return type(self), (self.names,)

    @property
    def threads(self) -> ThreadPoolExecutor:
        """The threads that wait for a store."""
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_AHEAD, "bagen-ahead")
        return self._threads


@dataclass(frozen=True)
class StoreFolder:
    """A folder of a store, as `SourceFolder` has it."""

    url: StoreUrl
    facts: dict[str, StoredFile] = field(default_factory=dict)
    """The files as they were listed, or first asked for, by their paths."""
    _ahead: _Ahead = field(default_factory=_Ahead, compare=False, repr=False)

    def list(self) -> list[str]:
        """List every file of the folder, in order, and remember what each of them is."""
        self.facts.update(list_files(self.url))
        return sorted(self.facts)

    def read_in_order(self, names: Sequence[str]) -> None:
        """Expect files to be held in an order, and ask for those that follow before their turn."""
        self._ahead.names = names

    def place(self, relative: str) -> StoreUrl:
        """Return the URL of a file."""
        return self.url / relative

    @contextmanager
    def opened(self, relative: str) -> Iterator[OpenFile]:
        """Open a copy of a file, which was refused if it changed since it was listed."""
        held = self._held(relative, _MEMORY, None)
        with held.open() as stream:
            yield OpenFile(stream, held.digest.mark)

    def held(self, relative: str, *, memory: int, scratch: Path | None) -> HeldCopy:
        """Return a copy of a file, read once."""
        ahead = self._ahead.copies.pop(relative, None)
        self._ask_ahead(relative)
        return self._held(relative, memory, scratch) if ahead is None else ahead.result()

    def _ask_ahead(self, relative: str) -> None:
        """Ask for the files that follow one, and forget those that were not needed."""
        ahead = self._ahead
        place = bisect_right(ahead.names, relative)
        following = ahead.names[place : place + _AHEAD]
        for name in ahead.copies.keys() - following:
            ahead.copies.pop(name).cancel()
        for name in following:
            if name not in ahead.copies and self._listed(name).bytes <= _MOST_AHEAD:
                ahead.copies[name] = ahead.threads.submit(self._held, name, _MOST_AHEAD, None)

    def _held(self, relative: str, memory: int, scratch: Path | None) -> HeldCopy:
        listed = self._listed(relative)
        for _ in range(_TRIES):
            copy = self._copy(relative, listed.bytes, memory, scratch)
            digest = _digest(copy, listed)
            self._refuse_change(relative, listed)
            if digest.bytes == listed.bytes:
                held = copy.getvalue() if isinstance(copy, io.BytesIO) else copy
                return HeldCopy(held, digest)
            copy.close()
        raise self._cut_off(relative, digest.bytes, listed.bytes)

    def copied(self, relative: str, target: IO[bytes]) -> FileDigest:
        """Copy a file, and hash what is copied."""
        held = self.held(relative, memory=_MEMORY, scratch=None)
        with held.open() as stream:
            shutil.copyfileobj(stream, target, _BLOCK)
        return held.digest

    def part(self, relative: str, start: int, stop: int) -> tuple[bytes, StoredFile]:
        """Return the bytes of a file from `start` up to `stop`, and the facts of the whole file."""
        listed = self._listed(relative)
        for _ in range(_TRIES):
            data = read_part(self.place(relative), start, stop)
            self._refuse_change(relative, listed)
            if len(data) == min(stop, listed.bytes) - start:
                return data, listed
        raise self._cut_off(relative, len(data), stop - start)

    def mark(self, relative: str) -> StoredFile:
        """Return the facts of a file as it is now; equal to those before if nothing differs."""
        listed, now = self._listed(relative), facts_of(self.place(relative))
        return listed if listed.is_same(now) else now

    def size(self, relative: str) -> int:
        """Return the bytes of a file as it was listed, without another request."""
        return self._listed(relative).bytes

    def _cut_off(self, relative: str, arrived: int, expected: int) -> StoreError:
        return StoreError(
            f"{self.place(relative)}: cannot be read: {arrived:,} bytes arrived; expected "
            f"{expected:,}; run again"
        )

    def _listed(self, relative: str) -> StoredFile:
        if relative not in self.facts:
            self.facts[relative] = facts_of(self.place(relative))
        return self.facts[relative]

    def _copy(self, relative: str, size: int, memory: int, scratch: Path | None) -> IO[bytes]:
        if size <= memory:
            return io.BytesIO(read_bytes(self.place(relative)))
        refuse_no_room(size, scratch)
        with TemporaryDirectory(prefix="bagen-", dir=scratch) as folder:
            path = Path(folder, "copy")
            download(self.place(relative), path)
            return path.open("rb")  # which stays readable when its name is removed

    def _refuse_change(self, relative: str, listed: StoredFile) -> None:
        try:
            now = facts_of(self.place(relative))
        except FileNotFoundError as error:
            raise changed(self.place(relative), "it was removed while it was read") from error
        if not listed.is_same(now):
            raise changed(self.place(relative), "it was changed while it was read")


def _digest(copy: IO[bytes], listed: StoredFile) -> FileDigest:
    digest = hashlib.sha256()
    size = 0
    while block := copy.read(_BLOCK):
        size += len(block)
        digest.update(block)
    return FileDigest(size, digest.hexdigest(), listed)
