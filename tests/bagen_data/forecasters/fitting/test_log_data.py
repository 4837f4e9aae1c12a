"""Logs teach outcomes where enough of them are judged, else amounts alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.forecasters.fitting.chosen_rollouts import ENOUGH_JUDGED
from bagen_data.forecasters.fitting.log_data import (
    SEVERAL_MODELS,
    UNNAMED_TASK,
    log_data,
)
from bagen_data.forecasters.fitting.teaching_data import TeachingData
from bagen_data.reading.noticed import Unused
from bagen_data.reading.plain_rollouts import PlainOptions
from tests.bagen_data.forecasters.fitting.taught import counted
from tests.making import SAMPLE, dialogue, write_json, write_lines


def taught_by(folder: Path, rows: Sequence[Any], **options: Any) -> TeachingData:
    write_lines(folder / "a.jsonl", rows)
    return log_data(folder, PlainOptions(**options))


def outcomes(data: TeachingData) -> list[bool]:
    return [each.success for each in data.rollouts.values()]


def test_judged_rollouts_teach_success(tmp_path: Path) -> None:
    data = taught_by(tmp_path, [counted("a", True), counted("b", False)])
    assert data.knows_success
    assert outcomes(data) == [True, False]
    assert data.notes == ()
    assert data.task == UNNAMED_TASK
    assert [len(each.probe.turns) for each in data.examples] == [1, 2, 1, 2]


def test_rollouts_that_nobody_judged_teach_amounts(tmp_path: Path) -> None:
    sizes = [((30, 50 + n), (10, 70), (20, 40)) for n in range(3)]
    data = taught_by(tmp_path, [counted(f"{n}", None, each) for n, each in enumerate(sizes)])
    assert not data.knows_success
    assert outcomes(data) == [True, True, True]
    within = {each.rollout: each.target.feasible for each in data.examples}
    assert list(within.values()) == [True, True, False]  # the budget is their median
    assert data.examples[0].probe.budget.limits == {"tokens": 221}
    assert data.notes == ("None of the 3 rollouts is judged: only amounts were learned.",)


def test_enough_judged_rollouts_teach_alone(tmp_path: Path) -> None:
    judged = [counted(f"judged {n}", n % 2 == 0) for n in range(ENOUGH_JUDGED)]
    dear = ((900, 900), (900, 900))
    data = taught_by(tmp_path, [*judged, *(counted(f"open {n}", None, dear) for n in range(5))])
    assert data.knows_success
    assert len(data.rollouts) == ENOUGH_JUDGED
    assert data.examples[0].probe.budget.limits == {"tokens": 220}  # no median of the others
    assert data.notes == (
        "5 rollouts without an outcome taught nothing: success, and the amounts of successes, "
        "were learned from the 10 that are judged.",
    )


def test_too_few_judged_rollouts_teach_amounts_with_the_others(tmp_path: Path) -> None:
    rows = [counted("a", False), counted("b", True), counted("c"), counted("d")]
    data = taught_by(tmp_path, rows)
    assert not data.knows_success
    assert outcomes(data) == [True] * 4  # the failure that is known teaches its amounts too
    assert data.notes == (
        "Only 2 of 4 rollouts are judged, of 2 instances; below 10 of them success is not "
        "learned, and the amounts of all rollouts were.",
    )


def test_instances_are_counted_and_not_rollouts(tmp_path: Path) -> None:
    """Ten judged attempts at one instance are one instance."""
    same = [counted("a", n % 2 == 0, ((30, 50 + n), (10, 70))) for n in range(ENOUGH_JUDGED)]
    data = taught_by(tmp_path, [*same, counted("b")])
    assert not data.knows_success
    assert len(data.instance_ids) == 2


def test_labels_judge(tmp_path: Path) -> None:
    labels = [
        {"rollout": "a.jsonl:1", "success": True},
        {"rollout": "a.jsonl:2", "success": False},
    ]
    write_lines(tmp_path / "labels.jsonl", labels)
    data = taught_by(tmp_path, [counted("a"), counted("b")])
    assert data.knows_success
    assert outcomes(data) == [True, False]


def test_a_rollout_that_stands_twice_teaches_once(tmp_path: Path) -> None:
    data = taught_by(tmp_path, [counted("a", True), counted("b", True), counted("a", True)])
    assert len(data.rollouts) == 2
    reason = "is the same rollout as a.jsonl:1 (a), which is used"
    assert data.refused == (Unused("a.jsonl:3 (a)", reason),)


def test_a_rollout_of_one_turn_teaches_nothing_and_is_in_the_budget(tmp_path: Path) -> None:
    rows = [counted("a", True), counted("b", True), counted("c", True, ((5, 5),))]
    data = taught_by(tmp_path, rows)
    assert len(data.rollouts) == 2
    assert data.examples[0].probe.budget.limits == {"tokens": 220}
    assert data.notes == (
        "1 rollout of one turn taught nothing: after its only turn a rollout leaves nothing to "
        "forecast.",
    )


def test_a_turn_that_leaves_nothing_is_not_asked(tmp_path: Path) -> None:
    """The last tool call leaves no call to forecast."""
    rows = [counted(name, True) for name in "ab"]
    for row in rows:
        call = {"id": "1", "type": "function", "function": {"name": "ls", "arguments": "{}"}}
        row["messages"][1]["tool_calls"] = row["messages"][3]["tool_calls"] = [call]
    data = taught_by(tmp_path, rows, resources=("tool_calls",))
    assert [len(each.probe.turns) for each in data.examples] == [1, 1]


def test_logs_of_several_models_are_one_family(tmp_path: Path) -> None:
    rows = [counted("a", True, model="x/one"), counted("b", True, model="two")]
    data = taught_by(tmp_path, rows)
    assert data.families == (f"{UNNAMED_TASK}/{SEVERAL_MODELS}",)
    assert data.rollout_models == ("two", "x/one")


def test_one_model_of_several_can_be_chosen(tmp_path: Path) -> None:
    rows = [
        *(counted(name, True, model="x/one") for name in "ab"),
        counted("c", True, model="two"),
        counted("d", True),  # a log that names no model
    ]
    write_lines(tmp_path / "a.jsonl", rows)
    data = log_data(tmp_path, PlainOptions(), rollout_model="one")
    assert data.families == (f"{UNNAMED_TASK}/one",)
    assert len(data.rollouts) == 3
    assert data.notes == ("1 rollout of other models taught nothing.",)
    write_lines(tmp_path / "a.jsonl", rows[:3])
    with pytest.raises(WrongUsageError, match="has no rollout of it; expected one of two, x/one"):
        log_data(tmp_path, PlainOptions(), rollout_model="three")


def test_a_family_s_folder_names_its_model(tmp_path: Path) -> None:
    family = tmp_path / "chess-origin-m"
    write_lines(family / "a.jsonl", [counted("a", True), counted("b", True)])
    assert log_data(family, PlainOptions(), "m").rollout_models == ("m",)
    with pytest.raises(WrongUsageError, match="is a family of m; leave it out"):
        log_data(family, PlainOptions(), "other")


def test_a_model_that_nobody_names_is_none(tmp_path: Path) -> None:
    assert taught_by(tmp_path, [counted("a"), counted("b")]).rollout_models == ()


def test_what_cannot_teach_is_refused(tmp_path: Path) -> None:
    same = [counted("a", True), counted("a", True, ((30, 50), (10, 70)))]
    with pytest.raises(InputError, match="2 rollouts of one instance only"):
        taught_by(tmp_path / "one", same)
    with pytest.raises(InputError, match="no rollout of two turns or more"):
        taught_by(tmp_path / "short", [counted(n, True, ((5, 5),)) for n in "ab"])
    with pytest.raises(
        InputError, match=r"no rollout that can be used\na.jsonl:1.*no known format"
    ):
        taught_by(tmp_path / "odd", [{"odd": 1}])
    with pytest.raises(WrongUsageError, match="--task a/b"):
        taught_by(tmp_path / "named", [counted("a", True), counted("b", True)], task="a/b")


def test_a_folder_of_families_is_refused() -> None:
    """Read as one, it would mix tasks, and lose what only a family's own folder tells."""
    with pytest.raises(InputError, match=r"holds 8 family folders \(searchr1-origin-scripted, "):
        log_data(SAMPLE, PlainOptions())
    assert log_data(SAMPLE / "sokoban-origin-scripted", PlainOptions()).task == "sokoban"


