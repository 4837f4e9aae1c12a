"""Responses of a Codex session, and the bills that belong to them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NamedTuple

from bagen_data.log_formats._session import (
    Response,
    as_json,
    known_content,
)
from bagen_data.logs.conversation import joined
from bagen_data.logs.message_content import MessageContent
from bagen_data.usage import Request

OUTPUTS = frozenset(
    {
        *("function_call_output", "custom_tool_call_output", "local_shell_call_output"),
        *("tool_search_output", "mcp_tool_call_output"),
    }
)
CALLS = {
    "function_call": ("name", "arguments"),
    "custom_tool_call": ("name", "input"),
    "local_shell_call": ("local_shell", "action"),
    "web_search_call": ("web_search", "action"),
    "tool_search_call": ("tool_search", "arguments"),
    "image_generation_call": ("image_generation", "revised_prompt"),
}
"""Calls by item type: the field of the tool's name, or the name, and the field of the arguments."""
CONTENT = (
    *("type", "role", "name", "call_id", "content", "arguments", "input", "output", "action"),
    "summary",
)
"""Fields that say what an item is, whenever it was written."""


class Bill(NamedTuple):
    """A request that the session paid for."""

    request: Request
    when: float | None
    """Time of its record, in seconds."""
    is_apart: bool = False
    """Whether the log says that the item is not of a response."""


@dataclass
class CodexReply:
    """A response as its items tell it."""

    response: Response
    texts: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    reasoning: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    is_cut: bool = False
    """Whether the user stopped the response before it was complete."""

    def finish(self) -> None:
        """Put the content together."""
        self.response.content = MessageContent(
            joined(("\n".join(filter(None, self.texts)), *self.calls)),
            "\n".join(self.reasoning),
            tool_calls=len(self.calls),
        )

    def facts(self) -> list[Any]:
        """Return what was heard, said and counted."""
        counts = [(each.input_tokens, each.output_tokens) for each in self.response.requests or ()]
        return [self.response.user, self.ids, self.texts, self.calls, counts]


def response_ids(replies: Iterable[CodexReply]) -> frozenset[str]:
    """Return hashes of responses, each with all before it: only copies of a session share one."""
    digest = ""
    digests = []
    for reply in replies:
        digest = sha256(as_json([digest, *reply.facts()]).encode(errors="replace")).hexdigest()
        digests.append(digest)
    return frozenset(digests)


def pair(events: Sequence[CodexReply | Bill | None]) -> list[Request]:
    """Enter each bill into its response; return the requests that no response follows.

    A bill is the response's before it. In older logs, which begin with a bill and end with a
    response, it is the response's after it. Others were paid for beside the responses.
    """
    marks = [
        event for event in events if event and not (isinstance(event, Bill) and event.is_apart)
    ]
    is_bill_first = bool(marks) and isinstance(marks[0], Bill) and isinstance(marks[-1], CodexReply)
    waiting: list[Bill] = []
    last: CodexReply | None = None
    for event in events:
        if event is None:
            last = None
        elif isinstance(event, CodexReply):
            if is_bill_first and waiting and not waiting[-1].is_apart:
                event.response.requests = [waiting.pop().request]
            event.response.before = [bill.request for bill in waiting]
            waiting, last = [], event
        elif last is None or event.is_apart or is_bill_first:
            waiting.append(event)
        else:
            last.response.requests, last.response.ended = [event.request], event.when
            last = None
    return [bill.request for bill in waiting]


def item_content(content: Any, role: str, skipped: Counter[str]) -> MessageContent:
    """Read what an item holds: text, a list of parts, or a tool's structured output."""
    if isinstance(content, Mapping):
        content = [content] if "text" in content else as_json(content)
    return known_content({"role": role, "content": content}, "content", skipped)
