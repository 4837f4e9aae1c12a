"""The bundled sample, without thoughts before answers, and a model of two layers, made once."""

import pytest

from tests.making import SAMPLE, build
from train.tiny_model import TinyShape, make


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("train") / "built"
    assert build(SAMPLE, out, "--prompt", "interval_no_think") == 0
    return str(out)


@pytest.fixture(scope="session")
def tiny(dataset: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("train") / "tiny"
    make(dataset, out, TinyShape(context=2048))
    return str(out)
