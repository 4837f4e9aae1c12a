"""Features of a run that goes on: each turn is taken once, and a row costs the same at any turn.

Columns every task has: amounts, rates, lengths of messages, repetitions. A task's own come from
`task_features`. Amounts are on the log1p scale. `features` makes a batch's columns of the same
steps, so both give the same bits.
"""

import math
from collections.abc import Sequence
from copy import copy
from functools import reduce
from operator import add

import numpy as np

from bagen_data.array_types import Floats
from bagen_data.forecasters.learning.task_features import (
    NOTHING,
    TASK_FEATURES,
    RunStanding,
    TaskFeatures,
)
from bagen_data.replay import plus
from bagen_data.schema import Turn, decimals

_PER_RESOURCE = (
    *("used", "left", "share", "first", "last", "rate", "trend", "largest", "lasts"),
    *("rate_per_share", "budget"),
)
_OF_ALL = (
    *("turns", "log_turns", "opening_chars", "read_chars", "written_chars", "last_read_chars"),
    *("last_written_chars", "repeated_actions", "repeated_share", "repeated_observations"),
    *("is_repeated",),
)
_RECENT = 3
"""Turns that a trend looks back on."""
_MOST_SHARE = 4.0
"""Shares of a budget end here."""
_MOST = 1e9
"""Features that are infinite become this; one that is not a number becomes 0."""


