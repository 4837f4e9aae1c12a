"""What every reader returns: a rollout as its log tells it, before any usage rule is applied."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from bagen_data.usage import Request


class LoggedTurn(NamedTuple):
    """One user message, the assistant message that answers it, and what the log says of them."""

    number: int
    """Position in the log, from 1."""
    user: str
    assistant: str
    """The parsed response, else the raw one; empty if there is neither."""
    request: Request | None
    """None where the log gives no counts."""
    cut_off: bool = False
    """The response was cut off by the context limit."""
    acted: bool = True
    """An action was executed; True where the layout does not record actions."""
    success: bool = False
    """The task was solved in this turn."""
    amounts: Mapping[str, Any] | None = None
    """Numbers that the log states with the turn beside tokens, by name; None where it has none."""


@dataclass(frozen=True)
class FamilyFacts:
    """Facts about rollouts that a family's folder states beside their records."""

    resolved: frozenset[str] | None = None
    """Instances that the evaluation report calls resolved; None without one report to go by."""


@dataclass(frozen=True)
class Log:
    """One recorded rollout."""

    turns: tuple[LoggedTurn, ...]
    success: bool
    system: str = ""
    instance_id: str = ""
    """The source's own id of the task instance; empty if it has none."""
    initial_state: Any = None
    """The environment before turn 1, an object or printed text; None where the log has none."""
    final_state: Any = None
    """The environment after the last turn, likewise."""
