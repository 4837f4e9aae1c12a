"""`inspect` shows how logs are understood, with the numbers of a build."""

import json
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bagen_data.errors import WrongUsageError
from bagen_data.logs.turn_readers import Counting
from builders.cli import main
from builders.inspection import Inspection, choose, inspect_logs, parse_turns
from tests.making import (
    SAMPLE,
    SHARED_LOGS,
    chat,
    dialogue,
    exit_code,
    needs_shared_logs,
    read,
    requests,
    trajectory,
    write_json,
    write_lines,
    write_trajectories,
)
from tests.word_tokenizer import WordTokenizer

SIZES = ((30, 50), (10, 70), (20, 40))


def counted(name: str, sizes: Any = SIZES, **more: Any) -> dict[str, Any]:
    """Return a conversation with a provider's usage beside each answer."""
    record = chat([f"{name} {word}" for word in ("look", "go") * len(sizes)], **more)
    for message, (given, written) in zip(record["messages"][1::2], requests(sizes), strict=True):
        message["usage"] = {
            "prompt_tokens": given,
            "completion_tokens": written,
            "total_tokens": given + written,
        }
    return record | {"custom_id": name}


def bare(name: str, pairs: Sequence[tuple[int, int]]) -> dict[str, Any]:
    record = chat([f"{name} {word}" for word in ("look", "go") * len(pairs)])
    return record | {"custom_id": name, "per_turn_api_tokens": [list(pair) for pair in pairs]}


def family(tmp_path: Path, *records: Mapping[str, Any]) -> Path:
    folder = tmp_path / "searchr1-origin-m"
    write_lines(folder / "a.jsonl", records)
    return folder


def inspected(path: Path, **counting: Any) -> Inspection:
    return inspect_logs(path, Counting(**counting))


def shown(capsys: Any, *arguments: object) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "300")  # no table is split
        assert exit_code(main, "inspect", *arguments) == 0
    return str(capsys.readouterr().out)


def test_one_rollout_is_a_table_of_its_turns(tmp_path: Path, capsys: Any) -> None:
    text = shown(capsys, family(tmp_path, counted("a")))
    assert "a.jsonl:1 (a)" in text
    assert "outcome: success" in text
    rows = [re.split(r" {2,}", line.strip()) for line in text.splitlines()]
    assert [row[:7] for row in rows if row[0] in ("1", "2", "3", "sum")] == [
        ["1", "30", "50", "OpenAI chat", "0", "30", "50"],
        ["2", "90", "70", "OpenAI chat", "80", "10", "70"],
        ["3", "180", "40", "OpenAI chat", "160", "20", "40"],
        ["sum", "300", "160", "60", "160", "220"],
    ]
    assert "T = 3 turns, 220 fresh tokens, by what each request states" in text


@pytest.mark.parametrize("folder", sorted(SAMPLE.iterdir()), ids=lambda folder: folder.name)
def test_the_numbers_are_a_builds(folder: Path) -> None:
    index = read(folder)
    used = [each for each in inspected(folder).rollouts if not each.refusal]
    assert [each.rollout_id for each in used] == [each.rollout_id for each in index.entries]
    for each, entry in zip(used, index.entries, strict=True):
        assert each.total_turns == entry.total_turns
        assert {name: each.totals[name] for name in entry.realised.totals} == entry.realised.totals
    assert sum(each.clipped_turns for each in used) == index.clipped_turns


def test_without_an_outcome_a_rollout_is_shown_and_not_judged(tmp_path: Path, capsys: Any) -> None:
    folder = family(tmp_path, counted("a", success=None), counted("b"))
    text = shown(capsys, folder)
    assert "not judged" in text
    assert "1 not judged: a build needs each rollout's outcome; write lines such as {" in text
    sessions = tmp_path / "sessions"
    for name in ("s1", "s2"):
        write_lines(sessions / f"{name}.jsonl", _session(name, ("x", "y")))
    text = shown(capsys, sessions)
    assert 'lines such as {"rollout": "s1.jsonl", "success": true} into labels.jsonl' in text
    assert "sum of the 1 not judged" in text  # the other one repeats it
    assert "that can be used" not in text
    assert "--success" not in text  # their logs have no number that it could name
    first, second = inspected(folder).rollouts
    assert (first.outcome, first.total_turns, first.refusal) == ("not judged", 3, "")
    assert (second.outcome, second.totals["tokens"]) == ("success", 220)
    assert len(read(folder).refused) == 1


