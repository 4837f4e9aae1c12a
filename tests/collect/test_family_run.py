import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagen_data.errors import InputError, OutputError, WrongUsageError
from collect.dialogue_layout import Dialogues
from collect.family_run import GIVE_UP, Wanted, collect, in_processes, in_threads
from collect.journal import NAME

HERE = in_processes(1)


def rollout(number: int) -> dict[str, Any]:
    return {"env_id": number, "turns": [], "text": "ü" * number}


def wanted(folder: Path, rollouts: int = 4, **changes: Any) -> Wanted:
    settings = changes.pop("settings", {"seed": 0})
    return Wanted(folder / "f", settings, rollouts, Dialogues("sokoban"), **changes)


def written(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "f" / "sokoban_eval_estimation_dialogues.json").read_bytes())


def failing(*numbers: int) -> Callable[[int], dict[str, Any]]:
    def play(number: int) -> dict[str, Any]:
        if number in numbers:
            raise ValueError(f"no {number}")
        return rollout(number)

    return play


def never(number: int) -> dict[str, Any]:
    raise AssertionError(f"{number} was played again")


@pytest.mark.parametrize("drive", [HERE, in_processes(2), in_threads(3)])
def test_rollouts_are_written_by_number(tmp_path, drive):
    collected = collect(wanted(tmp_path), rollout, drive)
    assert collected.rollouts == 4
    assert written(tmp_path) == [rollout(number) for number in range(4)]
    assert not (tmp_path / "f" / NAME).exists()


def test_one_failure_is_recorded_and_loses_no_other(tmp_path):
    collected = collect(wanted(tmp_path), failing(1), HERE)
    assert collected.failed == {1: "ValueError: no 1"}
    assert [each["env_id"] for each in written(tmp_path)] == [0, 2, 3]
    assert "ValueError: no 1" in (tmp_path / "f" / "collection.yaml").read_text()
    assert not (tmp_path / "f" / NAME).exists()
    asked = []
    again = collect(wanted(tmp_path, resume=True), lambda n: asked.append(n) or rollout(n), HERE)
    assert (again.rollouts, again.failed, asked) == (4, {}, [1])
    assert written(tmp_path) == [rollout(number) for number in range(4)]


def test_a_run_stops_when_nothing_works_and_keeps_what_did(tmp_path):
    with pytest.raises(InputError, match=f"{GIVE_UP} one after another.*no 9\n2 are kept"):
        collect(wanted(tmp_path, 99), failing(*range(2, 99)), HERE)
    collected = collect(wanted(tmp_path, 3, resume=True), rollout, HERE)
    assert collected.rollouts == 3


def test_a_refused_key_is_to_be_corrected_before_a_run_is_resumed(tmp_path):
    def refused(number):
        raise ValueError(f"Error code: 401 - no such key of {number}")

    words = (
        "401, no such key of 1; check the key.*first correct the key in the environment; then go on"
    )
    with pytest.raises(InputError, match=f"(?s){words}"):
        collect(wanted(tmp_path, 2), refused, HERE)


def test_where_all_failed_nothing_is_written_and_nothing_stands_in_the_way(tmp_path):
    with pytest.raises(InputError, match="no 1"):
        collect(wanted(tmp_path, 2), failing(0, 1), HERE)
    assert not list((tmp_path / "f").glob("*.json"))
    assert collect(wanted(tmp_path, 2, settings={"seed": 1}), rollout, HERE).rollouts == 2
    assert "seed: 1" in (tmp_path / "f" / "collection.yaml").read_text()


def test_failures_between_successes_do_not_end_a_run(tmp_path):
    odd = range(1, 4 * GIVE_UP, 2)
    assert list(collect(wanted(tmp_path, 4 * GIVE_UP), failing(*odd), HERE).failed) == [*odd]


def test_every_rollout_is_played_however_many_processes_get_at_a_time(tmp_path):
    collected = collect(wanted(tmp_path, 37), rollout, in_processes(2))
    assert (collected.rollouts, len(written(tmp_path))) == (37, 37)


def test_progress_counts_what_was_there_before(tmp_path):
    collect(wanted(tmp_path, 4), failing(3), HERE)
    seen = []
    collect(wanted(tmp_path, 6, resume=True), rollout, HERE, lambda: seen.append(1))
    assert len(seen) == 6


def test_a_family_with_failures_is_not_finished_though_it_has_as_many_as_are_wanted(tmp_path):
    collect(wanted(tmp_path, 4), failing(1), HERE)
    collected = collect(wanted(tmp_path, 3, resume=True), rollout, HERE)
    assert (collected.rollouts, collected.failed) == (4, {})
    assert [each["env_id"] for each in written(tmp_path)] == [0, 1, 2, 3]


def test_a_run_that_is_killed_twice_goes_on_where_it_was(tmp_path):
    class Killed(BaseException):
        pass

    def killed_at(last: int) -> Callable[[int], dict[str, Any]]:
        def play(number: int) -> dict[str, Any]:
            if number == last:
                raise Killed
            return rollout(number)

        return play

    for last in (2, 3):
        with pytest.raises(Killed):
            collect(wanted(tmp_path, 5, resume=True), killed_at(last), HERE)
        with (tmp_path / "f" / NAME).open("ab") as file:
            file.write(b'{"number":%d,"rollout":{"env_' % last)
    asked = []
    collect(wanted(tmp_path, 5, resume=True), lambda n: asked.append(n) or rollout(n), HERE)
    assert asked == [3, 4]
    assert written(tmp_path) == [rollout(number) for number in range(5)]


