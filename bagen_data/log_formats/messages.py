"""Rollouts as chat messages: one object a line, user and assistant in turn.

    {"custom_id": "traj_0", "messages": [{"role": "user", "content": "Board size: ..."},
     {"role": "assistant", "content": "<answer>Up</answer>"}, {"role": "user", "content": "..."}],
     "metadata": {"success": false, ...},
     "per_turn_api_tokens": [{"input_tokens": 412, "output_tokens": 97}, [580, 64], ...]}

System and developer messages may come first; a trailing user message is the final observation and
not a turn. Tool calls and reasoning text of an assistant message belong to it, tool outputs to the
next turn. `per_turn_api_tokens` is optional, beside `metadata` or in it: one entry an assistant
message, either a usage object of a known shape (`bagen_data/usage_objects.py`) or a pair of input
and output. An assistant message may have its own `usage` instead. What a task counts beside tokens
stands in the assistant message under a name of its own (`"steps": 3`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.logs import log_fields
from bagen_data.logs.conversation import Exchange, joined, split_turns
from bagen_data.logs.rollout_log import FamilyFacts, Log, LoggedTurn
from bagen_data.usage import Request
from bagen_data.usage_lists import Requests, after_compactions, refuse_sums
from bagen_data.usage_objects import BARE, provider_usage, read_usage

LAYOUT = "an object with 'messages'"
GENERAL = True

_COUNTS = "per_turn_api_tokens"
_OWN_USAGE = ("usage", "usage_metadata")
_KNOWN = frozenset(
    {
        *("role", "content", "name", "index", "created", "timestamp"),
        *("reasoning_content", "reasoning", "thinking", "refusal"),
    }
)
"""Fields of an assistant message that are not amounts of a task."""


def recognises(record: Mapping[str, Any]) -> bool:
    """Return whether a record is a conversation."""
    return "messages" in record and "turns" not in record


def read(record: Mapping[str, Any], _facts: FamilyFacts) -> Log:
    """Read one record; raises RolloutError naming the message or turn."""
    metadata = log_fields.mapping(record.get("metadata") or {}, "metadata")
    messages = log_fields.sequence(record["messages"], "messages")
    spoken = [log_fields.mapping(message, f"messages[{i}]") for i, message in enumerate(messages)]
    system, exchanges = split_turns(spoken)
    stated = _stated_list(record.get(_COUNTS), metadata.get(_COUNTS))
    if stated is None:
        requests = [_own_requests(each.message, n) for n, each in enumerate(exchanges, 1)]
    else:
        entries = log_fields.sequence(stated, _COUNTS)
        if _has_greeting(exchanges) and len(entries) == len(exchanges) - 1:
            exchanges = _without_greeting(exchanges)
        requests = _requests(entries, len(exchanges))
        _refuse_other_usage(exchanges, requests)
    refuse_sums([request for each in requests for request in each or ()])
    if _has_greeting(exchanges) and requests[0] is None and all(requests[1:]):
        exchanges, requests = _without_greeting(exchanges), requests[1:]
    return Log(
        turns=tuple(
            LoggedTurn(
                number,
                exchange.user,
                exchange.response.text,
                paid,
                reasoning=exchange.response.reasoning,
                uncounted=exchange.uncounted,
                amounts=log_fields.turn_amounts(exchange.message, _KNOWN),
                tool_calls=exchange.response.tool_calls,
            )
            for number, (exchange, paid) in enumerate(
                zip(exchanges, after_compactions(requests), strict=True), 1
            )
        ),
        success=_success(record, metadata),
        system=system,
        instance_id=log_fields.identity(record.get("instance_id"), metadata.get("instance_id")),
        source_id=log_fields.identity(record.get("custom_id"), record.get("id")),
        model=log_fields.identity(record.get("model"), metadata.get("model")),
        scores=log_fields.single_values(record) | log_fields.single_values(metadata),
    )


def _has_greeting(exchanges: Sequence[Exchange]) -> bool:
    """Return whether an assistant message comes before all others, and another follows."""
    return len(exchanges) > 1 and not exchanges[0].user


def _without_greeting(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Return the turns without an opening assistant message, which turn 1 hears then.

    A greeting that no usage is stated for was not generated: the harness put it there.
    """
    greeting, first = exchanges[:2]
    user = joined((greeting.response.text, first.user))
    return [first._replace(user=user), *exchanges[2:]]


def _success(record: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool | None:
    flags = {"metadata.success": metadata.get("success"), "success": record.get("success")}
    return log_fields.agreed_flag(flags)


def _stated_list(outer: Any, inner: Any) -> Any:
    """Return the list of counts, which stands beside the metadata or in it.

    Raises:
        RolloutError: both are there and differ.
    """
    if outer is not None and inner is not None and outer != inner:
        raise RolloutError(
            f"states {_COUNTS} and another metadata.{_COUNTS}; expected one, or the same twice"
        )
    return inner if outer is None else outer


def _requests(entries: Sequence[Any], turns: int) -> list[Requests]:
    if len(entries) != turns:
        raise RolloutError(
            f"{_COUNTS} has {len(entries)} entries; expected {turns}, one an assistant message"
        )
    return [_stated_requests(entry, number) for number, entry in enumerate(entries, 1)]


def _refuse_other_usage(exchanges: Sequence[Exchange], requests: Sequence[Requests]) -> None:
    """Refuse assistant messages whose own usage is not what the list of counts states.

    Raises:
        RolloutError: the message names the turn and both counts.
    """
    for number, (exchange, listed) in enumerate(zip(exchanges, requests, strict=True), 1):
        own = _own_requests(exchange.message, number)
        if own and listed and _sums(own) != _sums(listed):
            raise RolloutError(
                f"turn {number} has {_sums(listed)} in {_COUNTS} and {_sums(own)} in its own "
                "usage; expected the same counts"
            )


def _sums(requests: Sequence[Request]) -> str:
    read = sum(request.input_tokens for request in requests)
    return f"{read} input and {sum(request.output_tokens for request in requests)} output tokens"


def _stated_requests(entry: Any, number: int) -> Requests:
    try:
        if entry is None:
            return None
        if isinstance(entry, list) and len(entry) == 2:
            read, written = (log_fields.count(value, _COUNTS) for value in entry)
            return (Request(read, written, written, shape=BARE),)
        requests = read_usage(log_fields.mapping(entry, _COUNTS))
        if not requests:
            raise RolloutError(
                f"{_COUNTS} is {log_fields.brief(entry)}; expected input_tokens and output_tokens, "
                "or a pair of the two"
            )
        return requests
    except RolloutError as error:
        raise RolloutError(f"turn {number}: {error}") from error


def _own_requests(message: Mapping[str, Any], number: int) -> Requests:
    for name in _OWN_USAGE:
        if isinstance(message.get(name), Mapping):
            try:
                return provider_usage(message[name]) or None
            except RolloutError as error:
                raise RolloutError(f"turn {number}: {error}") from error
    return None
