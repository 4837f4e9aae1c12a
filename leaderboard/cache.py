"""A cache of scores, by a hash of all that decides them."""

import hashlib
import os
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

import bagen_data
import leaderboard
from bagen_data.array_types import Floats
from bagen_data.replaced_file import replaced_file
from bagen_data.tables import to_json

_RECORD, _SEAL = "record", "seal"
_BROKEN = (OSError, ValueError, KeyError, EOFError, RuntimeError, BadZipFile, zlib.error)


@dataclass(frozen=True)
class Cache:
    """A folder of files that may be deleted at any time."""

    folder: Path | None
    """The folder of the files; None if nothing is kept."""

    def key(self, decides: Mapping[str, Any]) -> str:
        """Return a hash of what decides a result, and of the code that finds it, which is added."""
        content = to_json({"code": _code(), **decides})
        return hashlib.sha256(content.encode()).hexdigest()

    def get(self, key: str) -> tuple[str, dict[str, Floats]] | None:
        """Return a record and its arrays; None if absent, or not as `put` wrote them."""
        if self.folder is None:
            return None
        try:
            with (
                _path(self.folder, key).open("rb") as file,
                np.load(file, allow_pickle=False) as archive,
            ):
                arrays = {name: archive[name] for name in archive.files}
            seal = bytes(arrays.pop(_SEAL))
            record = bytes(arrays.pop(_RECORD)).decode()
            return (record, arrays) if seal == _seal(key, record, arrays) else None
        except _BROKEN:
            return None

    def put(self, key: str, record: str, arrays: Mapping[str, Floats]) -> None:
        """Keep a record and its arrays, whole or not at all; a failure is not an error."""
        if self.folder is None:
            return
        path = _path(self.folder, key)
        content: dict[str, Any] = {
            _SEAL: np.frombuffer(_seal(key, record, arrays), np.uint8),
            _RECORD: np.frombuffer(record.encode(), np.uint8),
            **arrays,
        }
        with (
            suppress(OSError),  # a read-only disk, or a file where the folder would be
            replaced_file(path) as staging,
            staging.open("wb") as file,
        ):
            np.savez(file, **content)


NO_CACHE = Cache(None)


def default_folder() -> Path:
    """Return the folder in which users' caches are."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "bagen" / "leaderboard"


def _seal(key: str, record: str, arrays: Mapping[str, Floats]) -> bytes:
    """Return a hash of a file's whole content, so that no other record is taken for its own."""
    digest = hashlib.sha256(to_json([key, record]).encode())
    for name, array in sorted(arrays.items()):
        digest.update(to_json([name, array.dtype.str, list(array.shape)]).encode())
        digest.update(array.tobytes())
    return digest.digest()


def _path(folder: Path, key: str) -> Path:
    return folder / key[:2] / f"{key}.npz"


@cache
def _code() -> str:
    """Return a hash of the library and this package; scores by other code are computed again."""
    return hash_of_code([Path(package.__path__[0]) for package in (bagen_data, leaderboard)])


def hash_of_code(roots: Iterable[Path]) -> str:
    """Return a hash of Python files in some folders, names and contents, and of NumPy's version."""
    digest = hashlib.sha256(np.__version__.encode())
    for root in roots:
        for path in sorted(root.rglob("*.py")):
            digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()
