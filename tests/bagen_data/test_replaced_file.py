"""Files that are written whole or not at all."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from bagen_data.replaced_file import replaced_file, write_file
from tests.making import contents

LEFTOVER = ".bagen-0123456789abcdef.partial"


def fail_half_way(path: Path) -> None:
    path.write_text("half")
    raise ZeroDivisionError


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_file(tmp_path / "file", "old")
    with pytest.raises(ZeroDivisionError), replaced_file(tmp_path / "file") as staging:
        fail_half_way(staging)
    assert contents(tmp_path) == {"file": b"old"}


def test_folders_are_made_and_lines_stay_as_they_are(tmp_path: Path) -> None:
    write_file(tmp_path / "a" / "b", "ä\r\n\u2028\n")
    assert contents(tmp_path) == {"a/b": "ä\r\n\u2028\n".encode()}


def test_what_a_killed_process_left_is_removed_and_what_a_living_one_writes_is_not(
    tmp_path: Path,
) -> None:
    (tmp_path / LEFTOVER).write_text("half")
    with replaced_file(tmp_path / "one") as staging:
        staging.write_text("1")
        write_file(tmp_path / "two", "2")
        assert staging.read_text() == "1"
        assert not (tmp_path / LEFTOVER).exists()
    assert contents(tmp_path) == {"one": b"1", "two": b"2"}


def test_a_link_to_a_folders_file_with_a_leftovers_name_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    (tmp_path / LEFTOVER).symlink_to(tmp_path / "mine")
    write_file(tmp_path / "file", "new")
    assert (tmp_path / "mine").read_text() == "mine"


def test_of_two_writers_at_once_the_later_ones_file_stands(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with replaced_file(path) as first, replaced_file(path) as second:
        first.write_text("first")
        second.write_text("second")
    assert contents(tmp_path) == {"file": b"first"}


def test_a_link_is_followed_and_the_mode_is_kept(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.write_text("old")
    real.chmod(0o600)
    (tmp_path / "link").symlink_to(real)
    write_file(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (real.read_text(), real.stat().st_mode & 0o777) == ("new", 0o600)


def test_a_device_is_written_as_it_is(tmp_path: Path) -> None:
    write_file(Path("/dev/null"), "nothing")
    read, write = os.pipe()
    (tmp_path / "pipe").symlink_to(f"/proc/self/fd/{write}")
    write_file(tmp_path / "pipe", "something")
    assert os.read(read, 99) == b"something"
    os.close(read)
    os.close(write)


def test_an_open_file_is_written_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("before ")
    file = os.open(tmp_path / "log", os.O_WRONLY | os.O_APPEND)
    inode = os.fstat(file).st_ino
    with replaced_file(Path(f"/dev/fd/{file}")) as staging, staging.open("a") as appended:
        appended.write("after")
    os.close(file)
    assert (tmp_path / "log").read_text() == "before after"
    assert (tmp_path / "log").stat().st_ino == inode


def test_a_file_in_shared_memory_is_replaced_as_any_other() -> None:
    memory = Path("/dev") / "shm"
    if not os.access(memory, os.W_OK):
        pytest.skip("there is no writable /dev/shm")
    with TemporaryDirectory(dir=memory) as folder:
        path = Path(folder) / "file"
        write_file(path, "old")
        with pytest.raises(ZeroDivisionError), replaced_file(path) as staging:
            fail_half_way(staging)
        assert contents(Path(folder)) == {"file": b"old"}


def test_a_full_disk_is_an_error_and_not_half_a_file() -> None:
    with pytest.raises(OSError, match="No space"):
        write_file(Path("/dev/full"), "text")
