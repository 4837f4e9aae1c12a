"""A rollout: an agent plays an environment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from collect.agents import Agent, Counter, Message, Reply
from collect.environment import Environment, Observation, Rules


@dataclass(frozen=True)
class PlayedTurn:
    """A request and its result."""

    messages: tuple[Message, ...]
    """Messages new in this request: the user's, and before the first one the system message."""
    reply: Reply
    observation: Observation
    is_cut: bool
    """Whether older turns were left out of the request."""


@dataclass(frozen=True)
class Ending:
    """The end of a rollout with a budget."""

    used: Mapping[str, float]
    """Amount spent of each resource that the budget limits."""
    stopped_by: str = ""
    """`budget` or `forecaster`; empty where the rollout came to its own end."""
    because: str = ""
    """The reason why it was stopped; empty where it was not."""


@dataclass(frozen=True)
class Played:
    """A whole rollout."""

    instance_id: str
    turns: tuple[PlayedTurn, ...]
    outcome: Mapping[str, Any]
    """Fields that the environment gives for the rollout's log at its end."""
    ending: Ending | None = None
    """The end of the rollout; None where it had no budget."""

    @property
    def success(self) -> bool:
        """Return whether the task was solved."""
        return bool(self.turns) and self.turns[-1].observation.success


class Guard(Protocol):
    """A watcher of what one rollout spends."""

    def shown(self, text: str) -> str:
        """Return the user message that shows the agent an observation."""

    def refuses(self, played: Played) -> bool:
        """Return whether the last response must not be executed; its turn has no observation."""

    def stops(self, played: Played, *, is_over: bool) -> bool:
        """Return whether a rollout is stopped after its last turn, which was executed.

        Args:
            played: the rollout so far.
            is_over: whether the last turn ends it anyway.
        """

    def ending(self) -> Ending:
        """Return how the rollout ended, once it is over."""


def play(
    environment: Environment,
    agent: Agent,
    rules: Rules,
    count: Counter,
    guard: Guard | None = None,
) -> Played:
    """Let an agent play until the environment is done, the turns are over, or it is stopped.

    Args:
        environment: a fresh one.
        agent: it answers every request.
        rules: the rules of the task.
        count: tokens of a text, to keep requests within `rules.history_tokens`.
        guard: watches what the rollout spends; nobody does if None.
    """

    def so_far(*last: PlayedTurn) -> Played:
        return Played(environment.instance_id, (*turns, *last), environment.outcome())

    def message(text: str) -> Message:
        return {"role": "user", "content": guard.shown(text) if guard else text}

    system: Message = {"role": "system", "content": environment.system}
    user = message(environment.start())
    history: list[Message] = []
    turns: list[PlayedTurn] = []
    is_over = False
    while not is_over:
        request = within([system, *history, user], rules.history_tokens, count)
        reply = agent.reply(request)
        new = (user,) if turns else (system, user)
        turn = PlayedTurn(new, reply, Observation(""), is_cut=len(request) < len(history) + 2)
        if guard and guard.refuses(so_far(turn)):
            turns.append(turn)
            break
        seen = environment.step(reply.text)
        turns.append(replace(turn, observation=seen))
        is_over = seen.done or len(turns) == rules.turns
        if guard and guard.stops(so_far(), is_over=is_over):
            turns[-1] = replace(turn, observation=replace(seen, success=False))
            break
        history += [user, {"role": "assistant", "content": reply.text}]
        user = message(seen.text)
    return replace(so_far(), ending=guard.ending() if guard else None)


def within(messages: Sequence[Message], most: int | None, count: Counter) -> list[Message]:
    """Return the messages without the oldest whole turns, so that at most this many tokens remain.

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
