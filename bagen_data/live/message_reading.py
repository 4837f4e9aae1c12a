"""Messages as agent loops have them: texts, messages of SDKs, and their contents, as texts.

A message reads as it does in a log, so a forecaster sees what it learned from: its text, then each
tool call, a blank line between.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from bagen_data.live.usage_reading import plain

_DEEPEST = 40
"""Levels of a message: arguments of tool calls may be nested."""
_MOST_VALUES = 100_000
"""Values of a message, or of a list of messages."""
_FIELDS = frozenset(
    {
        *("role", "type", "content", "text", "tool_calls", "function_call", "refusal", "parts"),
        *("reasoning_content", "reasoning", "reasoning_details", "thinking"),
        *("name", "input", "arguments", "output"),
    }
)
"""Fields of messages and of the items of a content that are read; others may hold anything."""


class ReadMessage(NamedTuple):
    """Text and tool calls of a message."""

    text: str
    tool_calls: int | None = None
    """The tool calls that it holds; None where it is a text, which does not say."""


def read_message(value: Any, role: str) -> ReadMessage:
    r"""Return what a message says; nothing where it cannot be read.

    Args:
        value: a text; a chat message, as a mapping or an object of an SDK; a list of messages, of
            parts of a message's content, or of output items of OpenAI's Responses API.
        role: the role of a message that names none, `user` or `assistant`.

    >>> call = {"function": {"name": "look", "arguments": "{}"}}
    >>> read_message({"content": "Let me see.", "tool_calls": [call]}, "assistant")
    ReadMessage(text='Let me see.\n\nlook({})', tool_calls=1)
    """
    if type(value) is str:
        return ReadMessage(value)
    if value is None:
        return ReadMessage("")
    with suppress(Exception):  # an object or content of an unknown kind
        return _read(plain(_message_fields(value), _DEEPEST, _MOST_VALUES), role)
    with suppress(Exception):
        return ReadMessage(str(value))
    return ReadMessage("")


def _read(value: Any, role: str) -> ReadMessage:
    from bagen_data.logs.conversation import joined
    from bagen_data.logs.message_content import message_content

    if not isinstance(value, dict | list):
        return ReadMessage(str(value))
    contents = [message_content(message, role) for message in _messages(value, role)]
    return ReadMessage(
        joined([content.text for content in contents]),
        sum([content.tool_calls for content in contents]),
    )


def _message_fields(value: Any) -> Any:
    """Return a message, or a list of messages, without what is not read of them."""
    if isinstance(value, list | tuple):
        return [_message_fields(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    return {name: each for name, each in value.items() if name in _FIELDS}


def _messages(value: dict[str, Any] | list[Any], role: str) -> Iterator[Mapping[str, Any]]:
    """Yield chat messages with a role each."""
    if isinstance(value, dict):
        parts = value.get("parts")
        content = _gemini_parts(parts) if isinstance(parts, list) else value.get("content")
        yield {**value, "role": value.get("role") or role, "content": content}
    elif value and all(isinstance(each, dict) and _is_message(each) for each in value):
        for each in value:
            yield from _messages(each, role)
    else:
        yield {"role": role, "content": [*_parts(value)]}


def _is_message(value: Mapping[str, Any]) -> bool:
    return value.get("type") in (None, "message") and "content" in value and "text" not in value


def _parts(items: Sequence[Any]) -> Iterator[Any]:
    """Yield parts of a content: those of messages among them, and calls in one spelling."""
    for item in items:
        kind = item.get("type") if isinstance(item, dict) else None
        if kind == "message":
            content = item.get("content")
            yield from content if isinstance(content, list) else [content]
        elif kind == "function_call":
            yield {"type": "tool_use", "name": item.get("name"), "input": item.get("arguments")}
        elif kind == "function_call_output":
            yield {"type": "tool_result", "content": item.get("output")}
        else:
            yield item


def _gemini_parts(parts: Sequence[Any]) -> list[Any]:
    """Return parts of Gemini's contents in the spelling of others."""
    content: list[Any] = []
    for part in filter(None, parts):
        call, result = part.get("function_call"), part.get("function_response")
        if call:
            content.append(
                {"type": "tool_use", "name": call.get("name"), "input": call.get("args")}
            )
        elif result:
            content.append({"type": "tool_result", "content": result.get("response")})
        else:
            kind = "thinking" if part.get("thought") else "text"
            content.append({"type": kind, kind: part.get("text"), "text": part.get("text")})
    return content
