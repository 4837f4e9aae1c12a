"""Agents, and scripted ones: they need no model, and their usage is simulated."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Message = Mapping[str, Any]
"""Message of a chat: `role` and `content`, as chat models take them."""
Counter = Callable[[str], int]
"""Function from a text to its number of tokens."""
Script = Callable[[str], str]
"""Function from the last user message to the response."""


@dataclass(frozen=True)
class Reply:
    """The answer of an agent, and what it cost."""

    text: str
    """Text of the answer, which later requests replay."""
    input_tokens: int
    """Tokens of the whole request: the history is counted again in each."""
    output_tokens: int
    """Tokens of all that was generated, reasoning included."""
    raw: str = ""
    """Text with the reasoning that is not replayed, where the model shows it; else empty."""
    usage: Mapping[str, Any] = field(default_factory=dict)
    """Usage as the API reported it; empty where it is simulated."""


class Agent(Protocol):
    """An agent, which answers requests."""

    def reply(self, messages: Sequence[Message]) -> Reply:
        """Answer the last of the messages."""


class ScriptedAgent:
    """An agent that follows a script, with the usage that a model without a cache would report."""

    def __init__(self, script: Script, count: Counter) -> None:
        """Take the script, and the function that counts tokens."""
        self._script = script
        self._count = count

    def reply(self, messages: Sequence[Message]) -> Reply:
        """Return the script's response to the last message, with its simulated usage."""
        text = self._script(messages[-1]["content"])
        read = sum(self._count(message["content"]) for message in messages)
        return Reply(text, read, self._count(text))
