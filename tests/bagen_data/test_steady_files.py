"""Files that change while they are read."""

import gc
import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bagen_data.steady_files import (
    HeldFile,
    HeldPrefix,
    copy_file,
    digest_of,
    has_changed,
    steady_file,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"one\n" * 1_000)
    return path


def rewritten(path: Path) -> None:
    """Written over in place, of the same size, and dated back."""
    times = path.stat()
    with path.open("r+b") as file:
        file.write(b"two\n" * 1_000)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def replaced(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(path.read_bytes())
    other.replace(path)


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def read_and(change: Callable[[Path], object], path: Path) -> None:
    with steady_file(path) as opened:
        opened.stream.read(10)
        change(path)


def hash_after(size: int, path: Path) -> None:
    with steady_file(path) as opened:
        os.truncate(path, size)
        digest_of(opened)


CHANGES: list[Callable[[Path], object]] = [
    rewritten,
    replaced,
    piped,
    Path.unlink,
    lambda path: os.truncate(path, 10),
    lambda path: os.truncate(path, 4_001),
]


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_is_refused(file: Path, change: Callable[[Path], object]) -> None:
    with pytest.raises(OSError, match="while it was read") as caught:
        read_and(change, file)
    assert has_changed(caught.value)
    assert caught.value.filename == str(file)


def test_a_file_that_grows_or_shrinks_is_not_hashed(file: Path) -> None:
    for size, how in ((4_001, "grew"), (10, "was cut")):
        with pytest.raises(OSError, match=how):
            hash_after(size, file)
        file.write_bytes(b"one\n" * 1_000)


def test_what_is_not_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(OSError, match="not a regular file"):
            HeldFile(path)


def test_links_are_followed_where_they_may_be(file: Path) -> None:
    link = file.with_name("link")
    link.symlink_to(file)
    assert HeldFile(link).read() == file.read_bytes()
    with pytest.raises(OSError, match="symbolic link"):
        HeldFile(link, "refused")


@pytest.mark.parametrize("memory", [0, 1 << 20])
def test_a_copy_stays_what_it_was(file: Path, tmp_path: Path, memory: int) -> None:
    content = file.read_bytes()
    held = HeldFile(file, memory=memory, scratch=tmp_path)
    rewritten(file)
    assert held.digest.sha256 == hashlib.sha256(content).hexdigest()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl"]  # it has no name
    with held.open() as one, held.open() as other:
        one.seek(-4, os.SEEK_END)
        assert other.read() == content
        assert (one.tell(), one.read()) == (3_996, b"one\n")


def test_a_reader_keeps_the_copy(file: Path, tmp_path: Path) -> None:
    reader = HeldFile(file, memory=0, scratch=tmp_path).open()
    gc.collect()
    assert len(reader.read()) == 4_000


def test_no_copy_of_what_is_too_large(file: Path) -> None:
    with pytest.raises(OSError, match="of 4,000 bytes; expected at most 3,999"):
        HeldFile(file, largest=3_999)


def test_copying_hashes_what_is_copied(file: Path) -> None:
    copy = io.BytesIO()
    digest = copy_file(file, copy)
    assert digest.sha256 == hashlib.sha256(copy.getvalue()).hexdigest()
    assert digest.bytes == 4_000


@pytest.mark.parametrize("memory", [1 << 24, 0])
def test_a_prefix_is_what_a_file_held_when_it_was_opened(
    file: Path, tmp_path: Path, memory: int
) -> None:
    before = file.read_bytes()
    held = HeldPrefix(file, memory=memory, scratch=tmp_path)
    with file.open("ab") as more:
        more.write(b"more\n")
    assert held.read() == before
    assert held.digest.bytes == held.digest.mark.bytes == len(before)
    assert held.digest.sha256 == hashlib.sha256(before).hexdigest()
    assert HeldPrefix(file, memory=memory, scratch=tmp_path).read() == before + b"more\n"


def test_a_prefix_of_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="it is not a regular file"):
        HeldPrefix(tmp_path / "pipe")
