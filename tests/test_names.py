"""Names of files and classes of the clone: each has one of its own, but for a few with a reason."""

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.making import REPO
from tests.test_docstrings import ROOMS

MANY_FILES = {
    "__init__": "Python's name for what is imported of a package",
    "__main__": "Python's name for what is run of a package",
    "conftest": "pytest's name for the fixtures of a folder",
    "cli": "the command line of each package",
}
"""Names, without .py, that any number of files have, with the reason."""
PAIRS_OF_FILES = {
    "app": "the Hub runs the file of this name in a Space",
    "build": "a benchmark has the name of what it measures",
    "loading": "a benchmark has the name of what it measures",
    "policy": "a benchmark has the name of what it measures",
    "score": "a benchmark has the name of what it measures",
    "climatology": "the baseline is found by its file name, and users import the reference",
    "inspect": "the task and the adapter are for the framework of this name",
    "mini_swe_agent": "the log format and the adapter are for the framework of this name",
}
"""Names, without .py, that two files have, with the reason."""
PAIRS_OF_CLASSES: dict[str, str] = {}
"""Names that two classes have, with the reason."""


def sources() -> list[Path]:
    return [
        *REPO.glob("*.py"),
        *(path for room in ROOMS for path in (REPO / room).rglob("*.py")),
    ]


def check(places: Iterable[tuple[str, str]], pairs: Mapping[str, str]) -> None:
    """Check that each name has one place, and each name of a pair two."""
    by_name = defaultdict(list)
    for name, place in places:
        by_name[name].append(place)
    too_many = {name: own for name, own in by_name.items() if len(own) > 1 + (name in pairs)}
    assert not too_many, "\n".join(f"{name}: {', '.join(own)}" for name, own in too_many.items())
    unused = [name for name in pairs if len(by_name[name]) < 2]
    assert not unused, f"exceptions that are not needed: {', '.join(unused)}"


def test_each_file_has_a_name_of_its_own() -> None:
    files = [(path.stem, path.relative_to(REPO).as_posix()) for path in sources()]
    check((each for each in files if each[0] not in MANY_FILES), PAIRS_OF_FILES)
    assert {name for name, _ in files} >= MANY_FILES.keys()


def test_each_class_has_a_name_of_its_own() -> None:
    """Classes inside functions and classes are left out."""
    classes = [
        (node.name, f"{path.relative_to(REPO).as_posix()}:{node.lineno}")
        for path in sources()
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef)
    ]
    check(classes, PAIRS_OF_CLASSES)
