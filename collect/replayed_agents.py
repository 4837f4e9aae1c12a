"""Agents that give recorded replies first, and then go on by themselves."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

from bagen_data.errors import InputError
from collect.agents import Agent, Message, Reply


class ReplayedAgent:
    """An agent that gives recorded replies, one a request, then those of another agent."""

    def __init__(self, replies: Sequence[Reply], agent: Agent | None = None) -> None:
        """Take the recorded replies, and the agent that goes on, if there is one."""
        self._replies = replies
        self._agent = agent
        self._given = 0

    def reply(self, messages: Sequence[Message]) -> Reply:
        """Return the next recorded reply, or the agent's own after the last of them.

        Raises:
            RuntimeError: the recorded replies are over, and no agent goes on.
        """
        if self._given < len(self._replies):
            self._given += 1
            return self._replies[self._given - 1]
        if self._agent is None:
            raise RuntimeError("all recorded replies were given, and no agent goes on from there")
        return self._agent.reply(messages)


class RestoredAgent:
    """A scripted agent that is brought to its recorded state by what it read, then draws anew.

    It answers each recorded request, too, so that its memory is what it was. Its answers must be
    the recorded ones.
    """

    def __init__(
        self, place: str, replies: Sequence[Reply], agent: Agent, rng: random.Random, seed: str
    ) -> None:
        """Take the recorded replies.

        Args:
            place: the recorded rollout, for messages.
            replies: the recorded ones.
            agent: the agent, as it was made for the recorded rollout.
            rng: the generator of all that the agent draws.
            seed: seed of the draws after the last recorded reply.
        """
        self._place = place
        self._replies = replies
        self._agent = agent
        self._rng = rng
        self._seed = seed
        self._given = 0

    def reply(self, messages: Sequence[Message]) -> Reply:
        """Return the next recorded reply, or the agent's own after the last of them.

        Raises:
            InputError: the agent answers a recorded request in another way.
        """
        if self._given == len(self._replies):
            return self._agent.reply(messages)
        own, recorded = self._agent.reply(messages), self._replies[self._given]
        self._given += 1
        if own.text != recorded.text:
            raise InputError(
                f"{self._place}: turn {self._given}: the scripted agent answers "
                f"{own.text[:80]!r} where {recorded.text[:80]!r} is recorded; expected the agent "
                "that was recorded, of the same version"
            )
        if self._given == len(self._replies):
            self._rng.seed(self._seed)
        return recorded


def recorded_reply(turn: Mapping[str, Any]) -> Reply:
    """Return the reply of a turn of the dialogues layout, with its recorded usage."""
    text, raw = turn["parsed_response"], turn["raw_response"]
    calls = turn.get("api_interactions") or [{"usage": {"raw": {}}}]
    return Reply(
        text,
        turn["api_input_tokens"],
        turn["api_output_tokens"],
        raw="" if raw == text else raw,
        usage=calls[0]["usage"]["raw"],
    )
