"""Rollouts as chat messages: one object a line, alternating user and assistant.

    {"custom_id": "traj_0", "messages": [{"role": "user", "content": "Board size: ..."},
     {"role": "assistant", "content": "<answer>Up</answer>"}, {"role": "user", "content": "..."}],
     "metadata": {"success": false, ...},
     "per_turn_api_tokens": [{"input_tokens": 412, "output_tokens": 97}, [580, 64], ...]}

A system message may come first; a trailing user message is the final observation and no turn.
`per_turn_api_tokens` is optional, beside `metadata` or in it: one entry an assistant message,
either an object as above (or with the names `prompt_tokens` and `completion_tokens`, or
`api_input_tokens` and `api_output_tokens`), or a pair. What a task counts beside tokens stands in
the assistant message under a name of its own (`"steps": 3`).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bagen_data.errors import RolloutError
from bagen_data.usage import Request
from builders.logs import log_fields
from builders.logs.rollout_log import FamilyFacts, Log, LoggedTurn

LAYOUT = "an object with 'messages'"
GENERAL = True

_COUNTS = "per_turn_api_tokens"
_KNOWN = frozenset({"role", "content", "name", "index", "created", "timestamp"})
"""Fields of an assistant message that are not amounts of a task."""


class Exchange(NamedTuple):
    """One turn's texts, and the assistant message they end with."""

    user: str
    assistant: str
    message: Mapping[str, Any]


def recognises(record: Mapping[str, Any]) -> bool:
    """Whether a record is a conversation."""
    return "messages" in record and "turns" not in record


def read(record: Mapping[str, Any], _facts: FamilyFacts) -> Log:
    """Read one record; raises RolloutError naming the message or turn."""
    metadata = log_fields.mapping(record.get("metadata") or {}, "metadata")
    messages = log_fields.sequence(record["messages"], "messages")
    spoken = [log_fields.mapping(message, f"messages[{i}]") for i, message in enumerate(messages)]
    system, exchanges = split_turns(spoken)
    requests = _requests(record.get(_COUNTS, metadata.get(_COUNTS)), len(exchanges))
    return Log(
        turns=tuple(
            LoggedTurn(
                number,
                exchange.user,
                exchange.assistant,
                request,
                amounts=log_fields.turn_amounts(exchange.message, _KNOWN),
            )
            for number, (exchange, request) in enumerate(zip(exchanges, requests, strict=True), 1)
        ),
        success=_success(record, metadata),
        system=system,
        instance_id=log_fields.identity(record.get("instance_id"), metadata.get("instance_id")),
    )


def split_turns(spoken: Sequence[Mapping[str, Any]]) -> tuple[str, list[Exchange]]:
    """The system message and the turns of a list of chat messages.

    Whatever is said between two assistant messages, tool outputs too, is one user message.
    """
    system: list[str] = []
    heard: list[str] = []
    exchanges: list[Exchange] = []
    for index, message in enumerate(spoken):
        role, content = message.get("role"), message.get("content")
        if not isinstance(content, str):
            content = log_fields.text(content, f"messages[{index}].content")
        if role == "assistant":
            if index == len(system):
                raise RolloutError(f"messages[{index}] is the assistant's; expected a user message")
            exchanges.append(Exchange(_joined(heard), content, message))
            heard = []
        elif role == "system" and index == len(system):
            system.append(content)
        elif role in ("user", "tool", "system"):
            heard.append(content)
        else:
            raise RolloutError(
                f"messages[{index}].role is {log_fields.brief(role)}; "
                "expected system, user, tool or assistant"
            )
    return _joined(system), exchanges


def _joined(texts: list[str]) -> str:
    return "\n\n".join(filter(None, texts))


def _success(record: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    if "success" in metadata:
        return log_fields.flag(metadata["success"], "metadata.success")
    if "success" in record:
        return log_fields.flag(record["success"], "success")
    raise RolloutError("has no outcome; expected metadata.success to be true or false")


def _requests(entries: Any, turns: int) -> Iterator[Request | None]:
    if entries is None:
        return iter([None] * turns)
    entries = log_fields.sequence(entries, _COUNTS)
    if len(entries) != turns:
        raise RolloutError(
            f"{_COUNTS} has {len(entries)} entries; expected {turns}, one an assistant message"
        )
    return (_request(entry, number) for number, entry in enumerate(entries, 1))


def _request(entry: Any, number: int) -> Request | None:
    if isinstance(entry, list) and len(entry) == 2:
        entry = {"input_tokens": entry[0], "output_tokens": entry[1]}
    try:
        if entry is None:
            return None
        request = log_fields.request(log_fields.mapping(entry, _COUNTS))
        if request is None:
            raise RolloutError(
                f"{_COUNTS} is {log_fields.brief(entry)}; expected input_tokens and output_tokens, "
                "or a pair of the two"
            )
        return request
    except RolloutError as error:
        raise RolloutError(f"turn {number}: {error}") from error
