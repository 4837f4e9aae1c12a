"""Names of datasets and their revisions."""

import os
import shutil
from pathlib import Path

import pytest

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.repositories.dataset_names import (
    DatasetName,
    at_revision,
    parse_dataset,
    whole_name,
)
from tests.making import build_record, write_json


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A folder with as much of a dataset as its name needs."""
    return write_json(tmp_path / "out" / "build.json", {"revision": "0123456789" * 6}).parent


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ORG/NAME", DatasetName("ORG/NAME", None, True)),
        ("ORG/NAME@v2.0", DatasetName("ORG/NAME", "v2.0", True)),
        ("ORG/NAME@refs/pr/1", DatasetName("ORG/NAME", "refs/pr/1", True)),
        ("s3://bucket/out", DatasetName("s3://bucket/out", None, False)),
    ],
)
def test_a_name_is_parsed(text: str, expected: DatasetName) -> None:
    assert parse_dataset(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *("nowhere", "a/b/c", "./a/b", "/ORG/NAME", "ORG /NAME", "ORG/a--b", "ORG/a..b", "ORG/a."),
        *("ORG./a", "ORG/a.git", f"ORG/{'a' * 93}", "ORG/a.@v1", "Ö/NAME"),
    ],
)
def test_a_text_that_names_no_dataset_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no such folder"):
        parse_dataset(text)


@pytest.mark.parametrize("revision", ["", " ", "a b", "../x", "a..b", "-f", "v1@v2", "v1\n", "x/"])
def test_a_text_that_names_no_revision_is_refused(revision: str) -> None:
    with pytest.raises(WrongUsageError, match="cannot name one"):
        parse_dataset(f"ORG/NAME@{revision}")
    with pytest.raises(WrongUsageError, match="cannot name one"):
        at_revision("ORG/NAME", revision)


def test_a_revision_is_joined_to_a_name() -> None:
    assert at_revision("ORG/NAME", None) == "ORG/NAME"
    assert at_revision("ORG/NAME", "v2.0") == "ORG/NAME@v2.0"
    assert at_revision("ORG/NAME@v2.0", "v2.0") == "ORG/NAME@v2.0"
    with pytest.raises(WrongUsageError, match=r"names another revision than --revision v1\.0"):
        at_revision("ORG/NAME@v2.0", "v1.0")
    with pytest.raises(WrongUsageError, match="was read as a number"):
        at_revision("ORG/NAME", 1234567)


def test_a_folder_is_of_its_own_revision_only(built: Path) -> None:
    revision = build_record(built)["revision"]
    assert at_revision(str(built), revision) == str(built)
    assert at_revision(f"{built}@{revision[:7]}", None) == f"{built}@{revision[:7]}"
    assert at_revision(f"{built}@{revision}", revision) == str(built)
    assert at_revision(f"file://{built}", revision[:7]) == f"file://{built}"
    for other in (revision[:6], "v2.0", "0" * 40):
        with pytest.raises(WrongUsageError, match=f"is of revision {revision}"):
            at_revision(str(built), other)


def test_a_whole_name_holds_in_any_folder(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(built.parent)
    assert whole_name("out") == str(built)
    assert whole_name("out@0123456") == f"{built}@0123456"
    for name in ("ORG/NAME@v1", "s3://bucket/out"):
        assert whole_name(name) == name


def test_a_folder_without_a_revision_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WrongUsageError, match="states no revision"):
        at_revision(str(tmp_path), "0123456")


def test_a_folder_of_the_very_name_wins(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(built, tmp_path / "ORG" / "NAME@v1")
    monkeypatch.chdir(tmp_path)
    assert parse_dataset("ORG/NAME@v1") == DatasetName("ORG/NAME@v1", None, False)
    with pytest.raises(InputError, match="no such folder"):
        parse_dataset("ORG/NAME")  # a folder ORG is there, so this is a wrong path
    os.rename("ORG/NAME@v1", "ORG/NAME")
    assert parse_dataset("ORG/NAME@v1") == DatasetName("ORG/NAME", "v1", False)
