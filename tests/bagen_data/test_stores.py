"""Files in a store: requests that fail are made again, and refused by name in the end."""

import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import fsspec
import pytest

from bagen_data import stores
from bagen_data.errors import InputError, StoreError, WrongUsageError
from bagen_data.locations import StoreUrl, parse_location
from bagen_data.stores import (
    check_store,
    copy,
    create,
    download,
    facts_of,
    fetched,
    list_files,
    list_folders,
    list_names,
    read_bytes,
    remove,
    remove_folder,
    remove_parts,
    staged_file,
    write_bytes,
)
from tests.faulty_store import FaultyStore, SharedStore, shared_store


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SharedStore:
    monkeypatch.setattr(stores, "_PAUSES", (0.001,) * 7)
    return shared_store(tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("out/a", Path("out/a")),
        ("file:///srv/a", Path("/srv/a")),
        ("S3://bucket/a/", StoreUrl("s3://bucket/a")),
        ("hf://buckets/me/runs/built", StoreUrl("hf://buckets/me/runs/built")),
    ],
)
def test_a_text_is_a_path_or_a_url(text: str, expected: object) -> None:
    assert parse_location(text) == expected


@pytest.mark.parametrize("text", ["s3://", "s3://a/../b", "s3://a//b", "simplecache::s3://a/b"])
def test_a_url_that_names_no_one_folder_is_refused(text: str) -> None:
    with pytest.raises(WrongUsageError, match="is not the URL of one folder"):
        parse_location(text)


@pytest.mark.parametrize("text", ["s3:/bucket/a", "file:/srv/a", "hf:/buckets/me/a"])
def test_a_url_that_lacks_a_slash_is_not_made_a_folder(text: str) -> None:
    with pytest.raises(WrongUsageError, match="has one slash after"):
        parse_location(text)


def test_a_kind_of_store_that_nothing_knows_is_refused_by_name() -> None:
    with pytest.raises(WrongUsageError, match="nonsense:// is not a kind of store"):
        check_store(StoreUrl("nonsense://a/b"))


def test_a_store_whose_package_is_missing_is_refused_by_name() -> None:
    fsspec.register_implementation("absent", "absent_package.Store", True, "Install absent")
    with pytest.raises(InputError, match=r"package for absent:// is not installed: Install absent"):
        check_store(StoreUrl("absent://a/b"))


@pytest.mark.parametrize("seed", range(5))
def test_files_are_as_they_were_written_where_one_request_in_five_fails(
    store: SharedStore, seed: int
) -> None:
    store.set(fails=0.2, seed=seed)
    folder = store.url / "a"
    expected = {f"{number % 3}/{number}.bin": bytes([number]) * 1000 for number in range(30)}
    for name, data in expected.items():
        with staged_file(folder / name) as path:
            path.write_bytes(data)
    sizes = {name: facts.bytes for name, facts in list_files(folder).items()}
    assert sizes == dict.fromkeys(expected, 1000)
    assert list_folders(folder) == ["0", "1", "2"]
    assert list_names(folder / "0") == sorted(f"{number}.bin" for number in range(0, 30, 3))
    for name, data in expected.items():
        copy(folder / name, store.url / "b" / name)
        with fetched(store.url / "b" / name) as path:
            assert path.read_bytes() == data == read_bytes(folder / name)
        remove(folder / name)
    assert not list_files(folder)
    remove_folder(store.url / "b")
    assert not list_files(store.url)


def test_a_file_of_a_failed_block_is_not_uploaded(store: SharedStore) -> None:
    with suppress(ZeroDivisionError), staged_file(store.url / "a") as path:
        path.write_bytes(b"half")
        raise ZeroDivisionError
    assert not list_files(store.url)


def test_a_path_is_written_whole_and_read_in_place(tmp_path: Path) -> None:
    target = tmp_path / "a/b"
    with staged_file(target) as path:
        path.write_text("1")
        assert not target.exists()
    with fetched(target) as path:
        assert path == target
        assert path.read_text() == "1"
    with suppress(ZeroDivisionError), staged_file(target) as path:
        path.write_text("2")
        raise ZeroDivisionError
    assert target.read_text() == "1"
    assert os.listdir(tmp_path / "a") == ["b"]


