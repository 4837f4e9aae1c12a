"""Amounts of the turns of a record in the dialogues layout, as a build of it counts them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bagen_data.log_formats import dialogues
from bagen_data.logs.rollout_log import FamilyFacts, Log, LoggedTurn
from bagen_data.logs.turn_readers import Counting, TurnReader, without_reward
from bagen_data.schema import Turn
from collect.agents import Counter

_WHOLE_REQUESTS = Counting("request")
"""Counts of agents that are collected are those of whole requests."""


def counted_turns(record: Mapping[str, Any], reader: TurnReader, count: Counter) -> list[Turn]:
    """Return the turns of a rollout with what each one spent.

    A build leaves out the turns whose history was cut, as their fresh input is not in the counts.
    They are paid for, so it is counted here: the user message is all that is new. Empty responses
    are paid for too, and a build skips their turns; here they are turns like any other.

    Args:
        record: the rollout; it may be one that still goes on.
        reader: reads what a turn spends.
        count: tokens of a text, for the user messages after a cut.
    """
    log = dialogues.read(record, FamilyFacts())
    whole = replace(log, turns=_uncut(log, count))
    turns = [turn._replace(user=without_reward(turn.user)) for turn in whole.turns]
    return list(reader.read(whole, turns, _WHOLE_REQUESTS).turns) if turns else []


def _uncut(log: Log, count: Counter) -> tuple[LoggedTurn, ...]:
    """Return a log's turns as if each request replayed the whole history before it."""
    turns: list[LoggedTurn] = []
    for turn in log.turns:
        if turn.cut_off and turns and turn.requests and turns[-1].requests:
            before = turns[-1].requests[-1]
            read = before.input_tokens + before.visible_tokens + count(turn.user)
            whole = replace(turn.requests[-1], input_tokens=read, cached_tokens=0)
            turns.append(turn._replace(cut_off=False, requests=(whole,)))
        else:
            turns.append(turn._replace(cut_off=False))
    return tuple(turns)