def test_a_template_of_labels_is_filled_in_and_built(tmp_path: Path, capsys: Any) -> None:
    logs, template = tmp_path / "my logs", tmp_path / "to fill in.jsonl"
    for name in ("s1", "s2", "s 3"):
        write_lines(logs / f"{name}.jsonl", [counted(f"{name} says", success=None)])
    write_lines(logs / "judged.jsonl", [counted("judged")])
    assert exit_code(main, "inspect", logs, "--turns", "2", "--labels-template", template) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "3 labels to be filled in with true or false" in said
    labels = [json.loads(line) for line in template.read_text().splitlines()]
    assert [label["success"] for label in labels] == [None, None, None]
    assert {label["about"] for label in labels} == {"s1 says look", "s2 says look", "s 3 says look"}
    assert exit_code(main, "inspect", logs, "--labels-template", template) == 1
    assert "exists, and may hold labels" in " ".join(capsys.readouterr().err.split())
    write_lines(logs / "labels.jsonl", [label | {"success": True} for label in labels])
    assert [each.outcome for each in inspected(logs).rollouts] == ["success"] * 4
    flags = ("--task", "t", "--rollout-model", "m", "--origin", logs, "--out", tmp_path / "out")
    assert exit_code(main, "build", *flags, "--strict") == 0
    other = tmp_path / "other.jsonl"
    assert exit_code(main, "inspect", logs, "--labels-template", other) == 1
    assert "no label is missing" in " ".join(capsys.readouterr().err.split())
    assert not other.exists()


def test_a_short_name_does_not_fold_the_row_of_sums(
    tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    write_lines(tmp_path / "logs" / "a.jsonl", [counted("a"), counted("b")])
    monkeypatch.setenv("COLUMNS", "80")
    assert exit_code(main, "inspect", tmp_path / "logs") == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.startswith("sum of the 2 that can be used ") for line in lines)
    assert max(map(len, lines)) <= 80


def test_a_rule_or_a_label_gives_the_outcome(tmp_path: Path, capsys: Any) -> None:
    scored = [counted(name, success=None, reward=reward) for name, reward in (("a", 1), ("b", 0))]
    folder = family(tmp_path, *scored)
    text = shown(capsys, folder, "--success", "reward>=0.5")
    assert ("success" in text, "failure" in text, "not judged" in text) == (True, True, False)
    write_lines(folder / "labels.jsonl", [{"rollout": "b", "success": True}])
    outcomes = [each.outcome for each in inspected(folder).rollouts]
    assert outcomes == ["not judged", "success"]


def test_a_trajectory_without_a_report_is_not_judged(tmp_path: Path) -> None:
    write_json(tmp_path / "a" / "x.traj.json", trajectory("x"))
    (rollout,) = inspected(tmp_path / "a" / "x.traj.json").rollouts
    assert (rollout.outcome, rollout.instance_id, rollout.total_turns) == ("not judged", "x", 3)


def test_a_refused_rollout_shows_why_and_what_was_read(tmp_path: Path, capsys: Any) -> None:
    record = counted("a")
    del record["messages"][3]["usage"]
    text = shown(capsys, family(tmp_path, record))
    assert "refused: turn 2 has no usage" in text
    assert "usage unknown" in text
    assert " 30      50  OpenAI chat" in text
    assert "T = " not in text


def test_a_tokenizer_counts_what_is_unknown(tmp_path: Path) -> None:
    record = counted("a")
    del record["messages"][3]["usage"]
    (rollout,) = inspected(family(tmp_path, record), tokenizer=WordTokenizer()).rollouts
    assert (rollout.usage_source, rollout.totals["tokens"]) == ("tokenizer", 12)
    assert all(turn.replayed == () for turn in rollout.turns)


