"""The logs of a run in its folder `logs`: which they are, and what they have.

A run has a log for each server and each time that it is gone on with. When every sample has an
answer, one log takes the place of all.
"""

import hashlib
import platform
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from inspect_ai.log import (
    EvalLog,
    EvalResults,
    EvalSample,
    read_eval_log,
    read_eval_log_sample_summaries,
    recompute_metrics,
    write_eval_log,
)
from inspect_ai.model import ModelUsage

from bagen_data.errors import InputError
from bagen_data.models.model_log import (
    SERVERS,
    UNREADABLE,
    ModelLog,
    logged_samples,
    read_log,
    short,
)
from bagen_data.redaction import redact
from bagen_data.replaced_file import replaced_file

RUN = "bagen_run"
"""The key of a log's metadata that holds `ModelRun.record()`."""
_SAMPLES = "samples"
"""The argument of the task that names the samples of one server."""
_LOOPBACK = ("localhost", "127.", "[::1]", "::1", "0.0.0.0")  # noqa: S104  nothing is bound


def run_logs(folder: Path) -> list[Path]:
    """Return the logs that `bagen predict` wrote, and those that cannot be read, oldest first."""
    logs = [path for path in folder.glob("*.eval") if run_of(path) is not None]
    return sorted(logs, key=lambda path: (path.stat().st_mtime_ns, path.name))


def run_of(log: Path) -> dict[str, Any] | None:
    """Return the record of a log's run: empty if it cannot be read, None if it has none."""
    header = _header(log)
    if header is None:
        return {}
    run = (header.eval.metadata or {}).get(RUN)
    return dict(run) if run else None


def answered_ids(log: Path) -> set[str]:
    """Return the ids of the samples that have an answer in a log; none if it cannot be read."""
    try:
        summaries = read_eval_log_sample_summaries(str(log))
    except UNREADABLE:
        return set()
    return {str(each.id) for each in summaries if each.completed and not each.error}


def server_mark(address: str | None) -> str:
    """Return what a log calls a server, from which its address cannot be read.

    An address of this machine is another server on each machine.
    """
    if address is None:
        return "the provider"
    place = platform.node() if urlsplit(address).netloc.startswith(_LOOPBACK) else ""
    return hashlib.sha256(f"{place}\0{address.rstrip('/')}".encode()).hexdigest()[:12]


def last_servers(logs: Iterable[Path]) -> dict[str, str]:
    """Return the mark of the server that each sample was last given to, by the log's id of it.

    Samples of a finished run, whose log has several servers, are left out.
    """
    servers: dict[str, str] = {}
    for log in logs:
        header = _header(log)
        marks = (header.eval.metadata or {}).get(SERVERS, []) if header else []
        if header and len(marks) == 1:
            servers |= dict.fromkeys(map(str, header.eval.dataset.sample_ids or ()), marks[0])
    return servers


def read_logs(logs: Iterable[Path], asked: Sequence[str]) -> list[ModelLog]:
    """Read the logs of a run that can be read, oldest first.

    Args:
        logs: the logs, oldest first.
        asked: the log's ids of the samples that are to be answered.

    Raises:
        InputError: a log asked samples more than once.
    """
    return [read_log(path, asked) for path in logs if run_of(path)]


def together(
    logs: Sequence[ModelLog], new: Sequence[ModelLog], asked: Sequence[str], stopped_by: str
) -> ModelLog:
    """Return the logs of a run as if they were one.

    Args:
        logs: the logs, oldest first.
        new: the logs with failures that count; earlier failures have been tried again since.
        asked: the log's ids of the samples that are to be answered.
        stopped_by: the error that ended the run, where the logs themselves do not say it.

    Raises:
        InputError: `logs` is empty.
    """
    if not logs:
        raise InputError(f"nothing was asked, and no log was written: {redact(stopped_by)}")
    answers: dict[str, dict[str, Any]] = {}
    failures: Counter[str] = Counter()
    for log in logs:
        answers |= log.answers
    for log in new:
        failures += log.failures
    said = [log.stopped_by for log in new if log.stopped_by]
    return ModelLog(
        path=logs[0].path if len(logs) == 1 else logs[0].path.parent,
        header=logs[-1].header,
        asked=asked,
        answers=answers,
        failures=failures,
        stopped_by=short(stopped_by) or next(iter(said), ""),
        servers=frozenset().union(*(log.servers for log in logs)),
        to_correct=frozenset().union(*(log.to_correct for log in new)),
    )


def unite(logs: Sequence[Path], log: ModelLog) -> Path:
    """Write one log in place of all of a finished run; returns its path.

    The log has no prompt, which the dataset has too (each would be in it three times), and no
    address of a server.

    Args:
        logs: those of the run, oldest first, and those that cannot be read.
        log: all that they have, with no sample open.
    """
    readable = [path for path in logs if run_of(path)]
    target = readable[-1]
    header = read_eval_log(str(target), header_only=True)
    samples = _samples(readable, log.asked)
    header.samples = samples
    _set_whole(header, log)
    if len(readable) > 1 or header.results is None:
        header.stats.model_usage = _usage(samples)
        _set_results(header, len(samples))
    with replaced_file(target) as staging:
        write_eval_log(header, str(staging), format="eval")
    for path in logs:
        if path != target:
            path.unlink()
    return target


def _samples(logs: Iterable[Path], asked: Sequence[str]) -> list[EvalSample]:
    """Return the answered samples in their order, each from the last log that has it."""
    known: dict[str, EvalSample] = {}
    for path in logs:
        for sample in logged_samples(path):
            if not sample.error and sample.output.choices:
                known[str(sample.id)] = sample.model_copy(update={"input": ""})
    return [known[each] for each in asked]


def _set_whole(header: EvalLog, log: ModelLog) -> None:
    header.status, header.error = "success", None
    spec = header.eval
    spec.model_base_url = None
    spec.dataset.samples, spec.dataset.sample_ids = len(log.asked), list(log.asked)
    spec.metadata = {**(spec.metadata or {}), SERVERS: sorted(log.servers)}
    for arguments in (spec.task_args, spec.task_args_passed):
        arguments.pop(_SAMPLES, None)


def _set_results(header: EvalLog, samples: int) -> None:
    """Compute the scores of all samples; those of a hidden split have none."""
    if header.eval.scorers:
        recompute_metrics(header)
    else:
        header.results = EvalResults(total_samples=samples, completed_samples=samples, scores=[])


def _usage(samples: Iterable[EvalSample]) -> dict[str, ModelUsage]:
    total: dict[str, ModelUsage] = {}
    for sample in samples:
        for model, usage in sample.model_usage.items():
            total[model] = total[model] + usage if model in total else usage
    return total


def _header(log: Path) -> EvalLog | None:
    try:
        return read_eval_log(str(log), header_only=True)
    except UNREADABLE:
        return None
