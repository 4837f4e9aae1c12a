"""mini-swe-agent trajectories: one `<instance>.traj.json` a rollout.

    {"trajectory_format": "mini-swe-agent-1.1", "instance_id": "astropy__astropy-14365",
     "messages": [{"role": "system", ...}, {"role": "user", ...},
                  {"role": "assistant", "content": null, "tool_calls": [...],
                   "extra": {"response": {"usage": {"prompt_tokens": 1565, ...}}}},
                  {"role": "tool", "content": "<returncode>0..."}, ..., {"role": "exit", ...}]}

An assistant message may also be a Responses API object (`object: "response"`, `output: [...]`),
with `function_call_output` items after it. One assistant message is a turn; the outputs after it
are the next turn's user message; the message with role `exit` ends the rollout. Whether it
succeeded stands in an evaluation report beside the tree, under `resolved_ids`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from bagen_data.errors import RolloutError
from bagen_data.usage import Request
from builders.formats.messages import Exchange, split_turns
from builders.logs import log_fields
from builders.logs.rollout_log import FamilyFacts, Log, LoggedTurn

LAYOUT = "an object with 'trajectory_format'"
FORMATS = ("mini-swe-agent-1", "mini-swe-agent-1.1")


def recognises(record: Mapping[str, Any]) -> bool:
    """Whether a record is a trajectory of mini-swe-agent."""
    return "trajectory_format" in record


def read(record: Mapping[str, Any], facts: FamilyFacts) -> Log:
    """Read one trajectory; raises RolloutError naming the message or turn."""
    version = record["trajectory_format"]
    if version not in FORMATS:
        raise RolloutError(
            f"trajectory_format is {log_fields.brief(version)}; expected {' or '.join(FORMATS)}"
        )
    instance_id = record.get("instance_id")
    if not isinstance(instance_id, str) or not instance_id:
        raise RolloutError(f"instance_id is {log_fields.brief(instance_id)}; expected a name")
    if facts.resolved is None:
        raise RolloutError(
            "the family has no evaluation report, or several that differ; expected one JSON file "
            "in its folder with the names of the resolved instances under resolved_ids"
        )
    spoken = log_fields.sequence(record.get("messages"), "messages")
    system, exchanges = split_turns(list(_chat(spoken)))
    return Log(
        turns=tuple(
            LoggedTurn(number, exchange.user, exchange.assistant, _request(exchange, number))
            for number, exchange in enumerate(exchanges, 1)
        ),
        success=instance_id in facts.resolved,
        system=system,
        instance_id=instance_id,
    )


def _chat(spoken: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    """The messages as plain chat messages with text content, up to the exit."""
    for index, entry in enumerate(spoken):
        try:
            message = _plain_message(log_fields.mapping(entry, "it"))
        except RolloutError as error:
            raise RolloutError(f"messages[{index}]: {error}") from error
        if message.get("role") == "exit":
            return
        yield message


def _plain_message(message: dict[str, Any]) -> dict[str, Any]:
    if message.get("object") == "response":
        return {**message, "role": "assistant", "content": _response_text(message)}
    if message.get("type") == "function_call_output":
        return {"role": "tool", "content": message.get("output")}
    if message.get("tool_calls") and message.get("role") == "assistant":
        return {**message, "content": _tool_call_text(message)}
    return message


def _tool_call_text(message: Mapping[str, Any]) -> str:
    parts = [log_fields.text(message.get("content"), "content")]
    for call in log_fields.sequence(message["tool_calls"], "tool_calls"):
        function = log_fields.mapping(call, "tool_calls[]").get("function")
        parts.append(_command(log_fields.mapping(function, "tool_calls[].function")))
    return "\n\n".join(filter(None, parts))


def _response_text(message: Mapping[str, Any]) -> str:
    parts = []
    for entry in log_fields.sequence(message.get("output"), "output"):
        item = log_fields.mapping(entry, "output[]")
        if item.get("type") == "message":
            parts.append(log_fields.text(item.get("content"), "output[].content"))
        elif item.get("type") == "function_call":
            parts.append(_command(item))
    return "\n\n".join(filter(None, parts))


def _command(function: Mapping[str, Any]) -> str:
    """A tool call as text: a shell block for bash, else name and arguments."""
    arguments = function.get("arguments")
    try:
        decoded = orjson.loads(arguments) if isinstance(arguments, str) else arguments
    except ValueError:
        decoded = None
    if isinstance(decoded, dict) and isinstance(decoded.get("command"), str):
        return f"```bash\n{decoded['command']}\n```"
    return f"{function.get('name')}({arguments})"


def _request(exchange: Exchange, number: int) -> Request | None:
    message = exchange.message
    extra = message.get("extra")
    response = extra.get("response") if isinstance(extra, dict) else None
    source = response if isinstance(response, dict) else message
    usage = source.get("usage")
    try:
        return None if usage is None else log_fields.request(log_fields.mapping(usage, "usage"))
    except RolloutError as error:
        raise RolloutError(f"turn {number}: {error}") from error
