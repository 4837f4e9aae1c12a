"""A sample of an Inspect log as a rollout: turns of the main conversation, and its outcome.

A `ModelEvent` is one request. The main conversation is the one that ends in the sample's messages:
its calls are turns. Any other call of the solver or of a tool (a subagent, a summary) is paid for
in the next turn, in a context of its own. Scorers' calls are no part of the rollout. A sample
without model events has its turns from its messages, and their usage is unknown.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bagen_data.log_formats._inspect_calls import ModelCall, sample_calls, usage_request
from bagen_data.log_formats._inspect_messages import message_key, plain_message, read_content
from bagen_data.logs.conversation import Key, continues, joined, split_turns
from bagen_data.logs.message_content import MessageContent
from bagen_data.logs.rollout_log import Log, LoggedTurn
from bagen_data.usage import BRANCH, Request

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.model import ChatMessage
    from inspect_ai.scorer import Score

_LETTERS: Mapping[str, float] = {"C": 1, "P": 0.5, "I": 0, "N": 0}
"""Numbers of Inspect's letters: correct, partial, incorrect, no answer."""
_SYSTEM = ("system", "developer")


@dataclass(frozen=True)
class HeaderFacts:
    """Facts that a log's header states of all its samples."""

    model: str
    source: str


def header_facts(log: "EvalLog") -> HeaderFacts:
    """Return the facts of a header."""
    version = log.eval.packages.get("inspect_ai", "")
    return HeaderFacts(str(log.eval.model), f"Inspect {version}".strip())


def sample_log(sample: "EvalSample", header: HeaderFacts) -> Log:
    """Return the rollout of one sample and epoch.

    Raises:
        RolloutError: a call's usage cannot be used, or a message's content is not known.
    """
    calls = sample_calls(sample)
    conversation = _Conversation.of(sample, calls.by_agent())
    turns, system = conversation.turns() if conversation.main else _message_turns(sample)
    scores = dict(_scores(sample.scores or {}))
    skipped = dict(calls.skipped)
    success = _success(sample.scores or {})
    facts: dict[str, Any] = {}
    if sample.error is not None:  # the run broke: what it scored says nothing of the agent
        skipped |= {"score beside an error": len(scores)} if scores else {}
        success, scores = None, {}
        facts["error"] = sample.error.message
    if sample.error_retries:
        skipped["earlier attempt that broke"] = len(sample.error_retries)
    if sample.limit is not None:
        facts["limit"] = f"{sample.limit.type} limit of {sample.limit.limit:g}"
    return Log(
        turns=turns,
        success=success,
        system=system,
        instance_id=str(sample.id),
        source_id=sample.uuid or "",
        model=conversation.main[-1].event.model if conversation.main else header.model,
        source=header.source,
        scores={**facts, **scores},
        skipped=skipped,
        response_ids=frozenset(conversation.response_ids()),
    )


