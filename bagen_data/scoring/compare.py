"""Compare two estimators on the same samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bagen_data.answer_columns import FEASIBLE
from bagen_data.array_types import Floats
from bagen_data.scoring.match_predictions import Reader, read_answers
from bagen_data.scoring.measure import (
    Group,
    Measured,
    combined,
    draw,
    family_scores,
    grouped,
)
from bagen_data.scoring.report import Report
from bagen_data.scoring.resampling import Resampling, percentile_interval
from bagen_data.scoring.sample_table import Truth
from bagen_data.scoring.score import ALPHA, reader_of

NAMES = ("first", "second")
"""What errors call the predictions of two estimators."""


@dataclass(frozen=True)
class Difference:
    """One score of two estimators."""

    first: float | None
    """Of the first; None where there is nothing to take it over."""
    second: float | None
    difference: float | None
    """First minus second."""
    low: float | None
    """Of the 95% interval of the difference: the same rollouts are drawn for both."""
    high: float | None
    p: float | None
    """Two-sided, of no difference: twice the share of resamples on the other side of 0."""
    n_first: int
    """The samples or rollouts the first is taken over."""
    n_second: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it."""
        return dict(vars(self))


@dataclass(frozen=True)
class Comparison:
    """Two estimators' reports, and their differences."""

    first: Report
    second: Report
    overall: Mapping[str, Difference]
    tasks: Mapping[str, Mapping[str, Difference]]
    families: Mapping[str, Mapping[str, Difference]]
    resamples: int
    """How many were drawn: no p is below 2 / (resamples + 1)."""

    def to_dict(self) -> dict[str, Any]:
        """The differences, by group and score, as JSON takes them."""
        return {
            "overall": _plain(self.overall),
            "tasks": {name: _plain(group) for name, group in self.tasks.items()},
            "families": {name: _plain(group) for name, group in self.families.items()},
        }


def compare(  # noqa: PLR0913  as many as `score` and one more
    samples: Any,
    first: Any,
    second: Any,
    *,
    resamples: int = 1000,
    seed: int = 0,
    alpha: float = ALPHA,
) -> Comparison:
    """Compare the answers of two estimators to the same samples, paired by sample.

    Beside the scores of a report there is `interval_score_shared`, the interval score over the
    samples that both answered with an interval: estimators that abstain on different samples are
    compared there. `1 - first / second` of it is the first one's skill against the second.

    A task's or overall difference is taken over the families in which both have a value.

    Args:
        samples: as in `score`.
        first: the predictions of one estimator, as in `score`.
        second: those of the other.
        resamples: of rollouts, the same for both.
        seed: of the resampling.
        alpha: as in `score`.

    Raises:
        InputError: as `score` does.
    """
    named = zip(NAMES, (first, second), strict=True)
    readers = [(name, reader_of(each, name)) for name, each in named]
    return compare_readers(Truth.of(samples), readers, Resampling(resamples, seed), alpha)


def compare_readers(
    truth: Truth, readers: Sequence[tuple[str, Reader]], resampling: Resampling, alpha: float
) -> Comparison:
    """As `compare`, of two estimators' predictions that are read in batches, and their names."""
    drawn: tuple[dict[str, Any], dict[str, Any]] = ({}, {})
    answered = [read_answers(truth, reader, name) for name, reader in readers]
    for (family, one), (_, other) in zip(*answered, strict=True):
        both = (one.verdict == FEASIBLE) & (other.verdict == FEASIBLE)
        for found, answers in zip(drawn, (one, other), strict=True):
            found[family.name] = draw(family, answers, resampling, alpha, both)
    by_family = [[found[family.name] for family in truth.families] for found in drawn]
    first, second = (combined(truth, found).report() for found in by_family)
    scores = _where_both(*map(family_scores, by_family))
    one, other = (grouped(truth, *each) for each in zip(by_family, scores, strict=True))
    return Comparison(
        first=first,
        second=second,
        overall=_differences(one.overall, other.overall),
        tasks={name: _differences(group, other.tasks[name]) for name, group in one.tasks.items()},
        families={
            name: _differences(group, other.families[name]) for name, group in one.families.items()
        },
        resamples=resampling.resamples,
    )


def _where_both(
    first: Sequence[Group], second: Sequence[Group]
) -> tuple[list[dict[str, Measured]], list[dict[str, Measured]]]:
    """The families' scores without the values that only one of the two has.

    Or a mean over families would compare one estimator on all of them with another on some.
    """
    kept: tuple[list[dict[str, Measured]], list[dict[str, Measured]]] = ([], [])
    for one, other in zip(first, second, strict=True):
        gone = {name for name in one if np.isnan(one[name].values[0] + other[name].values[0])}
        for group, own in zip(kept, (one, other), strict=True):
            group.append(
                {
                    name: Measured(np.full_like(found.values, np.nan), 0) if name in gone else found
                    for name, found in own.items()
                }
            )
    return kept


def _differences(first: Group, second: Group) -> dict[str, Difference]:
    return {name: _difference(measured, second[name]) for name, measured in first.items()}


def _difference(first: Measured, second: Measured) -> Difference:
    values = first.values - second.values
    difference = _known(values[0])
    interval = None if difference is None else percentile_interval(values[1:])
    low, high = interval or (None, None)
    return Difference(
        _known(first.values[0]),
        _known(second.values[0]),
        difference,
        low,
        high,
        None if interval is None else p_value(values[1:]),
        first.n,
        second.n,
    )


def p_value(differences: Floats) -> float:
    """Two-sided, of no difference, from resampled differences: at least 2 / (b + 1), at most 1.

    >>> p_value(np.array([1.0, 2.0, 3.0, -1.0]))
    0.8
    """
    known = differences[~np.isnan(differences)]
    tail = min(np.count_nonzero(known <= 0), np.count_nonzero(known >= 0))
    return float(min(1.0, 2 * (tail + 1) / (len(known) + 1)))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _plain(group: Mapping[str, Difference]) -> dict[str, Any]:
    return {name: difference.to_dict() for name, difference in group.items()}
