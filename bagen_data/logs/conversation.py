"""Turns from a list of chat messages: what was heard between two responses is one message."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from bagen_data.errors import RolloutError
from bagen_data.logs import log_fields
from bagen_data.logs.message_content import MessageContent, message_content

Key = tuple[str, str, str]
"""Role, text and tool calls of a message: it stays the same where a provider drops reasoning."""
_SYSTEM = ("system", "developer")
_HEARD = ("user", "tool", "function", *_SYSTEM)


class Exchange(NamedTuple):
    """The contents of a turn, and the assistant message that they end with."""

    user: str
    response: MessageContent
    uncounted: str
    """Name of what a tokenizer cannot count in either message; empty where it counts all."""
    message: Mapping[str, Any]


def split_turns(spoken: Sequence[Mapping[str, Any]]) -> tuple[str, list[Exchange]]:
    """Split a list of chat messages into the system message and the turns.

    Whatever is said between two assistant messages, tool outputs too, is one user message. An
    assistant message that comes first is a turn without a user message.

    Raises:
        RolloutError: a role or a content is not known.
    """
    system: list[str] = []
    heard: list[MessageContent] = []
    exchanges: list[Exchange] = []
    is_opening = True
    for index, message in enumerate(spoken):
        role = message.get("role")
        content = message_content(message, f"messages[{index}]")
        if role == "assistant":
            exchanges.append(exchange(heard, content, message))
            heard = []
        elif role in _SYSTEM and is_opening:
            system.append(content.text)
        elif role in _HEARD:
            heard.append(content)
        else:
            raise RolloutError(
                f"messages[{index}].role is {log_fields.brief(role)}; "
                "expected system, developer, user, tool, function or assistant"
            )
        is_opening = is_opening and role in _SYSTEM
    return joined(system), exchanges


def exchange(
    heard: Sequence[MessageContent], response: MessageContent, message: Mapping[str, Any]
) -> Exchange:
    """Return the turn of what was heard since the last response, and the response to it."""
    if len(heard) == 1:
        (only,) = heard
        return Exchange(only.text, response, only.uncounted or response.uncounted, message)
    uncounted = [each.uncounted for each in (*heard, response) if each.uncounted]
    user = joined([each.text for each in heard])
    return Exchange(user, response, uncounted[0] if uncounted else "", message)


def joined(texts: Iterable[str]) -> str:
    """Return the texts that say something, a blank line between."""
    return "\n\n".join(filter(None, texts))


def continues(keys: Sequence[Key], before: Sequence[Key]) -> bool:
    """Return whether messages begin with those before; the last one may have grown.

    Providers get neighbouring messages of one role as one message.

    >>> said = ("user", "a", "")
    >>> continues([said, ("user", "b", "")], [said]), continues([("user", "a b", "")], [said])
    (True, True)
    >>> continues([("user", "b", "")], [said])
    False
    """
    if not before:
        return True
    last = len(before) - 1
    if len(keys) <= last or list(keys[:last]) != list(before[:last]):
        return False
    now, then = keys[last], before[last]
    return now == then or (now[0] == then[0] and now[1].startswith(then[1]) and now[2] == then[2])