def dialogue_of(name: str, stopped: str = "") -> dict[str, Any]:
    if not stopped:
        return dialogue(name=name)
    return dialogue(name=name, rollout_success=False) | {"stopped_by": stopped}


def test_a_run_that_was_stopped_teaches_nothing_unless_it_is_judged(tmp_path: Path) -> None:
    """Amounts of a cut-off run are not those of a run that ended."""
    family = tmp_path / "chess-origin-m"
    rows = [dialogue_of("a"), dialogue_of("b"), dialogue_of("c", "budget")]
    write_json(family / "a.json", rows)
    data = log_data(family, PlainOptions())
    assert data.knows_success
    assert len(data.rollouts) == 2
    assert data.notes[0].startswith("1 rollout stopped by a budget or a forecaster taught nothing")
    write_lines(family / "labels.jsonl", [{"rollout": "a.json[2]", "success": False}])
    judged = log_data(family, PlainOptions())
    assert outcomes(judged) == [True, True, False]
    assert not judged.notes


def test_runs_that_were_all_stopped_are_refused(tmp_path: Path) -> None:
    family = tmp_path / "chess-origin-m"
    write_json(family / "a.json", [dialogue_of(name, "forecaster") for name in "ab"])
    with pytest.raises(InputError, match="holds 2 rollouts, all stopped before their own end"):
        log_data(family, PlainOptions())
