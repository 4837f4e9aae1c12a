"""The documentation's site builds without a warning: no page is left out, no link leads nowhere."""

import html
import re
import shutil
import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest

from tests.making import REPO
from tools.docs_site import ACCESSIBLE, accessible

_RUN = """axe.run({{resultTypes: ['violations'], {}}}).then(result => result.violations)"""
OTHER_RULES = _RUN.format("rules: {'color-contrast': {enabled: false}}")
ALL_RULES = _RUN.format("")
CONTRAST = _RUN.format("runOnly: ['color-contrast']")
FIRST_ENTRIES = """document.querySelectorAll("dl.py").forEach((entry, number) => {
  if (number >= 40) entry.remove();
})"""


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


def test_a_page_that_is_accessible_stays_as_it_is(site: Path) -> None:
    for name in ("index.html", "search.html"):
        page = (site / name).read_text(encoding="utf-8")
        assert accessible(page) == page


def test_the_theme_still_has_what_is_made_accessible(site: Path) -> None:
    whole = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.html"))
    assert [better for better in ACCESSIBLE.values() if better not in whole] == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_axe_complains_of_no_kind_of_page(width: int, scheme: str, site: Path) -> None:
    """Screen readers and keyboards: axe-core's rules, for a page of each kind.

    The entries of the reference look alike, so contrast is computed for the first of them alone,
    and so is all else on a phone.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    axe = pytest.importorskip("axe_playwright_python", reason="pip install axe-playwright-python")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is not installed; apt-get install chromium")
    script = (resources.files(axe) / "axe.min.js").read_text(encoding="utf-8")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"], timeout=600_000
        )
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        page.set_default_timeout(600_000)
        for name in ("index", "scores", "environments", "reference", "search", "logs/any-task"):
            page.goto((site / f"{name}.html").as_uri())
            page.evaluate(script)
            violations = page.evaluate(OTHER_RULES) if width > 400 else []
            page.evaluate(FIRST_ENTRIES)
            violations += page.evaluate(CONTRAST if width > 400 else ALL_RULES)
            assert [(name, each["id"], each["nodes"][0]["html"]) for each in violations] == []
        browser.close()


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
