"""A score of your own is two new files and no edit elsewhere, as CONTRIBUTING.md shows."""

import json
from pathlib import Path

import pytest

from bagen_data.scoring.all_scores import SCORES
from tests.recipes import check_in, clone_with, python_in, recipe_files, run_in

FILES = [
    "bagen_data/scoring/scores/from_zero.py",
    "tests/bagen_data/scoring/test_from_zero.py",
]
SCORE = """
import json
from bagen_data.scoring import score
from tests.bagen_data.scoring.scoring_cases import predictions, sample
rows = [sample("t/m/a/1", total_turns=3), sample("t/m/b/1", total_turns=3)]
report = score(rows, predictions(rows, ["<answer>[0, 900]</answer>"] * 2)).to_dict()
print(json.dumps([report["overall"], report["tasks"]["t"]]))
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with a score of one's own."""
    files = recipe_files("A score of your own")
    assert list(files) == FILES
    return clone_with(tmp_path_factory.mktemp("clone") / "clone", files)


def test_two_files_make_a_score(clone: Path) -> None:
    oracle = "tests/bagen_data/scoring/test_against_slow.py::test_one_family"
    check_in(clone, FILES[1], f"{oracle}[0-resources0]")
    for scores in json.loads(run_in(clone, "-c", SCORE)):
        assert list(scores) == [*SCORES, "from_zero"]
        assert scores["from_zero"] == {"value": 1.0, "n": 2, "low": None, "high": None}


def test_a_score_of_ones_own_may_be_shown_along_the_progress(clone: Path) -> None:
    path = clone / FILES[0]
    text = path.read_text(encoding="utf-8")
    path.write_text(f"{text}PROGRESS_SCORES = SCORES\n", encoding="utf-8")
    try:
        code = SCORE.replace('report["overall"], report["tasks"]["t"]', 'report["progress"]')
        [progress] = json.loads(run_in(clone, "-B", "-c", code))
    finally:
        path.write_text(text, encoding="utf-8")
    assert "from_zero" in json.dumps(progress)


@pytest.mark.parametrize(
    ("of", "becomes", "error"),
    [
        ("FROM_ZERO, FEASIBLE_INTERVAL", "FROM_NAUGHT, FEASIBLE_INTERVAL", "NameError: name 'FROM"),
        ("import FEASIBLE, FEASIBLE_INTERVAL", "import FEASIBLE_INTERVALS", "ImportError: cannot"),
        ("SCORES = ", "SCORE = ", "has no attribute 'SCORES'"),
        ('"from_zero": ', '"coverage": ', "two modules of bagen_data.scoring.scores define 'cov"),
        ('"from_zero": ', '"from zero": ', "'from zero' is Definition("),
        ("SCORES = {", 'SCORES = {"half": 3, ', "'half' is 3; expected a name"),
    ],
    ids=["sum", "import", "no scores", "twice", "name", "kind"],
)
def test_a_wrong_name_fails_at_import(clone: Path, of: str, becomes: str, error: str) -> None:
    path = clone / FILES[0]
    text = path.read_text(encoding="utf-8")
    assert of in text
    path.write_text(text.replace(of, becomes), encoding="utf-8")
    try:
        imported = python_in(clone, "-B", "-c", "import bagen_data.scoring")  # of this text
    finally:
        path.write_text(text, encoding="utf-8")
    assert imported.returncode == 1
    assert error in imported.stderr.splitlines()[-1]
