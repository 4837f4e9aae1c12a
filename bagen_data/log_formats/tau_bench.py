"""Results of tau-bench and tau2-bench: conversations with a simulated user.

tau-bench writes a list, with an item a trial of a task:

    [{"task_id": 0, "reward": 1.0, "trial": 0, "info": {"task": {...}, "user_cost": 0.0035},
      "traj": [{"role": "system", ...}, {"role": "user", ...},
               {"role": "assistant", "content": null, "tool_calls": [...]}, {"role": "tool", ...}]}]

tau2-bench writes one object, or its `simulations` as a file each beside a `results.json`:

    {"info": {"agent_info": {"llm": "gpt-4.1"}, "environment_info": {"domain_name": "retail",
      "policy": "# Retail agent policy ..."}}, "tasks": [...],
     "simulations": [{"id": "4f0a", "task_id": "0", "trial": 0, "termination_reason": "user_stop",
      "reward_info": {"reward": 1.0},
      "messages": [{"role": "assistant", "content": "Hi! How can I help you today?", "usage": null},
                   {"role": "user", ...},
                   {"role": "assistant", "tool_calls": [...], "cost": 0.0187,
                    "usage": {"prompt_tokens": 5683, "completion_tokens": 109}}, ...]}]}

An assistant message is a turn. The user simulator's requests are not the agent's, and neither are
its own tool calls, which the agent does not hear. The greeting that tau2-bench begins with was not
generated: turn 1 hears it. tau-bench logs no usage. A reward of 1 is success, and any other is
none; a run that ended in an error of the harness is not judged. tau2-bench's reward is the product
of the parts of `reward_breakdown` that `reward_basis` names: a reward of 1 with a lower part is
refused.

Source: https://github.com/sierra-research/tau-bench (`tau_bench/run.py`) and
https://github.com/sierra-research/tau2-bench (`src/tau2/data_model`).
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.logs import log_fields
from bagen_data.logs.conversation import Exchange, joined, split_turns
from bagen_data.logs.rollout_log import FamilyFacts, Log, LoggedTurn, NamedLog, Neighbours
from bagen_data.logs.timestamps import Stopwatch
from bagen_data.usage import Request
from bagen_data.usage_objects import provider_usage

LAYOUT = "an object with 'traj' and 'reward', or with 'simulations'"
KEYS = frozenset({"task_id", "reward", "traj", "simulations", "tasks", "info"})

_NOT_JUDGED = ("infrastructure_error", "context_window_exceeded")
"""Why a simulation ended, where tau2-bench itself leaves it out of its metrics."""
_TOLERANCE = 1e-6
_COST_TOLERANCE = 1e-3
"""Relative difference of a stated cost from the sum of its parts that rounding explains."""
_COPIED = ("prompt_tokens", "completion_tokens")
"""Fields of the provider's usage that tau2-bench copies; some providers leave reasoning out."""


def recognises(record: Mapping[str, Any]) -> bool:
    """Return whether a record is a trial of tau-bench, or results or a simulation of tau2-bench."""
    is_trial = {"task_id", "reward", "traj"} <= record.keys()
    return is_trial or _is_simulation(record) or isinstance(record.get("simulations"), list)


def _is_simulation(record: Mapping[str, Any]) -> bool:
    return {"task_id", "termination_reason"} <= record.keys() and "reward_info" in record


def belongs(value: Any) -> bool:
    """Return whether a JSON file is the index of simulations that lie beside it, a file each."""
    return (
        isinstance(value, dict)
        and {"simulation_index", "info"} <= value.keys()
        and not value.get("simulations")
    )


def read(record: Mapping[str, Any], facts: FamilyFacts) -> Log | Iterator[NamedLog]:
    """Read a trial, or the simulations of results; raises RolloutError naming the message."""
    if "traj" in record:
        return _trial(record)
    if _is_simulation(record):
        folder = facts.path.rpartition("/")[0]
        return _simulation(record, facts.beside.survey(_Runs).info(folder))
    return _simulations(record)


class _Runs:
    """The `info` of runs with a file a simulation, by the simulations' folder.

    Args:
        family: the family's files, by paths relative to its folder.
    """

    def __init__(self, family: Neighbours) -> None:
        self._family = family
        self._info: dict[str, Mapping[str, Any]] = {}

    def info(self, folder: str) -> Mapping[str, Any]:
        """Return the run's `info`; empty where it has none."""
        if folder not in self._info:
            above = folder.rpartition("/")[0]
            path = f"{above}/results.json" if above else "results.json"
            results = self._family.value(path)
            info = results.get("info") if isinstance(results, dict) else None
            self._info[folder] = info if isinstance(info, dict) else {}
        return self._info[folder]


