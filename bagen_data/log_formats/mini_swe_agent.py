"""mini-swe-agent trajectories: one `<instance>.traj.json` a rollout.

    {"trajectory_format": "mini-swe-agent-1.1", "instance_id": "astropy__astropy-14365",
     "messages": [{"role": "system", ...}, {"role": "user", ...},
                  {"role": "assistant", "content": null, "tool_calls": [...],
                   "extra": {"response": {"usage": {"prompt_tokens": 1565, ...}}}},
                  {"role": "tool", "content": "<returncode>0..."}, ..., {"role": "exit", ...}]}

An assistant message may also be a Responses API object (`object: "response"`, `output: [...]`),
with `function_call_output` items after it. One assistant message is a turn; the outputs after it
are the next turn's user message; the message with role `exit` ends the rollout. A response that
could not be parsed is billed on the user message that complains of it (`extra.response`): it is a
turn of its own, which later requests do not replay. Early releases of version 2 keep its text alone
(`extra.model_response`) or nothing of it, and its usage is unknown then. Whether a rollout
succeeded stands in an evaluation report beside the tree: under `resolved_ids`, `unresolved_ids` or
`empty_patch_ids`. An instance in none of them is not judged, and its rollout is refused; so is one
whose own `info.evaluation.resolved` says something else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.logs import log_fields
from bagen_data.logs.conversation import Exchange, split_turns
from bagen_data.logs.evaluation_report import belongs_to_trajectories
from bagen_data.logs.message_content import call_text
from bagen_data.logs.rollout_log import FamilyFacts, Log, LoggedTurn
from bagen_data.usage import Request
from bagen_data.usage_objects import provider_usage

LAYOUT = "an object with 'trajectory_format'"
FORMATS = ("mini-swe-agent-1", "mini-swe-agent-1.1")

_COMPLAINT = "FormatError"
"""The `interrupt_type` of a message that complains of a response."""
_BILLING = frozenset({"response", "interrupt_type"})
"""Fields of a message's `extra` of which a complaint has one or both."""
UNPARSED = "unparsed"
"""Marks the message that stands for a billed response which the harness could not parse."""


def recognises(record: Mapping[str, Any]) -> bool:
    """Return whether a record is a trajectory of mini-swe-agent."""
    return "trajectory_format" in record


def belongs(value: Any) -> bool:
    """Return whether a JSON file is an evaluation report or the patches beside trajectories."""
    return belongs_to_trajectories(value)


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
    unjudged = _unjudged(instance_id, facts)
    is_resolved = instance_id in (facts.resolved or ())
    if not unjudged:
        _refuse_other_outcome(record.get("info"), is_resolved)
    spoken = log_fields.sequence(record.get("messages"), "messages")
    system, exchanges = split_turns(chat_messages(spoken))
    turns = tuple(_turn(exchange, number) for number, exchange in enumerate(exchanges, 1))
    _refuse_other_calls(record.get("info"), turns)
    return Log(
        turns=turns,
        success=None if unjudged else is_resolved,
        unjudged=unjudged,
        system=system,
        instance_id=instance_id,
        source=f"mini-swe-agent ({version})",
    )


def _refuse_other_outcome(info: Any, is_resolved: bool) -> None:
    """Refuse a trajectory whose own evaluation says something else than the report.

    Raises:
        RolloutError: the message has both outcomes.
    """
    evaluation = info.get("evaluation") if isinstance(info, dict) else None
    stated = evaluation.get("resolved") if isinstance(evaluation, dict) else None
    if isinstance(stated, bool) and stated != is_resolved:
        own, reports = (log_fields.brief(value) for value in (stated, is_resolved))
        raise RolloutError(
            f"info.evaluation states resolved = {own}, and the evaluation report {reports}; "
            "expected the same; evaluate the run again, or correct one of the two"
        )


def _refuse_other_calls(info: Any, turns: Sequence[LoggedTurn]) -> None:
    """Refuse a trajectory that counts other calls of the model than it holds responses.

    A rollout that an error ended may count the call that failed. Commands that a user typed are
    assistant messages without usage, and no calls.

    Raises:
        RolloutError: responses are missing, or stand twice.
    """
    stats = info.get("model_stats") if isinstance(info, dict) else None
    stated = stats.get("api_calls") if isinstance(stats, dict) else None
    if not stated:
        return
    calls = log_fields.count(stated, "info.model_stats.api_calls")
    billed = sum(turn.requests is not None for turn in turns)
    failed = info.get("exit_status") != "Submitted"
    if not billed <= calls <= len(turns) + failed:
        raise RolloutError(
            f"info.model_stats states {calls} api_calls; expected {len(turns)}, one a response: "
            "responses are missing from this trajectory or stand twice; remove the rollout"
        )


