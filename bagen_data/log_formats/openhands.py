"""OpenHands evaluation outputs: `output.jsonl`, with a rollout a line.

    {"instance_id": "astropy__astropy-14365", "test_result": {"git_patch": "diff --git ..."},
     "metadata": {"agent_class": "CodeActAgent", "llm_config": {"model": "gpt-4o"}},
     "history": [
       {"id": 0, "source": "agent", "action": "system", "args": {"content": "You are ..."}},
       {"id": 1, "source": "user", "action": "message", "args": {"content": "Fix ..."}},
       {"id": 2, "source": "agent", "action": "run", "args": {"command": "ls", "thought": ""},
        "tool_call_metadata": {"model_response": {"id": "chatcmpl-1", "choices": [...]}}},
       {"id": 3, "source": "agent", "observation": "run", "content": "README.md", "cause": 2}],
     "metrics": {"accumulated_cost": 0.02, "token_usages": [
       {"response_id": "chatcmpl-1", "prompt_tokens": 3120, "completion_tokens": 60,
        "cache_read_tokens": 0, "cache_write_tokens": 3100}]}}

The actions of one response are a turn; what is observed and what the user says is heard in the
next. A turn's usage is the one of `token_usages` with its response's id; a response without an id
has the next one. A condensation begins a new context, and its summary is heard in it; usages
between two turns are its requests, each a context of its own. Without `token_usages`, a tokenizer
counts. Whether a rollout succeeded stands in its `test_result`, in `output.swebench_eval.jsonl`
beside it or in SWE-bench's report, `report.json`; where several of them say so, they must agree.

Source: https://docs.openhands.dev and https://github.com/OpenHands/benchmarks; fields of events are
those of `openhands/events/serialization/event.py` and of the SDK's `Event`.
"""

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from bagen_data.errors import RolloutError
from bagen_data.log_formats._openhands_events import Event, events
from bagen_data.logs import log_fields
from bagen_data.logs.conversation import joined
from bagen_data.logs.evaluation_report import (
    belongs_to_trajectories,
    contradiction,
    is_report,
    judged_ids,
)
from bagen_data.logs.message_content import MessageContent
from bagen_data.logs.rollout_log import FamilyFacts, Log, LoggedTurn, Neighbours
from bagen_data.logs.timestamps import Stopwatch
from bagen_data.usage import Request
from bagen_data.usage_objects import openai_chat

LAYOUT = "a line with 'instance_id' and 'history', of OpenHands"
KEYS = frozenset({"instance_id", "test_result", "metadata", "history", "metrics", "instruction"})

_EVALUATION = "output.swebench_eval.jsonl"
_REPORTS = ("report.json", "output.report.json")
_TOTALS = ("prompt_tokens", "completion_tokens")
_COST_TOLERANCE = 1e-3
"""Relative difference of a stated cost from the sum of its parts that rounding explains."""
_MARKS = frozenset({"test_result", "metrics", "metadata", "instruction"})


def recognises(record: Mapping[str, Any]) -> bool:
    """Return whether a record is a rollout of OpenHands."""
    history = record.get("history")
    has_marks = "instance_id" in record and bool(_MARKS & record.keys())
    return has_marks and isinstance(history, list) and any(map(_is_event, history[:5]))


def _is_event(entry: Any) -> bool:
    first = entry[0] if isinstance(entry, list) and entry else entry
    return isinstance(first, dict) and bool({"action", "observation", "kind"} & first.keys())


def belongs(value: Any) -> bool:
    """Return whether a JSON value is an evaluation: of all rollouts, or a line for one of them."""
    is_evaluation = (
        isinstance(value, dict)
        and {"instance_id", "test_result"} <= value.keys()
        and not value.get("history")
    )
    return is_evaluation or belongs_to_trajectories(value)


