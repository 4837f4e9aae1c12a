"""Files that others may change while they are read: what changes meanwhile is refused.

The bytes that are hashed are the bytes that are used. A file is opened once and read once, from its
beginning to its end, into a copy of our own; every later pass is over the copy. A change during the
reading shows in the file's status, and an error of the system (`OSError`) tells it like any other
file that cannot be read. Pipes and devices, which may have no end, are never waited for.

A status has the time of the last change, in ticks of the kernel's clock: two changes within a tick
look like one. So a file that was changed a moment ago is read a moment later. Two things stay
unseen: a change through a shared memory map, whose time is set late, and one on a server whose
clock is behind this machine's. The copy is of one reading in either case.
"""

import errno
import hashlib
import io
import os
import shutil
import stat
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, Protocol, Self

FilePath = Path | str
"""A path; a text costs less where thousands of files are opened."""
Links = Literal["followed", "refused"]
"""The treatment of a path that is a symbolic link."""

_BLOCK = 1 << 20
_MEMORY = 1 << 24
"""Bytes of a copy that stays in memory; a longer one is a temporary file without a name."""
_TICK = 20_000_000
"""Nanoseconds within which two changes may have one time; a kernel's tick has at most 10 ms."""
_COARSE_TICK = 2_100_000_000
"""The same where times are whole seconds, or whole pairs of seconds."""
_SECOND = 1_000_000_000
_TRIES = 4
"""Times that a file may be found changed a moment ago before it is refused."""
_FLAGS = os.O_RDONLY
for _name in ("O_BINARY", "O_CLOEXEC", "O_NONBLOCK"):
    _FLAGS |= getattr(os, _name, 0)
"""Flags of reading: without blocking, as a pipe without a writer would; a regular file never does.
Each flag where the system has it."""


class Mark(Protocol):
    """Facts of a file that differ after a change of it; equal marks are of one content."""

    @property
    def bytes(self) -> int:
        """The size of the file."""


class FileMark(NamedTuple):
    """Facts of a file that differ after any change of it."""

    device: int
    inode: int
    bytes: int
    modified: int
    """Nanoseconds."""
    changed: int
    """Nanoseconds; unlike `modified`, nobody can set it back."""

    @classmethod
    def of(cls, status: os.stat_result) -> Self:
        """Return the mark of a file's status."""
        times = status.st_mtime_ns, status.st_ctime_ns
        return cls(status.st_dev, status.st_ino, status.st_size, *times)


class SteadyFile(NamedTuple):
    """A regular file that is open for reading."""

    path: FilePath
    stream: BufferedReader
    mark: FileMark


@contextmanager
def steady_file(
    path: FilePath, links: Links = "followed", folder: int | None = None
) -> Iterator[SteadyFile]:
    """Open a regular file, and refuse it at the end of the block if it changed since.

    Args:
        path: the file.
        links: what becomes of a path that is a symbolic link.
        folder: descriptor of the folder that a relative path starts at; the current one if None.

    Raises:
        OSError: the file cannot be opened, is not a regular file, or is being written; or at the
            end of the block, it was changed, replaced or removed.
    """
    descriptor = _opened(path, links, folder)
    with open(descriptor, "rb") as stream:
        mark = _settled(descriptor, path)
        yield SteadyFile(path, stream, mark)
        status = _status_at(path, links, folder)
        _refuse_change(path, descriptor, mark, status)


@dataclass(frozen=True)
class FileDigest:
    """The size and the hash of a file when it was read."""

    bytes: int
    sha256: str
    mark: Mark


def digest_of(file: SteadyFile, target: IO[bytes] | None = None) -> FileDigest:
    """Hash a file from where it is to its end, and copy it if there is a target.

    Raises:
        OSError: the file ends before or after the size that it had, or cannot be read.
    """
    digest = hashlib.sha256()
    size = 0
    while block := file.stream.read(_BLOCK):
        size += len(block)
        _refuse_growth(file, size)
        digest.update(block)
        if target is not None:
            target.write(block)
    _refuse_cut(file, size)
    return FileDigest(size, digest.hexdigest(), file.mark)


def _refuse_growth(file: SteadyFile, size: int) -> None:
    if size > file.mark.bytes:
        raise changed(file.path, "it grew while it was read")


