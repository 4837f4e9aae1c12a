"""A log format of your own is one new file and its test, as CONTRIBUTING.md shows."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.making import chat, write_lines
from tests.recipes import check_in, clone_with, python_in, recipe_files, run_in

TRACER = '''"""Conversations with a trace."""
from bagen_data.log_formats import messages
LAYOUT = "an object with 'trace' and 'messages'"
def recognises(record):
    return {"trace", "messages"} <= record.keys()
def read(record, facts):
    return messages.read(record | {"instance_id": record["trace"]}, facts)
'''


def test_two_files_make_a_format(tmp_path: Path) -> None:
    files = recipe_files("A log format of your own")
    assert sorted(files) == [
        "bagen_data/log_formats/chess_server.py",
        "tests/bagen_data/log_formats/test_chess_server.py",
    ]
    clone = clone_with(tmp_path / "clone", files)
    check_in(clone, "tests/bagen_data/log_formats/test_chess_server.py")
    game = {"game": "g7", "won": True, "moves": []}
    for number in (1, 2, 3):
        move = {"board": f"board {number}", "reply": "Kd6", "read": 400 * number, "written": 9}
        game["moves"].append(move)
    family = clone / "origin" / "swebench-origin-m"
    family.mkdir(parents=True)
    (family / "games.jsonl").write_text(json.dumps(game) + "\n")
    run_in(clone, "-m", "builders", "build", "--origin", "origin", "--out", "out", "--strict")
    table = pq.read_table(clone / "out/data/swebench/test-m.parquet")
    assert table["sample_id"].to_pylist() == ["swebench/m/g7/1", "swebench/m/g7/2"]
    assert table["resources"][1].as_py()[0]["used"] == 400 + 9 + 391 + 9


def test_a_format_with_messages_of_its_own_comes_before_the_general_one(tmp_path: Path) -> None:
    clone = clone_with(tmp_path / "clone", {"bagen_data/log_formats/tracer.py": TRACER})
    record = {**chat(["look", "go", "look", "go"]), "trace": "t7"}
    record["per_turn_api_tokens"] = [[30, 5], [50, 5]]
    write_lines(clone / "origin" / "swebench-origin-m" / "a.jsonl", [record])
    run_in(clone, "-m", "builders", "build", "--origin", "origin", "--out", "out", "--strict")
    table = pq.read_table(clone / "out/data/swebench/test-m.parquet")
    assert table["instance_id"].to_pylist() == ["t7"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "import nowhere",
            "bagen_data/log_formats/broken.py: cannot be imported: ModuleNotFoundError",
        ),
        ("", "bagen_data/log_formats/broken.py: has no LAYOUT, recognises, read"),
    ],
)
def test_a_module_that_is_not_a_format_is_one_message(
    tmp_path: Path, text: str, problem: str
) -> None:
    clone = clone_with(tmp_path / "clone", {"bagen_data/log_formats/broken.py": text})
    write_lines(clone / "origin" / "sokoban-origin-m" / "a.jsonl", [chat(["look", "go"])])
    built = python_in(clone, "-m", "builders", "build", "--origin", "origin", "--out", "out")
    assert built.returncode == 1
    assert problem in built.stderr
    assert "Traceback" not in built.stderr
