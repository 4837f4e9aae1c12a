"""The fixture that counts what an attack did, and the table at the end of `make attacks`."""

import json
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
    text = json.dumps(
        asdict(counts), default=int
    )  # worker processes send it; counts may be NumPy's
    request.node.user_properties.append((_COUNTS, text))
    counts.check()


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep the counts of a test that has ended, in whatever process it ran."""
    if report.when == "teardown":
        texts = (text for name, text in report.user_properties if name == _COUNTS)
        _TALLIES.extend(Tally(**json.loads(str(text))) for text in texts)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table of attacks where they ran at full size."""
    if os.environ.get(LONG):
        terminalreporter.write_line("")
        terminalreporter.write_line(table(sorted(_TALLIES, key=lambda each: each.attack)))
