"""A log format of your own is one new file and its test, as CONTRIBUTING.md shows."""

import json
from pathlib import Path

import pyarrow.parquet as pq

from tests.recipes import check_in, clone_with, recipe_files, run_in


def test_two_files_make_a_format(tmp_path: Path) -> None:
    files = recipe_files("A log format of your own")
    assert sorted(files) == [
        "builders/formats/chess_server.py",
        "tests/builders/formats/test_chess_server.py",
    ]
    clone = clone_with(tmp_path / "clone", files)
    check_in(clone, "tests/builders/formats/test_chess_server.py")
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
