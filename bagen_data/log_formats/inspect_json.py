"""Inspect's logs as one JSON file: a header and a list of samples.

    {"version": 2, "status": "success", "eval": {"task": "popularity", "model": "ollama/gemma3",
      "packages": {"inspect_ai": "0.3.285"}, ...},
     "samples": [{"id": 1, "epoch": 1, "messages": [...], "events": [...],
                  "scores": {"match": {"value": "C"}}, "model_usage": {...}}]}

Inspect's own reader reads it, one sample at a time. A sample of one epoch is a rollout;
`_inspect_sample.py` says how it is understood.
Meaning of the fields: https://inspect.aisi.org.uk/eval-logs.html
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.log_formats._inspect_reader import (
    NO_SAMPLES,
    LogReader,
    describes_logs,
    refuse_missing_samples,
)
from bagen_data.logs import log_fields
from bagen_data.logs.rollout_log import FamilyFacts, NamedLog

LAYOUT = "an object with 'eval' and 'samples'"
KEYS = frozenset({"version", "status", "eval", "plan", "results", "stats", "samples"})


def recognises(record: Mapping[str, Any]) -> bool:
    """Return whether a record is a log of Inspect."""
    described = record.get("eval")
    return "status" in record and isinstance(described, Mapping) and "model" in described


def belongs(value: Any) -> bool:
    """Return whether a JSON file describes a folder of logs: `eval-set.json` or `logs.json`."""
    return describes_logs(value)


def read(record: Mapping[str, Any], _facts: FamilyFacts) -> Iterator[NamedLog]:
    """Read one log, a rollout a sample and epoch.

    Raises:
        RolloutError: the log itself cannot be read; a sample that cannot is a rollout's error.
        MissingExtraError: Inspect is not installed.
    """
    from bagen_data.log_formats._inspect_sample import header_facts, sample_log

    reader = LogReader()
    header = header_facts(reader.header_of(record))
    samples = log_fields.sequence(record.get("samples"), "samples")
    if not samples:
        raise RolloutError(NO_SAMPLES)
    results = log_fields.mapping(record.get("results") or {}, "results")
    completed = log_fields.count(results.get("completed_samples") or 0, "completed_samples")
    refuse_missing_samples(str(record.get("status")), completed, len(samples))
    for position, value in enumerate(samples):
        sample = log_fields.mapping(value, f"samples[{position}]")
        name = f" [sample {sample.get('id')}, epoch {sample.get('epoch')}]"
        try:
            yield NamedLog(name, sample_log(reader.sample_of(record, sample), header))
        except RolloutError as error:
            yield NamedLog(name, error)
