"""Times of a log, and the seconds that its turns took."""

from datetime import UTC, datetime
from typing import Any

_MOST = 10**19
"""Numbers beyond it are no times: nanoseconds since 1970 are below it."""


def seconds_of(value: Any) -> float | None:
    """Return a time in seconds since 1970; None where it is none, or cannot be read.

    Args:
        value: an ISO 8601 text, of UTC if it names no zone, or a number of seconds.

    >>> seconds_of("1970-01-01T00:01:00Z"), seconds_of(2.5), seconds_of("soon")
    (60.0, 2.5, None)
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if -_MOST < value < _MOST else None
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


class Stopwatch:
    """Measures each turn from the end of the turn before, the first one from the first time."""

    def __init__(self) -> None:
        self._last: float | None = None

    def start(self, value: Any) -> None:
        """Note a time at which the rollout was already running."""
        if self._last is None:
            self._last = seconds_of(value)

    def lap(self, value: Any) -> float | None:
        """Return the seconds of a turn that ends at a time; None where either end is unknown."""
        now, before = seconds_of(value), self._last
        self._last = now
        return None if now is None or before is None or now < before else now - before
