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
    lines: Iterable[Line], skipped: Counter[str], path: str = ""
) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Yield the objects of a session's lines, with their numbers.

    A tool that is still running, or was killed, leaves a last line that is cut: it is skipped and
    counted. Any other line may have stated usage, so the session is refused without it.

    Args:
        lines: the lines of a file, in order.
        skipped: counts what is skipped, by type.
        path: the file's name, for messages; empty where they name it already.

    Raises:
        RolloutError: another line is not JSON, or is not an object, or a line holds a key twice.
    """
    waiting: Line | None = None
    for line in lines:
        if waiting is not None:
            raise _lost(waiting, waiting.error, path)
        if line.is_whole:
            raise _lost(line, line.error, path)
        if line.error:
            waiting = line
        elif isinstance(line.value, Mapping):
            yield line.number, line.value
        else:
            kind = type(line.value).__name__
            raise _lost(line, f"is {kind}; expected an object", path)
    if waiting is not None:
        skipped[CUT] += 1


def _lost(line: Line, problem: str, path: str) -> RolloutError:
    """Return the error that a line of a session cannot be used."""
    return RolloutError(
        f"{path}{': ' if path else ''}line {line.number} {problem}; bring the line back from a "
        "copy of the log, or leave the session out: without the line its counts may be wrong"
    )
