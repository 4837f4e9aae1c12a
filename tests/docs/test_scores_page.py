"""docs/scores.md says what is so: its examples run, its pictures and links are there."""

import doctest
import re

from bagen_data.scoring import SCORES
from benchmarks import score_pictures
from tests.making import REPO

PAGE = REPO / "docs/scores.md"


def test_every_example_comes_out_as_written() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False)
    assert result.attempted > 30
    assert not result.failed


def test_every_picture_is_shown_and_drawn_by_the_script() -> None:
    shown = re.findall(r"!\[[^\]]+\]\(scores/([\w-]+)\.svg\)", PAGE.read_text(encoding="utf-8"))
    on_disk = {path.stem for path in (REPO / "docs/scores").iterdir()}
    assert sorted(shown) == sorted(score_pictures.PICTURES) == sorted(on_disk)


def test_links_lead_somewhere() -> None:
    text = PAGE.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        elif not target.startswith("https://"):
            assert (PAGE.parent / target).exists(), target


def test_every_score_is_on_the_page() -> None:
    named = set(re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8")))
    assert not set(SCORES) - named