def _trial(record: Mapping[str, Any]) -> Log:
    info = record.get("info") if isinstance(record.get("info"), dict) else {}
    messages = _messages(record["traj"], "traj")
    system, exchanges = split_turns(messages)
    success = None if info and "error" in info else _success(record["reward"], "reward")
    return Log(
        turns=_turns(exchanges, messages),
        success=success,
        system=system,
        instance_id=log_fields.identity(record["task_id"]),
        source="tau-bench",
        scores=log_fields.single_values(record),
    )


def _simulations(record: Mapping[str, Any]) -> Iterator[NamedLog]:
    info = log_fields.mapping(record.get("info") or {}, "info")
    for index, entry in enumerate(record["simulations"]):
        place = f"simulations[{index}]"
        try:
            simulation = log_fields.mapping(entry, place)
            names = (simulation.get("task_id"), simulation.get("trial"))
            place = f"simulations[{index}] (task {names[0]}, trial {names[1]})"
            yield NamedLog(f": {place}", _simulation(simulation, info))
        except RolloutError as error:
            yield NamedLog(f": {place}", error)


def _simulation(simulation: Mapping[str, Any], info: Mapping[str, Any]) -> Log:
    if simulation.get("messages") is None and simulation.get("ticks"):
        raise RolloutError(
            "is a spoken simulation, of ticks; expected messages, as only a written conversation "
            "has turns and token counts"
        )
    spoken = _messages(simulation.get("messages"), "messages")
    _refuse_other_cost(simulation.get("agent_cost"), spoken)
    heard = [message for message in spoken if not _is_users_own(message)]
    system, exchanges = split_turns(heard)
    agent, environment = (
        info[name] if isinstance(info.get(name), dict) else {}
        for name in ("agent_info", "environment_info")
    )
    policy = log_fields.text(simulation.get("policy") or environment.get("policy"), "policy")
    reward = simulation.get("reward_info")
    stated = reward.get("reward") if isinstance(reward, dict) else None
    ended = simulation.get("termination_reason")
    is_judged = stated is not None and ended not in _NOT_JUDGED
    scores = log_fields.single_values(simulation)
    success = _success(stated, "reward_info.reward") if is_judged else None
    if success:
        _refuse_lower_part(reward)
    return Log(
        turns=_turns(_without_greeting(exchanges), heard),
        success=success,
        system=system or policy,
        instance_id=log_fields.identity(simulation.get("task_id")),
        source_id=log_fields.identity(simulation.get("id")),
        model=log_fields.identity(agent.get("llm")),
        source="tau2-bench",
        scores=scores if stated is None else scores | {"reward": stated},
        response_ids=frozenset(filter(None, map(_response_id, heard))),
    )


def _messages(value: Any, name: str) -> list[Mapping[str, Any]]:
    spoken: list[Mapping[str, Any]] = []
    for index, entry in enumerate(log_fields.sequence(value, name)):
        message = log_fields.mapping(entry, f"{name}[{index}]")
        several = message.get("tool_messages")
        spoken += [
            log_fields.mapping(each, f"{name}[{index}].tool_messages[]")
            for each in (several if isinstance(several, list) else [message])
        ]
    return spoken


def _success(reward: Any, name: str) -> bool:
    return abs(log_fields.quantity(reward, name) - 1) <= _TOLERANCE


def _refuse_lower_part(reward: Any) -> None:
    """Refuse a full reward of which a part that counts is lower.

    Raises:
        RolloutError: the message names the part.
    """
    basis, parts = reward.get("reward_basis"), reward.get("reward_breakdown")
    if not isinstance(basis, list) or not isinstance(parts, dict):
        return
    for name in basis:
        part = parts.get(name) if isinstance(name, str) else None
        if isinstance(part, int | float) and part < 1 - _TOLERANCE:
            raise RolloutError(
                f"reward_info states reward = {reward['reward']}, and {name} = {part} in "
                "reward_breakdown, which reward_basis names; expected the product of these parts; "
                "evaluate the run again, or remove the rollout"
            )


