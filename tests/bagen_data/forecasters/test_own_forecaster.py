"""A forecaster of your own is two new files and no edit elsewhere, as CONTRIBUTING.md shows."""

import json
from pathlib import Path

from tests.making import build, write_trajectories
from tests.recipes import check_in, clone_with, recipe_files, run_in

FILES = [
    "bagen_data/forecasters/as_much_again.py",
    "tests/bagen_data/forecasters/test_as_much_again.py",
]


def test_two_files_make_a_forecaster(tmp_path: Path) -> None:
    files = recipe_files("A forecaster of your own")
    assert list(files) == FILES
    clone = clone_with(tmp_path / "clone", files)
    check_in(clone, FILES[1])
    names = ["a__a-1", "a__a-2", "a__a-3"]
    write_trajectories(tmp_path / "origin" / "swebench-origin-m", names, names[:2])
    assert build(tmp_path / "origin", tmp_path / "built") == 0
    flags = ("--dataset", tmp_path / "built", "--out", tmp_path / "out")
    run_in(clone, "-m", "bagen_data", "predict", "baseline", "as_much_again", *flags)
    scores = ("--resamples", 0, "--json", tmp_path / "scores.json")
    dataset = ("--dataset", tmp_path / "built")
    run_in(clone, "-m", "bagen_data", "score", tmp_path / "out", *dataset, *scores)
    scored = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert scored["overall"]["valid_rate"]["value"] == 1
