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

A turn may name its `context`, the growing conversation that its request belongs to, where an agent
begins another one: it replaced its history by a summary, or asked a judge. Such a turn is never cut
off for its length, as its agent decides what a request holds.

What a task counts beside tokens stands in a turn under a name of its own (`"steps": 3`), or in an
object `amounts`. Warehouse records have `financials` per turn (`cash`, `cumulative_cost`,
`cumulative_inventory_weeks`), and beside `turns` an `initial_state` and a `final_state` (`day`,
`cash`) and `success`.

Actions such as `search[river Oskel]` are calls of the tool before the bracket. A rollout that a
budget or a forecaster ended says so in `stopped_by`; it is not judged, whatever `rollout_success`
says.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.logs import log_fields
from bagen_data.logs.rollout_log import FamilyFacts, Log, LoggedTurn
from bagen_data.usage import Request, visible_share
from bagen_data.usage_objects import bare_counts, provider_usage

LAYOUT = "an object with 'turns'"
GENERAL = True

_COUNTS = (
    *("api_input_tokens", "api_output_tokens", "input_tokens", "output_tokens"),
    *("prompt_tokens", "completion_tokens"),
)
_TOTAL = "api_total_tokens"

_KNOWN = frozenset(
    {
        *("turn_idx", "messages", "user_prompt", "raw_response", "raw_generation"),
        *("parsed_response", "api_input_tokens", "api_output_tokens", "api_total_tokens"),
        *("api_interactions", "success", "actions", "info", "context_token_truncated"),
        "context",
    }
)
"""Fields of a turn that are not amounts of a task."""
_CALL = re.compile(r"([A-Za-z_]\w*)\[.*\]", re.DOTALL)
"""An action that calls a tool."""


def recognises(record: Mapping[str, Any]) -> bool:
    """Return whether a record is a rollout of evaluation dialogues."""
    return "turns" in record


def read(record: Mapping[str, Any], _facts: FamilyFacts) -> Log:
    """Read one record; raises RolloutError naming the turn and the field."""
    turns = []
    stopped = log_fields.text(record.get("stopped_by"), "stopped_by")
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
        success=None if stopped else _success(record, turns),
        unjudged=_unjudged(stopped, len(turns)),
        stopped=stopped,
        system=system,
        instance_id=log_fields.identity(record.get("instance_id")),
        initial_state=record.get("initial_state"),
        final_state=record.get("final_state"),
        source_id=log_fields.identity(record.get("custom_id")),
        scores=log_fields.single_values(record),
    )


def _turn(turn: Mapping[str, Any], number: int) -> LoggedTurn:
    raw = log_fields.text(turn.get("raw_response", turn.get("raw_generation")), "raw_response")
    parsed = log_fields.text(turn.get("parsed_response"), "parsed_response")
    assistant = parsed if parsed.strip() else raw
    return LoggedTurn(
        number=number,
        user=_user(turn),
        assistant=assistant,
        requests=_requests(turn, raw, assistant),
        cut_off=_cut_off(turn),
        acted=bool(turn.get("actions", True)),
        success=None
        if turn.get("success") is None
        else log_fields.flag(turn["success"], "success"),
        amounts=log_fields.turn_amounts(turn, _KNOWN),
        calls_by_tool=_calls(turn.get("actions")),
    )


def _calls(actions: Any) -> Mapping[str, int] | None:
    """Return how many calls of each tool were executed; None where an action is not a call."""
    if not isinstance(actions, list):
        return None
    calls = [isinstance(action, str) and _CALL.fullmatch(action) for action in actions]
    return Counter(call[1] for call in calls if call) if all(calls) else None


