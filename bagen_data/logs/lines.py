"""The lines of a session's JSONL file, one JSON value each."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from bagen_data.errors import RolloutError

CUT = "cut last line"


class Line(NamedTuple):
    """A line that is not empty."""

    number: int
    value: Any
    error: str = ""
    """Why the line is not JSON, or cannot be used; empty where it can."""
    is_whole: bool = False
    """The line cannot be used, and was not cut."""


def session_records(
    lines: Iterable[Line], skipped: Counter[str]
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the objects of a session's lines, with their numbers.

    A tool that is still running, or was killed, leaves a last line that is cut: it is skipped and
    counted.

    Args:
        lines: the lines of a file, in order.
        skipped: counts what is skipped, by type.

    Raises:
        RolloutError: another line is not JSON, or is not an object, or a line holds a key twice.
    """
    waiting: Line | None = None
    for line in lines:
        if waiting is not None:
            raise RolloutError(f"line {waiting.number} {waiting.error}; restore or remove it")
        if line.is_whole:
            raise RolloutError(f"line {line.number} {line.error}; restore or remove it")
        if line.error:
            waiting = line
        elif isinstance(line.value, Mapping):
            yield line.number, line.value
        else:
            raise RolloutError(
                f"line {line.number} is {type(line.value).__name__}; expected an object"
            )
    if waiting is not None:
        skipped[CUT] += 1
