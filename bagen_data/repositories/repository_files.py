"""Files of a repository and of this machine, compared by the hashes that the Hub keeps of them."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bagen_data.errors import InputError
from bagen_data.steady_files import FileMark, steady_file

_BLOCK = 1 << 20


@dataclass(frozen=True)
class RemoteFile:
    """A file of a repository, as a listing names it."""

    bytes: int
    blob_id: str
    """The git hash of the file; of its pointer where it is stored as a large file."""
    sha256: str | None
    """The hash of a large file's content; None of any other."""

    def may_be(self, file: "LocalFile | None") -> bool:
        """Return whether only the content can tell if a file is this one, which has another id."""
        return (
            file is not None
            and self.sha256 is None
            and self.bytes == file.bytes
            and self.blob_id != file.blob_id
        )


@dataclass(frozen=True)
class LocalFile:
    """A file of this machine when it was hashed."""

    path: Path
    bytes: int
    sha256: str
    blob_id: str
    """The git hash of the content."""
    mark: FileMark

    def is_same(self, remote: RemoteFile | None) -> bool:
        """Return whether a file of a repository has this content."""
        if remote is None or remote.bytes != self.bytes:
            return False
        if remote.sha256 is not None:
            return remote.sha256 == self.sha256
        return remote.blob_id == self.blob_id


def hash_file(path: Path) -> LocalFile:
    """Return a file with its hashes.

    Raises:
        InputError: it cannot be read, or changes while it is read.
    """
    sha256, size = hashlib.sha256(), 0
    try:
        with steady_file(path) as file:
            blob = hashlib.sha1(f"blob {file.mark.bytes}\0".encode(), usedforsecurity=False)
            while block := file.stream.read(_BLOCK):
                size += len(block)
                sha256.update(block)
                blob.update(block)
            mark = file.mark
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    return LocalFile(path, size, sha256.hexdigest(), blob.hexdigest(), mark)


def read_unchanged(file: LocalFile) -> bytes:
    """Return the content of a file that was hashed before.

    Raises:
        InputError: it cannot be read, or has another content now.
    """
    try:
        content = file.path.read_bytes()
    except OSError as error:
        raise InputError(f"{file.path}: cannot be read: {error.strerror or error}") from error
    if hashlib.sha256(content).hexdigest() != file.sha256:
        raise changed_file(file.path)
    return content


def refuse_changed(files: Iterable[LocalFile]) -> None:
    """Refuse files that are others than when they were hashed.

    Raises:
        InputError: a file cannot be read, or changed.
    """
    for file in files:
        now = hash_file(file.path)
        if now.sha256 != file.sha256:
            raise changed_file(file.path)


def changed_file(path: Path) -> InputError:
    """Return the error of a file that changed while it was published."""
    return InputError(
        f"{path}: was changed while it was published; the repository is as it was: run again when "
        "nothing writes there"
    )


@dataclass(frozen=True)
class Changes:
    """The difference between a repository and the files that it is to have; paths are sorted."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    deleted: tuple[str, ...]
    """Stale files of ours."""
    unchanged: tuple[str, ...]
    foreign: tuple[str, ...]
    """Files of others, which stay."""

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.deleted)

    @property
    def sent(self) -> tuple[str, ...]:
        """The paths whose content the repository lacks."""
        return (*self.added, *self.changed)


def changes_between(
    remote: Mapping[str, RemoteFile],
    files: Mapping[str, LocalFile],
    is_ours: Callable[[str], bool],
) -> Changes:
    """Return what is to be done so that a repository has these files.

    Args:
        remote: the files of the repository by path.
        files: the files that it is to have, by path.
        is_ours: whether a file of the repository that is not among `files` is stale.
    """
    same = {path for path, file in files.items() if file.is_same(remote.get(path))}
    others = remote.keys() - files.keys()
    stale = {path for path in others if is_ours(path)}
    return Changes(
        added=tuple(sorted(files.keys() - remote.keys())),
        changed=tuple(sorted((files.keys() & remote.keys()) - same)),
        deleted=tuple(sorted(stale)),
        unchanged=tuple(sorted(same)),
        foreign=tuple(sorted(others - stale)),
    )
