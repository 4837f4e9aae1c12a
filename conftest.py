"""No test, doctest or child process reads or writes the user's Hugging Face folder."""

import os
import tempfile

import pytest

_HOME = tempfile.TemporaryDirectory(prefix="bagen-tests-")
os.environ["HF_HOME"] = _HOME.name


def pytest_unconfigure(config: pytest.Config) -> None:  # noqa: ARG001
    """Remove it."""
    _HOME.cleanup()
