"""Files in a store that fsspec knows (`s3://`, `gs://`, `hf://buckets/...`), with failures retried.

A request that fails is made again after pauses that grow, about 13 seconds in all, then refused by
name. A file that is absent, or that may not be read or written, is not asked for again.
"""

import errno
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from bagen_data.errors import InputError, MissingExtraError, StoreError, WrongUsageError
from bagen_data.folder_staging import TOKEN_PATTERN, new_token
from bagen_data.locations import HubPath, Location, ReadLocation, StoreUrl
from bagen_data.repositories.snapshots import local_file
from bagen_data.steady_files import SteadyFile, steady_file

_Result = TypeVar("_Result")
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
"""The longest seconds to wait after each failure in a row; one more is final."""
_NUMBERS: dict[type[OSError], int] = {
    FileNotFoundError: errno.ENOENT,
    PermissionError: errno.EACCES,
    IsADirectoryError: errno.EISDIR,
    NotADirectoryError: errno.ENOTDIR,
}
_LASTING = tuple(_NUMBERS)
"""Errors that the same request would have again."""
_WRONG = (FileExistsError, NotImplementedError, ImportError, AttributeError, TypeError)
"""Errors that are not of the connection or the store."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
"""Errors of this machine's disk."""
_TAGS = ("ETag", "etag", "md5Hash", "content_md5", "xet_hash", "blob_id")
_TIMES = ("LastModified", "last_modified", "mtime", "updated", "uploaded_at", "created")
_CLOCK = 1e-3
"""Seconds by which two times of one change differ, as they are rounded."""
_PART = ".part"
"""The end of the name of a file that is being written."""
_BUCKETS = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "hf")
"""Stores without folders, where making one could make a bucket."""


@dataclass(frozen=True)
class StoredFile:
    """Facts of a file in a store that differ after a change of it."""

    bytes: int
    tags: Mapping[str, str]
    """The hashes or versions that the store gives the content, by their names; often one."""
    modified: float | None
    """The time of the last change, in seconds; None where the store says none."""

    def is_same(self, other: "StoredFile") -> bool:
        """Return whether nothing says that the two are of different contents.

        A store may say less in a listing than about one file, and times in whole seconds only.
        """
        if self.bytes != other.bytes:
            return False
        if both := self.tags.keys() & other.tags.keys():
            return all(self.tags[name] == other.tags[name] for name in both)
        if self.modified is None or other.modified is None:
            return True
        is_whole = self.modified.is_integer() or other.modified.is_integer()
        return abs(self.modified - other.modified) < (1 if is_whole else _CLOCK)


def list_files(folder: StoreUrl) -> dict[str, StoredFile]:
    """Return the files below a folder, by paths relative to it; none where it is absent.

    Raises:
        StoreError: the store does not answer.
        OSError: the folder is a file, or may not be listed.
    """
    system, root = _system(folder)
    listed = _listed(folder, system, root) if _lists_at_once(system) else _walked(folder)
    files = {}
    for path, info in listed.items():
        relative = path.strip("/").removeprefix(root.strip("/")).lstrip("/")
        if not relative:
            raise NotADirectoryError(errno.ENOTDIR, "it is a file", str(folder))
        if not path.endswith("/"):  # what some tools leave for an empty folder
            files[relative] = _stored(info)
    return dict(sorted(files.items()))


def _lists_at_once(system: Any) -> bool:
    """Return whether a store lists all below a folder itself.

    The walk that fsspec makes for the others leaves out each folder that cannot be listed.
    """
    from fsspec import AbstractFileSystem
    from fsspec.asyn import AsyncFileSystem

    own, kind = (AsyncFileSystem, "_find"), type(system)
    if not issubclass(kind, AsyncFileSystem):
        own = (AbstractFileSystem, "find")
    return getattr(kind, own[1]) is not getattr(*own)


