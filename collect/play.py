"""One rollout: an agent in an environment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from collect.agents import Agent, Counter, Message, Reply
from collect.environment import Environment, Observation, Rules


@dataclass(frozen=True)
class PlayedTurn:
    """One request and what came of it."""

    messages: tuple[Message, ...]
    """New in this request: the user message, and before the first one the system message."""
    reply: Reply
    observation: Observation
    is_cut: bool
    """Older turns were left out of the request."""


@dataclass(frozen=True)
class Played:
    """A rollout, whole."""

    instance_id: str
    turns: tuple[PlayedTurn, ...]
    outcome: Mapping[str, Any]
    """What the environment says of it at its end."""

    @property
    def success(self) -> bool:
        """Whether the task was solved."""
        return bool(self.turns) and self.turns[-1].observation.success


def play(environment: Environment, agent: Agent, rules: Rules, count: Counter) -> Played:
    """Let an agent play until the environment is done, or the turns are over.

    Args:
        environment: a fresh one.
        agent: it answers every request.
        rules: of the task.
        count: tokens of a text, to keep requests within `rules.history_tokens`.
    """
    system: Message = {"role": "system", "content": environment.system}
    user: Message = {"role": "user", "content": environment.start()}
    history: list[Message] = []
    turns: list[PlayedTurn] = []
    while len(turns) < rules.turns:
        request = within([system, *history, user], rules.history_tokens, count)
        reply = agent.reply(request)
        seen = environment.step(reply.text)
        new = (user,) if turns else (system, user)
        turns.append(PlayedTurn(new, reply, seen, is_cut=len(request) < len(history) + 2))
        if seen.done:
            break
        history += [user, {"role": "assistant", "content": reply.text}]
        user = {"role": "user", "content": seen.text}
    return Played(environment.instance_id, tuple(turns), environment.outcome())


def within(messages: Sequence[Message], most: int | None, count: Counter) -> list[Message]:
    """The messages without the oldest whole turns, so that at most this many tokens are left.

    The first message, the system's, and the last always stay.

    >>> chat = [{"role": "...", "content": text} for text in ("rules", "a a", "b b b", "c c")]
    >>> [message["content"] for message in within(chat, 5, lambda text: len(text.split()))]
    ['rules', 'c c']
    """
    kept = list(messages)
    if most is None:
        return kept
    sizes = [count(message["content"]) for message in messages]
    total, dropped = sum(sizes), 0
    while total > most and dropped + 2 < len(messages) - 1:
        total -= sum(sizes[1 + dropped : 3 + dropped])
        dropped += 2
    return kept[:1] + kept[1 + dropped :]
