"""Fixtures of the builders' tests."""

from pathlib import Path

import pytest

from tests.making import SAMPLE, build, dialogue, write_json


@pytest.fixture
def origin(tmp_path: Path) -> Path:
    """A folder with one good family."""
    write_json(tmp_path / "origin" / "sokoban-origin-m" / "good.json", [dialogue(name="good")])
    return tmp_path / "origin"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "out"
    assert build(SAMPLE, out) == 0
    return out


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "cache")
