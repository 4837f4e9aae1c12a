"""Inspect's chat messages: their content as the benchmark reads it, and what makes two the same."""

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bagen_data.logs.conversation import Key
from bagen_data.logs.message_content import MessageContent, message_content

if TYPE_CHECKING:
    from inspect_ai.model import ChatMessage


def message_key(message: "ChatMessage") -> Key:
    """Return what makes a message the same as another one."""
    calls = "".join(
        f"{call.function}{json.dumps(call.arguments, sort_keys=True)}"
        for call in getattr(message, "tool_calls", None) or ()
    )
    return message.role, _key_text(message.content).strip(), calls


def _key_text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "\n".join(
        getattr(part, "text", "") if part.type == "text" else f"({part.type})"
        for part in content
        if part.type != "reasoning"
    )


def plain_message(message: "ChatMessage") -> dict[str, Any]:
    """Return a message as a plain chat message.

    A message that the dataset put into the conversation was heard, whoever is said to speak.
    """
    is_given = message.role == "assistant" and message.source == "input"
    plain = {"role": "user" if is_given else message.role, "content": _content(message)}
    calls = getattr(message, "tool_calls", None)
    if calls:
        plain["tool_calls"] = [
            {"function": call.function, "arguments": call.arguments} for call in calls
        ]
    return plain


def _content(message: "ChatMessage") -> Any:
    """Return a message's content; a model that called a tool reads its error instead, if any."""
    error = getattr(message, "error", None)
    if error is not None:
        return error.message
    if isinstance(message.content, str):
        return message.content
    return [_part(part.model_dump()) for part in message.content if part.type != "data"]


def read_content(message: "ChatMessage", where: str) -> MessageContent:
    """Return a message's text, calls and reasoning.

    Args:
        message: the message.
        where: its place, for errors.

    Raises:
        RolloutError: a part is of a type that is not known and has no text.
    """
    return message_content(plain_message(message), where)


def _part(part: dict[str, Any]) -> Mapping[str, Any]:
    if part["type"] == "tool_use":  # a call that the provider ran itself
        return {"type": "tool_use", "name": part["name"], "input": part["arguments"]}
    if part["type"] == "reasoning" and part.get("redacted"):  # encrypted: its text says nothing
        return {"type": "reasoning", "summary": part.get("summary") or ""}
    return part
