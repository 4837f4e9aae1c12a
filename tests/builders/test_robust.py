"""Bad input: a clear message, the rest builds, and the output is the old one or none."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.making import (
    REPO,
    build,
    build_record,
    chat,
    contents,
    dialogue,
    run,
    trajectory,
    write_json,
    write_lines,
    write_trajectories,
)

COUNTS = [[30, 50], [90, 20]]


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A folder with one good family."""
    write_json(tmp_path / "origin" / "sokoban-origin-m" / "good.json", [dialogue(name="good")])
    return tmp_path / "origin"


def counts(out: Path, family: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = build_record(out)["families"][family]["counts"]
    return found


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
        (b"3", "expected an object, found int"),
        (b"{}x", "is not JSON, or cut off"),
        (b'{"runs": []}', "expected an object with 'turns'"),
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


def test_strict_exits_1_and_keeps_the_previous_output(
    origin: Path, tmp_path: Path, capsys: Any
) -> None:
    assert build(origin, tmp_path / "out", "--strict") == 0
    before = contents(tmp_path / "out")
    (origin / "sokoban-origin-m" / "bad.json").write_bytes(b"")
    assert build(origin, tmp_path / "out", "--strict") == 1
    assert "bad.json: is empty" in capsys.readouterr().err
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
        ({"turns": [{}] * 50_000, "rollout_success": 1}, "has 50000 turns; expected at most 1000"),
    ],
)
def test_a_rollout_that_cannot_be_used_is_refused(
    origin: Path, tmp_path: Path, record: Any, reason: str
) -> None:
    write_json(origin / "sokoban-origin-m" / "bad.json", [record])
    assert build(origin, tmp_path / "out") == 0
    [found] = reasons(tmp_path / "out").values()
    assert re.search(reason, found)
    assert counts(tmp_path / "out")["rollouts"] == 1


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
    assert build(origin, tmp_path / "out") == 0
    assert "--usage request or --usage turn" in reasons(tmp_path / "out")["mixed.json[0] (0)"]
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
    found = counts(tmp_path / "out")
    assert (found["without_turns"], found["without_samples"]) == ((1, 0), (0, 1))[turns]
    assert found["samples"] == 2


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


KNOWN = "searchr1, sokoban, swebench, warehouse"


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (("--task", "chess"), 2, KNOWN),
        (("--task", "swebench"), 1, "found families of sokoban"),
        (("--budget", "chess=3"), 2, KNOWN),
        (("--budget", "sokoban"), 2, "expected TASK=NUMBER"),
        (("--budget", "sokoban=much"), 1, "--budget sokoban=much: expected a number"),
        (("--budget", "sokoban=-3"), 1, "--budget sokoban=-3: expected a number"),
        (("--budget", "sokoban=nan"), 1, "--budget sokoban=nan: expected a number"),
        (("--budget", "swebench=3"), 1, "no family of swebench; found sokoban"),
        (("--usage", "sometimes"), 2, "sometimes"),
        (("--prompt", "loud"), 2, "loud"),
        (("--workers", "0"), 2, "workers"),
        (("--tokenizer", "/no/such/folder"), 1, "expected a tokenizer's folder or Hub id"),
    ],
)
def test_wrong_flags(
    origin: Path, tmp_path: Path, flags: tuple[str, ...], code: int, message: str, capsys: Any
) -> None:
    assert build(origin, tmp_path / "out", *flags) == code
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_an_unknown_task_in_the_origin(tmp_path: Path, capsys: Any) -> None:
    write_json(tmp_path / "origin" / "chess-origin-m" / "a.json", [dialogue()])
    assert build(tmp_path / "origin", tmp_path / "out") == 1
    assert f"unknown task 'chess'; known: {KNOWN}" in capsys.readouterr().err


def test_an_origin_without_families(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "notes").mkdir()
    for origin in (tmp_path, tmp_path / "nowhere"):
        assert build(origin, tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert f"known tasks: {KNOWN}" in said
    assert "no such folder" in said
    assert not (tmp_path / "out").exists()


def test_other_folders_of_the_origin_are_mentioned(
    origin: Path, tmp_path: Path, capsys: Any
) -> None:
    (origin / "sokoban_origin_m").mkdir()
    assert build(origin, tmp_path / "out") == 0
    assert "ignored sokoban_origin_m/" in capsys.readouterr().err


def test_nothing_usable_builds_nothing(tmp_path: Path, capsys: Any) -> None:
    write_json(tmp_path / "origin" / "sokoban-origin-m" / "a.json", [3])
    assert build(tmp_path / "origin", tmp_path / "out") == 1
    assert "no rollout could be used" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_foreign_out_is_not_touched(origin: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    assert build(origin, tmp_path / "out") == 1
    assert "thesis.tex" in capsys.readouterr().err
    assert contents(tmp_path / "out") == {"thesis.tex": b"mine"}
    assert build(origin, tmp_path / "out" / "thesis.tex" / "below") == 1


def test_an_unwritable_out(origin: Path, capsys: Any) -> None:
    assert build(origin, Path("/proc/bagen/out")) == 1
    assert "cannot be written" in capsys.readouterr().err


def command(origin: Path, out: Path) -> list[str]:
    flags = ["build", "--origin", str(origin), "--out", str(out)]
    return [sys.executable, "-m", "builders", *flags]


def test_kill_9_leaves_the_old_output_and_a_rerun_succeeds(origin: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert build(origin, out) == 0
    before = contents(out)
    family = origin / "sokoban-origin-m"
    rows = [dialogue([(9, 5)] * 40, name=f"row {n}") for n in range(300)]
    write_json(family / "many.json", rows)
    for delay in (0.0, 0.1, 0.2):
        process = subprocess.Popen(command(origin, out), cwd=REPO, stderr=subprocess.DEVNULL)
        while process.poll() is None and not list(tmp_path.glob(".out.building-*/spools")):
            time.sleep(0.01)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        killed = process.wait() == -signal.SIGKILL
        assert not killed or contents(out) == before
    assert build(origin, out) == 0
    assert run("verify", out) == 0
    assert counts(out)["rollouts"] == 301
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []


def test_a_full_disk_leaves_the_old_output(origin: Path, tmp_path: Path) -> None:
    """A file-size limit stands in for the disk: writes fail in the middle of a file."""
    out = tmp_path / "out"
    assert build(origin, out) == 0
    before = contents(out)
    write_json(
        origin / "sokoban-origin-m" / "more.json", [dialogue(user_prompt=os.urandom(9_000).hex())]
    )
    limited = f"ulimit -f 4; exec {' '.join(command(origin, out))}"
    done = subprocess.run(
        ["/bin/bash", "-c", limited], cwd=REPO, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert contents(out) == before
    assert build(origin, out) == 0
    assert json.loads((out / "build.json").read_text())["families"][0]["counts"]["rollouts"] == 2
