"""Learners that grow few trees, for tests that do not ask how well they learn."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bagen_data.forecasters import forest
from bagen_data.forecasters.learning import cross_fitting, learners


@contextmanager
def few_trees() -> Iterator[None]:
    """Let learners grow 6 and 12 trees in place of 80 and 100."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(learners._TREES, "n_estimators", 6)
        patch.setitem(forest._FOREST, "n_estimators", 12)
        patch.setattr(cross_fitting, "_LEARNED", {})
        yield
