"""Bad input: refused with a reason and counted, and the rest builds."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from tests.making import (
    build,
    build_record,
    chat,
    contents,
    counts,
    dialogue,
    run,
    trajectory,
    write_json,
    write_lines,
    write_trajectories,
)

COUNTS = [[30, 50], [90, 20]]


def ignored(out: Path) -> dict[str, str]:
    (family,) = build_record(out)["families"]
    return {each["where"]: each["reason"] for each in family["ignored"]}


def reasons(out: Path) -> dict[str, str]:
    [family] = build_record(out)["families"]
    return {refusal["where"]: refusal["reason"] for refusal in family["refused"]}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty; expected JSON"),
        (b'[{"turns": [', "is not JSON, or cut off"),
        (b"hello", "is not JSON, or cut off"),
        (b"\xff\xfe[1]", "is not UTF-8: byte 0 is 0xff"),
        ('"\u00e9"'.encode("latin-1"), "is not UTF-8: byte 1 is 0xe9"),
        (b"3", "is a number, not a rollout"),
        (b"{}x", "is not JSON, or cut off"),
        (b"{}", "an object with 'turns'"),
        (b"[]", "is an empty list; expected rollouts"),
        (b'{"resolved_ids": []}', "belongs to rollouts of mini_swe_agent"),
        (b'{"runs": []}', "an object with 'turns'"),
        (b"[" * 100_000, "is not JSON, or cut off"),
        (b"[" + b"9" * 5_000 + b"]", "is not JSON, or cut off"),
    ],
)
def test_a_bad_file_is_refused_and_the_rest_builds(
    origin: Path, tmp_path: Path, data: bytes, reason: str, capsys: Any
) -> None:
    (origin / "sokoban-origin-m" / "bad.json").write_bytes(data)
    assert build(origin, tmp_path / "out") == 0
    assert reason in reasons(tmp_path / "out")["bad.json"]
    assert counts(tmp_path / "out")["rollouts"] == 1
    assert "sokoban-origin-m/bad.json" in capsys.readouterr().err
    assert run("verify", tmp_path / "out") == 0


@pytest.mark.parametrize(
    ("name", "data", "where", "reason"),
    [
        ("a.eval", b"", "a.eval", "expected a zip with 'header.json' and 'samples/'"),
        ("a.eval", b"PK\x05\x06" + bytes(18), "a.eval", "expected a zip with 'header.json'"),
        ("a.jsonl", b"\x00\n\xff\n\xfe\n", "a.jsonl", "none of its first 3 lines is JSON: line 1"),
        ("a.jsonl", b'{"a": 1}\n{"a"\n', "a.jsonl:2", "delimiter at character 5"),
        ("a.jsonl", b'{\n"a": 1\n}\n', "a.jsonl", "name it .json if it is one value"),
        ("a.json", b'{\n  "a"\n', "a.json", "delimiter at line 3, character 1"),
        (
            "a.json",
            b'{"a": 1}\n{"a": 2}\n',
            "a.json",
            "name it .jsonl if it holds one value a line",
        ),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_one_message(
    origin: Path, tmp_path: Path, name: str, data: bytes, where: str, reason: str
) -> None:
    (origin / "sokoban-origin-m" / name).write_bytes(data)
    assert build(origin, tmp_path / "out") == 0
    assert reason in reasons(tmp_path / "out")[where]


def test_unrelated_files_are_told_of_once(origin: Path, tmp_path: Path, capsys: Any) -> None:
    for name in ("package", "tsconfig", "composer"):
        write_json(origin / "sokoban-origin-m" / f"{name}.json", {name: {}})
    assert build(origin, tmp_path / "out") == 0
    said = capsys.readouterr().err
    assert (
        "sokoban-origin-m: 3 refused: is of no known format (composer.json, package.json, "
        "tsconfig.json); for composer.json: its keys are: composer; remove it, or give one of"
    ) in said
    assert "its keys are: tsconfig;" in reasons(tmp_path / "out")["tsconfig.json"]


def test_strict_exits_1_and_keeps_the_previous_output(
    origin: Path, tmp_path: Path, capsys: Any
) -> None:
    assert build(origin, tmp_path / "out", "--strict") == 0
    before = contents(tmp_path / "out")
    (origin / "sokoban-origin-m" / "bad.json").write_bytes(b"")
    assert build(origin, tmp_path / "out", "--strict") == 1
    assert "bad.json: not used: is empty" in capsys.readouterr().err
    assert contents(tmp_path / "out") == before


def test_one_bad_line_or_item_refuses_itself_only(origin: Path, tmp_path: Path) -> None:
    family = origin / "sokoban-origin-m"
    write_lines(family / "lines.jsonl", [chat(["a", "b", "c", "d"], per_turn_api_tokens=COUNTS)])
    with (family / "lines.jsonl").open("ab") as file:
        file.write(b'{"messages": [}\n\n\xff\n[1]\n')
    write_json(family / "list.json", [3, dialogue(name="listed"), dialogue(rollout_success="?")])
    (family / "empty.jsonl").write_bytes(b"\n")
    assert build(origin, tmp_path / "out") == 0
    assert set(reasons(tmp_path / "out")) == {
        "empty.jsonl",
        "lines.jsonl:2",
        "lines.jsonl:4",
        "lines.jsonl:5",
        "list.json[0]",
        "list.json[2] (0)",
    }
    assert counts(tmp_path / "out")["rollouts"] == 3


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (chat(["a", "b", "c", "d"]), "turn 1 has no usage; expected .* give --tokenizer or drop"),
        (dialogue(api_input_tokens=None, api_output_tokens=None), "turn 2 has no usage"),
        (dialogue(api_output_tokens=-3), "turn 2: api_output_tokens is -3"),
        (dialogue(api_input_tokens=3.5), "turn 2: api_input_tokens is 3.5"),
        (dialogue(user_prompt="\ud800"), r"U\+D800, a lone surrogate"),
        (dialogue(user_prompt="x" * 10_000_000), "longest prompt would be about 10.0 MB"),
        (dialogue(api_output_tokens=2**53 + 1), "turn 2: api_output_tokens is 9007199254740993"),
        (dialogue(user_prompt=[{"type": "image_url"}]), 'has a part of type "image_url" without'),
        ({"turns": [{}] * 50_000, "rollout_success": 1}, "has 50000 turns; expected at most 1000"),
    ],
)
def test_a_rollout_that_cannot_be_used_is_refused(
    origin: Path, tmp_path: Path, record: Any, reason: str
) -> None:
    write_json(origin / "sokoban-origin-m" / "bad.json", [record])
    assert build(origin, tmp_path / "out") == 0
    [stated] = reasons(tmp_path / "out").values()
    assert re.search(reason, stated)
    assert counts(tmp_path / "out")["rollouts"] == 1


@pytest.mark.parametrize(("name", "shown"), [("\ud800", r"('\ud800')"), ("x" * 999, "('xxx")])
def test_a_strange_name_of_a_refused_rollout(
    origin: Path, tmp_path: Path, name: str, shown: str
) -> None:
    write_lines(origin / "sokoban-origin-m" / "a.jsonl", [{"custom_id": name, "messages": 3}])
    assert build(origin, tmp_path / "out") == 0
    [where] = reasons(tmp_path / "out")
    assert shown in where
    assert len(where) < 120


def test_a_family_without_files(origin: Path, tmp_path: Path) -> None:
    (origin / "swebench-origin-m").mkdir()
    assert build(origin, tmp_path / "out") == 1
    assert build(origin, tmp_path / "out", "--allow-empty-families") == 0
    assert not (tmp_path / "out/data/swebench").exists()
    assert build(origin, tmp_path / "out", "--strict") == 1


def test_links_and_pipes_are_named_and_never_followed(tmp_path: Path) -> None:
    family = tmp_path / "sokoban-origin-m"
    write_json(tmp_path / "store" / "a.json", [dialogue(name="elsewhere")])
    write_json(family / "run" / "a.json", [dialogue()])
    (family / "store").symlink_to(tmp_path / "store")
    (family / "one.json").symlink_to(tmp_path / "store" / "a.json")
    (family / "parent").symlink_to(tmp_path)
    (family / "loop").symlink_to(family)
    (family / "same").symlink_to(family / "run")
    (family / "gone.json").symlink_to(family / "nowhere")
    os.mkfifo(family / "pipe.json")
    os.mkfifo(family / "pipe.jsonl")
    assert build(family, tmp_path / "out") == 0
    assert counts(tmp_path / "out")["rollouts"] == 1
    refused = reasons(tmp_path / "out")
    for name in ("store", "one.json", "parent"):
        assert "is a link that leaves the family" in refused[name]
    assert "not a regular file" in refused["pipe.json"]
    assert "not a regular file" in refused["pipe.jsonl"]
    assert "No such file" in refused["gone.json"]
    assert set(ignored(tmp_path / "out")) == {"loop", "same"}


def test_what_is_not_read_is_named(origin: Path, tmp_path: Path) -> None:
    """A suffix in capitals is read; a hidden file or one of another kind is named, once each."""
    family = origin / "sokoban-origin-m"
    write_json(family / "more.JSON", [dialogue(name="more")])
    write_json(family / ".hidden.json", [dialogue(name="hidden")])
    write_json(family / ".git" / "a.json", [dialogue(name="deep")])
    (family / "notes.txt").write_text("mine")
    (family / "README.md").write_text("about the family")
    assert build(origin, tmp_path / "out") == 0
    assert counts(tmp_path / "out")["rollouts"] == 2
    assert set(ignored(tmp_path / "out")) == {".git", ".hidden.json", "notes.txt"}
    assert build(origin, tmp_path / "strict", "--strict") == 1


def test_a_folder_that_cannot_be_listed_is_named(
    origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(origin / "sokoban-origin-m" / "deep" / "b.json", [dialogue(name="b")])
    listed = os.scandir

    def deny(path: str) -> Any:
        if str(path).endswith("deep/"):
            raise PermissionError(13, "Permission denied")
        return listed(path)

    monkeypatch.setattr("bagen_data.reading.folder_listing.os.scandir", deny)
    assert build(origin, tmp_path / "out") == 0
    assert "cannot be listed: Permission denied" in reasons(tmp_path / "out")["deep"]
    assert build(origin, tmp_path / "strict", "--strict") == 1


def test_strange_text_is_built(origin: Path, tmp_path: Path) -> None:
    strange = "NUL \0, emoji \U0001f600, line \u2028, braces {used}, </answer>"
    write_json(origin / "sokoban-origin-m" / "odd.json", [dialogue(user_prompt=strange)])
    assert build(origin, tmp_path / "out") == 0
    assert counts(tmp_path / "out")["rollouts"] == 2
    assert run("verify", tmp_path / "out") == 0


def test_success_as_the_string_false(origin: Path, tmp_path: Path) -> None:
    write_json(
        origin / "sokoban-origin-m" / "b.json", [dialogue(rollout_success="False", name="b")]
    )
    assert build(origin, tmp_path / "out") == 0
    assert counts(tmp_path / "out") | {"samples": 4, "feasible": 2} == counts(tmp_path / "out")


def test_mixed_usage_is_refused_until_it_is_declared(origin: Path, tmp_path: Path) -> None:
    record = dialogue(name="mixed")
    for turn, tokens in zip(record["turns"], (100, 500, 200), strict=True):
        turn["api_input_tokens"] = tokens
    write_json(origin / "sokoban-origin-m" / "mixed.json", [record])
    assert build(origin, tmp_path / "out") == 1
    assert build(origin, tmp_path / "out", "--usage", "request") == 0
    assert counts(tmp_path / "out")["clipped_turns"] == 1
    assert build(origin, tmp_path / "out", "--usage", "turn") == 0
    assert reasons(tmp_path / "out") == {}


def test_duplicates_are_kept_once_whatever_they_are_called(origin: Path, tmp_path: Path) -> None:
    one = chat(["a", "b", "c", "d"], per_turn_api_tokens=COUNTS)
    other = chat(["a", "b", "c", "e"], per_turn_api_tokens=COUNTS)
    rows = [one, one | {"custom_id": "traj_1"}, other]
    write_lines(origin / "sokoban-origin-m" / "a.jsonl", rows)
    assert build(origin, tmp_path / "out") == 0
    assert counts(tmp_path / "out")["rollouts"] == 3
    assert counts(tmp_path / "out")["duplicates"] == 1


def test_two_rollouts_of_one_swebench_instance(tmp_path: Path) -> None:
    family = tmp_path / "swebench-origin-m"
    write_trajectories(family, ["x", "y"], resolved=["x"])
    write_json(family / "again" / "y.traj.json", trajectory("y"))
    write_json(family / "zz" / "x.traj.json", trajectory("x", sizes=[(1, 2), (3, 4)]))
    assert build(family, tmp_path / "out") == 0
    assert counts(tmp_path / "out")["duplicates"] == 1
    assert "another rollout named x" in reasons(tmp_path / "out")["zz/x.traj.json"]


@pytest.mark.parametrize(
    ("first", "second"),
    [("sokoban-origin-m", "sokoban-origin-m-2"), ("sokoban-train-a-b", "sokoban-train-a")],
)
def test_two_folders_of_one_family_are_both_named(
    tmp_path: Path, first: str, second: str, capsys: Any
) -> None:
    for name in (first, second):
        write_json(tmp_path / "origin" / name / "a.json", [dialogue(name=name)])
    assert build(tmp_path / "origin", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert first in said
    assert second in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("record", "turns"),
    [
        ({"turns": [], "rollout_success": True}, 0),
        (dialogue([(30, 50)]), 1),
        (dialogue([(30, 50), (10, 70)], context_token_truncated=True), 1),
    ],
)
def test_short_rollouts_are_counted_and_have_no_sample(
    origin: Path, tmp_path: Path, record: Any, turns: int
) -> None:
    for turn in record["turns"]:
        turn["user_prompt"] += " short"
    write_json(origin / "sokoban-origin-m" / "short.json", [record])
    assert build(origin, tmp_path / "out") == 0
    totals = counts(tmp_path / "out")
    assert (totals["without_turns"], totals["without_samples"]) == ((1, 0), (0, 1))[turns]
    assert totals["samples"] == 2


def test_a_family_of_short_rollouts_only(tmp_path: Path) -> None:
    write_json(tmp_path / "origin/sokoban-origin-m/a.json", [dialogue([(30, 50)])])
    write_json(tmp_path / "origin/sokoban-train-m/a.json", [dialogue(name="other")])
    assert build(tmp_path / "origin", tmp_path / "out") == 0
    assert run("verify", tmp_path / "out") == 0
    assert counts(tmp_path / "out")["samples"] == 0


def test_a_training_instance_of_the_benchmark_is_left_out(origin: Path, tmp_path: Path) -> None:
    shared = dialogue([(30, 50), (10, 70)], name="good")  # another run on the same instance
    write_json(origin / "sokoban-train-m" / "a.json", [shared, dialogue(name="own")])
    assert build(origin, tmp_path / "out") == 0
    assert counts(tmp_path / "out", 1)["left_out_in_benchmark"] == 1
    assert counts(tmp_path / "out", 1)["rollouts"] == 1


def test_a_reward_annotation_does_not_make_another_instance(origin: Path, tmp_path: Path) -> None:
    marked = dialogue([(30, 50), (10, 70)], name="good")
    marked["turns"][0]["user_prompt"] += " (reward: 1.0)"
    write_json(origin / "sokoban-train-m" / "a.json", [marked, dialogue(name="own")])
    assert build(origin, tmp_path / "out") == 0
    assert counts(tmp_path / "out", 1)["left_out_in_benchmark"] == 1