def _listed(folder: StoreUrl, system: Any, root: str) -> Mapping[str, Mapping[str, Any]]:
    def find() -> Mapping[str, Mapping[str, Any]]:
        system.invalidate_cache()
        entries: Mapping[str, Mapping[str, Any]] = system.find(root, detail=True)
        return entries

    try:
        return _tried(folder, "listed", find)
    except FileNotFoundError:
        return {}


def _walked(folder: StoreUrl) -> Mapping[str, Mapping[str, Any]]:
    files: dict[str, Mapping[str, Any]] = {}
    waiting = [folder]
    while waiting:
        below = waiting.pop()
        try:
            entries = _entries(below)
        except FileNotFoundError:  # it is absent, or was removed a moment ago
            continue
        for path, info in entries.items():
            if info["type"] == "directory":
                waiting.append(below / path.rpartition("/")[2])
            else:
                files[path] = info
    return files


def list_folders(folder: StoreUrl) -> list[str]:
    """Return the names of the folders in a folder, in order.

    Raises:
        FileNotFoundError: the folder is absent.
        StoreError, OSError: as `list_files`.
    """
    return _names(folder, "directory")


def list_names(folder: StoreUrl) -> list[str]:
    """Return the names of the files in a folder, in order; raises as `list_folders`."""
    return _names(folder, "file")


def _names(folder: StoreUrl, kind: str) -> list[str]:
    names = (path for path, info in _entries(folder).items() if info["type"] == kind)
    return sorted(path.rpartition("/")[2] for path in names)


def _entries(folder: StoreUrl) -> dict[str, Mapping[str, Any]]:
    """Return the files and folders in a folder by their paths; of a file, the file alone."""
    system, root = _system(folder)

    def ls() -> list[Mapping[str, Any]]:
        system.invalidate_cache()
        entries: list[Mapping[str, Any]] = system.ls(root, detail=True)
        return entries

    entries = {each["name"].rstrip("/"): each for each in _tried(folder, "listed", ls)}
    if entries.get(root.rstrip("/"), {}).get("type") == "directory":  # what some stores list, too
        del entries[root.rstrip("/")]
    return entries


def facts_of(file: StoreUrl) -> StoredFile:
    """Return the facts of a file as it is now.

    Raises:
        FileNotFoundError: the file is absent.
        StoreError, OSError: it cannot be asked for.
    """
    system, path = _system(file)

    def info() -> Mapping[str, Any]:
        system.invalidate_cache()
        facts: Mapping[str, Any] = system.info(path)
        return facts

    facts = _tried(file, "looked at", info)
    if facts.get("type") == "directory":
        raise FileNotFoundError(errno.ENOENT, "it is a folder", str(file))
    return _stored(facts)


def read_bytes(file: StoreUrl) -> bytes:
    """Return what a file holds; raises as `facts_of`."""
    system, path = _system(file)
    data: bytes = _tried(file, "read", lambda: system.cat_file(path))
    return data


def read_part(file: StoreUrl, start: int, stop: int) -> bytes:
    """Return the bytes of a file from `start` up to `stop`; raises as `facts_of`."""
    system, path = _system(file)
    data: bytes = _tried(file, "read", lambda: system.cat_file(path, start=start, end=stop))
    return data


def download(file: StoreUrl, target: Path) -> None:
    """Copy a file to this machine; raises as `facts_of`, or `OSError` if the room is too small."""
    system, path = _system(file)

    def get() -> None:
        system.get_file(path, str(target))
        _refuse_size(target.stat().st_size, facts_of(file).bytes)

    _tried(file, "read", get)


def write_bytes(file: StoreUrl, data: bytes) -> None:
    """Write a file, in place of one that is there.

    Raises:
        StoreError: the store does not answer.
        OSError: the file may not be written.
    """
    system, path = _system(file)
    _in_folder(file, "written", lambda: system.pipe_file(path, data))


def create(file: StoreUrl, data: bytes) -> bool:
    """Write a file that is not there yet, where the store can say so; returns False if it is there.

    A store that cannot write so has the file written all the same.
    """
    system, path = _system(file)
    try:
        _in_folder(file, "written", lambda: system.pipe_file(path, data, mode="create"))
    except FileExistsError:
        return False
    except (NotImplementedError, TypeError):
        write_bytes(file, data)
    return True


