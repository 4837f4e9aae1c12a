"""Times of logs."""

import time

import pytest

from bagen_data.logs.timestamps import Stopwatch, seconds_of


def test_a_time_without_a_zone_is_utc_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert seconds_of("1970-01-01T00:01:00") == seconds_of("1970-01-01T00:01:00Z") == 60
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_lap_that_would_take_negative_time_is_unknown() -> None:
    watch = Stopwatch()
    watch.start("2026-01-01T00:00:10Z")
    assert watch.lap("2026-01-01T00:00:12Z") == 2
    assert watch.lap("2026-01-01T00:00:11Z") is None
    assert watch.lap(None) is None


@pytest.mark.parametrize("number", [10**400, -(10**400), float("inf"), float("nan"), 1e300])
def test_a_number_that_no_clock_shows_is_no_time(number: float) -> None:
    assert seconds_of(number) is None
