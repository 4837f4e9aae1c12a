"""The content of a chat message: its text, its tool calls as text, and its reasoning apart.

Contents of the OpenAI, Anthropic, Hugging Face and LangChain spellings are understood. An assistant
message reads as its text, then each call, a blank line between: a shell command as a fenced block,
any other call as `name(arguments)`.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from bagen_data.errors import RolloutError
from bagen_data.logs import log_fields

SHELLS = frozenset({"bash", "sh", "shell", "execute_bash", "run_shell_command", "terminal"})
"""Names of tools whose single argument `command` is a shell command."""

_REASONING = ("thinking", "redacted_thinking", "reasoning", "reasoning_content")
_CALLS = ("tool_use", "server_tool_use", "mcp_tool_use")
_ATTACHMENTS = {
    "image": "an image",
    "image_url": "an image",
    "input_image": "an image",
    "audio": "audio",
    "input_audio": "audio",
    "video": "a video",
    "video_url": "a video",
    "document": "a document",
    "file": "a file",
    "input_file": "a file",
}
"""Parts that are not text, as messages show them in round brackets."""


class MessageContent(NamedTuple):
    """A message's content as the benchmark reads it."""

    text: str
    """Text, then tool calls; tool results and names of attachments are text."""
    reasoning: str = ""
    uncounted: str = ""
    """The first part that a tokenizer cannot count, such as `an image`; empty where there is
    none."""
    tool_calls: int = 0


class _Part(NamedTuple):
    kind: str
    """`text`, `call`, `reasoning`, `attachment`, or `hidden` for what the log has no text of."""
    text: str


def message_content(message: Mapping[str, Any], where: str) -> MessageContent:
    """Read a message's `content`, tool calls and reasoning text.

    Args:
        message: a chat message.
        where: the message's place, for errors.

    Raises:
        RolloutError: a part is of a type that is not known and has no text.
    """
    content = message.get("content")
    is_plain = content is None or isinstance(content, str)
    if is_plain and content is not None and message.get("role") != "assistant":
        return MessageContent(content)
    if is_plain and not any(map(message.get, _MORE)):
        calls = _calls(message, where)
        said = [content, *calls] if content else calls
        text = said[0] if len(said) == 1 else "\n\n".join(filter(None, said))
        return MessageContent(text, "", "", len(calls))
    parts = [*_content_parts(content, f"{where}.content"), *_message_parts(message, where)]
    texts = "\n".join(filter(None, (part.text for part in parts if part.kind in _SHOWN)))
    calls = [part.text for part in parts if part.kind == "call"]
    return MessageContent(
        "\n\n".join(filter(None, (texts, *calls))),
        "\n".join(part.text for part in parts if part.kind == "reasoning"),
        next((part.text.strip("()") for part in parts if part.kind in _UNCOUNTED), ""),
        len(calls),
    )


_MORE = (
    *("function_call", "refusal", "reasoning_content", "reasoning", "thinking"),
    "reasoning_details",
)
"""Fields of a message that hold more than its text and tool calls."""
_SHOWN = ("text", "attachment")
_UNCOUNTED = ("attachment", "hidden")


def _calls(message: Mapping[str, Any], where: str) -> list[str]:
    """Return a message's tool calls as text."""
    calls = message.get("tool_calls")
    if calls is None:
        return []
    return [
        _call(call, where, ".tool_calls[]")
        for call in log_fields.sequence(calls, where, ".tool_calls")
    ]


def _message_parts(message: Mapping[str, Any], where: str) -> Iterator[_Part]:
    for call in _calls(message, where):
        yield _Part("call", call)
    if message.get("function_call"):
        yield _Part("call", _call(message["function_call"], where, ".function_call"))
    if isinstance(message.get("refusal"), str) and not message.get("content"):
        yield _Part("text", message["refusal"])
    details = message.get("reasoning_details")
    reasoning = [
        part
        for detail in (details if isinstance(details, list) else ())
        if isinstance(detail, dict)
        for part in _reasoning_parts(detail)
    ]
    yield from (part for part in reasoning if part.kind == "hidden")
    for name in ("reasoning_content", "reasoning", "thinking"):
        if isinstance(message.get(name), str) and message[name]:
            yield _Part("reasoning", message[name])
            return
    yield from (part for part in reasoning if part.kind == "reasoning")