def test_a_clipped_turn_is_named(tmp_path: Path, capsys: Any) -> None:
    record = counted("a")
    record["messages"][3]["usage"] = {
        "prompt_tokens": 60,
        "completion_tokens": 70,
        "total_tokens": 130,
    }
    text = shown(capsys, family(tmp_path, record))
    assert re.search(r"  clipped$", text, re.MULTILINE)
    assert "1 clipped: an input shorter than the history before it" in text


def test_dropped_turns_say_why(tmp_path: Path) -> None:
    record = counted("a")
    record["messages"][3] = {"role": "assistant", "content": ""}
    (rollout,) = inspected(family(tmp_path, record)).rollouts
    assert [turn.note for turn in rollout.turns] == ["", "dropped: no response", ""]
    assert [turn.usage is None for turn in rollout.turns] == [False, True, False]


REQUESTS = bare("whole", [(30, 50), (90, 10)])
TURNS = bare("single", [(30, 50), (20, 10)])


@pytest.mark.parametrize(
    ("records", "usage", "conclusion", "tokens"),
    [
        ([REQUESTS], "auto", "read as whole requests (request)", [100]),
        ([TURNS], "auto", "read as single turns (turn): no input holds", [110]),
        ([REQUESTS], "turn", "as --usage turn says", [180]),
        ([REQUESTS, TURNS], "auto", "mean different things", [100, 90]),
    ],
)
def test_what_bare_counts_are_taken_for(
    tmp_path: Path, records: Any, usage: Any, conclusion: str, tokens: list[int]
) -> None:
    inspection = inspected(family(tmp_path, *records), convention=usage)
    assert conclusion in inspection.bare_counts
    assert [each.totals["tokens"] for each in inspection.rollouts] == tokens


def test_a_file_of_a_family_is_understood_as_in_its_family(tmp_path: Path) -> None:
    folder = family(tmp_path, TURNS)
    write_lines(folder / "b.jsonl", [bare("one", [(30, 50)])])
    (rollout,) = inspected(folder / "b.jsonl").rollouts
    assert (rollout.where, rollout.usage_source) == ("b.jsonl:1 (one)", "turn")


def test_a_file_of_no_family_stands_alone(tmp_path: Path) -> None:
    write_lines(tmp_path / "mine" / "a.jsonl", [counted("a")])
    (tmp_path / "mine" / "b.jsonl").write_text("not JSON\n")
    inspection = inspected(tmp_path / "mine" / "a.jsonl")
    assert [each.totals["tokens"] for each in inspection.rollouts] == [220]
    assert (inspection.refused, inspection.ignored) == ((), ())
    assert len(inspected(tmp_path / "mine").refused) == 1


