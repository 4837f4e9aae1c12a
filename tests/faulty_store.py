"""An object store in a folder, for tests: processes share it, and it fails as it is told to.

    faulty://bucket/path          what a URL looks like; `STORE_FOLDER/bucket/path` is the file

Like those of providers, it has no folders of its own: they are there while files are in them. A
file is put whole or not at all. A request that fails has done its work in half of the cases.
"""

import os
import random
import secrets
import shutil
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec import AbstractFileSystem

from bagen_data.locations import StoreUrl
from tests.making import REPO

FOLDER, FAILS, SEED = "STORE_FOLDER", "STORE_FAILS", "STORE_SEED"
SLOW, KILL = "STORE_SLOW", "STORE_KILL"
"""Settings of the store, in the environment, so that other processes have them too."""


class FaultyStore(AbstractFileSystem):
    """The store; each method is a request, or several."""

    protocol = "faulty"
    cachable = False
    made = 0
    """Requests that this process made."""
    _random: random.Random | None = None

    def _request(self) -> bool:
        """Be slow, and perhaps fail; returns whether to fail afterwards."""
        kind = type(self)
        kind.made += 1
        if kind._random is None:
            seed = os.environ.get(SEED)
            kind._random = random.Random(seed if seed is not None else os.getpid())
        self._die_at(2 * kind.made)
        time.sleep(float(os.environ.get(SLOW, "0")))
        if kind._random.random() < float(os.environ.get(FAILS, "0")):
            if kind._random.random() < 0.5:
                raise OSError("the store answered 503 Slow Down")
            return True
        return False

    def _die_at(self, moment: int) -> None:
        """Be killed at this moment if it is the chosen one: of request n, 2n before, 2n+1 after."""
        if str(moment) == os.environ.get(KILL):
            os.kill(os.getpid(), signal.SIGKILL)

    def _answer(self, is_lost: bool) -> None:
        self._die_at(2 * type(self).made + 1)
        if is_lost:
            raise ConnectionResetError("the connection was reset")

    def _local(self, path: str) -> Path:
        return Path(os.environ[FOLDER], self._strip_protocol(path))

    def _info(self, path: Path) -> dict[str, Any]:
        name = path.relative_to(os.environ[FOLDER]).as_posix()
        if path.is_dir() and any(each.is_file() for each in path.rglob("*")):
            return {"name": name, "size": 0, "type": "directory"}
        status = path.stat()
        if path.is_dir():
            raise FileNotFoundError(name)
        return {
            "name": name,
            "size": status.st_size,
            "type": "file",
            "ETag": f"{status.st_ino}-{status.st_mtime_ns}-{status.st_size}",
            "LastModified": datetime.fromtimestamp(status.st_mtime, UTC),
        }

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        is_lost = self._request()
        local = self._local(path)
        facts = []
        if local.is_file():
            facts.append(self._info(local))
        elif local.is_dir():
            for each in sorted(local.iterdir()):
                with suppress(FileNotFoundError):
                    facts.append(self._info(each))
        if not facts:
            raise FileNotFoundError(path)
        self._answer(is_lost)
        return facts if detail else [each["name"] for each in facts]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        is_lost = self._request()
        facts = self._info(self._local(path))
        self._answer(is_lost)
        return facts

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **_: Any
    ) -> bytes:
        is_lost = self._request()
        data = self._local(path).read_bytes()[start:end]
        self._answer(is_lost)
        return data

    def get_file(self, rpath: str, lpath: str, *_: Any, **__: Any) -> None:
        is_lost = self._request()
        shutil.copyfile(self._local(rpath), lpath)
        if is_lost:
            with open(lpath, "r+b") as file:  # cut off
                file.truncate(os.path.getsize(lpath) // 2)
        self._answer(is_lost)

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **_: Any) -> None:
        is_lost = self._request()
        self._put(path, value, is_new=mode == "create")
        self._answer(is_lost)

    def put_file(self, lpath: str, rpath: str, *_: Any, **__: Any) -> None:
        is_lost = self._request()
        self._put(rpath, Path(lpath).read_bytes())
        self._answer(is_lost)

    def cp_file(self, path1: str, path2: str, **_: Any) -> None:
        is_lost = self._request()
        self._put(path2, self._local(path1).read_bytes())
        self._answer(is_lost)

    def rm_file(self, path: str) -> None:
        is_lost = self._request()
        local = self._local(path)
        local.unlink()
        for folder in local.parents:
            if folder == Path(os.environ[FOLDER]):
                break
            with suppress(OSError):
                folder.rmdir()
        self._answer(is_lost)

    _rm = rm_file

    def rm(self, path: str, recursive: bool = False, **_: Any) -> None:
        if not recursive or self._local(path).is_file():
            self.rm_file(path)
            return
        for file in self.find(path):
            self.rm_file(file)

    def _put(self, path: str, data: bytes, *, is_new: bool = False) -> None:
        uploads = Path(os.environ[FOLDER]).with_suffix(".uploads")
        uploads.mkdir(exist_ok=True)
        upload = uploads / secrets.token_hex(8)
        upload.write_bytes(data)
        local = self._local(path)
        while True:
            local.parent.mkdir(parents=True, exist_ok=True)
            try:
                if is_new:
                    os.link(upload, local)
                    upload.unlink()
                else:
                    upload.replace(local)
            except FileNotFoundError:  # its folder was emptied meanwhile
                continue
            return


fsspec.register_implementation("faulty", FaultyStore, clobber=True)


@dataclass(frozen=True)
class SharedStore:
    """A store of a test, and the settings of processes that use it."""

    folder: Path
    environment: dict[str, str]

    @property
    def url(self) -> StoreUrl:
        """The URL of the store's one bucket."""
        return StoreUrl("faulty://bucket")

    def path(self, url: StoreUrl | str) -> Path:
        """Return the local path of a URL's file or folder."""
        return self.folder / str(url).removeprefix("faulty://")

    def set(self, **settings: float) -> "SharedStore":
        """Have the store of this process, and of those that it starts, fail or be slow."""
        more = {f"STORE_{name.upper()}": str(value) for name, value in settings.items()}
        os.environ.update(more)
        FaultyStore._random = None
        FaultyStore.made = 0
        return replace(self, environment=self.environment | more)


def shared_store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> SharedStore:
    """Return a store that does not fail, which processes started from here know too."""
    known = folder / "packages" / "faulty_store-1.0.dist-info"
    known.mkdir(parents=True)
    (known / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty-store\nVersion: 1.0\n")
    (known / "entry_points.txt").write_text(
        "[fsspec.specs]\nfaulty = tests.faulty_store.FaultyStore\n"
    )
    store = folder / "store"
    store.mkdir()
    settings = {FOLDER: str(store), FAILS: "0", SLOW: "0", SEED: "0", KILL: "0"}
    path = os.pathsep.join(
        filter(None, (str(known.parent), str(REPO), os.environ.get("PYTHONPATH")))
    )
    settings["PYTHONPATH"] = path
    monkeypatch.setattr(sys, "path", [str(known.parent), *sys.path])  # of worker processes, too
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    FaultyStore._random = None
    return SharedStore(store, dict(os.environ))