def test_a_rollout_is_on_disk_before_the_next_is_played(tmp_path):
    def play(number: int) -> dict[str, Any]:
        lines = (tmp_path / "f" / NAME).read_bytes().splitlines()
        assert len(lines) == 1 + number
        return rollout(number)

    assert collect(wanted(tmp_path), play, HERE).failed == {}


def test_a_disk_that_is_full_at_the_last_file_loses_nothing(tmp_path, monkeypatch):
    def half(path: Path, _text: str, **_: Any) -> None:
        path.write_bytes(b"")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", half)
    with pytest.raises(OSError, match="No space"):
        collect(wanted(tmp_path), rollout, HERE)
    monkeypatch.undo()
    assert collect(wanted(tmp_path, resume=True), never, HERE).rollouts == 4
    assert {path.name for path in (tmp_path / "f").iterdir()} == {
        "collection.yaml",
        "sokoban_eval_estimation_dialogues.json",
    }


def test_a_family_can_be_added_to_and_is_then_as_if_it_had_been_collected_at_once(tmp_path):
    collect(wanted(tmp_path, 2), rollout, HERE)
    collect(wanted(tmp_path, 4, resume=True), failing(0, 1), HERE)
    at_once = tmp_path / "at-once"
    collect(wanted(at_once, 4), rollout, HERE)
    for path in (at_once / "f").iterdir():
        assert path.read_bytes() == (tmp_path / "f" / path.name).read_bytes()


def test_a_finished_family_is_left_as_it_is(tmp_path):
    def files() -> dict[str, int]:
        return {path.name: path.stat().st_mtime_ns for path in (tmp_path / "f").iterdir()}

    collect(wanted(tmp_path), rollout, HERE)
    before = files()
    assert collect(wanted(tmp_path, resume=True), never, HERE).rollouts == 4
    assert collect(wanted(tmp_path, 2, resume=True), never, HERE).rollouts == 4
    assert files() == before


def test_an_earlier_run_is_never_replaced_unasked(tmp_path):
    collect(wanted(tmp_path), rollout, HERE)
    with pytest.raises(OutputError, match="4 rollouts are there already; go on with --resume"):
        collect(wanted(tmp_path), never, HERE)
    with pytest.raises(WrongUsageError, match="begun with seed 0, not 1"):
        collect(wanted(tmp_path, settings={"seed": 1}, resume=True), never, HERE)
    with pytest.raises(WrongUsageError, match="begun with no size, not 6"):
        collect(wanted(tmp_path, settings={"seed": 0, "size": 6}, resume=True), never, HERE)


def test_an_unfinished_run_is_not_replaced_unasked_either(tmp_path):
    with pytest.raises(InputError):
        collect(wanted(tmp_path, 99), failing(*range(1, 99)), HERE)
    with pytest.raises(OutputError, match="1 rollouts are there already"):
        collect(wanted(tmp_path), never, HERE)
    with pytest.raises(WrongUsageError, match="begun with seed 0, not 1"):
        collect(wanted(tmp_path, settings={"seed": 1}, resume=True), never, HERE)


def test_other_peoples_folders_are_left_alone(tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"holds notes\.txt"):
        collect(wanted(tmp_path), never, HERE)
    assert [path.name for path in (tmp_path / "f").iterdir()] == ["notes.txt"]


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "f").write_text("mine")
    with pytest.raises(OutputError, match="is not a folder"):
        collect(wanted(tmp_path), never, HERE)


def test_a_strange_journal_is_not_touched(tmp_path):
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / NAME).write_text("what is this?\n")
    with pytest.raises(InputError, match="is not a journal"):
        collect(wanted(tmp_path, resume=True), never, HERE)
    assert (tmp_path / "f" / NAME).read_text() == "what is this?\n"


def test_two_runs_do_not_write_into_one_folder(tmp_path):
    def play(number: int) -> dict[str, Any]:
        with pytest.raises(OutputError, match="another process is writing it"):
            collect(wanted(tmp_path, resume=True), never, HERE)
        return rollout(number)

    assert collect(wanted(tmp_path, 1), play, HERE).rollouts == 1


def damage_list(folder: Path) -> None:
    path = folder / "f" / "sokoban_eval_estimation_dialogues.json"
    path.write_bytes(path.read_bytes()[:-40])


def remove_list(folder: Path) -> None:
    (folder / "f" / "sokoban_eval_estimation_dialogues.json").unlink()


def empty_collection(folder: Path) -> None:
    (folder / "f" / "collection.yaml").write_text("")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_list, "cannot be read again"),
        (remove_list, "sokoban_eval_estimation_dialogues.json"),
        (empty_collection, "collection.yaml: is not as it was written"),
    ],
)
def test_a_damaged_family_is_named_and_left(tmp_path, damage, message):
    collect(wanted(tmp_path), rollout, HERE)
    damage(tmp_path)
    with pytest.raises(InputError, match=message):
        collect(wanted(tmp_path, 9, resume=True), never, HERE)


def test_a_journal_that_a_kill_left_behind_is_removed(tmp_path):
    collect(wanted(tmp_path), rollout, HERE)
    (tmp_path / "f" / NAME).write_bytes(b"")
    assert collect(wanted(tmp_path, resume=True), never, HERE).rollouts == 4
    assert not (tmp_path / "f" / NAME).exists()
