r"""SWE-agent trajectories: one `<instance>.traj` a rollout, counted with a tokenizer.

    {"trajectory": [
       {"query": [{"role": "system", "content": "..."}, {"role": "user", "content": "..."}],
        "response": "I look around.", "thought": "I look around.", "action": "ls -F\n",
        "observation": "README.md\n", "execution_time": 0.3, "state": {...}}, ...],
     "history": [{"role": "system", ...}, {"role": "user", ...}, {"role": "assistant", ...}, ...],
     "info": {"exit_status": "submitted", "submission": "diff --git ...", "model_stats":
       {"instance_cost": 0.71, "tokens_sent": 231004, "tokens_received": 4130, "api_calls": 14}},
     "environment": "swe_main", "replay_config": "..."}

A step with a query is a turn, also one whose response could not be parsed; what its query says
after the last response is its user message. A step with which SWE-agent submits by itself asked no
model. `model_stats` are sums over the rollout, from which no turn's share is known. Their
`api_calls` must be the turns: a request without a step (one that went over the cost limit) was paid
for, and no text of it is left to count. A rollout of several attempts has the turns of all of them.
Whether it succeeded stands in an evaluation report beside the trajectories.

Source: https://swe-agent.com/latest/usage/trajectories/ and `sweagent/agent/agents.py`.
"""

import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.logs import log_fields
from bagen_data.logs.conversation import joined
from bagen_data.logs.evaluation_report import belongs_to_trajectories
from bagen_data.logs.message_content import MessageContent, call_text, message_content
from bagen_data.logs.rollout_log import FamilyFacts, Log, LoggedTurn

LAYOUT = "an object with 'trajectory' and 'info', or with 'attempts'"
KEYS = frozenset({"trajectory", "history", "info", "attempts", "replay_config", "environment"})
SUFFIXES = (".traj",)

_ATTEMPT = re.compile(r"(?P<folder>(?:.*/)?)attempt_\d+/(?P<name>[^/]+\.traj)")
_OWN_EXIT = "a step without a request"


def recognises(record: Mapping[str, Any]) -> bool:
    """Return whether a record is a trajectory of SWE-agent."""
    if "trajectory_format" in record:
        return False
    return (
        isinstance(record.get("trajectory"), list)
        and isinstance(record.get("info"), dict)
        and ("history" in record or "environment" in record)
    ) or _has_attempts(record)


def _has_attempts(record: Mapping[str, Any]) -> bool:
    attempts = record.get("attempts")
    first = attempts[0] if isinstance(attempts, list) and attempts else None
    return isinstance(first, dict) and {"trajectory", "info"} <= first.keys()


def belongs(value: Any) -> bool:
    """Return whether a JSON value is an evaluation report or patches beside trajectories."""
    is_prediction = isinstance(value, dict) and {"instance_id", "model_patch"} <= value.keys()
    return belongs_to_trajectories(value) or is_prediction


def owns(paths: Collection[str]) -> Iterator[str]:
    """Yield the attempts that lie in folders of their own, beside the trajectory of all of them."""
    files = frozenset(paths)
    for path in paths:
        match = _ATTEMPT.fullmatch(path)
        if match and match["folder"] + match["name"] in files:
            yield path


def read(record: Mapping[str, Any], facts: FamilyFacts) -> Log:
    """Read one trajectory; raises RolloutError naming the step."""
    attempts = log_fields.sequence(record.get("attempts"), "attempts") or (record,)
    turns: list[LoggedTurn] = []
    systems: list[str] = []
    skipped: Counter[str] = Counter()
    for index, entry in enumerate(attempts):
        where = f"attempts[{index}]: " if len(attempts) > 1 else ""
        attempt = log_fields.mapping(entry, f"attempts[{index}]")
        system, attempted = _attempt(attempt, len(turns), where, skipped)
        systems.append(system)
        turns += attempted
    info = log_fields.mapping(record.get("info") or {}, "info")
    turns = _with_reviewer(turns, info)
    instance_id = os.path.basename(facts.path).removesuffix(".json").removesuffix(".traj")
    is_judged = facts.resolved is not None and instance_id in facts.judged
    version = log_fields.identity(info.get("swe_agent_version"))
    return Log(
        turns=tuple(turns),
        success=instance_id in (facts.resolved or ()) if is_judged else None,
        system=systems[0] if systems else "",
        instance_id=instance_id,
        source=" ".join(filter(None, ("SWE-agent", version))),
        scores={"exit_status": log_fields.identity(info.get("exit_status"))},
        skipped=skipped,
    )


