"""Advice to whoever runs an agent."""

from dataclasses import dataclass
from typing import Literal

Action = Literal["continue", "warn", "stop"]


@dataclass(frozen=True)
class Advice:
    """Advice on whether a run is worth going on with."""

    action: Action
    because: str
    """The reason, one sentence for a person or an agent."""
