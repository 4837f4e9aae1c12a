"""Every page types its commands alike: `bagen` of the package, `python` of an environment."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.making import REPO

PAGES = [
    *(REPO / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted((REPO / "docs").rglob("*.md")),
    *sorted(REPO.glob("*_card.md")),
    REPO / "metrics/bagen/README.md",
]
OF_A_CLONE = re.compile(r"python (-m (builders|collect|leaderboard|metrics|train)\b|train/)")
"""The beginning of a command that the package does not have."""
ACTIVATES = ". .venv/bin/activate"


def typed(page: Path) -> Iterator[str]:
    """Yield each line of a page's code blocks, without the blanks before it."""
    is_fenced = False
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.lstrip().startswith("```"):
            is_fenced = not is_fenced
        elif is_fenced or line.startswith("    "):
            yield line.strip().removeprefix("$ ")


def named(page: Path) -> str:
    return page.relative_to(REPO).as_posix()


def test_pages_are_found_and_hold_commands() -> None:
    commands = [line for page in PAGES for line in typed(page)]
    assert sum(line.startswith("bagen ") for line in commands) > 30
    assert sum(bool(OF_A_CLONE.match(line)) for line in commands) > 60


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_no_line_names_the_folder_of_an_environment(page: Path) -> None:
    """A line is `bagen ...` or `python ...`, which a person's own environment has too."""
    named_folders = [line for line in typed(page) if re.match(r"\S*bin/(python|bagen)\b", line)]
    assert named_folders == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_the_package_is_run_by_its_name(page: Path) -> None:
    assert [line for line in typed(page) if line.startswith("python -m bagen_data ")] == []


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_page_with_commands_of_a_clone_says_how_they_come_to_run(page: Path) -> None:
    if any(OF_A_CLONE.match(line) for line in typed(page)):
        text = page.read_text(encoding="utf-8")
        assert ACTIVATES in text, f"{named(page)}: lacks `{ACTIVATES}`"
        assert re.search("make (setup|demo)", text), f"{named(page)}: does not say what makes .venv"
