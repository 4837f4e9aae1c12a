"""A fixture for tests of forecasters that learn."""

from collections.abc import Iterator

import pytest

from tests.bagen_data.forecasters.few_trees import few_trees


@pytest.fixture(name="few_trees")
def growing_few_trees() -> Iterator[None]:
    """Let learners grow few trees during a test."""
    with few_trees():
        yield
