"""Sources of an outcome: the log, a rule about a field, or a line of labels.jsonl."""

import json
from pathlib import Path
from typing import Any

import pytest

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.logs.turn_readers import Counting
from bagen_data.reading.family_index import FamilyIndex
from bagen_data.reading.family_reading import read_family
from bagen_data.reading.origin import find_families
from bagen_data.reading.outcomes import success_rule
from bagen_data.reading.reading_options import ReadingOptions
from tests.making import chat, write_json, write_lines, write_trajectories


def log(name: str, success: Any = None, **more: Any) -> dict[str, Any]:
    """A conversation with usage; its outcome is unknown where `success` is None."""
    record = chat(
        [f"look {name}", "go", "look again", "go"], success, per_turn_api_tokens=[[9, 1], [19, 1]]
    )
    return record | {"custom_id": name, **more}


def read(
    family: Path, rule: str | None = None, limit: int | None = None, task: str = "support"
) -> FamilyIndex:
    return read_family(
        find_families(family, [task], rollout_model="m")[0],
        family.parent,
        ReadingOptions(Counting(), limit, None if rule is None else success_rule(rule)),
    )


def outcomes(index: FamilyIndex) -> list[bool]:
    return [rollout.success for rollout in index.rollouts]


def reasons(index: FamilyIndex) -> list[str]:
    return [
        f"{refusal.where}: {refusal.reason}" for refusal in (*index.unusable_labels, *index.refused)
    ]


def label(family: Path, *labels: tuple[Any, Any], **more: Any) -> None:
    rows = [{"rollout": name, "success": success, **more} for name, success in labels]
    write_lines(family / "labels.jsonl", rows)


@pytest.mark.parametrize(
    ("text", "scores", "success"),
    [
        ("reward>=0.5", {"reward": 0.5}, True),
        ("reward>=0.5", {"reward": 10**400}, True),
        ("reward >= 0.5", {"reward": 0.4}, False),
        ("reward>0.5", {"reward": 0.5}, False),
        ("errors<1", {"errors": 0}, True),
        ("errors<=1", {"errors": 2}, False),
        ("reward==1", {"reward": 1.0}, True),
        ("reward=1", {"reward": True}, True),
        ("status=passed", {"status": "passed"}, True),
        ("status==passed", {"status": "failed"}, False),
        ("resolved", {"resolved": True}, True),
        ("resolved", {"resolved": "False"}, False),
        ("resolved=false", {"resolved": False}, True),
        ("reward>=0.5", {"score": 1}, None),
        ("a b.c>=1", {"a b.c": 1}, True),
    ],
)
def test_a_rule_reads_a_field(text: str, scores: dict[str, Any], success: bool | None) -> None:
    assert success_rule(text).of(scores) is success


@pytest.mark.parametrize("text", ["", ">=1", "reward>=", "reward>=much", "a>>1", "a!=1", "a>=nan"])
def test_a_rule_of_another_form_is_wrong_usage(text: str) -> None:
    with pytest.raises(WrongUsageError, match="expected FIELD, FIELD>=NUMBER"):
        success_rule(text)


@pytest.mark.parametrize(
    ("rule", "value", "problem"),
    [
        ("reward>=0.5", "high", 'reward is "high"; expected a number'),
        ("reward>=0.5", float("nan"), "reward is NaN; expected a number"),
        ("reward", 0.7, "reward is 0.7; expected true or false"),
        ("reward=passed", 1.0, "reward is 1.0; expected a text"),
    ],
)
def test_a_field_that_cannot_be_compared_is_named(
    tmp_path: Path, rule: str, value: Any, problem: str
) -> None:
    write_lines(tmp_path / "logs" / "a.jsonl", [log("a", reward=value)])
    assert problem in reasons(read(tmp_path / "logs", rule))[0]


def test_a_rule_decides_instead_of_the_logs_own_outcome(tmp_path: Path) -> None:
    rows = [log("a", True, reward=0.1), log("b", False, reward=0.9)]
    write_lines(tmp_path / "logs" / "a.jsonl", rows)
    assert outcomes(read(tmp_path / "logs")) == [True, False]
    assert outcomes(read(tmp_path / "logs", "reward>=0.5")) == [False, True]


def test_nothing_judges_says_the_three_ways(tmp_path: Path) -> None:
    write_lines(tmp_path / "logs" / "a.jsonl", [log("a", reward=0.1)])
    (reason,) = reasons(read(tmp_path / "logs"))
    assert reason.startswith("a.jsonl:1 (a): is not judged")
    for way in ("metadata.success", "--success", "reward", "labels.jsonl"):
        assert way in reason
    write_lines(tmp_path / "bare" / "a.jsonl", [log("a")])
    (reason,) = reasons(read(tmp_path / "bare"))
    assert "--success" not in reason  # there is no number that it could name
    (reason,) = reasons(read(tmp_path / "logs", "rewad>=0.5"))
    assert "is not judged: its log has no rewad" in reason
    assert "its numbers are: reward" in reason


