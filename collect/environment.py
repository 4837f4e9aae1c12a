"""Environments: text in, text out, and the same states for the same seed and actions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True)
class Observation:
    """The result of a response."""

    text: str
    """The next user message. After the last turn it shows the outcome, and no agent reads it."""
    actions: tuple[str, ...] = ()
    """Actions that were executed, as the log names them; empty where none could be."""
    done: bool = False
    """Whether the rollout is over."""
    success: bool = False
    """Whether the task was solved in this turn."""
    logged: Mapping[str, Any] = field(default_factory=dict)
    """More fields for the turn's log, such as Warehouse's `financials`."""


class Environment(Protocol):
    """A task instance, played once."""

    system: str
    """The agent's system message: the rules, and how to answer. The same for all instances."""
    instance_id: str
    """Id of the task instance: two rollouts share it exactly if they began alike."""

    def start(self) -> str:
        """Return the first user message: the initial state."""

    def step(self, response: str) -> Observation:
        """Take a response of any text; one without a legal action costs a turn and is told so."""

    def calls(self, response: str) -> Mapping[str, int]:
        """Return the tool calls that a response asks for, by the tool's name; empty without any."""

    def outcome(self) -> Mapping[str, Any]:
        """Return more fields for a rollout's log at its end, such as Warehouse's `final_state`."""


RESPONSE_TOKENS = 800
"""Most tokens of a response, in every environment (paper)."""


@dataclass(frozen=True)
class Rules:
    """The limits that hold for every agent in an environment."""

    turns: int
    """Most turns of a rollout."""
    response_tokens: int = RESPONSE_TOKENS
    """Most tokens of a response."""
    history_tokens: int | None = None
    """Most tokens of a request's messages: oldest whole turns are left out; None: no limit."""


class Game(Protocol):
    """A task as it is collected: its instances. Other processes get a copy of it."""

    @property
    def task(self) -> str:
        """Name of the task, as builders know it."""

    @property
    def rules(self) -> Rules:
        """The limits of every agent."""

    @property
    def tools(self) -> Sequence[str]:
        """Tools whose calls an environment counts, and a budget may limit."""

    @property
    def targets(self) -> Sequence[str]:
        """Conditions on the final state that a forecaster may judge by, `target_<state>`."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """Return the settings that decide what is played, for the record."""

    def environment(self, seed: int, number: int) -> Environment:
        """Return a fresh instance for a rollout of a family: the same one for every agent."""
