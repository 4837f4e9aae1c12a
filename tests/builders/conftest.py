"""Fixtures of the builders' tests."""

from pathlib import Path

import pytest

from tests.making import dialogue, write_json


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A folder with one good family."""
    write_json(tmp_path / "origin" / "sokoban-origin-m" / "good.json", [dialogue(name="good")])
    return tmp_path / "origin"
