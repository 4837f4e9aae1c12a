"""A run that goes on, as the columns that learners are asked about."""

from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass

import numpy as np

from bagen_data.array_types import Floats, decimal
from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.forecasters.learning.features import Features
from bagen_data.forecasters.learning.probe_amounts import ProbeAmounts
from bagen_data.forecasters.learning.running_features import RunningFeatures, finite
from bagen_data.forecasters.learning.task_features import RunStanding
from bagen_data.schema import Amounts, Budget, Turn


@dataclass(frozen=True)
class RunRow:
    """The state of a run after some turn."""

    completed_turns: int
    used: Mapping[str, float]
    """Spent so far, by resource."""
    used_first: Mapping[str, float]
    """Spent in the first turn, by resource; not a number before it."""
    values: Sequence[float]
    """(f,) features."""


class AskedRun:
    """A run under a budget, whose columns are those of its probes, to the bit.

    >>> run = AskedRun("chess", Budget({"tokens": 80.0}))
    >>> run.add(Turn("look", "go", {"tokens": 40.0}))
    >>> run.columns([run.row()]).amounts.left
    array([[40.]])
    """

    def __init__(self, task: str, budget: Budget) -> None:
        """Begin a run.

        Args:
            task: the task's name.
            budget: limits the resources that columns are of, in their order.
        """
        self._budget = budget
        self._running = RunningFeatures(task, tuple(budget.limits))
        self._state: Amounts = {}

    @property
    def turns(self) -> int:
        """The number of turns that were taken."""
        return self._running.turns

    def add(self, turn: Turn) -> None:
        """Take the next turn."""
        self._running.add(turn)
        self._state = turn.state

    def row(self) -> RunRow:
        """Return where the run stands, after one turn or more."""
        return self._row(self._running.used, self._state, "")

    def opening_row(self, opening: str, used: Amounts, state: Amounts) -> RunRow:
        """Return where the run stands before its first turn.

        Args:
            opening: the first user message.
            used: amounts that the message spent; a resource that is left out is 0.
            state: the environment's state.
        """
        whole = {name: used.get(name, 0) for name in self._budget.limits}
        return self._row(whole, state, opening)

    def _row(self, used: Mapping[str, float], state: Amounts, opening: str) -> RunRow:
        running = self._running
        asked = RunStanding(running.turns, used, state, self._budget)
        return RunRow(running.turns, used, running.used_first, running.row(asked, opening))

    def copy(self) -> "AskedRun":
        """Return the same run, to go on with apart."""
        same = copy(self)
        same._running = self._running.copy()
        return same

    def columns(self, rows: Sequence[RunRow]) -> AskedColumns:
        """Return the columns of one row or more of this run."""
        resources = self._running.resources
        used = _columns(resources, [row.used for row in rows])
        limits = _columns(resources, [self._budget.limits])
        amounts = ProbeAmounts(
            resources,
            np.array([row.completed_turns for row in rows]),
            used,
            _columns(resources, [row.used_first for row in rows]),
            decimal(limits - used),
        )
        values = finite([row.values for row in rows])
        return AskedColumns.joined(amounts, Features(self._running.names, values))


def _columns(names: Sequence[str], amounts: Sequence[Mapping[str, float]]) -> Floats:
    columns: Floats = np.array([[each[name] for each in amounts] for name in names], np.float64)
    return columns