def upload(source: Path, file: StoreUrl) -> None:
    """Copy a file of this machine to a store, in place of one that is there; as `write_bytes`."""
    system, path = _system(file)

    def put() -> None:
        system.put_file(str(source), path)
        _refuse_size(facts_of(file).bytes, source.stat().st_size)

    _in_folder(file, "written", put)


def copy(source: StoreUrl, target: StoreUrl) -> None:
    """Copy a file within a store, by the store itself where it can; raises as `write_bytes`."""
    system, path = _system(source)
    _, other = _system(target)
    try:
        _in_folder(target, "written", lambda: system.cp_file(path, other))
    except NotImplementedError:
        with fetched(source) as local:
            upload(local, target)


def remove(file: StoreUrl) -> None:
    """Remove a file; nothing is done where it is absent."""
    system, path = _system(file)
    with suppress(FileNotFoundError):
        _tried(file, "removed", lambda: system.rm_file(path))


def remove_folder(folder: StoreUrl) -> None:
    """Remove a folder with all that lies in it; nothing is done where it is absent."""
    for name in list_files(folder):
        remove(folder / name)
    if folder.protocol not in _BUCKETS:
        system, path = _system(folder)
        with suppress(FileNotFoundError):
            _tried(folder, "removed", lambda: system.rm(path, recursive=True))


@contextmanager
def staged_file(location: Location) -> Iterator[Path]:
    """Give a path of this machine to write a file to, which is at `location` when the block ends.

    The file appears whole, unless the block left it absent or failed. So two workers may be at one
    job, as where an engine gives up a worker that lives on. For a path it is a file beside it that
    is renamed, in a folder that is made; for a URL a temporary file that is uploaded.

    Raises:
        StoreError: the store does not answer.
        OSError: the file may not be written.
    """
    if isinstance(location, Path):
        location.parent.mkdir(parents=True, exist_ok=True)
        part = location.with_name(f".{location.name}.{new_token()}{_PART}")
        try:
            yield part
            if part.exists():
                part.replace(location)
        finally:
            part.unlink(missing_ok=True)
        return
    with TemporaryDirectory(prefix="bagen-") as folder:
        path = Path(folder, location.name)
        yield path
        if path.exists():
            upload(path, location)


def remove_parts(folder: Path) -> None:
    """Remove what killed workers left of files that `staged_file` gave them below a folder."""
    for part in folder.rglob(f".*.{TOKEN_PATTERN}{_PART}"):
        part.unlink(missing_ok=True)


@contextmanager
def fetched(location: ReadLocation) -> Iterator[Path]:
    """Give a path of this machine to read a file at; a URL's is a temporary copy for the block.

    The path of a file on the Hub is in the cache of huggingface_hub.

    Raises:
        FileNotFoundError: the file is absent.
        StoreError, OSError: it cannot be read.
    """
    if isinstance(location, Path):
        yield location
        return
    if isinstance(location, HubPath):
        yield local_file(location)
        return
    with TemporaryDirectory(prefix="bagen-") as folder:
        path = Path(folder, location.name)
        download(location, path)
        yield path


def read_location(location: ReadLocation) -> bytes:
    """Return what a file holds.

    Raises:
        FileNotFoundError: the file is absent.
        InputError: the Hub has no such dataset or commit, or it may not be read.
        StoreError, OSError: it cannot be read.
    """
    if isinstance(location, HubPath):
        return local_file(location).read_bytes()
    return location.read_bytes() if isinstance(location, Path) else read_bytes(location)


def remove_file(location: Location) -> None:
    """Remove a file; nothing is done where it is absent."""
    if isinstance(location, Path):
        location.unlink(missing_ok=True)
    else:
        remove(location)


@contextmanager
def steady_location(location: ReadLocation) -> Iterator[SteadyFile]:
    """Open a file as `steady_file` does; that of a store or the Hub is a copy.

    Raises:
        StoreError: the store does not answer.
        OSError: as `steady_file`.
    """
    with fetched(location) as path, steady_file(path) as file:
        yield file


