"""Events of the requests that a run makes, as its progress hears of them.

Inspect says each retry of its own to a hook; the retries that a client makes by itself, of which
Inspect knows nothing, are read from the client's logger.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache

from inspect_ai.hooks import Hooks, ModelRetry, hooks

_CLIENT_LOGGERS = ("openai._base_client", "anthropic._base_client")
"""Loggers of the clients that retry by themselves, which say so at the level INFO."""
_CLIENT_RETRY = "Retrying request"
"""The beginning of what these loggers say before a retry."""
_TOO_MANY_REQUESTS = 429
_SERVER_ERRORS = 500


@dataclass(frozen=True)
class SampleBegun:
    """A sample is asked."""

    sample: str
    """The log's id of the sample."""


@dataclass(frozen=True)
class RequestRetried:
    """A request failed, and is made again after a wait."""

    sample: str
    """The log's id of the sample."""
    reason: str
    """The failure in words; empty if only the client knows it."""
    seconds: float
    """The wait."""


@dataclass(frozen=True)
class SampleEnded:
    """A sample has its answer, or is given up."""

    sample: str
    """The log's id of the sample."""
    is_answered: bool


RequestEvent = SampleBegun | RequestRetried | SampleEnded


def _ignore(_event: RequestEvent) -> None:
    """Ignore an event, as nobody listens."""


on_request_event: ContextVar[Callable[[RequestEvent], None]] = ContextVar(
    "on_request_event", default=_ignore
)
"""The function that is called with each event."""
_sample: ContextVar[str | None] = ContextVar("_sample", default=None)
"""The sample that is asked in this context; None outside of a request."""


@contextmanager
def asking_sample(sample: str) -> Iterator[None]:
    """Report a sample's begin and end, and the retries between, to `on_request_event`."""
    if on_request_event.get() is not _ignore:
        _listen()
    on_request_event.get()(SampleBegun(sample))
    token = _sample.set(sample)
    is_answered = False
    try:
        yield
        is_answered = True
    finally:
        _sample.reset(token)
        on_request_event.get()(SampleEnded(sample, is_answered))


def failure_words(error: str | None, status: int | None) -> str:
    """Return in words what a failed request met.

    Args:
        error: the name of the exception's type.
        status: the status of the server's answer; None if there was no answer.

    >>> failure_words("RateLimitError", 429), failure_words("APITimeoutError", None)
    ('server busy (429)', 'no answer in time')
    """
    if status == _TOO_MANY_REQUESTS:
        return f"server busy ({status})"
    if status is not None:
        return f"server {'error' if status >= _SERVER_ERRORS else 'refusal'} ({status})"
    if "Timeout" in (error or ""):
        return "no answer in time"
    return "connection failed" if "Connect" in (error or "") else "request failed"


class _ClientRetries(logging.Filter):
    """The retries that a client makes by itself; nothing else that it logs below WARNING passes."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Report a retry, and return whether the record is for other eyes."""
        if record.levelno >= logging.WARNING:
            return True
        if str(record.msg).startswith(_CLIENT_RETRY):
            numbers = record.args if isinstance(record.args, tuple) else ()
            _report("", next((each for each in numbers if isinstance(each, float)), 0.0))
        return False


class _Retries(Hooks):
    """Inspect's retries; on only while a sample of ours is asked."""

    def enabled(self) -> bool:
        """Return whether a sample of ours is asked in this context."""
        return _sample.get() is not None

    async def on_model_retry(self, data: ModelRetry) -> None:
        """Report a retry."""
        _report(failure_words(data.exception_type, data.status_code), data.wait_time)


@cache
def _listen() -> None:
    """Listen to Inspect and to clients; only now, for Inspect prints what hooks it starts with."""
    hooks("bagen_retries", "Reports retries to the progress of a run.")(_Retries)
    for name in _CLIENT_LOGGERS:
        logger = logging.getLogger(name)
        if not logger.isEnabledFor(logging.INFO):
            logger.setLevel(logging.INFO)
            logger.addFilter(_ClientRetries())


def _report(reason: str, seconds: float) -> None:
    sample = _sample.get()
    if sample is not None:
        on_request_event.get()(RequestRetried(sample, reason, seconds))