def _refuse_cut(file: SteadyFile, size: int) -> None:
    if size < file.mark.bytes:
        raise changed(file.path, "it was cut while it was read")


def _digest_of_content(file: SteadyFile, content: bytes) -> FileDigest:
    """Return the digest of a file that was read at once, with room for a byte more.

    Raises:
        OSError: the file ends before or after the size that it had.
    """
    _refuse_growth(file, len(content))
    _refuse_cut(file, len(content))
    return FileDigest(len(content), hashlib.sha256(content).hexdigest(), file.mark)


def copy_file(path: FilePath, target: IO[bytes], links: Links = "followed") -> FileDigest:
    """Copy a file, and hash what is copied.

    Args:
        path: the file.
        target: takes the bytes; what it holds after an error is of no use.
        links: what becomes of a path that is a symbolic link.

    Raises:
        OSError: as `steady_file`.
    """
    with steady_file(path, links) as file:
        return digest_of(file, target)


class HeldCopy:
    """A copy of bytes that nobody else can change, to be read any number of times.

    Args:
        copy: the bytes, or a file of the system of our own that holds them; it is closed when
            nobody needs the copy any more.
        digest: the size and the hash of the bytes.
    """

    def __init__(self, copy: bytes | IO[bytes], digest: FileDigest) -> None:
        self._copy = copy
        if not isinstance(copy, bytes):
            weakref.finalize(self, copy.close)
        self.digest = digest

    def open(self) -> BufferedReader:
        """Return a reader of the copy, at its beginning; readers do not disturb each other."""
        if isinstance(self._copy, bytes):
            return BufferedReader(io.BytesIO(self._copy))
        return BufferedReader(_Positioned(self, self._copy.fileno()))

    def read(self) -> bytes:
        """Return all bytes."""
        if isinstance(self._copy, bytes):
            return self._copy
        with self.open() as file:
            return file.read()


class HeldFile(HeldCopy):
    """A copy of a file that nobody else can change, to be read any number of times.

    Args:
        path: the file.
        links: what becomes of a path that is a symbolic link.
        largest: bytes that the file may hold; any number if None.
        memory: bytes of a copy that stays in memory.
        scratch: the folder of longer copies; the system's if None.

    Raises:
        OSError: as `steady_file`, the file is larger, or the copy cannot be written.
    """

    def __init__(
        self,
        path: FilePath,
        links: Links = "followed",
        *,
        largest: int | None = None,
        memory: int = _MEMORY,
        scratch: Path | None = None,
    ) -> None:
        self._copy: bytes | IO[bytes]
        with steady_file(path, links) as file:
            if largest is not None and file.mark.bytes > largest:
                size = f"{file.mark.bytes:,}"
                raise OSError(errno.EFBIG, f"it is of {size} bytes; expected at most {largest:,}")
            if file.mark.bytes <= memory:
                content = file.stream.read(file.mark.bytes + 1)
                super().__init__(content, _digest_of_content(file, content))
                return
            copy = _new_copy(file.mark.bytes, scratch)
            try:
                digest = digest_of(file, copy)
                copy.flush()
            except BaseException:
                copy.close()
                raise
            super().__init__(copy, digest)


class HeldPrefix(HeldCopy):
    """A copy of a file as it stands, however often others append to it meanwhile.

    Args:
        path: the file.
        memory: bytes of a copy that stays in memory.
        scratch: the folder of longer copies; the system's if None.

    Raises:
        OSError: the file cannot be opened, is not a regular file, or was cut while it was read; or
            the copy cannot be written.
    """

    def __init__(
        self, path: FilePath, *, memory: int = _MEMORY, scratch: Path | None = None
    ) -> None:
        with open(_opened(path, "followed", None), "rb") as stream:
            mark = FileMark.of(os.fstat(stream.fileno()))
            if mark.bytes <= memory:
                content = stream.read(mark.bytes)
                file = SteadyFile(path, stream, mark)
                super().__init__(content, _digest_of_content(file, content))
                return
            copy = _new_copy(mark.bytes, scratch)
            try:
                digest = _copied_prefix(SteadyFile(path, stream, mark), copy)
                copy.flush()
            except BaseException:
                copy.close()
                raise
            super().__init__(copy, digest)