def read(record: Mapping[str, Any], facts: FamilyFacts) -> Log:
    """Read one rollout; raises RolloutError naming the turn or the usage."""
    skipped: Counter[str] = Counter()
    system, turns, condensations = _turns(record["history"], skipped)
    metrics = log_fields.mapping(record.get("metrics") or {}, "metrics")
    usages = _priced_usages(metrics)
    _refuse_other_totals(metrics, usages)
    metadata = log_fields.mapping(record.get("metadata") or {}, "metadata")
    config = metadata.get("llm_config", metadata.get("llm"))
    instance_id = log_fields.identity(record.get("instance_id"))
    nothing: list[tuple[Request, ...] | None] = [None] * len(turns)
    requests = _requests(turns, usages, condensations) if usages else nothing
    return Log(
        turns=tuple(
            LoggedTurn(
                number,
                joined(each.text for each in turn.heard),
                joined(each.text for each in turn.said),
                spent,
                reasoning="\n".join(filter(None, (each.reasoning for each in turn.said))),
                uncounted=next(
                    filter(None, (each.uncounted for each in (*turn.heard, *turn.said))), ""
                ),
                unparsed=not any((each.text + each.reasoning).strip() for each in turn.said),
                tool_calls=sum(each.tool_calls for each in turn.said),
                seconds=turn.seconds,
            )
            for number, (turn, spent) in enumerate(zip(turns, requests, strict=True), 1)
        ),
        success=_outcome(record, instance_id, facts),
        system=system,
        instance_id=instance_id,
        model=log_fields.identity(config.get("model")) if isinstance(config, dict) else "",
        source=" ".join(filter(None, ("OpenHands", log_fields.identity(_version(metadata))))),
        scores=log_fields.single_values(metrics),
        skipped=skipped,
        response_ids=frozenset(filter(None, (turn.response_id for turn in turns))),
    )


def _priced_usages(metrics: Mapping[str, Any]) -> list[Any]:
    """Return `token_usages`, each with its price where `costs` states one for every request."""
    usages = log_fields.sequence(metrics.get("token_usages"), "metrics.token_usages")
    costs = log_fields.sequence(metrics.get("costs"), "metrics.costs")
    prices = [each.get("cost") for each in costs if isinstance(each, dict)]
    if len(prices) != len(usages):
        return list(usages)
    return [
        {**usage, "cost_usd": price} if isinstance(usage, dict) and price else usage
        for usage, price in zip(usages, prices, strict=True)
    ]


def _refuse_other_totals(metrics: Mapping[str, Any], usages: Sequence[Any]) -> None:
    """Refuse accumulated counts and costs that their lists do not add up to.

    OpenHands adds each request to both at once. A total of 0, and an empty list, is not stated.

    Raises:
        RolloutError: the message names the total.
    """
    where = "metrics.accumulated_token_usage"
    totals = log_fields.mapping(metrics.get("accumulated_token_usage") or {}, where)
    places = [(f"metrics.token_usages[{index}]", usage) for index, usage in enumerate(usages)]
    for name in _TOTALS if usages else ():
        stated = log_fields.count(totals.get(name) or 0, f"{where}.{name}")
        total = sum(
            log_fields.count(log_fields.mapping(usage, place).get(name) or 0, f"{place}.{name}")
            for place, usage in places
        )
        if stated and stated != total:
            raise _disagreement(f"accumulated_token_usage.{name}", stated, total, "token_usages")
    costs = log_fields.sequence(metrics.get("costs"), "metrics.costs")
    whole = metrics.get("accumulated_cost")
    if not whole or not costs or not all(isinstance(each, dict) for each in costs):
        return
    cost = log_fields.quantity(whole, "metrics.accumulated_cost")
    price = sum(log_fields.quantity(each.get("cost"), "metrics.costs[].cost") for each in costs)
    if not math.isclose(cost, price, rel_tol=_COST_TOLERANCE, abs_tol=1e-6):
        raise _disagreement("accumulated_cost", cost, price, "costs")


def _disagreement(name: str, stated: float, total: float, parts: str) -> RolloutError:
    return RolloutError(
        f"metrics.{name} is {stated}; expected {total}, the sum over metrics.{parts}; a request is "
        "missing or counted twice: correct them, or remove the rollout"
    )


def _version(metadata: Mapping[str, Any]) -> Any:
    return metadata.get("openhands_version") or metadata.get("agent_version")