@dataclass
class _Conversation:
    """The agent's calls, and which of them are turns."""

    calls: Sequence[ModelCall]
    main: list[ModelCall]
    """The calls that are turns."""
    contexts: dict[int, str] = field(default_factory=dict)
    """Context by call number."""
    dropped: set[int] = field(default_factory=set)
    """Numbers of calls whose responses the next input leaves out."""

    @classmethod
    def of(cls, sample: "EvalSample", calls: Sequence[ModelCall]) -> "_Conversation":
        own = [call for call in calls if not call.scope]
        numbers = _main_numbers(sample, own)
        main = [call for call in own if call.number in numbers]
        conversation = cls(calls, main)
        conversation._name_main_contexts()
        conversation._name_other_contexts()
        return conversation

    def response_ids(self) -> Iterator[str]:
        """Yield the ids of the responses that were paid for."""
        for call in self.calls:
            if call.requests and call.response is not None and call.response.id:
                yield call.response.id

    def turns(self) -> tuple[tuple[LoggedTurn, ...], str]:
        """Return the turns, and the system message.

        Raises:
            RolloutError: a message's content is not known.
        """
        heard = _Heard()
        turns = []
        ended = self.calls[0].event.timestamp
        for number, call in enumerate(self.main, 1):
            said = heard.new_messages(call)
            response = call.response
            content = read_content(response, f"turn {number}") if response else MessageContent("")
            paid, uncounted = self._paid_in(number - 1)
            contents = [read_content(message, f"turn {number}") for message in said]
            unseen = next(filter(None, (each.uncounted for each in (*contents, content))), "")
            is_empty = not (content.text.strip() or content.reasoning.strip())
            turns.append(
                LoggedTurn(
                    number,
                    joined(each.text for each in contents),
                    content.text,
                    paid,
                    reasoning=content.reasoning,
                    uncounted=uncounted or unseen,
                    unparsed=is_empty and bool(paid),
                    tool_calls=content.tool_calls,
                    seconds=max(0.0, (call.ended - ended).total_seconds()),
                )
            )
            ended = call.ended
        return tuple(turns), heard.system

    def _paid_in(self, position: int) -> tuple[tuple[Request, ...] | None, str]:
        """Return the requests of a turn, its own last; and what a tokenizer cannot count of them.

        Requests after the last response belong to the last turn.
        """
        own = self.main[position].number
        start = self.main[position - 1].number if position else 0
        is_last = position == len(self.main) - 1
        others = [
            call
            for call in self.calls
            if start < call.number < own or (is_last and call.number > own)
        ]
        uncounted = "a subagent's work" if others else ""
        requests: list[Request] = []
        for call in (*others, self.main[position]):
            if call.requests is None:
                return None, uncounted
            requests += [self._in_context(request, call.number) for request in call.requests]
        return tuple(requests), uncounted

    def _in_context(self, request: Request, number: int) -> Request:
        visible = 0 if number in self.dropped else request.visible_tokens
        return replace(request, context=self.contexts[number], visible_tokens=visible)

    def _name_main_contexts(self) -> None:
        """Name a context for each stretch of turns that continue each other: "", "1", "2", ...

        A later turn may go back to an earlier conversation.
        """
        last: dict[str, ModelCall] = {}
        for call in self.main:
            open_contexts = {
                name: before
                for name, before in last.items()
                if continues(call.keys, before.whole) or not self._is_summarised(before, call)
            }
            context = _continued(call, open_contexts, self.dropped)
            self.contexts[call.number] = _counted(len(last)) if context is None else context
            last[self.contexts[call.number]] = call

    def _is_summarised(self, before: ModelCall, after: ModelCall) -> bool:
        """Return whether a call between two turns goes on from the first, as for a summary."""
        return any(before.number < call.number < after.number for call in self._beside(before))

    def _name_other_contexts(self) -> None:
        """Name the contexts of calls that are not turns.

        One that the main conversation leaves behind, such as the request for a summary, is a
        request of the old context: nothing comes after it there. One that is made again is a
        request of its context, too.
        """
        last: dict[tuple[str, str], ModelCall] = {}
        for call in self.calls:
            if call.number in self.contexts:
                continue
            context = None if call.scope else self._left_behind(call)
            if context is not None:
                self.contexts[call.number] = context
                continue
            here = {name: before for (scope, name), before in last.items() if scope == call.scope}
            name = (
                _continued(call, here, self.dropped)
                or self._branch(call, len(last) + 1)
                or f"agent {len(last) + 1}"
            )
            self.contexts[call.number] = name
            last[call.scope, name] = call

    def _left_behind(self, call: ModelCall) -> str | None:
        """Return the main context that a call belongs to; None if to none."""
        before = next((each for each in reversed(self.main) if each.number < call.number), None)
        after = next((each for each in self.main if each.number > call.number), None)
        old = None if before is None else self.contexts[before.number]
        new = None if after is None else self.contexts[after.number]
        opens = before is None or new != old or continues(call.keys, before.keys)
        if after is not None and opens and continues(after.keys, call.keys):
            self.dropped.add(call.number)
            return new
        if before is None or new == old or not continues(call.keys, before.whole):
            return None
        end = after.number if after is not None else self.calls[-1].number + 1
        later = [each for each in self._beside(before) if call.number < each.number < end]
        return old if all(continues(each.keys, call.whole) for each in later) else None

    def _beside(self, turn: ModelCall) -> list[ModelCall]:
        """Return the solver's calls that are not turns and go on from a turn."""
        turns = {call.number for call in self.main}
        return [
            call
            for call in self.calls
            if not call.scope and call.number not in turns and continues(call.keys, turn.whole)
        ]

    def _branch(self, call: ModelCall, number: int) -> str:
        """Return the context of a call that asks something aside; empty if it asks nothing so.

        Such a call replays the conversation up to here, and the conversation goes on without it.
        """
        before = next((each for each in reversed(self.main) if each.number < call.number), None)
        if call.scope or before is None or not continues(call.keys, before.whole):
            return ""
        return f"{self.contexts[before.number]}{BRANCH}aside {number}"


def _counted(contexts: int) -> str:
    return str(contexts) if contexts else ""


def _continued(call: ModelCall, last: Mapping[str, ModelCall], dropped: set[int]) -> str | None:
    """Return the context whose last call a call continues; None if there is none.

    A call may have the same input as the last one again, without its response. Then nothing
    replays that response, and it is noted as dropped.
    """
    whole = [name for name, before in last.items() if continues(call.keys, before.whole)]
    if whole:
        return max(whole, key=lambda name: len(last[name].keys))
    again = [name for name, before in last.items() if continues(call.keys, before.keys)]
    if not again:
        return None
    name = max(again, key=lambda name: len(last[name].keys))
    dropped.add(last[name].number)
    return name


