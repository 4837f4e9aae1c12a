"""The bundled sample, built once."""

from pathlib import Path

import pytest

from tests.making import SAMPLE, build


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("leaderboard") / "built"
    assert build(SAMPLE, out) == 0
    return out