class _Turn(NamedTuple):
    heard: Sequence[MessageContent]
    said: list[MessageContent]
    """The contents of one response; several where it made several calls."""
    response_id: str
    context: int
    condensations: int
    """Condensations since the turn before."""
    seconds: float | None


def _turns(history: Any, skipped: Counter[str]) -> tuple[str, list[_Turn], int]:
    """Return the system message, the turns, and the condensations after the last turn."""
    system: list[str] = []
    turns: list[_Turn] = []
    heard: list[MessageContent] = []
    context = condensations = 0
    watch = Stopwatch()
    for event in events(history, "history"):
        watch.start(event.time)
        if event.kind == "system":
            system.append(event.content.text)
        elif event.kind == "condensation":
            context += 1
            condensations += 1
            heard.append(event.content)
        elif event.kind == "heard":
            heard.append(event.content)
        elif event.kind == "other":
            skipped[event.name] += 1
        elif _is_same_response(turns, event):
            if not event.is_whole:
                turns[-1].said.append(event.content)
        else:
            seconds = watch.lap(event.time)
            turns.append(
                _Turn(heard, [event.content], event.response_id, context, condensations, seconds)
            )
            heard, condensations = [], 0
    return joined(system), turns, condensations


def _is_same_response(turns: Sequence[_Turn], event: Event) -> bool:
    return bool(turns) and bool(event.response_id) and turns[-1].response_id == event.response_id


def _requests(
    turns: Sequence[_Turn], usages: Sequence[Any], trailing: int
) -> list[tuple[Request, ...] | None]:
    """Return the requests of each turn: its response's own, and a condenser's before it.

    Args:
        turns: the turns.
        usages: `token_usages`, in the order of the requests.
        trailing: condensations after the last turn.

    Raises:
        RolloutError: a usage cannot be read, or belongs to no turn and no condensation.
    """
    paid = [_request(usage, index) for index, usage in enumerate(usages)]
    known = {turn.response_id for turn in turns if turn.response_id}
    if not any(response_id for response_id, _ in paid):
        known = set()
    spent: list[tuple[Request, ...] | None] = []
    place = 0
    for number, turn in enumerate(turns, 1):
        if turn.response_id not in known and turn.condensations and place < len(paid):
            raise RolloutError(
                f"turn {number} has no id of its response and follows a condensation; expected an "
                "id, as its usage cannot be told from the condensation's; remove the rollout, or "
                "remove token_usages and give --tokenizer"
            )
        own = _own_usage([response_id for response_id, _ in paid], place, turn, known)
        if own is None:
            spent.append(None)
            continue
        _refuse_strangers(own - place, turn.condensations, place, f"before turn {number}'s")
        request = replace(paid[own][1], context=str(turn.context or ""))
        spent.append((*_condensers(paid, place, own), request))
        place = own + 1
    if spent and spent[-1] is not None:
        _refuse_strangers(len(paid) - place, trailing, place, "after the last turn's")
        spent[-1] = (*_condensers(paid, place, len(paid)), *spent[-1])
    return spent


def _own_usage(ids: Sequence[str], place: int, turn: _Turn, known: Collection[str]) -> int | None:
    """Return the index of the usage of a turn's response, from a place on; None if it is missing.

    A turn without an id has the next usage whose id is no other turn's.
    """
    if turn.response_id in known:
        wanted = (n for n in range(place, len(ids)) if ids[n] == turn.response_id)
    else:
        wanted = (n for n in range(place, len(ids)) if ids[n] not in known)
    return next(wanted, None)


def _refuse_strangers(usages: int, condensations: int, place: int, where: str) -> None:
    """Refuse usages that are of no turn and no condensation.

    Raises:
        RolloutError: there are more usages than condensations.
    """
    if usages > condensations:
        raise RolloutError(
            f"metrics.token_usages[{place}] is of no response in the history: {usages} usages "
            f"stand {where}; expected {condensations}, one a condensation at most; remove the "
            "rollout, or remove token_usages and give --tokenizer"
        )


