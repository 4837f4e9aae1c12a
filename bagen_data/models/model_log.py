"""The way from an Inspect log of `bagen_data/bagen` to a submission.

A sample that ended in an error is not answered: it stays open, and no submission is made of a log
with open samples. An answer that is empty, cut off or refused is an answer. Inspect takes a
`<think>` block out of a text, so the response is the text without it.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from inspect_ai.log import (
    EvalError,
    EvalLog,
    EvalSample,
    read_eval_log,
    read_eval_log_sample_summaries,
    read_eval_log_samples_by_id,
)
from inspect_ai.model import GenerateConfig

from bagen_data.errors import InputError
from bagen_data.models.failure_reasons import failure_reason, to_correct
from bagen_data.models.model_run import short_name
from bagen_data.redaction import REDACTED, holds_secret, is_secret_name, redact, without_known_keys
from bagen_data.submission_writer import new_metadata
from bagen_data.submissions import Metadata

TASK = "bagen_data/bagen"
SERVERS = "bagen_servers"
"""The key of a log's metadata that holds a mark of each server that was asked."""
_WEIGHTS = {
    "anthropic": "closed",
    "google": "closed",
    "hf": "open",
    "openai": "closed",
    "vllm": "open",
}
"""The weights of a provider's models, `open` or `closed`, where all of its models are alike."""
_MARKUP = re.compile(r"\[/?bold\]")
_WRAPPED = re.compile("RetryError|ModelGenerateError")
"""The beginnings of Inspect's own errors, which hide the provider's."""
_CAUSE = re.compile(r"^[\w.]+Error: (.+)$", re.MULTILINE)
UNREADABLE = (OSError, ValueError, KeyError, BadZipFile)
"""Errors of reading a log that was cut off before its first answer, or that is not a log."""
_UNUSED = {"messages", "events", "attachments", "store"}
"""Parts of a logged sample that no prediction needs; they are nearly all of the log."""
_OPERATION = {
    "adaptive_connections",
    "attempt_timeout",
    "batch",
    "cache",
    "cache_prompt",
    "extra_headers",
    "max_connections",
    "max_retries",
    "stream_idle_timeout",
    "timeout",
}
"""Options of a run that do not change what a model answers, or that may hold a key."""
_CANCELLED = "CancelledError"
"""The beginning of the error of a sample that was in flight when the run stopped."""
_AT_ONCE = 500
"""Samples that are read together."""
_SHOWN = 300
"""Most characters of an error that are shown."""


@dataclass(frozen=True)
class ModelLog:
    """The content of a log, or of a folder of several: the answers and failures of its samples."""

    path: Path
    """The log, or the folder of several."""
    header: EvalLog
    """The header of the log, or of the newest one."""
    asked: Sequence[str]
    """The log's ids of all samples that are to be answered, in the dataset's order."""
    answers: Mapping[str, dict[str, Any]]
    """A row of `predictions.jsonl` for each answered sample, by the log's id of it."""
    failures: Counter[str]
    """The number of samples that ended in each error."""
    stopped_by: str
    """The error that ended the whole run; empty if none did, or if the log does not say."""
    servers: frozenset[str] = frozenset()
    """A mark of each server that was asked; empty if the log does not say."""
    by_server: Sequence[str] = ()
    """A line on each of several servers that left samples open."""
    to_correct: frozenset[str] = frozenset()
    """Things to correct before failed requests can succeed, as `failure_reasons` names them."""

    @property
    def open(self) -> int:
        """The number of samples that have no answer."""
        return sum(each not in self.answers for each in self.asked)

    def rows(self) -> list[dict[str, Any]]:
        """The predictions, in the dataset's order."""
        return [self.answers[each] for each in self.asked if each in self.answers]

    def problem(self) -> str:
        """Return why samples are open: by server if there are several, else most frequent first."""
        if self.by_server:
            return "\n  ".join(self.by_server)
        reasons = [f"{count:,} x {text}" for text, count in self.failures.most_common(3)]
        if self.stopped_by and not reasons:
            reasons = [self.stopped_by]
        return "\n  ".join(reasons) or "the run was stopped"


