"""The documentation's site builds without a warning: no page is left out, no link leads nowhere."""

import html
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.making import REPO


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("sphinx", reason="the extra docs is not installed")
    out = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-q",
            "-W",
            "--keep-going",
            "-b",
            "html",
            "docs",
            str(out),
        ],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out


def test_the_first_page_is_the_readme(site: Path) -> None:
    page = (site / "index.html").read_text(encoding="utf-8")
    assert "does an LLM agent know what it is about to spend?" in page
    assert 'href="dataset.html"' in page
    assert "/blob/main/CONTRIBUTING.md" in page


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r'<(?:script|img|link)\b[^>]*?(?:src|href)="(https?:[^"]+)"', text)
        assert not loaded, page.name


def _text(page: Path) -> str:
    """Return the words of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", page.read_text("utf-8"))).split())


def test_the_reference_shows_fields_as_they_are_written(site: Path) -> None:
    words = _text(site / "reference.html")
    assert "Turns left out: cut off by the context limit" in words
    assert "Type: Turns left out" not in words


def test_the_reference_says_what_a_class_takes_and_no_field_twice(site: Path) -> None:
    words = _text(site / "reference.html")
    assert "prices by model for requests that do not state their cost" in words  # BudgetTracker
    assert "Parameters: name ( str ) unit ( str )" not in words  # Resource
    assert "child 0, element" not in words  # an Arrow schema, printed
