"""Rules for every test: no use of the user's Hugging Face folder, nothing left open or behind."""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any speed")  # a slow machine fails no test

_ENVIRONMENT = os.environ
_HOME = tempfile.mkdtemp(prefix="bagen-tests-")
os.environ["HF_HOME"] = _HOME
os.environ["TMPDIR"] = _HOME  # of commands: what a killed one leaves there ends with the tests
# Tests run in a process a core: more threads would wait for each other, a third of the time.
os.environ |= dict.fromkeys(("MKL_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


# The first stands in for a missing package; the others change modules of Python when imported.
collect_ignore = ["tests/without_transformers", "tests/asking.py", "tests/short_pauses.py"]
_LONGEST_FIRST = (
    "tests/train/test_learning.py",
    "tests/bagen_data/models/test_ask.py",
    "tests/train/",
    "tests/docs/test_publishing_page.py",
    "tests/collect/test_model_families.py",
    "tests/bagen_data/models/",
    "tests/leaderboard/",
    "tests/bagen_data/scoring/",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first: no core waits for one that another begins at the end."""

    def place(item: pytest.Item) -> int:
        return next(
            (n for n, path in enumerate(_LONGEST_FIRST) if item.nodeid.startswith(path)),
            len(_LONGEST_FIRST),
        )

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """Spare what collecting has imported, which stays: later searches for garbage are short."""
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def _nothing_stays_open() -> Iterator[None]:
    """Find what a file's tests have left open while the last of them can be blamed for it."""
    yield
    gc.collect()
    if os.environ is not _ENVIRONMENT:
        os.environ = _ENVIRONMENT  # noqa: B003  of the files to come
        pytest.fail("a test left a copy as os.environ; Rich reads the first one")


def pytest_unconfigure() -> None:
    """Remove the folder that stood in for the user's."""
    shutil.rmtree(_HOME, ignore_errors=True)
