"""A model server for agents that search, and what their requests freshly spend."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import Any

from tests.model_server import Messages, ModelServer, model_server

SAID = "Let me look that up in the library ."
"""The text of each answer."""
FOUND = "It is in the second drawer on the left ."
"""The result of each search."""


def searches(rounds: int) -> Callable[[Messages], tuple[str, dict[str, Any]] | None]:
    """Return a rule of calls: a search in each of the first rounds of a conversation."""

    def call(messages: Messages) -> tuple[str, dict[str, Any]] | None:
        number = sum(message["role"] == "assistant" for message in messages)
        return ("search", {"query": f"round {number}"}) if number < rounds else None

    return call


def agent_server(rounds: int = 3, **options: Any) -> AbstractContextManager[ModelServer]:
    """Serve a model whose tokens are words, and which searches in its first rounds."""
    settings: dict[str, Any] = {
        "answer": lambda _: SAID,
        "call": searches(rounds),
        "output_tokens": lambda text: len(text.split()),
    }
    return model_server(**settings | options)


def fresh_tokens(usages: Sequence[dict[str, Any]]) -> int:
    """Return the fresh usage of one conversation: section 4 of the specification, without tools."""
    counts = [tuple(_counts(usage)) for usage in usages]
    first = sum(counts[0]) if counts else 0
    later = [
        max(0, read - (read_before + written_before)) + written
        for (read_before, written_before), (read, written) in pairwise(counts)
    ]
    return first + sum(later)


def _counts(usage: dict[str, Any]) -> Iterator[int]:
    for names in (("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens")):
        yield next(usage[name] for name in names if name in usage)


def last_text(body: dict[str, Any]) -> str:
    """Return the text of the last message of a request."""
    last = (body.get("messages") or body.get("input"))[-1]
    content = last.get("content", last.get("output")) if isinstance(last, dict) else last
    return content if isinstance(content, str) else "".join(part["text"] for part in content)