@pytest.mark.parametrize("flags", [(), ("--json",), ("--labels-template", "labels")])
def test_a_place_without_a_log_is_an_error(
    flags: Sequence[str], tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command used to say so on stdout and exit 0, and a script went on with nothing."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "swebench-origin-m"
    write_trajectories(folder, ["x"], ["x"])
    (folder / "notes.txt").write_text("hello")
    write_lines(tmp_path / "others" / "a.jsonl", [{"x": 1}])
    (tmp_path / "empty").mkdir()
    for place, printed, words in (
        (
            folder / "report.json",
            "",
            "expected one, in a format that docs/logs.md",
        ),
        (
            folder / "notes.txt",
            "refused: is not JSON",
            "; expected one",
        ),
        (
            tmp_path / "others",
            "is of no known format",
            "looked in it and in",
        ),
        (tmp_path / "empty", "holds no .json", "for files that end in .json, .jsonl, .eval or "),
    ):
        assert exit_code(main, "inspect", place, *flags) == 1
        said = capsys.readouterr()
        assert said.err.startswith(f"{place}: holds no log that can be read; ")
        assert words in said.err
        assert "give the folder or the file of the logs" in said.err
        assert printed.removeprefix("refused: ") in said.out
    assert not (tmp_path / "labels").exists()


def test_a_family_is_a_line_a_rollout_and_what_was_not_used(tmp_path: Path, capsys: Any) -> None:
    folder = family(tmp_path, counted("a"), counted("a"), counted("b", success=False))
    (folder / "c.jsonl").write_text("not JSON\n")
    (folder / "notes.txt").write_text("hello")
    text = shown(capsys, folder)
    assert "sum of the 2 that can be used" in text
    assert "440 fresh tokens" in text
    assert "c.jsonl:1: refused: is not JSON" in text
    assert "notes.txt: ignored: does not end in" in text
    assert "1 duplicate: the first of each is used" in text
    assert inspected(folder).rollouts[1].refusal.startswith("is the same rollout as a.jsonl:1")


@needs_shared_logs
def test_what_needs_a_missing_package_is_named_and_the_rest_is_read(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    folder = family(tmp_path, counted("a"))
    log = SHARED_LOGS / "inspect" / "inspect.eval"
    shutil.copy(log, folder / "b.eval")
    text = shown(capsys, folder)
    assert "b.eval: refused: inspect_ai is not installed; install it with: pip install" in text
    assert "sum of the 1 that can be used" in text
    assert exit_code(main, "inspect", log) == 1
    assert "pip install 'bagen-data[models]'" in capsys.readouterr().err


@pytest.mark.parametrize(("rollouts", "listed"), [(1, 1), (2, 2), (7, 5)])
def test_a_rollout_that_is_not_there_names_those_that_are(
    rollouts: int, listed: int, tmp_path: Path, capsys: Any
) -> None:
    folder = family(tmp_path, *map(counted, "abcdefg"[:rollouts]))
    ids = [each.rollout_id for each in inspected(folder).rollouts]
    assert exit_code(main, "inspect", folder, "--rollout", "xx") == 2
    expected = "expected " + ("one of " if rollouts > 1 else "") + ", ".join(ids[:listed])
    expected += ", ..." if listed < rollouts else ""
    assert capsys.readouterr().err.strip().endswith(expected)


def test_one_rollout_and_some_turns_can_be_chosen(tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "swebench-origin-m"
    write_trajectories(folder, ["x", "y"], ["x"])
    text = shown(capsys, folder, "--rollout", "y", "--turns", "2:")
    assert "outcome: failure" in text
    assert "x.traj.json" not in text
    assert [turn.number for turn in _turns(folder, "y", "2:")] == [2, 3]
    assert [turn.number for turn in _turns(folder, "y.traj.json", ":2")] == [1, 2]


def _turns(folder: Path, name: str, turns: str) -> Any:
    (rollout,) = choose(inspected(folder), name, parse_turns(turns)).rollouts
    return rollout.turns


@pytest.mark.parametrize("text", ["", "0", "3:2", "a:b", "1:2:3", ":0", "-1"])
def test_turns_that_are_none(text: str) -> None:
    with pytest.raises(WrongUsageError, match="expected A:B"):
        parse_turns(text)


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (["nowhere"], 1, "nowhere: does not exist"),
        (["FAMILY", "--rollout", "z"], 2, "--rollout z: no rollout has this id; expected "),
        (["FAMILY", "--turns", "x"], 2, "--turns x: expected A:B"),
    ],
)
def test_wrong_use_is_one_message(
    tmp_path: Path, capsys: Any, arguments: list[str], code: int, problem: str
) -> None:
    folder = family(tmp_path, counted("a"))
    given = [str(folder) if each == "FAMILY" else each for each in arguments]
    assert exit_code(main, "inspect", *given) == code
    assert problem in " ".join(capsys.readouterr().err.split())


def _session(name: str, responses: Sequence[str]) -> list[dict[str, Any]]:
    """Return the lines of a Claude Code session, one of them of a type that nobody knows."""
    usage = {"input_tokens": 30, "output_tokens": 50}
    lines = [{"type": "user", "sessionId": name, "message": {"role": "user", "content": "go"}}]
    for number, text in enumerate(responses):
        message = {
            "id": f"msg_{number}",
            "role": "assistant",
            "model": "m",
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "usage": usage,
        }
        lines.append({"type": "assistant", "sessionId": name, "message": message})
    return [*lines, {"type": "unheard-of", "sessionId": name}]


def test_json_holds_the_same(tmp_path: Path, capsys: Any) -> None:
    folder = family(tmp_path, counted("a"))
    value = json.loads(shown(capsys, folder, "--json"))
    assert value == json.loads(json.dumps(inspected(folder).to_json()))
    (rollout,) = value["rollouts"]
    assert rollout["totals"] == {"input_tokens": 60, "output_tokens": 160, "tokens": 220}
    assert rollout["turns"][1]["requests"][0]["input_tokens"] == 90


def test_a_session_without_a_response_has_no_turns(tmp_path: Path, capsys: Any) -> None:
    for name in ("a", "b"):
        write_lines(tmp_path / "logs" / f"{name}.jsonl", _session(name, ()))
    assert shown(capsys, tmp_path / "logs").count("no turns") == 2
    flags = ("--task", "t", "--origin", tmp_path / "logs", "--out", tmp_path / "out")
    assert exit_code(main, "build", *flags) == 1
    assert "logs: 2 logs without a turn that can be used" in capsys.readouterr().err


def test_a_rollout_that_is_asked_for_says_why_it_is_refused(tmp_path: Path, capsys: Any) -> None:
    broken = counted("a") | {"per_turn_api_tokens": [1]}
    write_lines(tmp_path / "searchr1-origin-m" / "a.jsonl", [broken, broken, counted("b")])
    text = shown(capsys, tmp_path / "searchr1-origin-m", "--rollout", "(a)")
    assert "2 refused: per_turn_api_tokens has 1 entries (a.jsonl:1 (a), a.jsonl:2 (a))" in text
    assert "(b)" not in text


def test_a_file_has_its_label_from_a_folder_above(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    for name in ("a", "b"):
        write_lines(folder / "2026" / f"{name}.jsonl", _session(name, ("x", "y")))
    labels = [{"rollout": "2026/a.jsonl", "success": True}, {"rollout": "none", "success": True}]
    write_lines(folder / "labels.jsonl", labels)
    inspection = inspected(folder / "2026" / "a.jsonl")
    assert [each.outcome for each in inspection.rollouts] == ["success"]
    assert inspection.refused == ()


@pytest.mark.parametrize("folder", ["agent", "steps/one/agent"])
def test_a_file_of_a_trial_has_the_trials_outcome(tmp_path: Path, folder: str) -> None:
    verdict = {"verifier_result": {"rewards": {"reward": 0.0}}}
    steps = [
        {"step_id": 1, "source": "user", "message": "go"},
        {
            "step_id": 2,
            "source": "agent",
            "message": "done",
            "metrics": {"prompt_tokens": 9, "completion_tokens": 5},
        },
    ]
    record = {"schema_version": "ATIF-v1.5", "agent": {"name": "x"}, "steps": steps}
    write_json(tmp_path / "t" / folder / "trajectory.json", record)
    result: dict[str, Any] = {"trial_name": "t", "task_name": "hello", **verdict}
    result |= {"step_results": [{"step_name": "one", **verdict}]}
    write_json(tmp_path / "t" / "result.json", result)
    (rollout,) = inspected(tmp_path / "t" / folder / "trajectory.json").rollouts
    assert (rollout.outcome, rollout.instance_id[:5]) == ("failure", "hello")


def test_json_holds_what_was_skipped(tmp_path: Path, capsys: Any) -> None:
    write_lines(tmp_path / "logs" / "a.jsonl", _session("a", ("x",)))
    (rollout,) = json.loads(shown(capsys, tmp_path / "logs", "--json"))["rollouts"]
    assert rollout["skipped"] == {"unheard-of": 1}


def test_a_task_of_dialogues_shows_its_own_resources(tmp_path: Path) -> None:
    write_json(tmp_path / "sokoban-origin-m" / "a.json", [dialogue()])
    (rollout,) = inspected(tmp_path / "sokoban-origin-m").rollouts
    assert rollout.totals["tokens"] == 220
    (first, *_) = inspected(SAMPLE / "warehouse-origin-scripted").rollouts
    assert set(first.totals) == {"time_weeks", "warehouse_item_weeks", "cumulative_cost_usd"}


@needs_shared_logs
def test_a_real_log_of_inspect(capsys: Any) -> None:
    text = shown(capsys, SHARED_LOGS / "inspect" / "inspect.eval")
    assert "written by: Inspect 0.3.95" in text
    assert "T = 1 turn, 69 fresh tokens" in text
    assert "skipped, as no part of a turn: sample_init 1, state 2, score 1" in text
