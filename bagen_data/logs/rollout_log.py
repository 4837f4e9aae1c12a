"""The result of every reader: a rollout as its log tells it, before any usage rule is applied."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeVar

from bagen_data.errors import RolloutError
from bagen_data.logs.lines import Line
from bagen_data.usage import Request

Survey = TypeVar("Survey")
"""The result of a format's look over a whole family."""


class LoggedTurn(NamedTuple):
    """A user message, the assistant message that answers it, and what the log says about them."""

    number: int
    """Position in the log, from 1."""
    user: str
    assistant: str
    """The parsed response, else the raw one, with its tool calls; empty if there is neither."""
    requests: tuple[Request, ...] | None
    """The requests paid for since the turn before, the response's own last; None where the log
    gives no counts."""
    reasoning: str = ""
    """Reasoning text: it is counted and not shown."""
    uncounted: str = ""
    """Name of what a tokenizer cannot count in the turn, such as `an image`; empty where it counts
    all."""
    cut_off: bool = False
    """The response was cut off by the context limit."""
    unparsed: bool = False
    """The response was billed and the harness could not parse it; it may be empty."""
    acted: bool = True
    """An action was executed; True where the layout does not record actions."""
    success: bool | None = None
    """The task was solved in this turn; None where the log does not say."""
    amounts: Mapping[str, Any] | None = None
    """Numbers that the log states with the turn beside tokens, by name; None where it has none."""
    tool_calls: int | None = None
    """Tool calls of the response; None where the layout does not record them."""
    calls_by_tool: Mapping[str, int] | None = None
    """Executed calls by the tool's name; None where the layout does not record them."""
    seconds: float | None = None
    """Time from the end of the turn before to the end of this one; None where it is unknown."""


class SessionFile(NamedTuple):
    """The session whose work a file holds."""

    id: str
    """The session's or the subagent's own id; empty where the file does not say."""
    part_of: str = ""
    """The session that started the subagent whose work the file holds; empty for a session."""


class Neighbours(Protocol):
    """The files of a record's family, by paths relative to the folder of the record's file."""

    def names(self, pattern: str) -> list[str]:
        """Return the paths of files that a glob pattern matches, sorted."""

    def value(self, relative: str) -> Any:
        """Return a file's JSON value; None where the family has no such file, or it is broken."""

    def lines(self, relative: str) -> Iterator[Line]:
        """Yield a file's lines that are not empty, one JSON value each."""

    def survey(self, look: "Callable[[Neighbours], Survey]") -> Survey:
        """Return what a function finds in the whole family, which it is asked once.

        Args:
            look: gets the family's files by paths relative to the family's folder.
        """


class NoNeighbours:
    """The neighbours of a record that stands alone."""

    def names(self, _pattern: str) -> list[str]:
        """Return no path."""
        return []

    def value(self, _relative: str) -> Any:
        """Return None."""
        return None

    def lines(self, _relative: str) -> Iterator[Line]:
        """Yield nothing."""
        return iter(())

    def survey(self, look: Callable[[Neighbours], Survey]) -> Survey:
        """Return what a function finds in a family without files."""
        return look(self)


@dataclass(frozen=True)
class FamilyFacts:
    """Facts about rollouts that a family's folder states beside their records."""

    resolved: frozenset[str] | None = None
    """Instances that the evaluation report calls resolved; None without one report to go by."""
    judged: frozenset[str] = frozenset()
    """Instances that the report calls resolved, unresolved or without a patch."""
    path: str = ""
    """The file that holds the record, relative to the family's folder."""
    beside: Neighbours = field(default_factory=NoNeighbours)
    """The family's files as seen from the record's folder."""


@dataclass(frozen=True)
class Log:
    """A recorded rollout."""

    turns: tuple[LoggedTurn, ...]
    success: bool | None
    """The outcome; None where the log does not state it."""
    unjudged: str = ""
    """The reason why the log does not state the outcome, where the format knows it; else empty."""
    stopped: str = ""
    """The cause that ended the run before its agent or task did, such as `budget`; empty if none
    did. The run's outcome and totals without that cause are unknown."""
    system: str = ""
    instance_id: str = ""
    """The source's own id of the task instance; empty if it has none."""
    initial_state: Any = None
    """The environment before turn 1, an object or printed text; None where the log has none."""
    final_state: Any = None
    """The environment after the last turn, an object or printed text; None if the log has none."""
    source_id: str = ""
    """The source's own id of the rollout, such as a session's; empty if it has none."""
    model: str = ""
    """The model that the log names; empty where it names none."""
    source: str = ""
    """The tool that wrote the log, and its version, such as `Codex 0.146.0`."""
    scores: Mapping[str, Any] = field(default_factory=dict)
    """Rewards, scores and other fields that the log states of the whole rollout, by name."""
    skipped: Mapping[str, int] = field(default_factory=dict)
    """Records that are no part of a turn, by type, and how many there are of each."""
    response_ids: frozenset[str] = frozenset()
    """Ids that the provider gave to the responses. Two rollouts that share one are copies: a
    resumed or forked session repeats what was paid before."""


class NamedLog(NamedTuple):
    """A rollout of a record or file that holds several, or the reason why it cannot be used."""

    name: str
    """The part's place, such as ` (epoch 2)`, to be put behind the record's; may be empty."""
    log: Log | RolloutError
