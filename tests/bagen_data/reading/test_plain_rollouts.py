"""Rollouts of any logs are those of a build, whether or not somebody says how they ended."""

from pathlib import Path
from typing import Any

import pytest

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.reading.plain_rollouts import PlainOptions, read_plain_rollouts
from bagen_data.reading.rollouts import MAX_TURNS
from tests.making import SAMPLE, chat, dialogue, read, requests, write_json, write_lines

SIZES = ((30, 50), (10, 70), (20, 40))


def counted(name: str, sizes: Any = SIZES, success: Any = True) -> dict[str, Any]:
    """Return a conversation with a provider's usage beside each answer."""
    record = chat([f"{name} {word}" for word in ("look", "go") * len(sizes)], success)
    for message, (given, written) in zip(record["messages"][1::2], requests(sizes), strict=True):
        message["usage"] = {"prompt_tokens": given, "completion_tokens": written}
    return record | {"custom_id": name}


@pytest.mark.parametrize(
    "family", sorted(SAMPLE.iterdir()), ids=[path.name for path in sorted(SAMPLE.iterdir())]
)
def test_a_familys_rollouts_are_those_of_a_build(family: Path) -> None:
    plain = read_plain_rollouts(family)
    built = list(read(family).rollouts)
    assert [each.rollout for each in plain.rollouts] == built
    assert [each.success for each in plain.rollouts] == [each.success for each in built]
    assert not plain.refused


def test_a_file_of_a_family_is_read_as_its_task() -> None:
    (path,) = (SAMPLE / "sokoban-origin-scripted").glob("*.json")
    assert len(read_plain_rollouts(path).rollouts) == 8
    assert read_plain_rollouts(path).family.task == "sokoban"


def test_an_outcome_that_nobody_knows_is_none(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [counted("a", success=None), counted("b", success=False)])
    plain = read_plain_rollouts(tmp_path)
    assert [each.success for each in plain.rollouts] == [None, False]
    assert [each.rollout.task for each in plain.rollouts] == ["", ""]
    assert not plain.refused


def test_a_label_gives_the_outcome(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [counted("a", success=None)])
    write_lines(tmp_path / "labels.jsonl", [{"rollout": "a.jsonl:1", "success": True}])
    assert read_plain_rollouts(tmp_path / "a.jsonl").rollouts[0].success is True


def test_what_cannot_be_used_is_returned_with_its_reason(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [counted("a"), {"odd": 1}, chat(["hi", "ho"]), counted("a")])
    write_lines(tmp_path / "b.jsonl", [chat(["hi"])])
    plain = read_plain_rollouts(tmp_path)
    assert [each.where for each in plain.rollouts] == ["a.jsonl:1 (a)"]
    reasons = {each.where: each.reason for each in plain.refused}
    assert "is of no known format" in reasons["a.jsonl:2"]
    assert "turn 1 has no usage" in reasons["a.jsonl:3 (traj_0)"]
    assert reasons["a.jsonl:4 (a)"] == "is the same rollout as a.jsonl:1 (a), which is used"
    assert plain.without_turns == ("b.jsonl:1 (traj_0)",)


def test_a_family_whose_counts_contradict_each_other_has_no_rollouts(tmp_path: Path) -> None:
    family = tmp_path / "searchr1-origin-m"
    write_json(family / "a.json", [dialogue(), dialogue(name="b", api_input_tokens=20)])
    write_json(family / "b.json", [dialogue(name="c", api_input_tokens=5)])
    plain = read_plain_rollouts(family)
    assert not plain.rollouts
    assert plain.refused[-1].where == "."
    assert "--usage request or --usage turn" in plain.refused[-1].reason


def test_a_rollout_longer_than_a_build_takes_is_read(tmp_path: Path) -> None:
    sizes = [(3, 2)] * (MAX_TURNS + 1)
    write_lines(tmp_path / "a.jsonl", [counted("a" * 4_000, sizes)])
    ((plain),) = read_plain_rollouts(tmp_path).rollouts
    assert len(plain.rollout.turns) == MAX_TURNS + 1
    assert "expected at most" in read_reason(tmp_path)


def read_reason(folder: Path) -> str:
    family = folder / "searchr1-origin-m"
    family.mkdir()
    (folder / "a.jsonl").rename(family / "a.jsonl")
    return read(family).refused[0].reason


def test_resources_are_counted_beside_those_of_a_task(tmp_path: Path) -> None:
    family = tmp_path / "searchr1-origin-m"
    write_lines(family / "a.jsonl", [counted("a")])
    plain = read_plain_rollouts(family, PlainOptions(resources=("turns",)))
    assert [turn.usage["turns"] for turn in plain.rollouts[0].rollout.turns] == [1, 1, 1]
    assert [each.name for each in plain.task.resources] == ["tokens", "turns"]
    loose = write_lines(tmp_path / "loose" / "a.jsonl", [counted("a")])
    turns = read_plain_rollouts(loose, PlainOptions(resources=("turns",))).rollouts[0].rollout.turns
    assert [dict(turn.usage) for turn in turns] == [{"turns": 1}] * 3
    with pytest.raises(WrongUsageError, match="moves: is not counted in logs of searchr1"):
        read_plain_rollouts(family, PlainOptions(resources=("moves",)))


def test_a_task_is_named_where_the_folder_names_none(tmp_path: Path) -> None:
    write_lines(tmp_path / "a.jsonl", [counted("a")])
    named = read_plain_rollouts(tmp_path, PlainOptions(task="support"))
    assert named.rollouts[0].rollout.task == "support"
    with pytest.raises(WrongUsageError, match="--task chess: sokoban-origin-scripted is a family"):
        read_plain_rollouts(SAMPLE / "sokoban-origin-scripted", PlainOptions(task="chess"))
    with pytest.raises(WrongUsageError, match="expected a name of letters"):
        read_plain_rollouts(tmp_path, PlainOptions(task="a b"))


def test_a_path_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist; expected a log file or a folder"):
        read_plain_rollouts(tmp_path / "nowhere")
