"""A hidden split of the bundled sample."""

from pathlib import Path

import pytest

from tests.making import SAMPLE, build


@pytest.fixture(scope="session")
def split(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hidden") / "split"
    assert build(SAMPLE, out, "--hidden", 6) == 0
    return out
