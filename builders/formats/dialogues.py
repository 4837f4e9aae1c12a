"""Rollouts as evaluation dialogues: a JSON list of objects with `turns`.

    {"env_id": 3, "absolute_env_id": 131, "rollout_success": true,
     "turns": [{"turn_idx": 1, "messages": [{"role": "system", ...}, {"role": "user", ...}],
                "user_prompt": "...", "raw_response": "<think>...", "parsed_response": "...",
                "api_input_tokens": 412, "api_output_tokens": 97, "api_total_tokens": 509,
                "api_interactions": [{"usage": {"raw": {"output_tokens_details":
                                                        {"reasoning_tokens": 64}}}}],
                "success": false, "actions": ["Up", "Left"]}, ...]}

Only the texts, the outcome and the counts are needed. Where `actions` is empty and `success` false,
a turn whose request passes the task's context limit counts as cut off, as one with
`context_token_truncated` does, and the rollout ends before it.

What a task counts beside tokens stands in a turn under a name of its own (`"steps": 3`), or in an
object `amounts`. Warehouse records have `financials` per turn (`cash`, `cumulative_cost`,
`cumulative_inventory_weeks`), and beside `turns` an `initial_state` and a `final_state` (`day`,
`cash`) and `success`.
"""

from collections.abc import Mapping
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.usage import Request, visible_share
from builders.logs import log_fields
from builders.logs.rollout_log import FamilyFacts, Log, LoggedTurn

LAYOUT = "an object with 'turns'"
GENERAL = True

_KNOWN = frozenset(
    {
        *("turn_idx", "messages", "user_prompt", "raw_response", "raw_generation"),
        *("parsed_response", "api_input_tokens", "api_output_tokens", "api_total_tokens"),
        *("api_interactions", "success", "actions", "info", "context_token_truncated"),
    }
)
"""Fields of a turn that are not amounts of a task."""


def recognises(record: Mapping[str, Any]) -> bool:
    """Whether a record is a rollout of evaluation dialogues."""
    return "turns" in record


def read(record: Mapping[str, Any], _facts: FamilyFacts) -> Log:
    """Read one record; raises RolloutError naming the turn and the field."""
    turns = []
    system = ""
    for number, entry in enumerate(log_fields.sequence(record["turns"], "turns"), 1):
        turn = log_fields.mapping(entry, f"turns[{number - 1}]")
        try:
            turns.append(_turn(turn, number))
            if number == 1:
                system = _system(turn)
        except RolloutError as error:
            raise RolloutError(f"turn {number}: {error}") from error
    return Log(
        turns=tuple(turns),
        success=_success(record, turns),
        system=system,
        instance_id=log_fields.identity(record.get("instance_id")),
        initial_state=record.get("initial_state"),
        final_state=record.get("final_state"),
    )


def _turn(turn: Mapping[str, Any], number: int) -> LoggedTurn:
    raw = log_fields.text(turn.get("raw_response", turn.get("raw_generation")), "raw_response")
    parsed = log_fields.text(turn.get("parsed_response"), "parsed_response")
    assistant = parsed if parsed.strip() else raw
    return LoggedTurn(
        number=number,
        user=_user(turn),
        assistant=assistant,
        request=_request(turn, raw, assistant),
        cut_off=_cut_off(turn),
        acted=bool(turn.get("actions", True)),
        success=log_fields.flag(turn.get("success") or False, "success"),
        amounts=log_fields.turn_amounts(turn, _KNOWN),
    )


def _user(turn: Mapping[str, Any]) -> str:
    prompt = log_fields.text(turn.get("user_prompt"), "user_prompt")
    if prompt:
        return prompt
    messages = [message for message in _messages(turn) if message.get("role") == "user"]
    return log_fields.text(messages[-1].get("content"), "messages[-1].content") if messages else ""


def _system(turn: Mapping[str, Any]) -> str:
    messages = _messages(turn)
    if messages and messages[0].get("role") == "system":
        return log_fields.text(messages[0].get("content"), "messages[0].content")
    return ""


def _messages(turn: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entries = log_fields.sequence(turn.get("messages"), "messages")
    return [log_fields.mapping(message, f"messages[{i}]") for i, message in enumerate(entries)]


def _request(turn: Mapping[str, Any], raw: str, shown: str) -> Request | None:
    tokens = log_fields.counts(turn)
    if tokens is None:
        return None
    input_tokens, output_tokens = tokens
    breakdown = _reasoning(turn)
    if breakdown is not None:
        visible = output_tokens - breakdown
    elif raw and raw != shown:
        visible = visible_share(raw, shown, output_tokens)
    else:
        visible = output_tokens
    return Request(input_tokens, output_tokens, visible)


def _reasoning(turn: Mapping[str, Any]) -> int | None:
    """Reasoning tokens over all API calls of the turn; None where no call has a breakdown."""
    breakdowns = []
    for call in log_fields.sequence(turn.get("api_interactions"), "api_interactions"):
        usage = call.get("usage") if isinstance(call, dict) else None
        raw = usage.get("raw") if isinstance(usage, dict) else None
        breakdowns.append(log_fields.reasoning(raw) if isinstance(raw, dict) else None)
    known = [tokens for tokens in breakdowns if tokens is not None]
    return sum(known) if known else None


def _cut_off(turn: Mapping[str, Any]) -> bool:
    name = "context_token_truncated"
    info = turn.get("info")
    places = [turn, *(info if isinstance(info, list) else [info])]
    flags = [place[name] for place in places if isinstance(place, dict) and place.get(name)]
    return any(log_fields.flag(value, name) for value in flags)


def _success(record: Mapping[str, Any], turns: list[LoggedTurn]) -> bool:
    for name in ("rollout_success", "success"):
        if record.get(name) is not None:
            return log_fields.flag(record[name], name)
    if not turns:
        return False
    raise RolloutError("has no outcome; expected rollout_success to be true or false")