def _content_parts(content: Any, where: str) -> Iterator[_Part]:
    if content is None:
        return
    if isinstance(content, str):
        yield _Part("text", content)
        return
    if not isinstance(content, list):
        raise RolloutError(
            f"{where} is {log_fields.brief(content)}; expected a string or a list of text parts"
        )
    for part in content:
        if isinstance(part, str):
            yield _Part("text", part)
        elif isinstance(part, dict):
            yield from _part(part, where)
        else:
            raise RolloutError(
                f"{where} is {log_fields.brief(content)}; expected a string or a list of text parts"
            )


def _part(part: Mapping[str, Any], where: str) -> Iterator[_Part]:
    kind = str(part.get("type"))
    if kind in _REASONING:
        yield from _reasoning_parts(part)
    elif kind in _CALLS:
        yield _Part("call", call_text(part.get("name"), part.get("input")))
    elif kind == "tool_result" or kind.endswith("_tool_result"):
        yield from _content_parts(_result(part.get("content")), f"{where}[].content")
    elif kind in _ATTACHMENTS:
        yield _Part("attachment", f"({_ATTACHMENTS[kind]})")
    elif "text" in part or kind == "refusal":
        yield _Part("text", log_fields.text(part.get("text", part.get("refusal")), f"{where}[]"))
    else:
        raise RolloutError(
            f"{where} has a part of type {log_fields.brief(part.get('type'))} without text; "
            "expected text parts"
        )


def _result(content: Any) -> Any:
    """Return a tool's result as content: structured results are shown as JSON."""
    if isinstance(content, dict):
        return json.dumps(content, ensure_ascii=False)
    if isinstance(content, list):
        return [
            part
            if not isinstance(part, dict) or "text" in part or str(part.get("type")) in _ATTACHMENTS
            else json.dumps(part, ensure_ascii=False)
            for part in content
        ]
    return content


def _reasoning_parts(part: Mapping[str, Any]) -> Iterator[_Part]:
    """Yield a part's reasoning text, and that it is encrypted where a summary is left at most."""
    text = _reasoning_text(part, _WHOLE_REASONING)
    if text:
        yield _Part("reasoning", text)
        return
    yield _Part("reasoning", _reasoning_text(part, ("summary",)))
    if any(part.get(name) for name in _ENCRYPTED) or isinstance(part.get("summary"), str | list):
        yield _Part("hidden", "encrypted reasoning")


_WHOLE_REASONING = ("thinking", "reasoning", "text", "reasoning_content", "content")
_ENCRYPTED = ("encrypted_content", "data", "signature")


def _reasoning_text(part: Mapping[str, Any], names: Iterable[str]) -> str:
    for name in names:
        value = part.get(name)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list):
            texts = [each.get("text") for each in value if isinstance(each, dict)]
            return "\n".join(text for text in texts if isinstance(text, str))
    return ""


def _call(value: Any, where: str, name: str) -> str:
    call = log_fields.mapping(value, where, name)
    function = call.get("function", call)
    if isinstance(function, str):  # Inspect names the function beside its arguments
        return call_text(function, call.get("arguments"))
    function = log_fields.mapping(function, where, name, ".function")
    for spelling in _ARGUMENTS:
        if spelling in function:
            return call_text(function.get("name"), function[spelling])
    return call_text(function.get("name"), None)


_ARGUMENTS = ("arguments", "args", "input")


def call_text(name: Any, arguments: Any) -> str:
    r"""Return a tool call as text.

    >>> call_text("find_order", {"id": 17})
    'find_order({"id": 17})'
    >>> call_text("bash", '{"command": "ls"}')
    '```bash\nls\n```'
    """
    if isinstance(name, str) and name in SHELLS:
        command = _command(arguments)
        if command is not None:
            return f"```bash\n{command}\n```"
    if not isinstance(arguments, str):
        arguments = "" if arguments is None else json.dumps(arguments, ensure_ascii=False)
    return f"{name}({arguments})"


def _command(arguments: Any) -> str | None:
    """Return the shell command that a call's arguments are; None if they are anything else."""
    if isinstance(arguments, str):
        try:
            arguments = orjson.loads(arguments)
        except ValueError:
            return None
    if not isinstance(arguments, dict) or len(arguments) > 1:
        return None
    command = arguments.get("command")
    return command if isinstance(command, str) else None
