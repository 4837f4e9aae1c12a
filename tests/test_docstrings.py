"""Docstrings and messages: each stands alone, in a hover box or a terminal."""

import ast
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.making import REPO

ROOMS = (
    *("bagen_data", "benchmarks", "builders", "collect", "docs"),
    *("leaderboard", "metrics", "sample", "tests", "tools", "train"),
)
RIDDLE = re.compile(
    r"(All|Also|And|As|At|Because|Before|After|But|By|Each of|Either|For|From|How|If|In|Into|It|Its"
    r"|Likewise|Near|No|None|Not|Nothing|Of|On|One|Once|Only|Or|Over|So|Such|Than|That|Their|Them"
    r"|Then|There|These|They|This|Those|Through|To|Under|Until|What|When|Where|Which|While|Who|Whom"
    r"|Whose|With|Within|Without|Whether (?:it|its|that|they))\b"
)
"""A beginning that refers to something that is not there, or that comes before the subject."""
ODD = re.compile(
    r"\bthere (is|are) no\b|\b(is|are|stands?) there twice|begun otherwise|cannot be had"
    r"|\bmend (it|that|this)\b"
    r"|\b(is|are) no (config|file|folder|link|list|name|number|object|option|value)\b",
    re.IGNORECASE,
)
"""Words that are seldom said: "is missing", "appears twice" and "is not a folder" are."""
SAID_TO_AGENTS = {
    "collect/searchr1/bats/attempt.py",
    "collect/swebench/inspect_model.py",
    "collect/warehouse/manager_decisions.py",
}
"""Files whose texts the recorded agents read; these texts stay as they are."""


def blocks(statement: ast.AST) -> Iterator[Any]:
    """The statement itself, and those in its bodies at any depth; expressions are left out."""
    yield statement
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        for below in getattr(statement, name, ()):
            yield from blocks(below)


def docs(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The line and text of each docstring, and of each text below a name."""
    for node in blocks(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "lineno", 1), text
            for before, after in zip(node.body, node.body[1:], strict=False):
                if isinstance(before, ast.Assign | ast.AnnAssign) and isinstance(after, ast.Expr):
                    value = getattr(after.value, "value", None)
                    if isinstance(value, str):
                        yield after.lineno, value


Texts = list[tuple[int, str]]


@pytest.fixture(scope="module")
def modules() -> dict[str, tuple[Texts, Texts]]:
    """The docstrings of each module of the rooms, parsed once, and its texts but for tests."""
    read = {}
    for room in ROOMS:
        for path in (REPO / room).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            shown = [] if room == "tests" else list(texts(tree))
            read[path.relative_to(REPO).as_posix()] = list(docs(tree)), shown
    return read


def texts(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """The line and value of each text that the program can print: all but docstrings."""
    nodes = list(ast.walk(tree))
    docstrings = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    constants = (node for node in nodes if isinstance(node, ast.Constant))
    for node in constants:
        if isinstance(node.value, str) and id(node) not in docstrings:
            yield node.lineno, node.value


def test_each_docstring_says_its_subject_first(modules: dict[str, tuple[Texts, Texts]]) -> None:
    riddles = [
        f"{path}:{line}: {text.splitlines()[0]}"
        for path, (docstrings, _) in modules.items()
        for line, text in docstrings
        if RIDDLE.match(text)
    ]
    assert len(modules) > 500
    assert riddles == []


def test_messages_use_ordinary_words(modules: dict[str, tuple[Texts, Texts]]) -> None:
    messages = {
        path: lines
        for path, (_, lines) in modules.items()
        if path not in SAID_TO_AGENTS and not path.startswith("tests/")
    }
    odd = [
        f"{path}:{line}: {text}"
        for path, lines in messages.items()
        for line, text in lines
        if ODD.search(text)
    ]
    assert len(messages) > 500
    assert odd == []


@pytest.mark.parametrize("name", sorted(SAID_TO_AGENTS))
def test_what_is_said_to_agents_needs_its_exception(name: str) -> None:
    tree = ast.parse((REPO / name).read_text(encoding="utf-8"))
    assert any(ODD.search(text) for _, text in texts(tree))
