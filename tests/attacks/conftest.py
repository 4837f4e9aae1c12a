"""The fixture that counts what an attack did, and the table at the end of `make attacks`."""

import os
from collections.abc import Iterator
from dataclasses import asdict

import pytest

from tests.attacks.tallies import LONG, Tally, table

_COUNTS = "tally"
_TALLIES: list[Tally] = []


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker that names an attack."""
    config.addinivalue_line("markers", "attack(name): the row of this test in the table of attacks")


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """Give the counts of a test marked with `attack`, and fail it afterwards if one harmed."""
    counts = Tally(request.node.get_closest_marker("attack").args[0])
    yield counts
    request.node.user_properties.append((_COUNTS, asdict(counts)))  # worker processes send these
    counts.check()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the counts of a test that has ended, in whatever process it ran."""
    if report.when == "teardown":
        _TALLIES.extend(Tally(**value) for name, value in report.user_properties if name == _COUNTS)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of attacks where they ran at full size."""
    if os.environ.get(LONG):
        terminalreporter.write_line("")
        terminalreporter.write_line(table(sorted(_TALLIES, key=lambda each: each.attack)))
