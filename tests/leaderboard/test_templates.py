"""The templates of pages, as they are written."""

import re

import pytest

from leaderboard.site import TEMPLATES

FILES = sorted(path.name for path in TEMPLATES.iterdir() if path.is_file())


@pytest.mark.parametrize("name", FILES)
def test_a_template_has_no_marks_of_a_merge(name: str) -> None:
    """Jinja takes such marks for text, and they would stand on the page."""
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    assert not re.search("^(<{7}|={7}|>{7})", text, re.MULTILINE)
