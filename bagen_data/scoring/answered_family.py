"""The columns that scores are made of: one family's samples, and the answers to them."""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self, TypeVar, cast

import numpy as np

from bagen_data.answer_columns import FEASIBLE, AnswerColumns
from bagen_data.array_types import Floats, Ints
from bagen_data.scoring.sample_table import FamilyColumns

Value = TypeVar("Value")


@dataclass(frozen=True)
class ScoredColumns:
    """Columns, and what was computed from them."""

    _computed: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def once(self, function: Callable[[Self], Value]) -> Value:
        """Return `function` of these columns, which is called the first time only."""
        if function not in self._computed:
            self._computed[function] = function(self)
        return cast("Value", self._computed[function])


@dataclass(frozen=True)
class AnsweredFamily(ScoredColumns):
    """The samples of one family with their answers: n samples of m rollouts, r resources.

    Raises:
        ValueError: `alpha` is not between 0 and 1.
    """

    samples: FamilyColumns
    answers: AnswerColumns
    other_answers: AnswerColumns
    """The answers of the estimator to compare with; without a comparison, `answers` again."""
    alpha: float
    """Intervals are scored as central intervals of 1 - alpha."""

    def __post_init__(self) -> None:
        if not 0 < self.alpha < 1:
            raise ValueError(f"alpha is {self.alpha}; expected more than 0 and less than 1")

    @cached_property
    def intervals(self) -> "IntervalColumns":
        """The samples that were answered with intervals."""
        return IntervalColumns.at(self, np.flatnonzero(self.answers.verdict == FEASIBLE))

    @cached_property
    def feasible_intervals(self) -> "IntervalColumns":
        """The feasible samples that were answered with intervals."""
        rows = self.intervals.rows
        return IntervalColumns.at(self, rows[self.samples.feasible.take(rows)])


@dataclass(frozen=True)
class IntervalColumns(ScoredColumns):
    """Some samples that were answered with intervals: a samples, r resources."""

    family: AnsweredFamily
    """The family that the samples are of."""
    rows: Ints
    """(a,) their positions in the family."""
    low: Floats
    """(r, a)."""
    high: Floats
    """(r, a)."""
    remaining: Floats
    """(r, a) R, what the recorded rollout went on to spend."""

    @classmethod
    def at(cls, family: AnsweredFamily, rows: Ints) -> Self:
        """Take the samples at these positions."""
        answers = family.answers
        return cls(
            family,
            rows,
            answers.low.take(rows, axis=1),
            answers.high.take(rows, axis=1),
            family.samples.remaining.take(rows, axis=1),
        )