def _main_numbers(sample: "EvalSample", own: Sequence[ModelCall]) -> set[int]:
    """Return the numbers of the calls that are turns.

    A call is a turn if its response is in the sample's messages, or in the input of a later turn.
    A call that comes last and continues the conversation is a turn, too: a limit may end it there.
    """
    known = _KnownResponses({call.response.id for call in own if call.response is not None})
    known.add(sample.messages)
    known.add([choice.message for choice in sample.output.choices[:1]])
    if own and not any(map(known.has, own)):
        known.add([message for message in (own[-1].response,) if message is not None])
    numbers: set[int] = set()
    for call in reversed(own):
        if known.has(call):
            numbers.add(call.number)
            known.add(call.event.input)
    for before, call in pairwise(own):
        is_last = not any(number > before.number for number in numbers)
        if before.number in numbers and is_last and continues(call.keys, before.keys):
            numbers.add(call.number)
    return numbers


class _KnownResponses:
    """Responses that the main conversation holds.

    Args:
        ids: ids of all responses; a message with another id is known by its content.
    """

    def __init__(self, ids: Collection[str | None]) -> None:
        self._all_ids = {name for name in ids if name}
        self._ids: set[str] = set()
        self._keys: set[Key] = set()

    def add(self, messages: "Sequence[ChatMessage]") -> None:
        for message in messages:
            if message.role == "assistant" and message.id in self._all_ids:
                self._ids.add(message.id or "")
            elif message.role == "assistant":
                self._keys.add(message_key(message))

    def has(self, call: ModelCall) -> bool:
        response = call.response
        if response is None:
            return False
        key = message_key(response)
        return response.id in self._ids or (bool(key[1] or key[2]) and key in self._keys)


class _Heard:
    """Messages that the main conversation has heard and said so far."""

    def __init__(self) -> None:
        self.system = ""
        self._ids: set[str] = set()
        self._keys: set[Key] = set()
        self._responses: set[Key] = set()

    def new_messages(self, call: ModelCall) -> "list[ChatMessage]":
        """Return the messages of a call's input that are new, and remember them.

        Everything after the latest response is new. A message before it is new if nothing like it
        was heard: the summary that opens a context, for example.
        """
        messages, keys = call.event.input, call.keys
        said = [place for place, key in enumerate(keys) if key in self._responses]
        after = said[-1] if said else -1
        opening = next(
            (place for place, each in enumerate(messages) if each.role not in _SYSTEM),
            len(messages),
        )
        if not self._keys:
            spoken = [read_content(message, "the system message") for message in messages[:opening]]
            self.system = joined(content.text for content in spoken)
        new = [
            message
            for place, message in enumerate(messages)
            if place >= opening
            and message.id not in self._ids
            and (place > after or keys[place] not in self._keys)
        ]
        self._keys.update(keys)
        self._ids.update(message.id for message in messages if message.id)
        if call.response is not None:
            self._responses.add(message_key(call.response))
            self._keys.add(message_key(call.response))
            self._ids.update(filter(None, [call.response.id]))
        return new


def _message_turns(sample: "EvalSample") -> tuple[tuple[LoggedTurn, ...], str]:
    """Return the turns of a sample without model events, and the system message.

    One response alone has the usage of the sample's output, unless the sample states more.

    Raises:
        RolloutError: a message's content is not known.
    """
    system, exchanges = split_turns([plain_message(message) for message in sample.messages])
    requests: tuple[Request, ...] | None = None
    usage, stated = sample.output.usage, list(sample.model_usage.values())
    if len(exchanges) == 1 and usage is not None and stated in ([], [usage]):
        requests = (usage_request(usage, sample.output.model),)
    turns = tuple(
        LoggedTurn(
            number,
            exchange.user,
            exchange.response.text,
            requests,
            reasoning=exchange.response.reasoning,
            uncounted=exchange.uncounted,
            tool_calls=exchange.response.tool_calls,
        )
        for number, exchange in enumerate(exchanges, 1)
    )
    return turns, system


def _scores(scores: "Mapping[str, Score]") -> Iterator[tuple[str, Any]]:
    """Yield the scores by the scorers' names; a score of several values has one name a value."""
    for name, score in scores.items():
        if isinstance(score.value, Mapping):
            yield from ((f"{name}.{part}", _number(value)) for part, value in score.value.items())
        elif not isinstance(score.value, Sequence) or isinstance(score.value, str):
            yield name, _number(score.value)


def _number(value: Any) -> Any:
    return _LETTERS.get(value, value) if isinstance(value, str) else value


def _success(scores: "Mapping[str, Score]") -> bool | None:
    """Return the outcome: the one scorer's correct or incorrect, 1 or 0, true or false."""
    if len(scores) != 1:
        return None
    (score,) = scores.values()
    value = score.value
    if isinstance(value, str):
        return {"C": True, "I": False, "true": True, "false": False}.get(
            value if len(value) == 1 else value.strip().lower()
        )
    if isinstance(value, bool | int | float) and value in (0, 1):
        return bool(value)
    return None
