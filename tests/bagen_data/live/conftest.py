"""Fixtures of the tests beside running agents."""

import logging

import pytest


@pytest.fixture(autouse=True)
def _problems_are_logged(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the logger `bagen` speak, whatever a framework in this process did to all loggers."""
    logger = logging.getLogger("bagen")
    monkeypatch.setattr(logger, "disabled", False)
    monkeypatch.setattr(logger, "propagate", True)
    caplog.set_level(logging.WARNING, "bagen")
