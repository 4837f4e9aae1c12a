"""The parts of `results.json` that every export needs, and safe names for its files."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bagen_data.submission_folder import DEVICE_NAMES
from leaderboard.results import OVERALL

_UNSAFE = re.compile(r"[^A-Za-z0-9._+@-]")
_RESERVED = re.compile(rf"(?:data|unknown|{DEVICE_NAMES})(?:\..*)?", re.IGNORECASE)
"""Names that are reserved by a system, or by a datastore with the root `data`."""
_LONGEST = 100


def path_part(text: str) -> str:
    """Return a portable part of a path for any text: never empty, hidden or a parent folder.

    >>> path_part("gpt-5.2"), path_part("../etc"), path_part(".."), path_part("nul.txt")
    ('gpt-5.2', '_etc', '_', '_nul.txt')
    """
    part = _UNSAFE.sub("_", text)[:_LONGEST].strip(".") or "_"
    return f"_{part}" if _RESERVED.fullmatch(part) else part


def groups(submission: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the scores of all tasks, if all were answered, then of each answered task, by name."""
    scores = submission["scores"]
    if submission["complete"] and scores[OVERALL] is not None:
        yield OVERALL, scores[OVERALL]
    for task in submission["answered"]:
        yield task, scores["tasks"][task]


def write_text(path: Path, text: str) -> Path:
    """Write a file, and the folders that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