def read_log(path: Path, asked: Sequence[str] | None = None, stopped_by: str = "") -> ModelLog:
    """Read a log of any state.

    Args:
        path: of the log.
        asked: the log's ids of the samples that are to be answered; those of the log if None.
        stopped_by: the error that ended the run, where the log itself does not say it.

    Raises:
        InputError: it is not an Inspect log of this task, or asked samples more than once.
    """
    try:
        header = read_eval_log(str(path), header_only=True)
        if header.eval.task_registry_name != TASK or "bagen" not in (header.eval.metadata or {}):
            raise InputError(f"{path}: is a log of {header.eval.task}; expected one of {TASK}")
        if (header.eval.config.epochs or 1) > 1:
            raise InputError(f"{path}: asked each sample more than once; run it with one epoch")
        answers = {}
        failures: Counter[str] = Counter()
        remedies = set()
        for sample in logged_samples(path):
            if sample.error:
                if not sample.error.message.startswith(_CANCELLED):
                    said = _said(sample.error)
                    failures[failure_reason(said)] += 1
                    remedies.add(to_correct(said))
            elif sample.output.choices:
                answers[str(sample.id)] = without_known_keys(_prediction(sample))
    except PermissionError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    except (*UNREADABLE, IndexError, TypeError, RuntimeError) as error:
        raise InputError(
            f"{path}: cannot be read as an Inspect log: it is cut off, or another kind of file; "
            f"expected an .eval or .json log of {TASK}"
        ) from error
    stopped_by = stopped_by or (header.error.message if header.error else "")
    asked = asked or [str(each) for each in header.eval.dataset.sample_ids or ()]
    servers = frozenset((header.eval.metadata or {}).get(SERVERS, ()))
    return ModelLog(
        path,
        header,
        asked,
        answers,
        failures,
        short(stopped_by),
        servers,
        to_correct=frozenset(remedies - {""}),
    )


def metadata_of(log: ModelLog, name: str | None, link: str | None, trained_on: str) -> Metadata:
    """Return the metadata of a submission, from what the log says of itself.

    Args:
        log: complete or not.
        name: the estimator's; the model's if None.
        link: where to read more; the dataset if None.
        trained_on: as in the metadata.

    Raises:
        InputError: the log says something that metadata cannot have.
    """
    spec = log.header.eval
    source = (spec.metadata or {})["bagen"]
    provider, _, model = spec.model.partition("/")
    if provider == "openai-api":
        provider, _, model = model.partition("/")
    try:
        return new_metadata(
            source["revision"],
            estimator=redact(name or short_name(model)),
            provider=redact(provider),
            model_id=redact(model),
            decoding=_decoding(log.header.plan.config) | _servers(log),
            prompt_variant=source["prompt_variant"],
            trained_on=trained_on,
            constrained=source["constrained"],
            date=datetime.fromisoformat(spec.created).date(),
            link=link,
            weights=_WEIGHTS.get(spec.model.partition("/")[0]),
        )
    except InputError as error:
        lines = "\n".join(f"{log.path}: {line}" for line in str(error).split("\n"))
        raise InputError(lines) from error


def logged_samples(path: Path) -> Iterator[EvalSample]:
    """Yield the samples that a log has, without what no prediction needs."""
    known = [(each.id, each.epoch) for each in read_eval_log_sample_summaries(str(path))]
    for start in range(0, len(known), _AT_ONCE):
        yield from read_eval_log_samples_by_id(
            str(path), known[start : start + _AT_ONCE], exclude_fields=_UNUSED
        )


def _prediction(sample: EvalSample) -> dict[str, Any]:
    output, usage = sample.output, sample.output.usage
    is_refused = output.stop_reason in ("model_length", "content_filter") and usage is None
    row: dict[str, Any] = {
        "sample_id": str(sample.id).rpartition("#")[0],
        "response": "" if output.error or is_refused else output.completion,
    }
    if usage:
        cached = usage.input_tokens_cache_read or 0
        read = usage.input_tokens + cached + (usage.input_tokens_cache_write or 0)
        if not (0 <= cached <= read and usage.output_tokens >= 0):
            return row  # counts that cannot be
        row["usage"] = {
            "input_tokens": read,
            "cached_tokens": cached,
            "output_tokens": usage.output_tokens,
        }
        if usage.total_cost is not None:
            row["cost_usd"] = usage.total_cost
    return row


def _decoding(config: GenerateConfig) -> dict[str, Any]:
    """Return what is set of the decoding parameters; what is not a plain value, as JSON."""
    given = config.model_dump(exclude_none=True, exclude=_OPERATION)
    return {name: _plain(name, value) for name, value in given.items()}


def _servers(log: ModelLog) -> dict[str, int]:
    """Return the number of servers, if there are several; their addresses are private."""
    return {"servers": len(log.servers)} if len(log.servers) > 1 else {}


def _plain(name: str, value: Any) -> bool | int | float | str:
    """Return a parameter as metadata has it; a log that others wrote may hold keys in it."""
    if is_secret_name(name) or holds_secret(value):
        return REDACTED
    return value if isinstance(value, bool | int | float | str) else json.dumps(value)


def _said(error: EvalError) -> str:
    """Return what the provider's client said, where it said something, in one line."""
    causes = _CAUSE.findall(error.traceback) if _WRAPPED.match(error.message) else []
    return short(causes[0] if causes else error.message)


def short(text: str) -> str:
    """Return a message in one line, without secrets and without Inspect's own markup."""
    line = " ".join(_MARKUP.sub("", redact(text)).split()).removeprefix("ERROR: ")
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."
