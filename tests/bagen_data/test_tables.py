"""Folders that are written whole or not at all."""

import os
from pathlib import Path

import pytest

from bagen_data.errors import InputError, OutputError
from bagen_data.tables import read_jsonl, replaced_folder, write_jsonl
from tests.making import contents


def put(out: Path, text: str, may_replace: tuple[str, ...] = ("file",)) -> None:
    with replaced_folder(out, may_replace) as staging:
        (staging / "file").write_text(text)


def test_a_second_write_replaces_the_first(tmp_path: Path) -> None:
    put(tmp_path / "out", "1")
    put(tmp_path / "out", "2")
    assert contents(tmp_path) == {"out/file": b"2"}


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


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(OutputError, match="not a folder"):
        put(tmp_path / "out", "1")


def test_what_a_killed_run_left_is_removed_and_what_it_moved_away_is_back(tmp_path: Path) -> None:
    dead = 2**22 + 1  # above the largest process id
    (tmp_path / f".out.building-{dead}").mkdir()
    moved = tmp_path / f".out.replaced-{dead}"
    moved.mkdir()
    (moved / "file").write_text("old")
    with pytest.raises(ZeroDivisionError), replaced_folder(tmp_path / "out", ["file"]):
        raise ZeroDivisionError
    assert contents(tmp_path) == {"out/file": b"old"}


def test_an_earlier_process_may_have_had_our_id(tmp_path: Path) -> None:
    """As in containers, where every run is process 7."""
    (tmp_path / f".out.building-{os.getpid()}").mkdir()
    put(tmp_path / "out", "1")
    assert contents(tmp_path) == {"out/file": b"1"}


def test_a_failed_swap_puts_the_old_folder_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "out", "1")
    rename = Path.rename

    def fail_to_move_in(self: Path, target: Path) -> Path:
        if ".building-" in self.name:
            raise OSError("no")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail_to_move_in)
    with pytest.raises(OSError, match="no"):
        put(tmp_path / "out", "2")
    assert contents(tmp_path) == {"out/file": b"1"}


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


def test_a_running_build_is_left_alone(tmp_path: Path) -> None:
    running = tmp_path / f".out.building-{os.getppid()}"
    running.mkdir()
    put(tmp_path / "out", "1")
    assert running.is_dir()


def test_json_lines_round_trip_and_name_a_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_jsonl(path, [{"a": "ä\u2028"}, {"a": 2}])
    assert read_jsonl(path) == [{"a": "ä\u2028"}, {"a": 2}]
    path.write_bytes(b'{"a": 1}\n{"a": \n')
    with pytest.raises(InputError, match=r"rows\.jsonl:2"):
        read_jsonl(path)
