"""Datasets in a store that are replaced: the old one, the new one, or none."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from bagen_data import store_locks, stores
from bagen_data.errors import OutputError, StoreError
from bagen_data.replaced_store import replaced_store
from bagen_data.stores import list_files, read_bytes, write_bytes
from bagen_data.tables import MANIFEST
from tests.bagen_data.store_writer import METADATA, write
from tests.faulty_store import SharedStore, shared_store
from tests.forks import Forks

LOCK = ".building.lock"
OLD = dict.fromkeys(("old", "data/a", *METADATA), b"1")
NEW = dict.fromkeys(("data/a", "data/b", *METADATA), b"2")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SharedStore:
    monkeypatch.setattr(stores, "_PAUSES", (0.001,) * 7)
    monkeypatch.setattr(store_locks, "_SETTLE", 0)
    return shared_store(tmp_path, monkeypatch)


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    forks = Forks("bagen_data.replaced_store", "tests.faulty_store", environment=os.environ)
    yield forks
    forks.close()


def contents(store: SharedStore) -> dict[str, bytes]:
    """The files of the store that a reader sees: none that is on its way."""
    folder = store.path(store.url)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_dataset_is_written_and_replaced_and_nothing_else_is_left(store: SharedStore) -> None:
    write(store.url, "1", ["old", "data/a"])
    assert contents(store) == OLD
    write(store.url, "2", ["data/a", "data/b"], list(OLD))
    assert contents(store) == NEW


def test_one_request_in_five_may_fail(store: SharedStore) -> None:
    write(store.url, "1", ["old", "data/a"])
    for seed in range(10):
        store.set(fails=0.2, seed=seed)
        write(store.url, "2", ["data/a", "data/b"], [*OLD, *NEW])
        store.set(fails=0)
        assert contents(store) == NEW


def test_a_failure_leaves_the_old_dataset(store: SharedStore) -> None:
    write(store.url, "1", ["old", "data/a"])
    with pytest.raises(ZeroDivisionError), replaced_store(store.url, OLD) as staging:
        write_bytes(staging / "data/a", bytes(1 // 0))
    assert contents(store) == OLD


def test_foreign_files_are_never_touched(store: SharedStore) -> None:
    write(store.url, "1", ["old", "data/a"])
    write_bytes(store.url / "notes.txt", b"mine")
    with pytest.raises(OutputError, match=r"1 file.*\(notes\.txt\); nothing was touched"):
        write(store.url, "2", ["data/a"], list(OLD))
    assert contents(store) == OLD | {"notes.txt": b"mine"}


def test_a_store_that_always_fails_is_refused_by_name(store: SharedStore) -> None:
    write(store.url, "1", ["old", "data/a"])
    store.set(fails=1)
    with pytest.raises(StoreError, match="faulty://bucket: cannot be listed"):
        write(store.url, "2", ["data/a"], list(OLD))
    assert contents(store) == OLD


STEP = 7
"""Every so many moments of a run it is killed; 1 is all of them, in a minute and a half."""
COMMAND = ("-m", "tests.bagen_data.store_writer", "faulty://bucket", "2", "data/a", "data/b")


def test_killed_at_any_moment_it_is_the_old_one_the_new_one_or_absent(
    store: SharedStore, forks: Forks
) -> None:
    states = set()
    for moment in count(2, STEP):
        shutil.rmtree(store.path(store.url), ignore_errors=True)
        write(store.url, "1", ["old", "data/a"])
        result = forks.run(COMMAND, store.environment | {"STORE_KILL": str(moment)})
        if result.returncode == 0 and moment % 2 == 0:  # it has fewer requests
            break
        assert result.returncode in {0, -signal.SIGKILL}, result.stderr
        left = contents(store)
        states.add(left.get(MANIFEST))
        if MANIFEST in left:
            expected = OLD if left[MANIFEST] == b"1" else NEW
            assert left.items() >= expected.items()
            assert all(name in expected or name.startswith(".building") for name in left)
        again = forks.run(COMMAND, store.environment)
        assert again.returncode == 0, again.stderr
        assert contents(store) == NEW
    assert states == {b"1", b"2", None}


def test_a_file_that_a_killed_run_did_not_write_is_foreign(
    store: SharedStore, forks: Forks
) -> None:
    write(store.url, "1", ["old", "data/a"])
    for moment in count(2, STEP):
        forks.run(COMMAND, store.environment | {"STORE_KILL": str(moment)})
        if MANIFEST not in contents(store):
            break
    write_bytes(store.url / "data/mine", b"mine")
    before = contents(store)
    result = forks.run(COMMAND, store.environment)
    assert "holds 1 file(s) that no build wrote (data/mine)" in result.stderr
    assert contents(store) == before


def test_two_writers_are_told_apart(store: SharedStore) -> None:
    with replaced_store(store.url, ()) as staging:
        for name in METADATA:
            write_bytes(staging / name, b"1")
        with pytest.raises(OutputError, match=rf"process {os.getpid()} on .*remove .*\.lock"):
            write(store.url, "2", ["data/a"])
    assert contents(store) == dict.fromkeys(METADATA, b"1")


def holder(store: SharedStore) -> dict[str, object]:
    lock: dict[str, object] = json.loads(read_bytes(store.url / LOCK))
    return lock


def test_the_lock_of_a_process_elsewhere_that_gives_no_sign_is_taken_over(
    store: SharedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_locks, "_SILENCE", 0.05)
    monkeypatch.setattr(store_locks, "_LOOK", 0.01)
    with store_locks.held_store(store.url):
        lock = holder(store)
    write_bytes(store.url / LOCK, json.dumps(lock | {"machine": "another"}).encode())
    write(store.url, "2", ["data/a", "data/b"])
    assert contents(store) == NEW


def write_without_lock(store: SharedStore) -> None:
    with replaced_store(store.url, OLD) as staging:
        for name in METADATA:
            write_bytes(staging / name, b"2")
        write_bytes(store.url / LOCK, json.dumps({"token": "theirs"}).encode())


def test_a_writer_whose_lock_was_taken_over_stops(store: SharedStore) -> None:
    write(store.url, "1", ["old", "data/a"])
    with pytest.raises(OutputError, match="another process writes it"):
        write_without_lock(store)
    assert contents(store).items() >= OLD.items()


def test_a_living_process_gives_signs(store: SharedStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_locks, "_BEAT", 0.01)
    with store_locks.held_store(store.url):
        first = holder(store)
        while holder(store) == first:
            pass
    assert not list_files(store.url)
