"""An object that holds a key twice refuses its file or line by name, wherever it stands."""

import json
import zipfile
from pathlib import Path

import pytest

from bagen_data.reading import family_files
from tests.making import (
    SHARED_LOGS,
    chat,
    dialogue,
    needs_shared_logs,
    read,
    write_json,
    write_lines,
    write_trajectories,
)

_TWICE = '"success": true, "success": false'


def _refusals(family: Path) -> list[tuple[str, str]]:
    return read(family).unused()


def _double(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_line(tmp_path: Path) -> None:
    family = tmp_path / "sokoban-origin-m"
    rows = [chat(["look", "go"]) | {"per_turn_api_tokens": [[9, 5]], "custom_id": n} for n in "ab"]
    path = write_lines(family / "a.jsonl", rows)
    _double(path, "[[9, 5]]", '[[9, 5]], "per_turn_api_tokens": [[9, 6]]')
    assert _refusals(family) == [
        ("a.jsonl:1", "holds the key 'per_turn_api_tokens' twice; expected each key once")
    ]
    assert len(read(family).entries) == 1


@pytest.mark.parametrize("big", [10, 10**9], ids=["item by item", "whole"])
def test_a_list(tmp_path: Path, big: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(family_files, "BIG", big)
    family = tmp_path / "sokoban-origin-m"
    path = write_json(family / "a.json", [dialogue(name=name) for name in "ab"])
    _double(path, '"api_input_tokens":', '"api_input_tokens": 7, "api_input_tokens":')
    [(where, reason)] = _refusals(family)
    assert where == "a.json"
    assert "holds the key 'api_input_tokens' twice in" in reason


def test_a_report_and_a_trajectory(tmp_path: Path) -> None:
    family = tmp_path / "swebench-origin-m"
    write_trajectories(family, ["a", "b"], ["a"])
    [path] = [each for each in family.rglob("*.traj.json") if each.name.startswith("a")]
    _double(path, '"prompt_tokens":', '"prompt_tokens": 7, "prompt_tokens":')
    [(where, reason)] = _refusals(family)
    assert where.endswith("a.traj.json")
    assert "holds the key 'prompt_tokens' twice in messages[" in reason
    [report] = family.glob("*.json")
    _double(report, '"resolved_ids":', '"resolved_ids": ["b"], "resolved_ids":')
    index = read(family)
    assert not index.entries
    assert (report.name, "holds the key 'resolved_ids' twice; expected each key once") in (
        index.unused()
    )


def test_labels(tmp_path: Path) -> None:
    family = tmp_path / "sokoban-origin-m"
    write_json(family / "a.json", [dialogue(name="a")])
    (family / "labels.jsonl").write_text(f'{{"rollout": "a", {_TWICE}}}\n', encoding="utf-8")
    reasons = [reason for where, reason in _refusals(family) if where == "labels.jsonl:1"]
    assert any("holds the key 'success' twice" in reason for reason in reasons)


@needs_shared_logs
@pytest.mark.parametrize("line", [0, -1])
@pytest.mark.parametrize("name", ["claude-code/cc_compact.jsonl", "codex/codex_small.jsonl"])
def test_a_line_of_a_session_the_last_one_too(tmp_path: Path, name: str, line: int) -> None:
    family = tmp_path / "sokoban-origin-m"
    family.mkdir()
    lines = (SHARED_LOGS / name).read_text("utf-8").splitlines()
    lines[line] = lines[line].replace("{", '{"type": "x", ', 1)
    (family / "session.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    [(_, reason)] = _refusals(family)
    assert "holds the key 'type' twice" in reason


@needs_shared_logs
@pytest.mark.parametrize("member", ["header.json", "samples/"])
def test_a_file_within_an_eval_log(tmp_path: Path, member: str) -> None:
    pytest.importorskip("inspect_ai")
    family = tmp_path / "sokoban-origin-m"
    family.mkdir()
    with (
        zipfile.ZipFile(SHARED_LOGS / "inspect" / "inspect.eval") as old,
        zipfile.ZipFile(family / "log.eval", "w") as new,
    ):
        for name in old.namelist():
            text = old.read(name).decode()
            if name.startswith(member):
                key = next(iter(json.loads(text)))
                text = text.replace("{", f'{{"{key}": 1, ', 1)
            new.writestr(name, text)
    reasons = [reason for _, reason in _refusals(family)]
    assert reasons
    assert all("twice" in reason and member in reason for reason in reasons)


@needs_shared_logs
@pytest.mark.parametrize("end", [b"{", b"{\n", b'{"n": 1' + b"0" * 5_000 + b"}"])
def test_only_a_line_without_an_end_was_cut(tmp_path: Path, end: bytes) -> None:
    family = tmp_path / "sokoban-origin-m"
    family.mkdir()
    text = (SHARED_LOGS / "claude-code" / "cc_compact.jsonl").read_bytes()
    (family / "session.jsonl").write_bytes(text.rstrip() + b"\n" + end)
    [(_, reason)] = _refusals(family)
    assert ("is not JSON, or cut off" in reason) == (end != b"{")
