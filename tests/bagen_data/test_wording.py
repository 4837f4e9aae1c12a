"""Texts of the wheel name a command that it does not hold with the place where it runs."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bagen_data.published import CODE_PAGE
from tests.making import REPO

ELSEWHERE = re.compile(r"python -m (?:builders|collect|leaderboard|metrics)|train/\w+\.py|`build`")
MODULES = sorted((REPO / "bagen_data").rglob("*.py"))


def shown_texts(path: Path) -> Iterator[str]:
    """Yield the texts of a module that a person may be shown: its strings and help of commands."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    silent: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            silent.add(node.value)
        if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "in_a_clone":
            silent |= set(ast.walk(node))
        if isinstance(node, ast.FunctionDef) and node.name.endswith("_command"):
            yield ast.get_docstring(node) or ""
    for node in ast.walk(tree):
        if node not in silent and isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_a_message_that_names_a_command_of_the_clone_says_where_that_is() -> None:
    nowhere = [
        f"{path.relative_to(REPO)}: {text!r}"
        for path in MODULES
        for text in shown_texts(path)
        if ELSEWHERE.search(text)
    ]
    assert nowhere == []


@pytest.mark.parametrize("command", ["", "ceiling"])
def test_a_help_text_names_the_clone(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bagen_data", *command.split(), "--help"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"in a clone of {CODE_PAGE}" in " ".join(done.stdout.split())
