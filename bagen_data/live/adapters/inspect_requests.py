"""Model calls of Inspect, reported to the budgets around them by Inspect's hooks."""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any, Protocol

from inspect_ai.agent import AgentState
from inspect_ai.event import InfoEvent, ModelEvent, SpanBeginEvent
from inspect_ai.hooks import BeforeModelGenerate, Hooks, ModelCacheUsageData, ModelUsageData, hooks
from inspect_ai.log import transcript
from inspect_ai.model import ChatMessage, ContentText, ModelUsage

from bagen_data.live.tracker import BudgetTracker


class Follower(Protocol):
    """Counts the model calls of a block."""

    tracker: BudgetTracker

    def before(self, request: "InspectRequest") -> None:
        """Look at a request; raises LimitExceededError where it must not be made."""

    def after(self, request: "InspectRequest", response: ChatMessage | None, usage: Any) -> None:
        """Count a request."""


@dataclass
class InspectRequest:
    """A request, from before it is made until it is counted."""

    model: str
    sent: list[ChatMessage]
    """The list that Inspect sends."""
    kept: list[ChatMessage]
    """The messages as the conversation keeps them."""
    followers: Sequence[Follower]
    tools: set[str]
    """The tools that it is made inside of, by their spans: a subagent's request has some."""
    seconds: float | None = None
    is_counted: bool = False

    def show(self, status: str, conversation: AgentState) -> None:
        """End the request with a status, and the conversation, too, if it ends as the request."""
        last = self.sent[-1]
        if last.role == "assistant":
            return
        longer: Any = (
            f"{last.content}\n\n{status}"
            if isinstance(last.content, str)
            else [*last.content, ContentText(text=status)]
        )
        self.sent[-1] = last.model_copy(update={"content": longer})
        if conversation.messages and conversation.messages[-1].id == last.id:
            conversation.messages[-1] = self.kept[-1] = self.sent[-1]

    def count(self, response: ChatMessage | None, usage: Any) -> None:
        """Have each follower count the request, once."""
        if not self.is_counted:
            self.is_counted = True
            for follower in self.followers:
                follower.after(self, response, usage)


FOLLOWERS: ContextVar[tuple[Follower, ...]] = ContextVar("bagen_followers", default=())
"""Counters of the model calls made here, the innermost last."""
LAST_REQUEST: ContextVar[InspectRequest | None] = ContextVar("bagen_last_request", default=None)


def count_without_usage(request: InspectRequest | None) -> None:
    """Count a request, if it was not counted, whose response came without usage."""
    if request is not None:
        request.count(None, {})


@cache
def register_hooks() -> None:
    """Have Inspect ask the hooks from now on; it announces hooks that it knows when it starts."""
    hooks("budget", "Counts model calls within the budgets of bagen_data.")(ModelCallHooks)


def enclosing_tools() -> set[str]:
    """Return the spans of the tools that the code here runs inside of.

    A tool of another agent of the sample, which runs at the same time, is not among them.
    """
    tools = set()
    span: str | None = InfoEvent(data=None).span_id  # an event knows where it is made
    while span is not None:
        parent, is_tool = _span(span)
        if is_tool:
            tools.add(span)
        span = parent
    return tools


@lru_cache(maxsize=4096)
def _span(span: str) -> tuple[str | None, bool]:
    """Return the span that encloses one of this sample's, and whether it is that of a tool."""
    begin = transcript().history.find_last(
        lambda event: isinstance(event, SpanBeginEvent) and event.id == span
    )
    if not isinstance(begin, SpanBeginEvent):
        return None, False
    return begin.parent_id, begin.type == "tool"


class ModelCallHooks(Hooks):
    """Tells what follows a model call of it."""

    def enabled(self) -> bool:
        """Return whether anything counts the model calls made here."""
        return bool(FOLLOWERS.get())

    async def on_before_model_generate(self, data: BeforeModelGenerate) -> None:
        """Note a request, and ask whether it may be made."""
        earlier = LAST_REQUEST.get()
        if earlier is not None and earlier.sent is data.input:
            return  # the same request is made again
        if earlier is not None and _responses(data.input) > _responses(earlier.sent):
            count_without_usage(earlier)
        kept = list(data.input)
        request = InspectRequest(data.model_name, data.input, kept, _counting(), enclosing_tools())
        for follower in request.followers:
            follower.before(request)
        LAST_REQUEST.set(request)

    async def on_model_usage(self, data: ModelUsageData) -> None:
        """Count a request that was paid for."""
        request = LAST_REQUEST.get()
        if request is not None:
            request.seconds = data.call_duration
            request.count(_response(data.usage), _stated(data.usage))

    async def on_model_cache_usage(self, data: ModelCacheUsageData) -> None:
        """Count a request that Inspect's cache answered: it cost nothing."""
        request = LAST_REQUEST.get()
        if request is not None:
            request.count(_response(data.usage), [])


def _counting() -> list[Follower]:
    """Return what counts a model call here: for budgets that are shared, the innermost."""
    counting: list[Follower] = []
    for follower in reversed(FOLLOWERS.get()):
        if not any(follower.tracker.shares_budgets_with(inner.tracker) for inner in counting):
            counting.append(follower)
    return counting


def _responses(messages: Sequence[ChatMessage]) -> int:
    return sum(message.role == "assistant" for message in messages)


def _response(usage: ModelUsage) -> ChatMessage | None:
    """Return the message that came with a usage object; None if no event holds it."""
    event = transcript().history.find_last(
        lambda event: isinstance(event, ModelEvent) and event.output.usage is usage
    )
    if not isinstance(event, ModelEvent) or not event.output.choices:
        return None
    return event.output.choices[0].message


def _stated(usage: ModelUsage) -> dict[str, Any]:
    """Return the counts that a provider stated; Inspect writes 0 for a total that it did not."""
    counts = usage.model_dump(exclude_none=True)
    return {name: n for name, n in counts.items() if n or name != "total_tokens"}
