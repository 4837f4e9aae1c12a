"""Folders that are written whole or not at all."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bagen_data.errors import OutputError
from bagen_data.replaced_folder import replaced_folder
from tests.making import contents


def put(out: Path, text: str, may_replace: tuple[str, ...] = ("file",)) -> None:
    with replaced_folder(out, may_replace) as staging:
        (staging / "file").write_text(text)


def test_a_failure_leaves_the_old_folder(tmp_path: Path) -> None:
    put(tmp_path / "out", "1")
    with pytest.raises(ZeroDivisionError), replaced_folder(tmp_path / "out", ["file"]) as staging:
        (staging / "file").write_text(str(1 / 0))
    assert contents(tmp_path) == {"out/file": b"1"}


def test_foreign_files_are_never_touched(tmp_path: Path) -> None:
    put(tmp_path / "out", "1")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"notes\.txt"):
        put(tmp_path / "out", "2")
    assert contents(tmp_path) == {"out/file": b"1", "out/notes.txt": b"mine"}


def test_linked_and_empty_folders_are_foreign(tmp_path: Path) -> None:
    out = tmp_path / "out"
    put(out, "1")
    (tmp_path / "mine").mkdir()
    (out / "linked").symlink_to(tmp_path / "mine")
    (out / "empty" / "folder").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"2 file.*\(empty/folder/, linked\)"):
        put(out, "2")
    assert (out / "linked").is_symlink()
    assert (out / "empty" / "folder").is_dir()
    assert (out / "file").read_text() == "1"


def test_an_emptied_folder_of_ours_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / "data").mkdir(parents=True)
    put(out, "1", ("file", "data/a/b"))
    assert contents(tmp_path) == {"out/file": b"1"}


def test_a_folder_that_cannot_be_read_is_foreign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    put(out, "1")
    (out / "closed").mkdir()
    scandir = os.scandir

    def closed(path: Path | str) -> Iterator[os.DirEntry[str]]:
        if Path(path) == out / "closed":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", closed)
    with pytest.raises(OutputError, match=r"closed: cannot be read: Permission denied"):
        put(out, "2")
    monkeypatch.undo()
    assert (out / "closed").is_dir()
    assert (out / "file").read_text() == "1"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputError, match="not a folder"):
        put(tmp_path / "out", "1")


def test_what_a_killed_run_left_is_removed_and_what_it_moved_away_is_back(tmp_path: Path) -> None:
    dead = "0123456789abcdef"
    (tmp_path / f".out.building-{dead}").mkdir()
    moved = tmp_path / f".out.replaced-{dead}"
    moved.mkdir()
    (moved / "file").write_text("old")
    with pytest.raises(ZeroDivisionError), replaced_folder(tmp_path / "out", ["file"]):
        raise ZeroDivisionError
    assert contents(tmp_path) == {"out/file": b"old"}


@pytest.mark.parametrize("kind", ["building", "replaced"])
def test_folders_beside_it_with_other_names_are_left_alone(tmp_path: Path, kind: str) -> None:
    dead = "0123456789abcdef"
    others = [
        f".out.{kind}-notes",
        f".out.{kind}-{dead}0",
        f".out.{kind}-{dead.upper()}",
        f".out.{kind}-y.building-{dead}",  # the live staging of `out.building-y`
    ]
    for name in others:
        (tmp_path / name).mkdir()
        (tmp_path / name / "mine").write_text("mine")
    put(tmp_path / "out", "1")
    put(tmp_path / "out", "2")
    assert contents(tmp_path) == {"out/file": b"2", **{f"{name}/mine": b"mine" for name in others}}


@pytest.fixture(params=["exchanged", "renamed"])
def _either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders are swapped in one step where the system can, and in two elsewhere."""
    if request.param == "renamed":
        monkeypatch.setattr("bagen_data.replaced_folder.exchange", lambda *_: False)


@pytest.mark.usefixtures("_either_way")
def test_a_second_write_replaces_the_first(tmp_path: Path) -> None:
    put(tmp_path / "out", "1")
    put(tmp_path / "out", "2")
    assert contents(tmp_path) == {"out/file": b"2"}


def test_a_failed_swap_puts_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "out", "1")
    rename = Path.rename

    def fail_to_move_in(self: Path, target: Path) -> Path:
        if ".building-" in self.name:
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr("bagen_data.replaced_folder.exchange", lambda *_: False)
    monkeypatch.setattr(Path, "rename", fail_to_move_in)
    with pytest.raises(OSError, match="no"):
        put(tmp_path / "out", "2")
    assert contents(tmp_path) == {"out/file": b"1"}


def test_the_folder_is_never_absent_while_it_is_replaced(tmp_path: Path) -> None:
    out = tmp_path / "out"
    put(out, "0")
    absent = threading.Event()
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            if not out.exists():
                absent.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    for number in range(200):
        put(out, str(number))
    ended.set()
    watcher.join()
    assert not absent.is_set()


def test_a_second_writer_is_refused_and_the_first_ends_well(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with replaced_folder(out, ["file"]) as staging:
        (staging / "file").write_text("first")
        with pytest.raises(OutputError, match="another process is writing it"):
            put(out, "second")
    assert contents(tmp_path) == {"out/file": b"first"}


def test_a_link_is_followed(tmp_path: Path) -> None:
    put(tmp_path / "real", "1")
    (tmp_path / "out").symlink_to(tmp_path / "real")
    put(tmp_path / "out", "2")
    assert contents(tmp_path / "real") == {"file": b"2"}
    assert (tmp_path / "out").is_symlink()


def test_the_current_folder_is_not_pulled_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OutputError, match="current folder"):
        put(Path(), "1")
