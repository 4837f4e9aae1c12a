"""Files that are replaced together, and the folders that one process at a time writes to."""

import os
from pathlib import Path

import pytest

from bagen_data.errors import OutputError
from bagen_data.held_folder import held_folder, made_folder, put_right
from bagen_data.replaced_folder import replaced_folder
from bagen_data.replaced_set import replaced_set
from tests.making import contents


@pytest.fixture(params=["exchanged", "journalled"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Folders are exchanged in one step where the system can; elsewhere files are moved."""
    if request.param == "journalled":
        monkeypatch.setattr("bagen_data.replaced_set.exchange", lambda *_: False)
    return str(request.param)


def put(out: Path, text: str, *names: str) -> None:
    with held_folder(out) as held, replaced_set(held) as staging:
        for name in names or ("a", "b"):
            path = staging / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)


def fail_half_way(path: Path) -> None:
    path.write_text("half")
    raise ZeroDivisionError


@pytest.mark.usefixtures("way")
def test_files_are_replaced_together_and_others_stay(tmp_path: Path) -> None:
    out = tmp_path / "out"
    put(out, "1")
    (out / "logs").mkdir()
    (out / "logs" / "log").write_text("mine")
    (out / "notes").symlink_to("nowhere")
    out.chmod(0o750)
    (out / "a").chmod(0o600)
    put(out, "2", "a", "b", "run/c")
    assert contents(tmp_path) == {
        "out/a": b"2",
        "out/b": b"2",
        "out/logs/log": b"mine",
        "out/run/c": b"2",
    }
    assert os.readlink(out / "notes") == "nowhere"
    assert [path.stat().st_mode & 0o777 for path in (out, out / "a")] == [0o750, 0o600]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.usefixtures("way")
def test_a_folder_with_nearly_the_name_of_a_replacement_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    (out / ".replacement-abc").mkdir(parents=True)
    (out / ".replacement-abc" / "mine").write_text("mine")
    (out / ".replacement-0123456789abcdef").mkdir()
    put(out, "1", "a")
    assert contents(tmp_path) == {"out/.replacement-abc/mine": b"mine", "out/a": b"1"}
    assert not (out / ".replacement-0123456789abcdef").exists()


@pytest.mark.parametrize("lock", ["out/.lock", ".out.lock"])
def test_a_file_with_content_is_not_taken_for_a_lock(tmp_path: Path, lock: str) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / lock).write_text("mine")
    with pytest.raises(OutputError, match=r"lock: holds 4 bytes; expected no such file"):
        put(tmp_path / "out", "1")
    assert contents(tmp_path) == {lock: b"mine"}
    (tmp_path / lock).write_text("")  # as a killed process leaves it
    put(tmp_path / "out", "1", "a")
    assert contents(tmp_path) == {"out/a": b"1"}


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("before", [False, True], ids=["new", "earlier"])
def test_a_failure_changes_nothing(tmp_path: Path, before: bool) -> None:
    out = tmp_path / "out"
    if before:
        put(out, "1")
    kept = contents(tmp_path)
    with (
        pytest.raises(ZeroDivisionError),
        held_folder(out) as held,
        replaced_set(held) as staging,
    ):
        fail_half_way(staging / "a")
    assert contents(tmp_path) == kept
    assert out.exists() == before


@pytest.mark.usefixtures("way")
def test_a_folder_where_a_file_is_to_be_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "out", "1", "b")
    (tmp_path / "out" / "a").mkdir()
    with pytest.raises(OutputError, match="is a folder; expected a file"):
        put(tmp_path / "out", "2")
    assert contents(tmp_path) == {"out/b": b"1"}


@pytest.mark.usefixtures("way")
def test_nothing_is_written_through_a_link_out_of_the_folder(tmp_path: Path) -> None:
    put(tmp_path / "out", "1", "b")
    (tmp_path / "mine").mkdir()
    (tmp_path / "out" / "run").symlink_to(tmp_path / "mine")
    with pytest.raises(OutputError, match="is not a folder; expected a folder"):
        put(tmp_path / "out", "2", "b", "run/c")
    assert contents(tmp_path / "mine") == {}


def test_the_current_folder_is_written_and_stays_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "out", "1")
    monkeypatch.chdir(tmp_path / "out")
    put(Path(), "2")
    assert Path("a").read_text() == "2"


def test_a_folder_of_many_other_files_is_written(tmp_path: Path) -> None:
    put(tmp_path / "out", "1")
    for number in range(1_001):
        (tmp_path / "out" / f"{number}.txt").touch()
    inode = (tmp_path / "out").stat().st_ino
    put(tmp_path / "out", "2")
    assert (tmp_path / "out" / "b").read_text() == "2"
    assert (tmp_path / "out").stat().st_ino == inode


def interrupt(out: Path) -> None:
    """Leave what a kill between two renames leaves."""
    put(out, "1")
    (out / ".replacement").mkdir()
    (out / ".replacement" / "b").write_text("2")
    (out / "a").write_text("2")


def test_a_reader_puts_right_what_a_kill_left(tmp_path: Path) -> None:
    interrupt(tmp_path / "out")
    put_right(tmp_path / "out")
    assert contents(tmp_path) == {"out/a": b"2", "out/b": b"2"}


def test_a_writer_puts_right_what_a_kill_left_though_it_fails(tmp_path: Path) -> None:
    interrupt(tmp_path / "out")
    (tmp_path / "out" / ".replacement-0123456789abcdef").mkdir()
    with pytest.raises(ZeroDivisionError), held_folder(tmp_path / "out"):
        raise ZeroDivisionError
    assert contents(tmp_path) == {"out/a": b"2", "out/b": b"2"}
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_strange_replacement_moves_nothing_from_elsewhere(tmp_path: Path) -> None:
    put(tmp_path / "out", "1")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "a").write_text("mine")
    (tmp_path / "out" / ".replacement").symlink_to(tmp_path / "mine")
    with pytest.raises(OutputError, match="only some of its new files are in place"):
        put_right(tmp_path / "out")
    (tmp_path / "out" / ".replacement").unlink()
    (tmp_path / "out" / ".replacement").mkdir()
    (tmp_path / "out" / ".replacement" / "a").symlink_to(tmp_path / "mine" / "a")
    with pytest.raises(OutputError, match="is not a plain file"):
        put_right(tmp_path / "out")
    assert contents(tmp_path / "mine") == {"a": b"mine"}
    assert (tmp_path / "out" / "a").read_text() == "1"


@pytest.mark.parametrize("before", [False, True], ids=["new", "earlier"])
def test_one_process_at_a_time_writes(tmp_path: Path, before: bool) -> None:
    out = tmp_path / "out"
    if before:
        put(out, "1")
    with held_folder(out) as held:
        with pytest.raises(OutputError, match="another process is writing it"):
            put(out, "2")
        with (
            pytest.raises(OutputError, match=r"another process is writing it|holds 3 file"),
            replaced_folder(out, ()),
        ):
            pass
        with replaced_set(held) as staging:
            (staging / "a").write_text("3")
        with pytest.raises(OutputError, match="another process is writing it"):
            put(out, "2")
    assert contents(out)["a"] == b"3"


def test_one_process_at_a_time_writes_where_the_parent_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder may be mounted at two paths, so it has a lock of its own beside its parent's."""
    put(tmp_path / "out", "1")
    with held_folder(tmp_path / "out"):
        monkeypatch.setattr("bagen_data.held_folder.lock_beside", lambda _: tmp_path / "other")
        with pytest.raises(OutputError, match="another process is writing it"):
            put(tmp_path / "out", "2")


def test_a_folder_that_stays_empty_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    busy = "another process is writing it"
    with made_folder(folder), pytest.raises(OutputError, match=busy), made_folder(folder):
        pass
    with made_folder(tmp_path / "b"):
        (tmp_path / "b" / "file").touch()
    assert [path.name for path in tmp_path.iterdir()] == ["b"]
