"""Pieces that readers of sessions share: what was heard, responses, and what was paid when."""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

from bagen_data.errors import RolloutError
from bagen_data.logs.conversation import joined
from bagen_data.logs.message_content import MessageContent, message_content
from bagen_data.logs.rollout_log import LoggedTurn
from bagen_data.usage import BRANCH, Request

UNFINISHED = "unfinished response"
"""Counts a last response that was cut off before its usage was written."""
SUBAGENT = "a subagent's work"
"""Names what a tokenizer cannot count where a subagent's log is missing or states no usage."""

_NEVER = float("-inf")


@dataclass
class Response:
    """A response of a model, as it is put together from a session's records."""

    user: str = ""
    """Text that the model heard since the response before."""
    uncounted: str = ""
    """Name of what a tokenizer cannot count in the turn; empty where it counts all."""
    content: MessageContent = field(default_factory=lambda: MessageContent(""))
    requests: list[Request] | None = None
    """The response's own requests; None where its usage is unknown."""
    before: list[Request] = field(default_factory=list)
    """Requests that were paid for since the response before, beside the response's own."""
    after: list[Request] = field(default_factory=list)
    """Requests that were paid for after the last response."""
    began: float | None = None
    """Time of the response's first record, in seconds."""
    ended: float | None = None
    """Time of the response's last record, in seconds."""
    rewound_to: int | None = None
    """Position of the response that the conversation was taken back to before this one; -1 is the
    start. None where it went on."""
    is_part_unknown: bool = False
    """Requests beside the response's own have unknown usage."""

    @property
    def context(self) -> str:
        """The context of the response's last request; empty where that is unknown."""
        return self.requests[-1].context if self.requests else ""


class HeardContents:
    """Contents that a model hears between two responses."""

    def __init__(self) -> None:
        self._contents: list[MessageContent] = []

    def add(self, content: MessageContent) -> None:
        """Add a message or a tool's output."""
        self._contents.append(content)

    def take(self) -> tuple[str, str]:
        """Return the text heard so far and what a tokenizer cannot count in it, and begin anew."""
        text = joined(content.text for content in self._contents)
        uncounted = next(filter(None, (content.uncounted for content in self._contents)), "")
        self._contents = []
        return text, uncounted


def known_content(message: Mapping[str, Any], where: str, skipped: Counter[str]) -> MessageContent:
    """Read a message's content; parts of unknown types are skipped and counted.

    Raises:
        RolloutError: the content is neither text nor a list of parts.
    """
    try:
        return message_content(message, where)
    except RolloutError:
        if not isinstance(message.get("content"), list):
            raise
    parts = []
    for part in message["content"]:
        try:
            message_content({**message, "content": [part]}, where)
            parts.append(part)
        except RolloutError:
            kind = part.get("type") if isinstance(part, Mapping) else type(part).__name__
            skipped[f"part {kind}"] += 1
    return message_content({**message, "content": parts}, where)


def as_json(value: Any) -> str:
    """Return a value of a log as JSON, whatever text it holds.

    >>> as_json({"b": 1, "a": [None]})
    '{"b": 1, "a": [null]}'
    """
    return json.dumps(value, ensure_ascii=False)


class SideRequests(NamedTuple):
    """Requests that were paid for beside the responses of a session's own conversation."""

    moment: float | None
    """Time of the payment, in seconds; None where the log does not say."""
    requests: Sequence[Request] | None
    """The requests; None where their usage is unknown."""


def place(responses: Sequence[Response], paid: Iterable[SideRequests]) -> None:
    """Enter what was paid for into the next response after it in time, else into the last."""
    starts = list(accumulate((_or_never(each.began) for each in responses), max))
    for moment_paid, requests in paid:
        later = len(responses)
        if moment_paid is not None:
            later = bisect_left(starts, moment_paid)
        enter(responses, later, requests)


def _or_never(value: float | None) -> float:
    return _NEVER if value is None else value


def enter(responses: Sequence[Response], later: int, requests: Sequence[Request] | None) -> None:
    """Enter requests into the response at a position, else into the last one.

    Args:
        responses: the session's responses, one or more.
        later: the position; beyond the end for what no response follows.
        requests: what was paid for; None where the usage is unknown.
    """
    response = responses[min(later, len(responses) - 1)]
    if requests is None:
        response.is_part_unknown = True
    elif later < len(responses):
        response.before += requests
    else:
        response.after += requests


def mark_branches(responses: Sequence[Response]) -> None:
    """Make branches of what was said before a conversation was taken back.

    The requests after the point that it was taken back to are no history of later ones.
    """
    for position, response in enumerate(responses):
        if response.rewound_to is None or not response.requests:
            continue
        context = response.requests[0].context
        for undone in responses[response.rewound_to + 1 : position]:
            undone.requests = undone.requests and [
                _moved(request, context, f"{context}{BRANCH}rewound {position}")
                for request in undone.requests
            ]


def forget_unshown(responses: Sequence[Response]) -> None:
    """Forget takings back that the next request does not show, as it may replay all the same."""
    for before, response in pairwise(responses):
        if not is_shorter(response, before):
            response.rewound_to = None


def is_shorter(response: Response, before: Response) -> bool:
    """Return whether a response's request is too short to replay what came before it."""
    if not before.requests or not response.requests:
        return False
    tip = before.requests[-1]
    return response.requests[0].input_tokens < tip.input_tokens + tip.visible_tokens


def join_unshown(responses: Sequence[Response]) -> None:
    """Join a context to the one before it where its first request replays that one all the same."""
    joined_to: dict[str, str] = {}
    before: Response | None = None
    for response in responses:
        if not response.requests:
            continue
        context = response.context
        if before is not None and context not in joined_to:
            joined_to[context] = context if is_shorter(response, before) else before.context
        name = joined_to.setdefault(context, context)
        response.requests = [replace(request, context=name) for request in response.requests]
        before = response


def _moved(request: Request, context: str, branch: str) -> Request:
    return replace(request, context=branch) if request.context == context else request


def logged_turns(
    responses: Sequence[Response], start: float | None = None
) -> tuple[LoggedTurn, ...]:
    """Return the turns that end with a session's responses.

    Args:
        responses: the responses in order.
        start: time of the session's first record, in seconds.
    """
    turns = []
    for number, response in enumerate(responses, 1):
        requests = None
        if response.requests is not None and not response.is_part_unknown:
            requests = (*response.before, *response.requests, *response.after)
        seconds = None
        if start is not None and response.ended is not None:
            seconds = round(max(0.0, response.ended - start), 3)
        start = response.ended if response.ended is not None else start
        content = response.content
        turns.append(
            LoggedTurn(
                number,
                response.user,
                content.text,
                requests,
                reasoning=content.reasoning,
                uncounted=SUBAGENT
                if response.is_part_unknown
                else response.uncounted or content.uncounted,
                tool_calls=content.tool_calls,
                seconds=seconds,
            )
        )
    return tuple(turns)
