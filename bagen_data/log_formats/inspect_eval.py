"""Inspect's logs in its own container: an `.eval` file, a zip with one JSON file a sample.

    popularity.eval
        header.json              {"version": 2, "eval": {"model": "ollama/gemma3", ...}, ...}
        samples/1_epoch_1.json   {"id": 1, "epoch": 1, "messages": [...], "events": [...],
                                  "scores": {"match": {"value": "C"}}, "model_usage": {...}}

Inspect's own reader reads it, one sample at a time, so a log needs the memory of its largest
sample. A sample of one epoch is a rollout; `_inspect_sample.py` says how it is understood.
Meaning of the fields: https://inspect.aisi.org.uk/eval-logs.html and, for the counts,
https://inspect.aisi.org.uk/reference/inspect_ai.model.html#modelusage
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.log_formats._inspect_reader import (
    LogReader,
    describes_logs,
    refuse_missing_samples,
    unlisted_files,
)
from bagen_data.logs.rollout_log import FamilyFacts, NamedLog

LAYOUT = "a zip with 'header.json' and 'samples/'"
READS = "file"
SUFFIXES = (".eval",)

_MEMBERS = ("header.json", "_journal/", "samples/")
_FIRST_NAME = slice(30, 39)
"""Place of the first member's name in a zip."""


def recognises(record: Path) -> bool:
    """Return whether a file is a log of Inspect, a cut one too."""
    with record.open("rb") as file:
        head = file.read(64)
    if not head.startswith(b"PK"):
        return False
    try:
        with zipfile.ZipFile(record) as members:
            return any(name.startswith(_MEMBERS) for name in members.namelist())
    except zipfile.BadZipFile:
        return head[_FIRST_NAME] == b"_journal/"


def belongs(value: Any) -> bool:
    """Return whether a JSON file describes a folder of logs: `eval-set.json` or `logs.json`."""
    return describes_logs(value)


def read(record: Path, _facts: FamilyFacts) -> Iterator[NamedLog]:
    """Read one log, a rollout a sample and epoch.

    Raises:
        RolloutError: the log itself cannot be read; a sample that cannot is a rollout's error.
        MissingExtraError: Inspect is not installed.
    """
    from bagen_data.log_formats._inspect_sample import header_facts, sample_log

    reader = LogReader()
    log = reader.header(record)
    header = header_facts(log)
    samples = reader.samples(record)
    completed = log.results.completed_samples if log.results else 0
    refuse_missing_samples(log.status, completed, len(samples))
    for listed in samples:
        name = f" [sample {listed.id}, epoch {listed.epoch}]"
        try:
            yield NamedLog(name, sample_log(reader.sample(record, listed), header))
        except RolloutError as error:
            yield NamedLog(name, error)
    for file in unlisted_files(record, samples):
        reason = "is not in the log's list of samples; expected one entry for each sample's file"
        yield NamedLog(f" [{file}]", RolloutError(f"{reason}; restore the log, or remove the file"))
