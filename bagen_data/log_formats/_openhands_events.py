"""Events of OpenHands, of its version 0 and of its SDK, as what was said and heard."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, NamedTuple

from bagen_data.logs import log_fields
from bagen_data.logs.conversation import joined
from bagen_data.logs.message_content import MessageContent, call_text, message_content

Kind = Literal["system", "heard", "response", "condensation", "other"]

_OWN_ACTIONS = ("change_agent_state", "null", "recall", "condensation_request", "pause", "resume")
"""Actions with the agent as their source that no response asked for."""
_STATE = ("agent_state_changed", "null", "recall_result")
"""Observations that the agent does not hear."""


class Event(NamedTuple):
    """An event of a history."""

    kind: Kind
    content: MessageContent
    response_id: str = ""
    """The provider's id of the response that an action belongs to; empty where it is not kept."""
    is_whole: bool = False
    """The content is the whole response's, of which the action may be one of several."""
    time: Any = None
    name: str = ""
    """The event's type, for what is skipped."""


def events(history: Any, where: str) -> Iterator[Event]:
    """Yield the events of a history; the oldest have pairs of an action and what it led to.

    Raises:
        RolloutError: an event is not an object, or its content cannot be read.
    """
    for index, entry in enumerate(log_fields.sequence(history, where)):
        place = f"{where}[{index}]"
        for part in entry if isinstance(entry, list) else [entry]:
            event = log_fields.mapping(part, place)
            read = _sdk_event if "kind" in event else _event
            yield read(event, place)._replace(time=event.get("timestamp"))


def _event(event: Mapping[str, Any], where: str) -> Event:
    """Read an event of version 0: an action, or an observation."""
    action, observation = event.get("action"), event.get("observation")
    arguments = log_fields.mapping(event.get("args") or {}, f"{where}.args")
    said = arguments.get("content") or event.get("content") or event.get("message")
    if action == "system":
        return Event("system", _text(said, where))
    if action == "condensation":
        return Event("condensation", _text(arguments.get("summary"), where))
    is_heard = observation is not None and observation not in _STATE
    if is_heard or (action == "message" and event.get("source") != "agent"):
        return Event("heard", _text(said, where))
    is_agents = event.get("source") == "agent" and action not in (None, *_OWN_ACTIONS)
    if observation is not None or not is_agents:
        return Event("other", MessageContent(""), name=str(observation or action))
    return _action(event, str(action), arguments, where)


def _action(
    event: Mapping[str, Any], action: str, arguments: Mapping[str, Any], where: str
) -> Event:
    """Read an action of the agent: what its response said, if that is kept, else what it does."""
    metadata = event.get("tool_call_metadata")
    response = metadata.get("model_response") if isinstance(metadata, dict) else None
    response_id = log_fields.identity(
        response.get("id") if isinstance(response, dict) else None, event.get("response_id")
    )
    choices = response.get("choices") if isinstance(response, dict) else None
    choice = choices[0] if isinstance(choices, list) and choices else None
    message = choice.get("message") if isinstance(choice, dict) else None
    if isinstance(message, dict):
        whole = message_content({**message, "role": "assistant"}, where)
        return Event("response", whole, response_id, is_whole=True)
    thought = log_fields.text(arguments.get("thought"), f"{where}.args.thought")
    if action == "message":
        said = _text(arguments.get("content") or event.get("message"), where)
        return Event("response", said, response_id)
    return Event("response", _done(action, arguments, thought), response_id)


_SHOWN_APART = ("thought", "is_confirmed", "confirmation_state", "hidden", "blocking", "timeout")


def _done(action: str, arguments: Mapping[str, Any], thought: str) -> MessageContent:
    """Return an action as text, without what OpenHands adds to it."""
    if action == "run" and isinstance(arguments.get("command"), str):
        call = call_text("bash", {"command": arguments["command"]})
    else:
        shown = {k: v for k, v in arguments.items() if k not in _SHOWN_APART and v is not None}
        call = call_text(action, shown)
    return MessageContent(joined((thought, call)), tool_calls=1)


def _sdk_event(event: Mapping[str, Any], where: str) -> Event:
    """Read an event of the SDK, which names its kind."""
    kind = str(event["kind"])
    response_id = log_fields.identity(event.get("llm_response_id"))
    if kind == "ActionEvent" or (kind == "MessageEvent" and event.get("source") == "agent"):
        return Event("response", message_content(_sdk_message(event), where), response_id)
    if kind in _SDK_TEXTS:
        return Event(_SDK_TEXTS[kind], _text(_sdk_text(event), where), response_id)
    return Event("other", MessageContent(""), name=kind)


_SDK_TEXTS: dict[str, Kind] = {
    "SystemPromptEvent": "system",
    "MessageEvent": "heard",
    "ObservationEvent": "heard",
    "UserRejectObservation": "heard",
    "AgentErrorEvent": "heard",
    "Condensation": "condensation",
}


def _sdk_message(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the agent said as a chat message."""
    said = event.get("llm_message")
    if isinstance(said, dict):
        return {**said, "role": "assistant"}
    call = event.get("tool_call")
    return {
        "role": "assistant",
        "content": event.get("thought"),
        "reasoning_content": event.get("reasoning_content"),
        "tool_calls": [call] if isinstance(call, dict) else None,
    }


def _sdk_text(event: Mapping[str, Any]) -> Any:
    """Return the content of an event that the agent hears."""
    names = ("llm_message", "observation", "system_prompt", "error", "summary", "rejection_reason")
    value = next((event[name] for name in names if event.get(name) is not None), "")
    if not isinstance(value, dict):
        return value
    return next((value[name] for name in ("content", "output", "text") if value.get(name)), "")


def _text(content: Any, where: str) -> MessageContent:
    return message_content({"role": "user", "content": content or ""}, where)