def test_two_writers_of_one_path_leave_the_file_of_one(tmp_path: Path) -> None:
    """An engine may give up a worker that lives on, and have another one do its job."""
    target = tmp_path / "b"
    with staged_file(target) as first:
        first.write_text("cut o")
        with staged_file(target) as second:
            second.write_text("whole")
        assert target.read_text() == "whole"
        with first.open("a") as file:
            file.write("ff")
    assert target.read_text() == "cut off"
    assert os.listdir(tmp_path) == ["b"]


def test_parts_of_killed_writers_are_removed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    stage = staged_file(tmp_path / "data/a")
    stage.__enter__().write_text("1")
    (tmp_path / "data/.b.part").write_text("of somebody else")
    remove_parts(tmp_path)
    assert os.listdir(tmp_path / "data") == [".b.part"]


@pytest.mark.parametrize("name", ["a::b.json", "memory::c d%20e.json", "f#g?h[1]*{i,j}.json"])
def test_a_file_has_any_name(name: str, store: SharedStore, tmp_path: Path) -> None:
    file = store.url / "folder" / name
    write_bytes(file, b"data")
    assert list(list_files(store.url / "folder")) == [name]
    assert (read_bytes(file), facts_of(file).bytes) == (b"data", 4)
    copy(file, store.url / f"copy {name}")
    download(store.url / f"copy {name}", tmp_path / "local")
    assert (tmp_path / "local").read_bytes() == b"data"


def test_a_file_that_is_there_is_not_created(store: SharedStore) -> None:
    assert create(store.url / "a", b"1")
    assert not create(store.url / "a", b"2")
    assert read_bytes(store.url / "a") == b"1"


def test_a_changed_file_has_other_facts(store: SharedStore) -> None:
    write_bytes(store.url / "a", b"1")
    facts = facts_of(store.url / "a")
    assert facts.is_same(facts_of(store.url / "a"))
    write_bytes(store.url / "a", b"2")
    assert not facts.is_same(facts_of(store.url / "a"))


@pytest.mark.parametrize(
    ("listed", "alone", "is_same"),
    [
        ({"ETag": "a"}, {"ETag": "a", "mtime": 5}, True),
        ({"ETag": "a"}, {"ETag": "b"}, False),
        ({"blob_id": "a"}, {"etag": "b", "blob_id": "a"}, True),
        ({"mtime": 5.25}, {"mtime": 5.75}, False),
        ({"created": "2026-01-02T03:04:05.5"}, {"created": datetime(2026, 1, 2, 3, 4, 5)}, True),
        ({"LastModified": "Fri, 02 Jan 2026 03:04:05 GMT"}, {"mtime": 1767323045.9}, True),
        ({"mtime": 5}, {"mtime": 6}, False),
        ({"mtime": "yesterday"}, {"mtime": 6}, True),
        ({"size": 4}, {"size": 5}, False),
        ({}, {}, True),
    ],
)
def test_facts_are_compared_where_both_are_stated(
    listed: dict[str, object], alone: dict[str, object], is_same: bool
) -> None:
    assert stores._stored(listed).is_same(stores._stored(alone)) is is_same


def test_a_store_that_always_fails_is_refused_by_name(store: SharedStore) -> None:
    write_bytes(store.url / "a", b"1")
    store.set(fails=1)
    with pytest.raises(StoreError, match=r"faulty://bucket/a: cannot be read: 8 requests in a row"):
        read_bytes(store.url / "a")
    assert FaultyStore.made == 8


def test_a_folder_that_cannot_be_listed_is_not_left_out(store: SharedStore) -> None:
    for name in "abcdef":
        write_bytes(store.url / name / "x", b"1")
    store.set(fails=0.5)
    with suppress(StoreError):
        assert list(list_files(store.url)) == [f"{name}/x" for name in "abcdef"]


def test_an_absent_file_is_asked_for_once(store: SharedStore) -> None:
    FaultyStore.made = 0
    with pytest.raises(FileNotFoundError):
        read_bytes(store.url / "a")
    assert FaultyStore.made == 1