def _unjudged(stopped: str, turns: int) -> str:
    """Say why a rollout that was stopped has no outcome; empty where it was not."""
    if not stopped:
        return ""
    return (
        f"was stopped by its {stopped} in turn {turns}, so how it would have ended, and what it "
        "would have used, is unknown; record the family without a budget"
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


def _requests(turn: Mapping[str, Any], raw: str, shown: str) -> tuple[Request, ...] | None:
    stated = {name: turn.get(name) for name in _COUNTS if turn.get(name) is not None}
    if not stated:
        return None
    request = bare_counts(stated)
    total = turn.get(_TOTAL)
    copied = request.input_tokens + request.output_tokens
    request = _billed(turn, request)
    read, written = request.input_tokens, request.output_tokens
    breakdown = _reasoning(turn)
    if total is not None and log_fields.count(total, _TOTAL) not in (copied, read + written):
        if total != read + written + (breakdown or 0):
            raise RolloutError(
                f"{_TOTAL} is {total}; expected {read + written}, the input of {read} and the "
                f"output of {written}"
            )
        written += breakdown or 0
    if breakdown is not None:
        visible = written - breakdown
    elif raw and raw != shown:
        visible = visible_share(raw, shown, written)
    else:
        visible = written
    context = log_fields.text(turn.get("context"), "context")
    return (replace(request, output_tokens=written, visible_tokens=visible, context=context),)


def _billed(turn: Mapping[str, Any], stated: Request) -> Request:
    """Return a turn's request as the usage of its only API call explains it.

    The turn's counts may be copied from fields of that usage which leave a part out: what a cache
    served, or reasoning. The turn's own counts are returned where the log has no such usage.

    Raises:
        RolloutError: the call's usage cannot be used, or the turn's counts are not of it.
    """
    calls = log_fields.sequence(turn.get("api_interactions"), "api_interactions")
    usage = calls[0].get("usage") if len(calls) == 1 and isinstance(calls[0], Mapping) else None
    raw = usage.get("raw") if isinstance(usage, Mapping) else None
    if not isinstance(raw, Mapping):
        return stated
    fields = [(raw.get(read), raw.get(written)) for read, written in _RAW_COUNTS]
    if not any(None not in pair for pair in fields):
        return stated
    requests = provider_usage(raw)
    whole = [(request.input_tokens, request.output_tokens) for request in requests]
    counts = (stated.input_tokens, stated.output_tokens)
    if len(whole) != 1:
        return stated
    if counts in whole:
        billed = requests[0]
        return replace(
            stated,
            cached_tokens=billed.cached_tokens,
            cache_write_tokens=billed.cache_write_tokens,
        )
    if counts not in fields:
        raise RolloutError(
            f"api_interactions state {whole[0][0]} input and {whole[0][1]} output tokens, and the "
            f"turn {counts[0]} and {counts[1]}; expected the same"
        )
    return requests[0]


_RAW_COUNTS = (("input_tokens", "output_tokens"), ("prompt_tokens", "completion_tokens"))
_BREAKDOWNS = ("output_tokens_details", "completion_tokens_details")


def _reasoning(turn: Mapping[str, Any]) -> int | None:
    """Return the reasoning tokens of the turn's API calls; None where no call has a breakdown."""
    breakdowns = []
    for call in log_fields.sequence(turn.get("api_interactions"), "api_interactions"):
        usage = call.get("usage") if isinstance(call, Mapping) else None
        raw = usage.get("raw") if isinstance(usage, Mapping) else None
        for name in _BREAKDOWNS:
            details = raw.get(name) if isinstance(raw, Mapping) else None
            if isinstance(details, Mapping) and details.get("reasoning_tokens") is not None:
                path = f"{name}.reasoning_tokens"
                breakdowns.append(log_fields.count(details["reasoning_tokens"], path))
                break
    return sum(breakdowns) if breakdowns else None


def _cut_off(turn: Mapping[str, Any]) -> bool:
    name = "context_token_truncated"
    info = turn.get("info")
    places = [turn, *(info if isinstance(info, list) else [info])]
    flags = [place[name] for place in places if isinstance(place, dict) and place.get(name)]
    return any(log_fields.flag(value, name) for value in flags)


def _success(record: Mapping[str, Any], turns: list[LoggedTurn]) -> bool | None:
    flags = {name: record.get(name) for name in ("rollout_success", "success")}
    outcome = log_fields.agreed_flag(flags)
    return False if outcome is None and not turns else outcome