def _unjudged(instance_id: str, facts: FamilyFacts) -> str:
    """Return why no report judges an instance; empty where one does."""
    if facts.resolved is None:
        return (
            "the family has no evaluation report, or several that differ; expected one JSON file "
            "in its folder with the names of the resolved instances under resolved_ids"
        )
    if instance_id not in facts.judged:
        return (
            f"{instance_id} is not judged: the evaluation report does not name it under "
            "resolved_ids, unresolved_ids or empty_patch_ids; evaluate it, or remove the rollout"
        )
    return ""


def _turn(exchange: Exchange, number: int) -> LoggedTurn:
    user, response, uncounted, message = exchange
    is_unparsed = UNPARSED in message
    if is_unparsed and not response.text:
        uncounted = uncounted or _LOST
    return LoggedTurn(
        number,
        user,
        response.text,
        _requests(message, number),
        reasoning=response.reasoning,
        uncounted=uncounted,
        unparsed=is_unparsed,
        tool_calls=response.tool_calls,
    )


_LOST = "a response that could not be parsed, which the log leaves out,"


def chat_messages(spoken: Sequence[Any]) -> list[Mapping[str, Any]]:
    """Return the messages of a trajectory as plain chat messages, up to the exit.

    A response that could not be parsed stands before the message that complains of it, and holds
    `UNPARSED`.

    Raises:
        RolloutError: a message cannot be read.
    """
    chat: list[Mapping[str, Any]] = []
    for index, entry in enumerate(spoken):
        try:
            message = _plain_message(log_fields.mapping(entry, "it"))
            role = message.get("role")
            billed = None if role == "assistant" else _unparsed_response(message)
        except RolloutError as error:
            raise RolloutError(f"messages[{index}]: {error}") from error
        if billed is not None:
            chat.append(billed)
        if role == "exit":
            break
        chat.append(message)
    return chat


def _unparsed_response(message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the response that a complaint is about: it was billed, and no later request has it."""
    extra = message.get("extra")
    if not isinstance(extra, dict) or _BILLING.isdisjoint(extra):
        return None
    response = extra.get("response")
    is_complaint = extra.get("interrupt_type") == _COMPLAINT
    if not isinstance(response, dict):
        return _forgotten_response(extra) if is_complaint else None
    if not is_complaint and not isinstance(response.get("usage"), dict):
        return None
    choices = response.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    said = choice.get("message") if isinstance(choice, dict) else None
    if not isinstance(said, dict):
        said = {"content": _response_text(response) if "output" in response else None}
    return {**said, "role": "assistant", "extra": {"response": response}, UNPARSED: True}


def _forgotten_response(extra: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a response that was billed, and of which the log keeps its text at most."""
    text = extra.get("model_response")
    content = text if isinstance(text, str) and text else None
    return {"role": "assistant", "content": content, UNPARSED: True}


def _plain_message(message: dict[str, Any]) -> dict[str, Any]:
    if message.get("object") == "response":
        return {
            **message,
            "role": "assistant",
            "content": _response_text(message),
            "reasoning_details": _reasoning_items(message),
        }
    if message.get("type") == "function_call_output":
        return {"role": "tool", "content": message.get("output")}
    return message


def _response_text(message: Mapping[str, Any]) -> str:
    parts = []
    for entry in log_fields.sequence(message.get("output"), "output"):
        item = log_fields.mapping(entry, "output[]")
        if item.get("type") == "message":
            parts.append(log_fields.text(item.get("content"), "output[].content"))
        elif item.get("type") == "function_call":
            parts.append(call_text(item.get("name"), item.get("arguments")))
    return "\n\n".join(filter(None, parts))


def _reasoning_items(message: Mapping[str, Any]) -> list[Any]:
    return [
        item
        for item in log_fields.sequence(message.get("output"), "output")
        if isinstance(item, dict) and item.get("type") == "reasoning"
    ]


def _requests(message: Mapping[str, Any], number: int) -> tuple[Request, ...] | None:
    extra = message.get("extra")
    response = extra.get("response") if isinstance(extra, dict) else None
    usage = (response if isinstance(response, dict) else message).get("usage")
    try:
        requests = () if usage is None else provider_usage(log_fields.mapping(usage, "usage"))
    except RolloutError as error:
        raise RolloutError(f"turn {number}: {error}") from error
    if UNPARSED in message:
        requests = tuple(replace(request, visible_tokens=0) for request in requests)
    return requests or None
