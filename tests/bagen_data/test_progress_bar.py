"""Lines of progress where no bar is shown."""

import pytest

from bagen_data import progress_bar as module
from bagen_data.progress_bar import progress_bar


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that a test sets."""
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def test_lines_are_few_and_plain(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    """A line every 30 seconds at most, and about 100 of a run of days."""
    with progress_bar() as bar:
        step = bar.add_task("[red]one", total=10_000, completed=1_000)
        for done in range(1_000, 10_001):
            clock[0] += 1
            bar.update(step, completed=done)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["[red]one: 1,100 of 10,000 done", "[red]one: 1,200 of 10,000 done"]
    assert lines[-1] == "[red]one: 10,000 of 10,000 done"
    assert len(lines) == 90


def test_a_short_command_says_nothing(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar() as bar:
        step = bar.add_task("rollouts", total=9)
        for _ in range(9):
            clock[0] += 3
            bar.advance(step)
    assert not capsys.readouterr().err


def test_a_total_may_be_unknown_and_nothing_new_is_no_line(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    with progress_bar() as bar:
        step = bar.add_task("bytes", total=None)
        for size in (0, 5_000, 0, 0):
            clock[0] += 31
            bar.advance(step, size)
    assert capsys.readouterr().err == "bytes: 5,000 done\n"