def _attempt(
    attempt: Mapping[str, Any], before: int, where: str, skipped: Counter[str]
) -> tuple[str, list[LoggedTurn]]:
    """Return the system message and the turns of one attempt, numbered after those before."""
    steps = log_fields.sequence(attempt.get("trajectory"), f"{where}trajectory")
    opening = _opening(attempt, steps, where)
    system = joined(
        _content(message, where).text for message in opening if message.get("role") == "system"
    )
    heard = [_content(each, where) for each in opening if each.get("role") != "system"]
    turns: list[LoggedTurn] = []
    for index, entry in enumerate(steps):
        place = f"{where}trajectory[{index}]"
        step = log_fields.mapping(entry, place)
        if not _has_request(step):
            skipped[_OWN_EXIT] += 1
            continue
        if turns:
            heard = _heard(step, place) or heard
        said, calls = _response(step)
        reasoning = log_fields.text(step.get("reasoning_content"), f"{place}.reasoning_content")
        turns.append(
            LoggedTurn(
                before + len(turns) + 1,
                joined(each.text for each in heard),
                said,
                None,
                reasoning=reasoning,
                uncounted=next(filter(None, (each.uncounted for each in heard)), ""),
                unparsed=not (said or reasoning).strip(),
                tool_calls=calls,
            )
        )
        observation = log_fields.text(step.get("observation"), f"{place}.observation")
        heard = [MessageContent(observation)]
    return system, _with_thinking(turns, attempt, where)


def _with_thinking(
    turns: Sequence[LoggedTurn], attempt: Mapping[str, Any], where: str
) -> list[LoggedTurn]:
    """Return the turns with the thinking that the attempt's history keeps of each response."""
    history = log_fields.sequence(attempt.get("history"), f"{where}history")
    thoughts = [
        message_content({"content": message.get("thinking_blocks")}, f"{where}history[]")
        for message in history
        if isinstance(message, dict)
        and message.get("role") == "assistant"
        and not message.get("is_demo")
    ]
    if not any(thought.reasoning or thought.uncounted for thought in thoughts):
        return list(turns)
    if len(thoughts) != len(turns):
        return [turn._replace(uncounted="thinking of responses without a step") for turn in turns]
    return [
        turn._replace(
            reasoning=turn.reasoning or thought.reasoning,
            uncounted=turn.uncounted or thought.uncounted,
        )
        for turn, thought in zip(turns, thoughts, strict=True)
    ]


def _opening(
    attempt: Mapping[str, Any], steps: Sequence[Any], where: str
) -> list[Mapping[str, Any]]:
    """Return the messages before the first response: its query, else the history's beginning."""
    first = steps[0] if steps and isinstance(steps[0], dict) else {}
    query = _messages(first)
    if query:
        return query
    opening: list[Mapping[str, Any]] = []
    for entry in log_fields.sequence(attempt.get("history"), f"{where}history"):
        message = log_fields.mapping(entry, f"{where}history[]")
        if message.get("role") == "assistant" and not message.get("is_demo"):
            break
        opening.append(message)
    return opening


def _messages(step: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    query = step.get("query", step.get("messages"))
    return [each for each in query if isinstance(each, dict)] if isinstance(query, list) else []


def _has_request(step: Mapping[str, Any]) -> bool:
    """Return whether a step asked the model: its query says so, else it has an action.

    The exits of SWE-agent itself have an empty query and say as a response why they exit.
    """
    if "query" in step or "messages" in step:
        return any("role" in message for message in _messages(step))
    says_exit = step.get("response") == step.get("thought") and not step.get("action")
    return bool(step.get("response") or step.get("action")) and not (
        says_exit and str(step.get("response")).startswith("Exit")
    )


def _heard(step: Mapping[str, Any], where: str) -> list[MessageContent]:
    """Return what a query says after its last response; nothing where the step has no query."""
    heard: list[MessageContent] = []
    for message in _messages(step):
        if message.get("role") == "assistant":
            heard = []
        else:
            heard.append(_content(message, where))
    return heard


def _content(message: Mapping[str, Any], where: str) -> MessageContent:
    return message_content({**message, "role": "user"}, f"{where} query")


def _response(step: Mapping[str, Any]) -> tuple[str, int]:
    """Return what a response says and does, and the number of its calls.

    The action is shown as a shell command where the text does not hold it already, as a response of
    tool calls does not.
    """
    response = step.get("response")
    said = response if isinstance(response, str) else ""
    action = str(step.get("action") or "").strip()
    if not action or action in said:
        return said, int(bool(action))
    return joined((said, call_text("bash", {"command": action}))), 1


def _with_reviewer(turns: list[LoggedTurn], info: Mapping[str, Any]) -> list[LoggedTurn]:
    """Compare the requests that were made with the turns.

    Requests of a reviewer that chose between attempts are known by number alone: no tokenizer can
    count them.

    Raises:
        RolloutError: another number of requests was made.
    """
    made, reviews = (_calls(info, name) for name in ("model_stats", "rloop_model_stats"))
    if made and made != len(turns) + (reviews or 0):
        more = f" and {reviews} of a reviewer" if reviews else ""
        raise RolloutError(
            f"info.model_stats states {made} api_calls; expected {len(turns)}, one a step with a "
            f"query{more}; the texts of the others are not in the log, so that no tokenizer can "
            "count them; remove the rollout"
        )
    if turns and reviews:
        turns[-1] = turns[-1]._replace(uncounted="the requests of a reviewer of attempts")
    return turns


def _calls(info: Mapping[str, Any], name: str) -> int | None:
    stats = info.get(name)
    calls = stats.get("api_calls") if isinstance(stats, dict) else None
    return None if calls is None else log_fields.count(calls, f"info.{name}.api_calls")
