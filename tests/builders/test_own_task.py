"""A task of your own is three new files and no edit elsewhere, as CONTRIBUTING.md shows."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq

from tests.making import REPO, dialogue, write_json


def test_three_files_make_a_task(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for name in ("bagen_data", "builders", "collect", "tests"):
        shutil.copytree(REPO / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("dataset_card.md", "pyproject.toml"):
        shutil.copy(REPO / name, clone / name)
    for path, text in files_of_contributing().items():
        (clone / path).unlink(missing_ok=True)
        (clone / path).write_text(text, encoding="utf-8")
    write_json(tmp_path / "origin" / "chess-origin-m" / "a.json", [dialogue(name="e4")])
    run(
        clone, "-m", "builders", "build", "--origin", tmp_path / "origin", "--out", tmp_path / "out"
    )
    run(clone, "-m", "builders", "verify", tmp_path / "out")
    run(clone, "-m", "pytest", "-p", "no:cacheprovider", "tests/builders/test_chess.py")
    run(clone, "-m", "pytest", "-p", "no:cacheprovider", "tests/bagen_data/test_prompts.py")
    table = pq.read_table(tmp_path / "out/data/chess/test-m.parquet")
    assert table["sample_id"][0].as_py().startswith("chess/m/")
    assert table["resources"][0].as_py()[0]["budget"] == 4_000


def files_of_contributing() -> dict[str, str]:
    """The files that CONTRIBUTING.md shows: a code block under a line that names its path."""
    text = (REPO / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"`([\w/]+\.(?:py|txt))`:\n\n```\w*\n(.*?)```", text, re.DOTALL))
    assert sorted(found) == [
        "bagen_data/prompts/chess.txt",
        "builders/tasks/chess.py",
        "tests/builders/test_chess.py",
    ]
    return found


def run(clone: Path, *arguments: object) -> None:
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
