"""A family without a rollout that can be used ends a build, and is named with every reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bagen_data.live.watching.sessions import claude_lines
from tests.making import (
    SAMPLE,
    build,
    build_record,
    chat,
    contents,
    dialogue,
    write_json,
    write_lines,
)

ALLOW = "--allow-empty-families"
REASON = (
    "searchr1-origin-m: 50 refused: turn 1 has no usage (first: a.jsonl:1 (traj_0), "
    "a.jsonl:2 (traj_1), a.jsonl:3 (traj_2)); expected input and output tokens >= 0; "
    "give --tokenizer"
)


@pytest.fixture
def lost(origin: Path) -> Path:
    """Return the origin with a second family, none of whose 50 rollouts states its usage."""
    rows = [chat(["hi", "ho", "on", "off"], custom_id=f"traj_{n}") for n in range(50)]
    write_lines(origin / "searchr1-origin-m" / "a.jsonl", rows)
    return origin


@pytest.mark.parametrize("workers", [(), ("--workers", "2")])
def test_a_lost_family_is_one_line_and_leaves_the_output(
    lost: Path, tmp_path: Path, workers: tuple[str, ...], capsys: Any
) -> None:
    out = tmp_path / "out"
    assert build(SAMPLE, out) == 0
    before = contents(out)
    capsys.readouterr()
    assert build(lost, out, *workers) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "1 of 2 families has no rollout that can be used, so nothing was written:" in said
    assert said.count("has no usage") == said.count(REASON) == 1
    assert f"or build the other families with {ALLOW}" in said
    assert contents(out) == before


def test_the_other_families_are_built_if_asked_for(lost: Path, tmp_path: Path, capsys: Any) -> None:
    assert build(lost, tmp_path / "out", ALLOW) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "searchr1-origin-m: has no rollout that can be used; built without it" in said
    assert said.count(REASON) == 1
    empty, good = build_record(tmp_path / "out")["families"]
    assert (empty["counts"]["rollouts"], len(empty["refused"])) == (0, 50)
    assert good["counts"]["rollouts"] == 1
    assert not (tmp_path / "out/data/searchr1").exists()


def test_each_lost_family_is_named_with_each_reason(
    lost: Path, tmp_path: Path, capsys: Any
) -> None:
    rows = [dialogue(rollout_success=None, name=f"{n}") for n in range(4)]
    write_json(lost / "sokoban-train-m" / "a.json", rows)
    (lost / "sokoban-train-m" / "b.json").write_bytes(b"")
    assert build(lost, tmp_path / "out") == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "2 of 3 families" in said
    assert "sokoban-train-m: 4 refused: " in said
    assert "sokoban-train-m/b.json: refused: is empty; expected JSON" in said
    assert REASON in said
    assert not (tmp_path / "out").exists()


def test_one_family_without_rollouts_is_never_built(tmp_path: Path, capsys: Any) -> None:
    logs = tmp_path / "logs"
    write_lines(logs / "a.jsonl", [chat(["hi", "ho"])] * 2)
    flags = ("--task", "support", "--rollout-model", "m", ALLOW)
    assert build(logs, tmp_path / "out", *flags) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "no rollout can be used, so nothing was written: support-origin-m: 2 refused" in said
    assert ALLOW not in said
    assert not (tmp_path / "out").exists()


def test_a_hidden_split_needs_every_family_too(lost: Path, tmp_path: Path, capsys: Any) -> None:
    assert build(lost, tmp_path / "out", "--hidden", 1) == 1
    assert REASON in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


LABEL = {"rollout": "a.jsonl", "success": True}


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("labels.csv", "rollout,success", "labels.csv: ignored: does not end in"),
        ("Labels.txt", "a.jsonl good", "labels are lines of labels.jsonl: {"),
        ("labels.jsonl", "rollout,success", 'character 1; expected {"rollout": ID OR PATH, "succ'),
        ("labels.json", json.dumps([LABEL]), "labels.json[0]: refused: is a label, which is read"),
        ("sub/labels.jsonl", json.dumps(LABEL), "in the family's own folder alone; move it there"),
    ],
)
def test_labels_in_a_wrong_place_or_layout_say_so(
    name: str, text: str, said: str, tmp_path: Path, capsys: Any
) -> None:
    logs = tmp_path / "logs"
    write_lines(logs / "a.jsonl", claude_lines("s1"))
    (logs / name).parent.mkdir(exist_ok=True)
    (logs / name).write_text(text, "utf-8")
    assert build(logs, tmp_path / "out", "--task", "coding") == 1
    assert said in " ".join(capsys.readouterr().err.split())
