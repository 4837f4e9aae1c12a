"""The model calls of an Inspect sample: where each was made, and what it was billed."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bagen_data.errors import RolloutError
from bagen_data.log_formats._inspect_messages import message_key
from bagen_data.logs.conversation import Key
from bagen_data.usage import Request
from bagen_data.usage_objects import inspect_model_usage

if TYPE_CHECKING:
    from inspect_ai.event import ModelEvent
    from inspect_ai.log import EvalSample
    from inspect_ai.model import ChatMessage, ModelUsage

SCORING = "scorer"
"""Scope of the calls that scorers made."""
_SUBAGENT_SPANS = ("tool", "handoff", "subtask")
_GRADER = "grader"
_COUNTS = (
    "input_tokens",
    "output_tokens",
    "total_tokens",
    "input_tokens_cache_read",
    "input_tokens_cache_write",
    "reasoning_tokens",
)

Sums = Mapping[str, tuple[int, ...]]
"""Token counts by model, in the order of Inspect's `ModelUsage`."""


@dataclass(frozen=True)
class ModelCall:
    """A call to a model."""

    event: "ModelEvent"
    number: int
    """Position among the sample's calls, from 1."""
    scope: str
    """Span of the tool, handoff or subtask that made the call; empty for the solver's own calls,
    `scorer` for a scorer's."""
    keys: tuple[Key, ...]
    """The input's messages."""
    requests: tuple[Request, ...] | None
    """The request that was paid for; empty where a cache answered, None where usage is unknown."""

    @property
    def response(self) -> "ChatMessage | None":
        """The message that the model answered with."""
        choices = self.event.output.choices
        return choices[0].message if choices else None

    @property
    def whole(self) -> tuple[Key, ...]:
        """The input's messages and the response."""
        return self.keys if self.response is None else (*self.keys, message_key(self.response))

    @property
    def ended(self) -> datetime:
        """The time at which the response was there."""
        if self.event.completed is not None:
            return self.event.completed
        return self.event.timestamp + timedelta(seconds=self.event.output.time or 0)


@dataclass
class SampleCalls:
    """The calls of a sample, in the order in which they were made."""

    calls: list[ModelCall] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    """Events that are not calls, and calls that answered nothing, by type."""

    def by_scorers(self) -> list[ModelCall]:
        """Return the calls that scorers made."""
        return [call for call in self.calls if call.scope == SCORING]

    def by_agent(self) -> list[ModelCall]:
        """Return the calls that the agent and its subagents made."""
        return [call for call in self.calls if call.scope != SCORING]


def sample_calls(sample: "EvalSample") -> SampleCalls:
    """Return a sample's calls.

    Raises:
        RolloutError: a usage object cannot be used, or the calls' usage is not the sample's.
    """
    calls = SampleCalls()
    scopes = _Scopes()
    for event, place in _events(sample.events, scopes, ""):
        if event.event != "model":
            calls.skipped[event.event] += 1
        elif event.pending:
            calls.skipped["call without an end"] += 1
        elif event.error is not None and not _is_billed(event):
            calls.skipped["failed call"] += 1
        else:
            number = len(calls.calls) + 1
            keys = tuple(map(message_key, event.input))
            scope = SCORING if event.role == _GRADER else place
            calls.calls.append(ModelCall(event, number, scope, keys, _requests(event, number)))
    calls.skipped.update({"scorer's call": len(calls.by_scorers())})
    calls.skipped = +calls.skipped
    _check_sums(sample.model_usage, calls.calls)
    return calls


class _Scopes:
    """The spans and steps around an event."""

    def __init__(self) -> None:
        self._spans: dict[str, str] = {}
        """Scope by span."""
        self._scoring_steps = 0

    def see(self, event: Any) -> None:
        """Note the beginning or end of a span, or of a step in logs before there were spans."""
        if event.event == "span_begin":
            scope = self._spans.get(event.parent_id or "", "")
            if event.type == SCORING or event.name == "scorers":
                scope = SCORING
            elif scope != SCORING and event.type in _SUBAGENT_SPANS:
                scope = event.id
            self._spans[event.id] = scope
        elif event.event == "step" and event.type == SCORING:
            self._scoring_steps += 1 if event.action == "begin" else -1

    def scope_of(self, event: Any) -> str:
        """Return the scope that an event stands in."""
        if self._scoring_steps > 0:
            return SCORING
        return self._spans.get(event.span_id or "", "")