def _copied_prefix(file: SteadyFile, target: IO[bytes]) -> FileDigest:
    """Copy as many bytes of a file as it had when it was opened, and hash them."""
    digest = hashlib.sha256()
    size = 0
    while block := file.stream.read(min(_BLOCK, file.mark.bytes - size)):
        size += len(block)
        digest.update(block)
        target.write(block)
    _refuse_cut(file, size)
    return FileDigest(size, digest.hexdigest(), file.mark)


_moving = threading.Lock()
"""Held while a descriptor's position is moved, on systems that cannot read at a position."""


def _read_at(descriptor: int, size: int, position: int) -> bytes:
    """Return at most `size` bytes of a file from a position on."""
    if hasattr(os, "pread"):
        return os.pread(descriptor, size, position)
    with _moving:
        os.lseek(descriptor, position, os.SEEK_SET)
        return os.read(descriptor, size)


class _Positioned(io.RawIOBase):
    """Reads a file of somebody else's at a position of its own."""

    def __init__(self, owner: HeldCopy, descriptor: int) -> None:
        self._owner = owner  # which closes the file when nobody needs it any more
        self._descriptor = descriptor
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = _read_at(self._descriptor, len(buffer), self._position)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        starts = (0, self._position, self._owner.digest.bytes)
        self._position = starts[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position


def _new_copy(size: int, scratch: Path | None) -> IO[bytes]:
    """Return an empty file of our own, with room for a copy of this size.

    Raises:
        OSError: the room is too small.
    """
    refuse_no_room(size, scratch)
    return tempfile.TemporaryFile(dir=scratch)


def refuse_no_room(size: int, scratch: Path | None) -> None:
    """Refuse a copy of this size that does not fit where temporary files are.

    Raises:
        OSError: the room is too small.
    """
    room = shutil.disk_usage(scratch or tempfile.gettempdir()).free
    if size > room:
        raise OSError(
            errno.ENOSPC,
            f"its copy of {size:,} bytes does not fit where temporary files are, which has "
            f"room for {room:,}; make room, or set TMPDIR to a folder that has some",
        )


def _opened(path: FilePath, links: Links, folder: int | None) -> int:
    flags = _FLAGS | (getattr(os, "O_NOFOLLOW", 0) if links == "refused" else 0)
    try:
        descriptor = os.open(path, flags, dir_fd=folder)
    except OSError as error:
        if error.errno == errno.ELOOP and links == "refused":
            raise OSError(
                errno.ELOOP, "it is a symbolic link; put the file itself there", str(path)
            ) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))
    return descriptor


def _settled(descriptor: int, path: FilePath) -> FileMark:
    """Wait until a change that comes would show, and return what it would change."""
    status = os.fstat(descriptor)
    for _ in range(_TRIES):
        tick = _TICK if status.st_ctime_ns % _SECOND else _COARSE_TICK
        age = time.time_ns() - status.st_ctime_ns
        if age >= tick:
            return FileMark.of(status)
        time.sleep((tick - max(age, 0)) / _SECOND)
        before, status = status, os.fstat(descriptor)
        if age < 0 and FileMark.of(before) == FileMark.of(status):
            return FileMark.of(status)  # by a clock that is ahead: a tick went by all the same
    raise changed(path, "it is being written")


def _status_at(path: FilePath, links: Links, folder: int | None) -> os.stat_result | None:
    """Return the status of whatever is at a path now; None if nothing is."""
    try:
        return os.stat(path, dir_fd=folder, follow_symlinks=links == "followed")
    except OSError:
        return None


def _refuse_change(
    path: FilePath, descriptor: int, mark: FileMark, there: os.stat_result | None
) -> None:
    if there is None:
        raise changed(path, "it was removed while it was read")
    if (there.st_dev, there.st_ino) != mark[:2]:
        raise changed(path, "it was replaced while it was read")
    if FileMark.of(os.fstat(descriptor)) != mark:
        raise changed(path, "it was changed while it was read")


def changed(path: object, how: str) -> OSError:
    """Return the error of a file that did not stay as it was, which `has_changed` knows."""
    return OSError(errno.ESTALE, f"{how}; run again when nothing writes to it", str(path))


def has_changed(error: OSError) -> bool:
    """Return whether an error says that a file did not stay as it was."""
    return error.errno == errno.ESTALE
