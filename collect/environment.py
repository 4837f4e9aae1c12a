"""What an environment is: text in, text out, and the same states for the same seed and actions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Observation:
    """Result of a response."""

    text: str
    """The next user message. After the last turn it shows the outcome, and no agent reads it."""
    actions: tuple[str, ...] = ()
    """What was executed, as the log names it; empty where nothing in the response could be."""
    done: bool = False
    """The rollout is over."""
    success: bool = False
    """The task was solved in this turn."""
    logged: Mapping[str, Any] = field(default_factory=dict)
    """More fields for the turn's log, such as Warehouse's `financials`."""


class Environment(Protocol):
    """One task instance, played once."""

    system: str
    """The agent's system message: the rules, and how to answer. The same for all instances."""
    instance_id: str
    """Of the task instance: two rollouts have it in common exactly if they began alike."""

    def start(self) -> str:
        """The first user message: the initial state."""

    def step(self, response: str) -> Observation:
        """Take a response of any text; one without a legal action costs a turn and is told so."""

    def calls(self, response: str) -> Mapping[str, int]:
        """Tool calls that a response asks for, by the tool's name; empty where it asks for none."""

    def outcome(self) -> Mapping[str, Any]:
        """More fields for the rollout's log, such as Warehouse's `final_state`; read at its end."""


RESPONSE_TOKENS = 800
"""The most of a response, in every environment (paper)."""


@dataclass(frozen=True)
class Rules:
    """What holds for every agent in an environment."""

    turns: int
    """The most there are."""
    response_tokens: int = RESPONSE_TOKENS
    """The most a response has."""
    history_tokens: int | None = None
    """The most that a request's messages have: oldest whole turns are left out; None: no limit."""


class Game(Protocol):
    """A task as it is collected: its instances. Other processes get a copy of it."""

    @property
    def task(self) -> str:
        """As builders know it."""

    @property
    def rules(self) -> Rules:
        """For every agent."""

    @property
    def tools(self) -> Sequence[str]:
        """Tools whose calls an environment counts, and a budget may limit."""

    @property
    def targets(self) -> Sequence[str]:
        """Conditions on the final state that a forecaster may judge by, `target_<state>`."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """All that decides what is played, for the record."""

    def environment(self, seed: int, number: int) -> Environment:
        """A fresh instance for a rollout of a family: the same one for every agent."""