def _events(events: Sequence[Any], scopes: _Scopes, around: str) -> Iterator[tuple[Any, str]]:
    """Yield events with their scopes; older logs hold a tool's or subtask's events inside it."""
    for each in events:
        event = _decoded_event(each) if isinstance(each, Mapping) else each
        scopes.see(event)
        scope = around or scopes.scope_of(event)
        if event.event not in ("span_begin", "span_end", "step"):
            yield event, scope
        if event.event in ("tool", "subtask") and event.events:
            inner = scope if scope == SCORING else getattr(event, "id", None) or event.name
            yield from _events(event.events, scopes, inner)


def _decoded_event(value: Mapping[str, Any]) -> Any:
    """Return an event that Inspect's reader leaves as JSON.

    Raises:
        RolloutError: it is not an event.
    """
    from inspect_ai.event import Event
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter[Any](Event).validate_python(value)
    except ValidationError as error:
        kind = value.get("event")
        raise RolloutError(f"an event of type {kind} inside a tool's cannot be read") from error


def _is_billed(event: "ModelEvent") -> bool:
    usage = event.output.usage
    return usage is not None and bool(usage.input_tokens or usage.output_tokens)


def _requests(event: "ModelEvent", number: int) -> tuple[Request, ...] | None:
    if event.cache == "read":
        return ()
    if event.output.usage is None:
        return None
    try:
        return (usage_request(event.output.usage, event.model),)
    except RolloutError as error:
        raise RolloutError(f"model call {number} ({event.model}): {error}") from error


def usage_request(usage: "ModelUsage", model: str) -> Request:
    """Return a usage object in normal form.

    Inspect writes 0 for a total that a provider did not state.

    Raises:
        RolloutError: a count cannot be used, or a stated total disagrees.
    """
    counts = {name: n for name, n in usage.model_dump(exclude_none=True).items() if n or n == 0}
    if not counts.get("total_tokens"):
        counts.pop("total_tokens", None)
    return replace(inspect_model_usage(counts), model=model)


def _check_sums(stated: Mapping[str, "ModelUsage"], calls: Sequence[ModelCall]) -> None:
    """Compare the calls with the usage that the sample states by model.

    Scores may have been given, and graders paid, after the sample's usage was written. So the sum
    after the agent's last call counts, or the sum after any later one.

    Raises:
        RolloutError: no such sum is the sample's usage.
    """
    if not calls or not stated or any(call.requests is None for call in calls):
        return
    expected = _without_zeros({model: _counts(usage) for model, usage in stated.items()})
    agents = [place for place, call in enumerate(calls) if call.scope != SCORING]
    last = agents[-1] if agents else -1
    sums: dict[str, tuple[int, ...]] = {}
    ends = [] if agents else [_without_zeros(sums)]
    for place, call in enumerate(calls):
        usage = call.event.output.usage
        if call.event.cache != "read" and usage is not None:
            before = sums.get(call.event.model, (0,) * len(_COUNTS))
            sums[call.event.model] = tuple(map(sum, zip(before, _counts(usage), strict=True)))
        if place >= last:
            ends.append(_without_zeros(sums))
    if expected not in ends:
        raise RolloutError(
            f"the sample's model_usage is {_shown(expected)}; expected {_shown(ends[-1])}, the sum "
            f"of its {len(calls)} model events; a call without an event, such as a provider's own "
            "compaction, cannot be counted; remove the rollout"
        )


def _without_zeros(sums: Sums) -> Sums:
    return {model: counts for model, counts in sums.items() if any(counts)}


def _counts(usage: "ModelUsage") -> tuple[int, ...]:
    return tuple(getattr(usage, name) or 0 for name in _COUNTS)


def _shown(sums: Sums) -> str:
    """Return sums as a message shows them: input, output and total by model."""
    parts = [
        f"{model}: {counts[0]} input, {counts[1]} output, {counts[2]} in all"
        for model, counts in sums.items()
    ]
    return "; ".join(parts) or "nothing"