def _condensers(paid: Sequence[tuple[str, Request]], start: int, stop: int) -> Iterator[Request]:
    """Yield the requests of condensations, each in a context of its own."""
    for index in range(start, stop):
        yield replace(paid[index][1], context=f"condenser {index}")


def _request(usage: Any, index: int) -> tuple[str, Request]:
    where = f"metrics.token_usages[{index}]"
    stated = log_fields.mapping(usage, where)
    try:
        request = openai_chat(stated)
    except RolloutError as error:
        raise RolloutError(f"{where}: {error}") from error
    model = log_fields.identity(stated.get("model"))
    return log_fields.identity(stated.get("response_id")), replace(request, model=model)


def _outcome(record: Mapping[str, Any], instance_id: str, facts: FamilyFacts) -> bool | None:
    """Return whether the rollout's evaluations call it resolved; None where there are none.

    Raises:
        RolloutError: two evaluations differ, or one contradicts itself.
    """
    folder = facts.path.rpartition("/")[0]
    beside = facts.beside.survey(_Evaluations).of(folder)
    if beside.problem:
        raise RolloutError(beside.problem)
    stated = [*_verdicts(record, ""), *beside.verdicts.get(instance_id, ())]
    for other in stated[1:]:
        if other.resolved != stated[0].resolved:
            both = " and ".join(
                f"{log_fields.brief(each.resolved)} in {each.place}" for each in (stated[0], other)
            )
            raise RolloutError(
                f"is resolved by one evaluation and not by another: {both}; expected the same; "
                "evaluate the run again, or remove the older evaluation"
            )
    return stated[0].resolved if stated else None


class _Verdict(NamedTuple):
    place: str
    """Place of the verdict: the field, or the file in the rollout's folder."""
    resolved: bool


class _Beside(NamedTuple):
    """The outcomes that evaluations in a folder state."""

    verdicts: Mapping[str, Sequence[_Verdict]]
    """Verdicts by instance."""
    problem: str
    """The contradiction within an evaluation; empty if there is none."""


class _Evaluations:
    """The outcomes that evaluations in a family's folders state, by folder and instance.

    Args:
        family: the family's files, by paths relative to its folder.
    """

    def __init__(self, family: Neighbours) -> None:
        self._family = family
        self._folders: dict[str, _Beside] = {}

    def of(self, folder: str) -> _Beside:
        """Return what the evaluations in a folder state."""
        if folder not in self._folders:
            self._folders[folder] = self._read(f"{folder}/" if folder else "")
        return self._folders[folder]

    def _read(self, folder: str) -> _Beside:
        verdicts: dict[str, list[_Verdict]] = {}
        try:
            for name, verdict in self._verdicts(folder):
                verdicts.setdefault(name, []).append(verdict)
        except RolloutError as error:
            return _Beside({}, str(error))
        return _Beside(verdicts, "")

    def _verdicts(self, folder: str) -> Iterator[tuple[str, _Verdict]]:
        for line in self._family.lines(folder + _EVALUATION):
            if isinstance(line.value, dict):
                name = log_fields.identity(line.value.get("instance_id"))
                for verdict in _verdicts(line.value, f"{_EVALUATION}:{line.number}: "):
                    yield name, verdict
        for path in _REPORTS:
            report = self._family.value(folder + path)
            if not is_report(report):
                continue
            if how := contradiction(report):
                raise RolloutError(
                    f"the evaluation report {folder}{path} contradicts itself: it {how}; evaluate "
                    "the run again, or correct the report"
                )
            resolved = frozenset(report["resolved_ids"])
            for name in judged_ids(report):
                yield name, _Verdict(path, name in resolved)


def _verdicts(record: Mapping[str, Any], place: str) -> Iterator[_Verdict]:
    """Yield what a record's `test_result` states; nothing where it was not judged."""
    result = record.get("test_result")
    if not isinstance(result, dict):
        return
    for name, stated in (("test_result.report", result.get("report")), ("test_result", result)):
        if isinstance(stated, dict) and stated.get("resolved") is not None:
            if stated.get("error_eval") is True:
                return
            where = f"{place}{name}.resolved"
            yield _Verdict(where, log_fields.flag(stated["resolved"], where))
