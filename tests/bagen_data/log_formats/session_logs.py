"""Sessions for tests: files are written, read as a family's, and counted."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from bagen_data.errors import RolloutError
from bagen_data.log_formats import known_formats, value_format
from bagen_data.logs.rollout_log import Log
from bagen_data.logs.turn_readers import Counting
from bagen_data.reading.family_files import FamilyFiles
from bagen_data.reading.line_ranges import FilePart
from bagen_data.reading.origin import Family
from bagen_data.reading.rollouts import RolloutRules, to_rollout
from bagen_data.tasks import find_task


def write(path: Path, records: Iterable[Any]) -> Path:
    """Write a record a line."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def family(folder: Path) -> Family:
    return Family(folder, "searchr1", "x", "benchmark")


def logs_in(folder: Path) -> dict[str, Log | RolloutError]:
    """Return each log of a family's files, or why it is refused, by place."""
    files = FamilyFiles(family(folder))
    logs: dict[str, Log | RolloutError] = {}
    for path in files.paths:
        for record in files.records(FilePart(path)):
            try:
                if record.error:
                    raise RolloutError(record.error)
                name = record.format or value_format(record.value)
                read = known_formats()[name].read(record.value, files.facts(path))
                named = [("", read)] if isinstance(read, Log) else read
                logs |= {f"{record.where}{part}": log for part, log in named}
            except RolloutError as error:
                logs[record.where] = error
    return logs


def only_log(folder: Path) -> Log:
    (log,) = logs_in(folder).values()
    if isinstance(log, RolloutError):
        raise log
    return log


def spent(log: Log, folder: Path = Path()) -> list[tuple[float, float]]:
    """Return the fresh input and output of each turn, as if the rollout were judged."""
    rules = RolloutRules(family(folder), find_task("searchr1"), Counting())
    reading = to_rollout(replace(log, success=True), rules)
    assert reading is not None
    return [
        (turn.usage["input_tokens"], turn.usage["output_tokens"]) for turn in reading.rollout.turns
    ]


def stamp(second: float) -> str:
    """Return the time stamp of a second."""
    minutes, seconds = divmod(second, 60)
    return f"2026-03-01T{10 + int(minutes) // 60:02d}:{int(minutes) % 60:02d}:{seconds:06.3f}Z"


SIZES = st.tuples(st.integers(20, 5_000), st.integers(30, 900), st.integers(0, 25))
"""A request: its fresh input, its output, and the part of the output that is reasoning."""
STEPS = st.lists(st.tuples(SIZES, st.booleans()), min_size=1, max_size=8)
"""Requests of a session, and whether a compaction comes before each."""


def normal_form(
    steps: Sequence[tuple[tuple[int, int, int], bool]],
) -> list[tuple[int, int, int, str]]:
    """Return input, output, visible output and context of each request."""
    requests: list[tuple[int, int, int, str]] = []
    history, contexts = 0, 0
    for number, ((fresh, written, reasoning), is_compacted) in enumerate(steps):
        if is_compacted and number:
            history, contexts = 0, contexts + 1
        visible = written - reasoning
        requests.append((history + fresh, written, visible, str(contexts) if contexts else ""))
        history += fresh + visible
    return requests


def own_requests(log: Log) -> list[tuple[int, int, int, str]]:
    """Return what the log's own conversation requested, in normal form."""
    return [
        (each.input_tokens, each.output_tokens, each.visible_tokens, each.context)
        for turn in log.turns
        for each in turn.requests or ()
        if not each.context.startswith("agent")
    ]


def without(record: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}