def check_store(location: Location) -> None:
    """Refuse a URL whose kind of store cannot be reached from here; a path is left alone.

    Raises:
        WrongUsageError: nothing knows its protocol.
        InputError: the package of its protocol is not installed.
        MissingExtraError: fsspec is not installed.
    """
    if isinstance(location, StoreUrl):
        _system(location)


def _system(url: StoreUrl) -> tuple[Any, str]:
    """Return fsspec's file system of a URL, and the path in it."""
    try:
        from fsspec.core import url_to_fs
    except ModuleNotFoundError as error:
        raise MissingExtraError("fsspec", "load") from error
    try:
        system, _ = url_to_fs(str(url).replace("::", "--"))  # which would join two stores
    except ImportError as error:
        raise InputError(
            f"{url}: the package for {url.protocol}:// is not installed: {error}; install it, or "
            "give a folder"
        ) from error
    except ValueError as error:
        raise WrongUsageError(
            f"{url}: {url.protocol}:// is not a kind of store that fsspec knows: {error}; "
            "expected one such as s3://, gs://, az:// or hf://buckets/, or a folder"
        ) from error
    return system, system._strip_protocol(str(url))


def _stored(info: Mapping[str, Any]) -> StoredFile:
    tags = {name: str(info[name]) for name in _TAGS if info.get(name)}
    times = (_seconds(info[name]) for name in _TIMES if info.get(name))
    modified = next((time for time in times if time is not None), None)
    return StoredFile(int(info.get("size") or 0), tags, modified)


def _seconds(time: object) -> float | None:
    """Return a time in seconds, however a store words it; None where that is not known."""
    if isinstance(time, str):
        return _seconds(_parsed(time))
    if isinstance(time, datetime):
        return (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    return float(time) if isinstance(time, int | float) else None


def _parsed(time: str) -> datetime | None:
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        with suppress(ValueError):
            return parse(time)
    return None


def _refuse_size(size: int, expected: int) -> None:
    """Refuse a file that arrived with another size, to be copied again.

    Raises:
        OSError: the sizes differ.
    """
    if size != expected:
        raise OSError(errno.EIO, f"{size:,} bytes arrived; expected {expected:,}")


def _in_folder(file: StoreUrl, what: str, action: Callable[[], object]) -> None:
    """Write a file, and make its folder first where the store has folders and this one is not."""
    try:
        _tried(file, what, action)
    except FileNotFoundError:
        if file.protocol in _BUCKETS:
            raise
        system, path = _system(file)
        folder = path.rpartition("/")[0]
        _tried(file, what, lambda: system.makedirs(folder, exist_ok=True))
        _tried(file, what, action)


def _worded(error: OSError, url: StoreUrl) -> OSError:
    """Return an error with its number and text, which clients of stores leave out."""
    for kind, number in _NUMBERS.items():
        if isinstance(error, kind):
            return kind(number, os.strerror(number), str(url))
    return error


def _tried(url: StoreUrl, what: str, action: Callable[[], _Result]) -> _Result:
    """Do what a store may fail at, again and again for a while.

    Raises:
        StoreError: it failed each time.
        OSError: it cannot be done.
    """
    for pause in (*_PAUSES, None):
        try:
            return action()
        except _LASTING as error:
            if error.errno is not None and error.strerror:
                raise
            raise _worded(error, url) from error
        except _WRONG:
            raise
        except Exception as error:  # which one a client of a store raises changes with it
            if isinstance(error, OSError) and error.errno in _NO_ROOM:
                raise
            if pause is None:
                how = str(error) or type(error).__name__
                raise StoreError(
                    f"{url}: cannot be {what}: {len(_PAUSES) + 1} requests in a row failed, the "
                    f"last one with '{how}'; expected the store to answer; look at its address, "
                    "the credentials and the network, and run again"
                ) from error
            time.sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - so that not all ask at once
    raise AssertionError
