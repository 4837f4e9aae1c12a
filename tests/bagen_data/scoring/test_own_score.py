"""A score of your own is two new files and no edit elsewhere, as CONTRIBUTING.md shows."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bagen_data.scoring.all_scores import SCORES
from tests.making import REPO

FILES = (
    "bagen_data/scoring/scores/from_zero.py",
    "tests/bagen_data/scoring/test_from_zero.py",
)
SCORE = """
import json
from bagen_data.scoring import score
from tests.bagen_data.scoring.scoring_cases import predictions, sample
rows = [sample("t/m/a/1", total_turns=3), sample("t/m/b/1", total_turns=3)]
report = score(rows, predictions(rows, ["<answer>[0, 900]</answer>"] * 2)).to_dict()
print(json.dumps([report["overall"], report["tasks"]["t"]]))
"""


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A copy of the library and its tests, with a score of one's own."""
    for name in ("bagen_data", "tests"):
        shutil.copytree(REPO / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPO / "pyproject.toml", tmp_path)
    section = (REPO / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = section.partition("## A score of your own\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"`([\w/]+\.py)`:\n\n```python\n(.*?)```", section, re.DOTALL)
    assert tuple(path for path, _ in blocks) == FILES
    for path, text in blocks:
        (tmp_path / path).unlink(missing_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    return tmp_path


def run(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=clone, capture_output=True, text=True, check=False
    )


def test_two_files_make_a_score(clone: Path) -> None:
    oracle = "tests/bagen_data/scoring/test_against_slow.py::test_one_family"
    tested = run(
        clone, "-m", "pytest", "-p", "no:cacheprovider", FILES[1], f"{oracle}[0-resources0]"
    )
    assert tested.returncode == 0, tested.stdout + tested.stderr
    scored = run(clone, "-c", SCORE)
    assert scored.returncode == 0, scored.stderr
    for scores in json.loads(scored.stdout):
        assert list(scores) == [*SCORES, "from_zero"]
        assert scores["from_zero"] == {"value": 1.0, "n": 2, "low": 1.0, "high": 1.0}


@pytest.mark.parametrize(
    ("of", "becomes", "error"),
    [
        ("FROM_ZERO, FEASIBLE_INTERVAL", "FROM_NAUGHT, FEASIBLE_INTERVAL", "NameError: name 'FROM"),
        ("import FEASIBLE, FEASIBLE_INTERVAL", "import FEASIBLE_INTERVALS", "ImportError: cannot"),
        ("SCORES = ", "SCORE = ", "has no attribute 'SCORES'"),
        ('"from_zero": ', '"coverage": ', "two modules of bagen_data.scoring.scores define 'cov"),
    ],
    ids=["sum", "import", "no scores", "twice"],
)
def test_a_wrong_name_fails_at_import(clone: Path, of: str, becomes: str, error: str) -> None:
    path = clone / FILES[0]
    text = path.read_text(encoding="utf-8")
    assert of in text
    path.write_text(text.replace(of, becomes), encoding="utf-8")
    imported = run(clone, "-c", "import bagen_data.scoring")
    assert imported.returncode == 1
    assert error in imported.stderr.splitlines()[-1]
