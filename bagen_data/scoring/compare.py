"""Compare two estimators on the same samples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bagen_data.answer_columns import FEASIBLE
from bagen_data.scoring.answered import Reader, read_answers
from bagen_data.scoring.measure import Group, Measured, combined, draw
from bagen_data.scoring.report import Report
from bagen_data.scoring.resampling import Resampling, percentile_interval
from bagen_data.scoring.score import ALPHA, reader_of
from bagen_data.scoring.truth import Truth

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
    n: int
    """The samples or rollouts the first is taken over."""

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
    measured = [
        combined(truth, [found[family.name] for family in truth.families]) for found in drawn
    ]
    one, other = measured
    return Comparison(
        first=one.report(),
        second=other.report(),
        overall=_differences(one.overall, other.overall),
        tasks={name: _differences(group, other.tasks[name]) for name, group in one.tasks.items()},
        families={
            name: _differences(group, other.families[name]) for name, group in one.families.items()
        },
        resamples=resampling.resamples,
    )


def _differences(first: Group, second: Group) -> dict[str, Difference]:
    return {name: _difference(measured, second[name]) for name, measured in first.items()}


def _difference(first: Measured, second: Measured) -> Difference:
    values = first.values - second.values
    difference = _known(values[0])
    interval = None if difference is None else percentile_interval(values[1:])
    replicates = values[1:][~np.isnan(values[1:])]
    p = None
    if interval is not None:
        tail = min((replicates <= 0).sum(), (replicates >= 0).sum())
        p = min(1.0, 2 * (int(tail) + 1) / (len(replicates) + 1))
    low, high = interval or (None, None)
    return Difference(
        _known(first.values[0]), _known(second.values[0]), difference, low, high, p, first.n
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def _plain(group: Mapping[str, Difference]) -> dict[str, Any]:
    return {name: difference.to_dict() for name, difference in group.items()}
