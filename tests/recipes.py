"""CONTRIBUTING's recipes, followed by the letter in a copy of the project."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.making import REPO

_FOLDERS = ("bagen_data", "builders", "collect", "leaderboard", "tests")
_FILES = ("conftest.py", "dataset_card.md", "pyproject.toml")


def recipe_files(section: str) -> dict[str, str]:
    """Return the files that a section of CONTRIBUTING.md shows, by path.

    A file is a code block under a line that ends with its path in backticks and a colon.
    """
    text = (REPO / "CONTRIBUTING.md").read_text(encoding="utf-8")
    _, heading, rest = text.partition(f"\n## {section}\n")
    assert heading, f"CONTRIBUTING.md has no section '{section}'"
    body = rest.partition("\n## ")[0]
    return dict(re.findall(r"`([\w/]+\.\w+)`:\n\n```\w*\n(.*?)```", body, re.DOTALL))


def clone_with(folder: Path, files: dict[str, str]) -> Path:
    """Copy the project to `folder` and add the files; returns the copy.

    Raises:
        AssertionError: a file exists already; a recipe edits none.
    """
    for name in _FOLDERS:
        shutil.copytree(REPO / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in _FILES:
        shutil.copy(REPO / name, folder / name)
    for path, text in files.items():
        assert not (folder / path).exists(), f"{path} is there already"
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    return folder


def python_in(clone: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run Python in a copy of the project, which it imports whatever is installed."""
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HOME": str(clone), "PYTHONPATH": str(clone)},
    )


def run_in(clone: Path, *arguments: object) -> str:
    """Run Python in a copy of the project; returns what it printed."""
    done = python_in(clone, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def check_in(clone: Path, *paths: str) -> None:
    """Run tests of a copy of the project."""
    run_in(clone, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths)
