"""What an agent is, and scripted ones: they need no model, and their usage is simulated."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Message = Mapping[str, Any]
"""`role` and `content`, as chat models take them."""
Counter = Callable[[str], int]
"""From a text to its tokens."""
Script = Callable[[str], str]
"""From the last user message to the response."""


@dataclass(frozen=True)
class Reply:
    """What an agent answered, and what that cost."""

    text: str
    """What later requests replay."""
    input_tokens: int
    """Of the whole request: the history is counted again in each."""
    output_tokens: int
    """All that was generated, reasoning included."""
    raw: str = ""
    """With the reasoning that is not replayed, where the model shows it; else empty."""
    usage: Mapping[str, Any] = field(default_factory=dict)
    """As the API reported it; empty where it is simulated."""


class Agent(Protocol):
    """Answers requests."""

    def reply(self, messages: Sequence[Message]) -> Reply:
        """Answer the last of the messages."""


class ScriptedAgent:
    """An agent that follows a script. Its usage is what a model without a cache would be told."""

    def __init__(self, script: Script, count: Counter) -> None:
        """Say what it follows, and how tokens are counted."""
        self._script = script
        self._count = count

    def reply(self, messages: Sequence[Message]) -> Reply:
        """What the script says to the last message."""
        text = self._script(messages[-1]["content"])
        read = sum(self._count(message["content"]) for message in messages)
        return Reply(text, read, self._count(text))