def feature_names(task: str, resources: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns, in order."""
    own = TASK_FEATURES.get(task, NOTHING).names
    return (*(f"{name}_{column}" for name in resources for column in _PER_RESOURCE), *_OF_ALL, *own)


def finite(rows: Sequence[Sequence[float]]) -> Floats:
    """Return (n, f) columns of rows, without infinities and without what is not a number."""
    values = np.array(rows, np.float64)
    columns: Floats = np.nan_to_num(values, copy=False, nan=0.0, posinf=_MOST, neginf=-_MOST)
    return columns


class RunningFeatures:
    """The features of one run, turn by turn.

    >>> from bagen_data.schema import Budget
    >>> running = RunningFeatures("chess", ("tokens",))
    >>> running.add(Turn("look", "go", {"tokens": 40.0}))
    >>> asked = RunStanding(running.turns, running.used, {}, Budget({"tokens": 80.0}))
    >>> running.row(asked)[running.names.index("tokens_share")]
    0.5
    """

    def __init__(self, task: str, resources: Sequence[str]) -> None:
        """Begin a run.

        Args:
            task: the task's name; a task that is not known has no columns of its own.
            resources: the names of what is spent, in the order of columns.
        """
        self.task = task
        self.resources = tuple(resources)
        self.names = feature_names(task, self.resources)
        """(f,) the features' names."""
        self.turns = 0
        """Turns that were taken."""
        self._own = TASK_FEATURES.get(task, NOTHING)
        self._spent = tuple(_Spent(name) for name in self.resources)
        self._texts = _Texts(self._own)

    def add(self, turn: Turn) -> None:
        """Take the next turn; a resource that its usage leaves out was not spent."""
        for spent in self._spent:
            spent.add(turn.usage.get(spent.resource, 0.0))
        self._texts.add(turn)
        self.turns += 1

    @property
    def used(self) -> dict[str, float]:
        """Spent so far, by resource; 0 before the first turn."""
        return {spent.resource: spent.used for spent in self._spent}

    @property
    def used_first(self) -> dict[str, float]:
        """Spent in the first turn, by resource; not a number before it."""
        return {spent.resource: spent.first for spent in self._spent}

    def row(self, asked: RunStanding, opening: str = "") -> list[float]:
        """Return the features now, one per name; `finite` makes columns of rows.

        Args:
            asked: where the run stands; its budget limits every resource.
            opening: the first user message, where no turn was taken yet.
        """
        row: list[float] = []
        for spent in self._spent:
            name = spent.resource
            row += spent.row(asked.used.get(name, 0.0), asked.budget.limits[name])
        texts = self._texts
        if not self.turns:
            texts = _Texts(self._own)
            texts.add(Turn(opening, "", {}))
        return [*row, *texts.row(self.turns), *texts.own.row(asked)]

    def copy(self) -> "RunningFeatures":
        """Return the same run, to go on with apart."""
        same = copy(self)
        same._spent = tuple(map(copy, self._spent))
        same._texts = self._texts.copy()
        return same


class _Spent:
    """Running sums of one resource over the turns.

    The first turn carries the task's text, so rates are those of the later turns; of one turn
    alone, its own.
    """

    def __init__(self, resource: str) -> None:
        self.resource = resource
        self.used: float = 0
        self.first = math.nan
        self._least = 10.0 ** -decimals(resource)
        """The least amount above 0."""
        self._last = 0.0
        self._turns = 0
        self._later_sum: float = 0
        """The sum of the later turns; of one turn alone, its own amount."""
        self._largest = 0.0
        """The largest amount of them."""
        self._recent: tuple[float, ...] = ()
        """The last amounts of them."""

    def add(self, amount: float) -> None:
        if not self._turns:
            self.first = amount
        if self._turns <= 1:
            self._later_sum, self._largest, self._recent = 0, 0.0, ()
        self._turns += 1
        self.used = plus(self.used, amount)
        self._last = amount
        self._later_sum = plus(self._later_sum, amount)
        self._largest = max(self._largest, amount)
        self._recent = (*self._recent[1 - _RECENT :], amount)

    def row(self, used: float, budget: float) -> list[float]:
        """Return `_PER_RESOURCE`."""
        left = max(budget - used, 0.0)
        rate = self._later_sum / max(self._turns - 1, 1)
        recent = reduce(add, self._recent, 0.0) / max(len(self._recent), 1)
        share = min(used / budget, _MOST_SHARE) if budget > 0 else _MOST_SHARE
        log_rate = _log(rate)
        return [
            _log(used),
            _log(left),
            share,
            _log(self.first if self._turns else used),
            _log(self._last),
            log_rate,
            _log(recent) - log_rate,
            _log(self._largest),
            _log(left / max(rate, self._least)),
            min(rate / budget, _MOST_SHARE) if budget > 0 else _MOST_SHARE,
            _log(budget),
        ]


class _Texts:
    """Running counts of the texts of the turns."""

    def __init__(self, own: TaskFeatures) -> None:
        self.own = own.begin()
        self._turns = 0
        self._opening_chars = 0
        self._read_chars = 0
        self._later_read_chars = 0
        self._written_chars = 0
        self._last_written_chars = 0
        self._actions: set[str] = set()
        self._observations: set[str] = set()
        self._is_repeated = False

    def add(self, turn: Turn) -> None:
        action = " ".join(turn.assistant.rpartition("</think>")[2].split())
        self._is_repeated = action in self._actions
        self._actions.add(action)
        self._observations.add(turn.user)
        self._read_chars, self._last_written_chars = len(turn.user), len(turn.assistant)
        self._written_chars += self._last_written_chars
        if self._turns:
            self._later_read_chars += self._read_chars
        else:
            self._opening_chars = self._read_chars
        self._turns += 1
        self.own.add(turn)

    def row(self, completed_turns: int) -> list[float]:
        """Return `_OF_ALL`, after one turn or more; at k = 0, the opening is one."""
        turns = self._turns
        repeated = turns - len(self._actions)
        return [
            completed_turns,
            _log(completed_turns),
            _log(self._opening_chars),
            _log(self._later_read_chars / max(turns - 1, 1)),
            _log(self._written_chars / turns),
            _log(self._read_chars),
            _log(self._last_written_chars),
            _log(repeated),
            repeated / turns,
            _log(turns - len(self._observations)),
            float(self._is_repeated),
        ]

    def copy(self) -> "_Texts":
        """Return the same texts, to go on with apart."""
        same = copy(self)
        same.own = copy(self.own)
        same._actions, same._observations = set(self._actions), set(self._observations)
        return same


def _log(amount: float) -> float:
    return float(np.log1p(max(amount, 0.0)))