def _refuse_other_cost(stated: Any, messages: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a stated cost of the agent that the costs of its messages do not add up to.

    A cost of 0 is taken as not stated, as the price of the model may not be known.

    Raises:
        RolloutError: each message with usage has a cost, and their sum is another.
    """
    own = [message for message in messages if message.get("role") == "assistant"]
    costs = [message.get("cost") for message in own if message.get("cost")]
    if not stated or not costs or any(each.get("usage") and not each.get("cost") for each in own):
        return
    whole = log_fields.quantity(stated, "agent_cost")
    total = sum(log_fields.quantity(cost, "cost") for cost in costs)
    if not math.isclose(whole, total, rel_tol=_COST_TOLERANCE, abs_tol=_TOLERANCE):
        raise RolloutError(
            f"agent_cost is {whole:g}; expected {total:g}, the sum of the costs of the agent's "
            f"{len(costs)} messages; a message is missing or counted twice: correct them, or "
            "remove the rollout"
        )


def _is_users_own(message: Mapping[str, Any]) -> bool:
    """Return whether a message is a tool call of the simulated user, or its result."""
    if message.get("role") == "tool":
        return message.get("requestor") == "user"
    return message.get("role") == "user" and bool(message.get("tool_calls"))


def _without_greeting(exchanges: Sequence[Exchange]) -> list[Exchange]:
    """Return the turns without an opening line that no model was asked for, which turn 1 hears."""
    if len(exchanges) < 2 or exchanges[0].user:
        return list(exchanges)
    greeting, first, *others = exchanges
    if greeting.message.get("usage") is not None or greeting.response.tool_calls:
        return list(exchanges)
    return [first._replace(user=joined((greeting.response.text, first.user))), *others]


def _turns(
    exchanges: Sequence[Exchange], messages: Sequence[Mapping[str, Any]]
) -> tuple[LoggedTurn, ...]:
    watch = Stopwatch()
    for message in messages[:1]:
        watch.start(message.get("timestamp"))
    turns = []
    for number, exchange in enumerate(exchanges, 1):
        turns.append(
            LoggedTurn(
                number,
                exchange.user,
                exchange.response.text,
                _requests(exchange.message, number),
                reasoning=exchange.response.reasoning or _reasoning(exchange.message),
                uncounted=exchange.uncounted,
                tool_calls=exchange.response.tool_calls,
                seconds=watch.lap(exchange.message.get("timestamp")),
            )
        )
    return tuple(turns)


def _raw(message: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the provider's response that tau2-bench keeps; empty where it keeps none."""
    raw = message.get("raw_data")
    return raw if isinstance(raw, dict) else {}


def _response_id(message: Mapping[str, Any]) -> str:
    is_agents = message.get("role") == "assistant"
    return log_fields.identity(_raw(message).get("id")) if is_agents else ""


def _reasoning(message: Mapping[str, Any]) -> str:
    raw = _raw(message)
    inner = raw.get("message")
    said = {**raw, **(inner if isinstance(inner, dict) else {})}
    if isinstance(said.get("reasoning_content"), str):
        return str(said["reasoning_content"])
    blocks = said.get("thinking_blocks")
    thoughts = [
        block.get("thinking")
        for block in (blocks if isinstance(blocks, list) else ())
        if isinstance(block, dict)
    ]
    return "\n".join(thought for thought in thoughts if isinstance(thought, str))


def _requests(message: Mapping[str, Any], number: int) -> tuple[Request, ...] | None:
    """Return the request of an assistant message: by the provider's own usage where it is kept."""
    usage = message.get("usage")
    if usage is None:
        return None
    raw = _raw(message)
    try:
        stated = provider_usage(log_fields.mapping(usage, "usage"))
        kept = provider_usage(raw["usage"]) if isinstance(raw.get("usage"), dict) else ()
    except RolloutError as error:
        raise RolloutError(f"turn {number}: {error}") from error
    copied = tuple(raw["usage"].get(name) for name in _COPIED) if kept else ()
    if kept and stated and _sums(stated) not in (_sums(kept), copied):
        raise RolloutError(
            f"turn {number}: usage states {_sums(stated)} input and output tokens and raw_data "
            f"{_sums(kept)}; expected the same"
        )
    price = log_fields.stated_price(message.get("cost"), f"turn {number}: cost") or None
    requests = kept or stated
    model = log_fields.identity(raw.get("model"))
    if len(requests) == 1:
        return (replace(requests[0], cost_usd=price, model=model),)
    return tuple(replace(each, model=model) for each in requests) or None


def _sums(requests: Sequence[Request]) -> tuple[int, int]:
    return (
        sum(request.input_tokens for request in requests),
        sum(request.output_tokens for request in requests),
    )
