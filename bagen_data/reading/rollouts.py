"""The way from a log to a rollout: identity, limits on size, and the task's own accounts."""

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from bagen_data.errors import RolloutError
from bagen_data.logs.rollout_log import Log, LoggedTurn
from bagen_data.logs.turn_readers import Counting, kept_turns, without_reward
from bagen_data.reading.origin import Family
from bagen_data.reading.outcomes import Judge, own_outcome
from bagen_data.schema import Rollout
from bagen_data.tasks import Task
from bagen_data.usage import Convention

MAX_TURNS = 1_000
"""Most turns of a rollout: prompts grow with the square of its turns."""
MAX_ROW_BYTES = 2_000_000
"""Most bytes of a row that the Hub's viewer still shows."""


@dataclass(frozen=True)
class RolloutLimits:
    """The largest rollout that is read."""

    turns: float = MAX_TURNS
    row_bytes: float = MAX_ROW_BYTES
    """Most bytes that the longest prompt of the rollout would have."""


DEFAULT_LIMITS = RolloutLimits()
UNLIMITED = RolloutLimits(math.inf, math.inf)
"""Limits that refuse nothing, for rollouts of which no prompt is made."""

_TEMPLATE_BYTES = 10_000
_HISTORY_LINE_BYTES = 128
_ID_LENGTH = 16
_ENCODER = json.JSONEncoder(sort_keys=True)


class UsableRollout(NamedTuple):
    """A rollout that can be used, and what was noted on the way."""

    rollout: Rollout
    content_sha256: str
    """A hash that is the same for the same rollout, wherever the rollout stands."""
    usage_source: str
    fits: frozenset[Convention]
    """Conventions that the rollout's bare counts fit; all where none was to be decided."""
    clipped_turns: int
    """Turns with an input shorter than the history that it replays."""


@dataclass(frozen=True)
class RolloutRules:
    """Rules by which the logs of a family become rollouts."""

    family: Family
    task: Task
    """The task, with the resources that the rollouts' turns spend."""
    counting: Counting
    """The way in which tokens are counted."""
    limits: RolloutLimits = DEFAULT_LIMITS


def to_rollout(log: Log, rules: RolloutRules, judge: Judge = own_outcome) -> UsableRollout | None:
    """Return the rollout of a log; None if no turn is left after the drops.

    Args:
        log: what its log tells.
        rules: how it becomes a rollout.
        judge: gives the outcome.

    Raises:
        RolloutError: the rollout is too large, holds text that UTF-8 cannot, has no usage, or is
            not judged.
    """
    family, task, limits = rules.family, rules.task, rules.limits
    if len(log.turns) > limits.turns:
        raise RolloutError(f"has {len(log.turns)} turns; expected at most {limits.turns}")
    content_sha256 = _content_sha256(log, limits)
    kept = kept_turns(log, task.context_limit)
    if not kept:
        return None
    rollout_id = content_sha256[:_ID_LENGTH]
    if task.named_by_instance and log.instance_id:
        rollout_id = log.instance_id
    judgement = judge(log, rollout_id, content_sha256)
    accounts = task.turns.read(log, kept, rules.counting)
    if (
        family.role == "training"
        and accounts.initial_state.keys() != accounts.turns[0].state.keys()
    ):
        missing = ", ".join(accounts.turns[0].state)
        raise RolloutError(f"the state before turn 1 has no {missing}; training probes start there")
    rollout = Rollout(
        task=family.task,
        rollout_model=family.rollout_model,
        rollout_id=rollout_id,
        instance_id=judgement.instance_id or log.instance_id or opening_id(log.turns[0].user),
        system=log.system,
        turns=accounts.turns,
        success=judgement.success,
        initial_state=accounts.initial_state,
        dropped_turns=len(log.turns) - len(kept),
    )
    return UsableRollout(
        rollout, content_sha256, accounts.source, accounts.fits, accounts.clipped_turns
    )


def _content_sha256(log: Log, limits: RolloutLimits) -> str:
    """Return a hash of everything the log tells, but not of its place or number.

    Texts among a turn's amounts are left out: they are ids and notes of the client that wrote them.
    """
    accounts = [
        (
            _logged_counts(turn),
            (turn.amounts and {name: n for name, n in turn.amounts.items() if type(n) is not str})
            or None,
        )
        for turn in log.turns
    ]
    facts = [log.success, accounts, log.initial_state, log.final_state]
    texts = [log.instance_id, _ENCODER.encode(facts), log.system]
    for turn in log.turns:
        texts += (turn.user, turn.assistant)
    try:
        blocks = [text.encode() for text in texts]
        thoughts = [turn.reasoning.encode() for turn in _counted_reasoning(log)]
    except UnicodeEncodeError as error:
        raise RolloutError(
            f"a message holds U+{ord(error.object[error.start]):04X}, a lone surrogate, after "
            f"{error.object[max(0, error.start - 30) : error.start]!r}; "
            "expected text that UTF-8 can hold"
        ) from error
    lengths = [len(block) for block in blocks]
    size = sum(lengths) + _TEMPLATE_BYTES + _HISTORY_LINE_BYTES * len(log.turns)
    if size > limits.row_bytes:
        raise RolloutError(
            f"its longest prompt would be about {size / 1e6:.1f} MB; expected at most "
            f"{limits.row_bytes / 1e6:.0f} MB"
        )
    blocks += thoughts
    return hashlib.sha256(b"".join((*blocks, str(lengths).encode()))).hexdigest()


def _counted_reasoning(log: Log) -> Iterator[LoggedTurn]:
    """Yield the turns whose reasoning a tokenizer would count, as their usage is not logged."""
    return (turn for turn in log.turns if turn.requests is None and turn.reasoning)


def _logged_counts(turn: LoggedTurn) -> Any:
    """Return a turn's logged counts: a pair, or a list of pairs where it has several requests."""
    if turn.requests is None:
        return None
    if len(turn.requests) == 1:
        (request,) = turn.requests
        return request.input_tokens, request.output_tokens
    return [(request.input_tokens, request.output_tokens) for request in turn.requests]


def opening_id(opening: str) -> str:
    """Return the name of an instance that has none: a hash of its first user message."""
    return hashlib.sha256(without_reward(opening).encode()).hexdigest()[:_ID_LENGTH]
