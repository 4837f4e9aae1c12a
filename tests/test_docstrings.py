"""Docstrings: the first line of each one stands alone, whoever meets it in a hover box."""

import ast
import re
from collections.abc import Iterator

from tests.making import REPO

ROOMS = (
    *("bagen_data", "benchmarks", "builders", "collect", "docs"),
    *("leaderboard", "metrics", "sample", "tools", "train"),
)
RIDDLE = re.compile(r"(As|Likewise|Of|That|These|Those|What|Which|Who|Whose)\b")
"""A beginning that refers to something that is not there."""


def docs(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The line and text of each docstring, and of each text below a name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "lineno", 1), text
            for before, after in zip(node.body, node.body[1:], strict=False):
                if isinstance(before, ast.Assign | ast.AnnAssign) and isinstance(after, ast.Expr):
                    value = getattr(after.value, "value", None)
                    if isinstance(value, str):
                        yield after.lineno, value


def test_each_docstring_says_its_subject_first() -> None:
    paths = [path for room in ROOMS for path in (REPO / room).rglob("*.py")]
    riddles = [
        f"{path.relative_to(REPO)}:{line}: {text.splitlines()[0]}"
        for path in paths
        for line, text in docs(ast.parse(path.read_text(encoding="utf-8")))
        if RIDDLE.match(text)
    ]
    assert len(paths) > 500
    assert riddles == []