def test_a_label_names_a_rollout_by_source_id_place_path_or_id(tmp_path: Path) -> None:
    family = tmp_path / "logs"
    write_lines(family / "many.jsonl", [log("a"), log("b")])
    write_json(family / "list.json", [log("c"), log("d")])
    write_lines(family / "deep" / "one.jsonl", [log("e")])
    write_json(family / "deep" / "two.json", log("f"))
    label(family, ("many.jsonl:2", False), ("list.json[1]", False), ("./deep/one.jsonl", False))
    index = read(family)
    assert len(index.entries) == 3
    assert outcomes(index) == [False] * 3
    names = [*("many.jsonl:1", "b", "c", "list.json[1]"), *("deep/one.jsonl:1", "deep/two.json")]
    label(family, *((name, True) for name in names))
    index = read(family)
    assert (len(index.entries), index.refused) == (6, [])
    label(family, *((entry.rollout_id, True) for entry in index.entries))
    index = read(family)
    assert (outcomes(index), index.refused) == ([True] * 6, [])


def test_labels_are_a_source_and_no_rollouts(tmp_path: Path) -> None:
    family = tmp_path / "logs"
    write_lines(family / "a.jsonl", [log("a")])
    label(family, ("a", True), instance=17)
    index = read(family)
    assert sorted(source.path for source in index.sources) == ["a.jsonl", "labels.jsonl"]
    assert index.entries[0].instance_id == "17"


def test_a_label_of_another_instance_refuses_its_rollout(tmp_path: Path) -> None:
    family = tmp_path / "logs"
    write_lines(family / "a.jsonl", [log("a", instance_id="x-1")])
    label(family, ("a", True), instance="x-2")
    (reason,) = reasons(read(family))
    assert 'is of instance "x-2" by line 1 of labels.jsonl, and of "x-1" by its log' in reason
    label(family, ("a", True), instance="x-1")
    assert reasons(read(family)) == []


def test_several_trials_of_an_instance_are_rollouts_of_their_own(tmp_path: Path) -> None:
    family = tmp_path / "logs"
    rows = [log(f"try {n}", True, instance_id="ticket-1") for n in range(3)]
    write_lines(family / "a.jsonl", rows)
    index = read(family)
    assert [entry.instance_id for entry in index.entries] == ["ticket-1"] * 3
    assert len({entry.rollout_id for entry in index.entries}) == 3


UNLABELLED = "a.jsonl:1 (a): has no label that can be used, and line 1 of labels.jsonl"


@pytest.mark.parametrize(
    ("labels", "messages"),
    [
        ([("b", True)], ["labels.jsonl:1: labels 'b', and no rollout of the family has this id"]),
        (  # a beginning: sessions of one minute share that of their ids
            [("a.json", True)],
            [
                "labels.jsonl:1: labels 'a.json', and no rollout of the family has this id, "
                "session id or path; write one of them in full, as 'builders inspect' lists them"
            ],
        ),
        (
            [("a", True), ("a.jsonl", True)],
            ["a.jsonl:1 (a): is labelled on lines 1 and 2 of labels.jsonl; keep one"],
        ),
        (
            [("a", True), ("a", False)],
            ["a.jsonl:1 (a): is labelled on lines 1 and 2 of labels.jsonl; keep one"],
        ),
        ([("a", None)], ["labels.jsonl:1: success is null; expected true or false", UNLABELLED]),
        (
            [("a", "maybe")],
            ['labels.jsonl:1: success is "maybe"; expected true or false', UNLABELLED],
        ),
        ([(None, True)], ["labels.jsonl:1: has no rollout; expected", UNLABELLED]),
        ([(["a"], True)], ['labels.jsonl:1: rollout is ["a"]; expected a name', UNLABELLED]),
    ],
)
def test_a_label_that_cannot_be_used_is_named_and_lets_no_rollout_in(
    tmp_path: Path, labels: list[tuple[Any, Any]], messages: list[str]
) -> None:
    family = tmp_path / "logs"
    write_lines(family / "a.jsonl", [log("a", None if len(labels) == 2 else True)])
    label(family, *labels)
    refusals = sorted(reasons(read(family)))
    assert len(refusals) == len(messages)
    for reason, message in zip(refusals, sorted(messages), strict=True):
        assert reason.startswith(message)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "labels.jsonl: is empty"),
        ("{rollout: a}\n", "labels.jsonl:1: is not JSON"),
        ("[1]\n", "labels.jsonl:1: it is [1]; expected an object"),
        ('\n\n{"success": true}\n', "labels.jsonl:3: has no rollout"),
    ],
)
def test_lines_that_are_no_labels_are_named(tmp_path: Path, text: str, problem: str) -> None:
    family = tmp_path / "logs"
    write_lines(family / "a.jsonl", [log("a", True)])
    (family / "labels.jsonl").write_text(text, encoding="utf-8")
    assert reasons(read(family))[0].startswith(problem)


