"""Definitions of scores: a formula of sums over the columns of samples and answers.

A sum is an object with the function of columns that is summed, and stands beside the scores that
use it. So a score names its sums as Python names, and a name that does not exist fails at import.
"""

import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Self, TypeVar, cast, get_args

import numpy as np

from bagen_data.answer_columns import FEASIBLE, AnswerColumns
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.scoring.interval_formulas import LARGEST
from bagen_data.scoring.sample_table import FamilyColumns

Better = Literal["higher", "lower", "neither"]
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

    def forget_computed(self) -> None:
        """Drop what was computed: it refers back to the family, and would outlive it for long."""
        for name in ("intervals", "feasible_intervals"):
            vars(self).pop(name, None)
        self._computed.clear()


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


Fact = Callable[[AnsweredFamily], Mask]
"""(n,) the samples of which something is true."""


@dataclass(frozen=True)
class Condition:
    """Some facts that are true and some that are not; its sum is the number of such samples.

    `a & b` is the condition of both, `~a` the opposite of a condition with a single fact.

    Raises:
        ValueError: a fact is to be true and not true, or `~` is asked of several facts.
    """

    true: frozenset[Fact] = frozenset()
    false: frozenset[Fact] = frozenset()

    def __post_init__(self) -> None:
        if self.true & self.false:
            raise ValueError("a condition that is never true: a fact and its opposite")

    def __and__(self, other: "Condition") -> "Condition":
        return Condition(self.true | other.true, self.false | other.false)

    def __invert__(self) -> "Condition":
        if len(self.true) + len(self.false) != 1:
            raise ValueError("~ of a condition with several facts; expected one with a single fact")
        return Condition(self.false, self.true)


def samples_where(fact: Fact) -> Condition:
    """Return the condition that something is true of a sample with its answer."""
    return Condition(frozenset({fact}))


def intervals_where(fact: Callable[[IntervalColumns], Mask]) -> Condition:
    """Return the condition that a sample has an interval, of which something is true."""

    def of_samples(family: AnsweredFamily) -> Mask:
        mask = np.zeros(len(family.answers), bool)
        mask[family.intervals.rows] = fact(family.intervals)
        return mask

    return Condition(frozenset({of_samples}))


@dataclass(frozen=True, eq=False)
class IntervalSum:
    """A sum over the feasible samples that were answered with intervals."""

    of: Callable[[IntervalColumns], Floats | Mask]
    """(a,) what each sample adds."""


@dataclass(frozen=True, eq=False)
class RolloutSum:
    """A sum over rollouts."""

    of: Callable[[AnsweredFamily], Floats | Mask]
    """(m,) what each rollout adds."""


@dataclass(frozen=True, eq=False)
class ResourceSum:
    """A sum over rollouts for each resource; amounts of different units do not add up.

    A formula takes it as a mapping from each list of r resources that families have to an array of
    shape (r, ..., 1 + b).
    """

    of: Callable[[AnsweredFamily], Floats]
    """(r, m) what each rollout adds."""


def over_samples(of: Callable[[AnsweredFamily], Floats]) -> RolloutSum:
    """Return a sum over samples, from a function to (n,) what each sample adds."""

    def by_rollout(family: AnsweredFamily) -> Floats:
        samples, values = family.samples, family.once(of)
        if not values.any():  # as of forecasts that were not asked for
            return np.zeros(len(samples.first))
        return np.bincount(samples.rollout, values, len(samples.first)).astype(np.float64)

    return RolloutSum(by_rollout)


Sum = Condition | IntervalSum | RolloutSum | ResourceSum
_SUM_NAMES = tuple(kind.__name__ for kind in get_args(Sum))
Sums = Mapping[Sum, Any]
"""Arrays of shape (..., 1 + b): over all rollouts, then over those of each of b resamples."""


@dataclass(frozen=True)
class Definition:
    """A score that is computed from sums.

    Raises:
        TypeError: the formula cannot be called with that many sums, or one of them is not a sum.
        ValueError: `better` is none of its words.
    """

    meaning: str
    """The meaning of the score in words, for cards and tables."""
    formula: Callable[..., Floats]
    """A function from the arrays of `sums`, in their order, to values; NaN where nothing can be
    divided."""
    sums: tuple[Sum, ...]
    n: Sum
    """The number of samples, or rollouts, that the value is taken over."""
    better: Better = "higher"
    pooled: bool = False
    """Tasks and overall have the score of all their rollouts together, instead of a mean."""
    classes: tuple[Sum, ...] = ()
    """The classes of samples that each have a mean of their own in the score, where there are
    several: as many instances contribute as to the class with the fewest."""

    def __post_init__(self) -> None:
        inspect.signature(self.formula).bind(*self.sums)
        for each in (*self.sums, self.n, *self.classes):
            if not isinstance(each, Sum):
                raise TypeError(f"{each!r} is not a sum; expected one of {', '.join(_SUM_NAMES)}")
        _check_better(self.better)

    def values(self, sums: Sums) -> Floats:
        """(..., 1 + b) the score, from the sums of families."""
        return self.formula(*(sums[each] for each in self.sums))


@dataclass(frozen=True)
class QuantileDefinition:
    """A score that is a quantile over feasible samples answered with intervals."""

    meaning: str
    errors: Callable[[IntervalColumns], Floats]
    """(a,) what the quantile is taken of; NaN where a sample is left out."""
    share: float
    """0 .. 1: 0.5 is the median."""
    better: Better = "lower"

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"the share of a quantile is {self.share}; expected 0 < share < 1")
        _check_better(self.better)


def _check_better(better: str) -> None:
    if better not in get_args(Better):
        raise ValueError(f"better is {better!r}; expected {', '.join(get_args(Better))}")


def ratio(
    meaning: str,
    numerator: Sum,
    denominator: Sum,
    better: Better = "higher",
    *,
    pooled: bool = False,
) -> Definition:
    """Define a score as one sum over another, which is the score's n too."""
    return Definition(meaning, divided, (numerator, denominator), denominator, better, pooled)


def divided(numerator: Floats, denominator: Floats) -> Floats:
    """Return the quotient; NaN where the denominator is not above 0."""
    quotient = np.full(np.shape(denominator), np.nan)
    with np.errstate(over="ignore"):
        np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return np.minimum(quotient, LARGEST)


def mean_of_known(values: Floats | Sequence[Floats]) -> Floats:
    """Return the mean over those with a value; a resample in which one of them has none has none.

    Args:
        values: (k, ..., 1 + b) the k values and their resamples, NaN where there is none.
    """
    stacked = np.array(values)
    is_known = ~np.isnan(stacked[..., :1])
    return divided(
        np.where(is_known, stacked, 0).sum(axis=0),
        is_known.sum(axis=0) * np.ones(stacked.shape[-1]),
    )