def test_a_label_that_contradicts_the_log_or_the_rule_refuses_its_rollout(tmp_path: Path) -> None:
    family = tmp_path / "logs"
    write_lines(family / "a.jsonl", [log("a", False, reward=0.9)])
    label(family, ("a", True))
    (reason,) = reasons(read(family))
    assert "is labelled true on line 1 of labels.jsonl, and its log states false" in reason
    assert outcomes(read(family, "reward>=0.5")) == [True]
    (reason,) = reasons(read(family, "reward<0.5"))
    assert "and --success reward<0.5 gives false" in reason
    assert outcomes(read(family, "no_such_field")) == [True]


@pytest.mark.parametrize("name", ["a.jsonl", "twin"])
def test_a_label_that_names_two_rollouts_stops_the_build(tmp_path: Path, name: str) -> None:
    family = tmp_path / "logs"
    rows = [log("a"), log("b")]
    for row in rows:
        row["custom_id"] = "twin"
    write_lines(family / "a.jsonl", rows)
    label(family, (name, True))
    with pytest.raises(InputError, match=r"logs/labels.jsonl:1: .* two rollouts: a.jsonl:1 and a"):
        read(family)


def test_a_file_that_holds_another_log_cannot_be_labelled_by_its_path(tmp_path: Path) -> None:
    """A line that cannot be read may be the rollout that the label means."""
    family = tmp_path / "logs"
    good = json.dumps(log("a"))
    for text in (f"{good}\n{{\n", f"{{\n{good}\n"):
        family.mkdir(exist_ok=True)
        (family / "a.jsonl").write_text(text, encoding="utf-8")
        label(family, ("a.jsonl", True))
        with pytest.raises(InputError, match=r"two rollouts: a.jsonl:1 and a.jsonl:2"):
            read(family)


def test_a_copy_of_a_labelled_rollout_is_a_duplicate(tmp_path: Path) -> None:
    family = tmp_path / "logs"
    write_lines(family / "a.jsonl", [log("a"), log("a")])
    label(family, ("a", True))
    index = read(family)
    assert (len(index.entries), index.duplicates, index.refused) == (1, 1, [])
    label(family, ("a.jsonl:1", True), ("a.jsonl:2", False))
    index = read(family)
    assert (len(index.entries), index.duplicates) == (1, 0)
    assert "another rollout named" in index.refused[0].reason


def test_a_label_for_a_log_that_is_refused_is_not_missing(tmp_path: Path) -> None:
    family = tmp_path / "logs"
    broken = log("a") | {"per_turn_api_tokens": [[9, 1]]}
    write_lines(family / "a.jsonl", [broken])
    (family / "b.json").write_text("{", encoding="utf-8")
    write_json(family / "c.json", log("c") | {"messages": [], "per_turn_api_tokens": []})
    label(family, ("a.jsonl:1", True), ("b.json", True), ("c", True))
    index = read(family)
    assert [refusal.where for refusal in (*index.unusable_labels, *index.refused)] == [
        "a.jsonl:1 (a)",
        "b.json",
    ]


def test_a_limit_leaves_labels_of_later_rollouts_alone(tmp_path: Path) -> None:
    family = tmp_path / "logs"
    write_lines(family / "a.jsonl", [log(name) for name in "abc"])
    label(family, *((name, True) for name in "abc"))
    index = read(family, limit=2)
    assert (len(index.entries), index.refused) == (2, [])


def test_labels_judge_trajectories_without_a_report(tmp_path: Path) -> None:
    family = tmp_path / "logs"
    write_trajectories(family, ["a", "b", "c"], ["a"])
    (family / "report.json").unlink()
    (reason, *_) = reasons(read(family))
    assert "no evaluation report" in reason
    assert "labels.jsonl" in reason
    label(family, ("run/a/a.traj.json", True), ("run/b/b.traj.json", False))
    index = read(family)
    assert outcomes(index) == [True, False]
    assert [refusal.where for refusal in (*index.unusable_labels, *index.refused)] == [
        "run/c/c.traj.json"
    ]


def test_a_report_and_a_label_must_agree(tmp_path: Path) -> None:
    family = tmp_path / "logs"
    write_trajectories(family, ["a", "b"], ["a"])
    label(family, ("run/b/b.traj.json", True))
    (reason,) = reasons(read(family))
    assert "its log states false" in reason


def test_the_last_turn_and_a_label_must_agree(tmp_path: Path) -> None:
    family = tmp_path / "logs"
    turns = [
        {"user_prompt": "look", "raw_response": "go", "input_tokens": 9, "output_tokens": 1}
        for _ in range(2)
    ]
    write_json(family / "a.json", {"turns": [*turns[:1], turns[1] | {"success": False}]})
    label(family, ("a.json", True))
    assert "is labelled true on line 1" in reasons(read(family))[0]
