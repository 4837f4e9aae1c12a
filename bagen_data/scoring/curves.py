"""Curves of one estimator for pictures: calibration, the budget curve, and what stopping is worth.

All are sums over samples, so that those of a task's families are added up: `Curves.of` one family
after another, `+`, and `to_dict` of the whole. Nothing here is resampled.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from bagen_data.answer_columns import AnswerColumns, ForecastColumns
from bagen_data.array_types import Floats, Mask
from bagen_data.schema import QUANTILE_LEVELS
from bagen_data.scoring.definitions import AnsweredFamily
from bagen_data.scoring.forecast_formulas import CURVE_BUDGETS, chance_within
from bagen_data.scoring.sample_table import FamilyColumns
from bagen_data.scoring.scores.early_stop import (
    NET_BENEFIT,
    STOPPED_FEASIBLE,
    SUCCESS_WORTH,
    in_budgets,
)
from bagen_data.scoring.scores.feasibility import is_success
from bagen_data.scoring.scores.forecasts import curve_budget

BINS = 10
"""Equal parts of 0 .. 1 that probabilities are grouped in; the last one holds 1 too."""
WORTHS = tuple(float(worth) for worth in np.geomspace(0.25, 32, 22))
"""Worths of a success, in budgets, at which the net benefit is given."""


@dataclass(frozen=True)
class Curves:
    """Sums over samples and rollouts, from which the curves are made."""

    finish: Floats
    """(3, 10) by bin of the probability to finish, over samples within every budget so far: their
    number, the sum of the probabilities, and the number that were feasible."""
    success: Floats
    """(3, 10) the same of the probability of success, over samples with a known outcome."""
    quantiles: Floats
    """(2, 5) by level, over resources of samples of rollouts that succeeded: their number, and the
    number with R at or below the quantile."""
    budget: Floats
    """(3, 6) by budget of the curve, over samples not yet over it: their number, the sum of the
    probabilities of success within it, and the number that succeeded within it."""
    benefit: Floats
    """(5,) over rollouts: their number, the net benefit at `SUCCESS_WORTH`, feasible rollouts that
    were stopped, what perfect foresight saves, and what never stopping spends beyond a cap, each
    in budgets. Perfect foresight stops an infeasible rollout after turn 1, or at its first sampled
    probe where turn 1 was not sampled."""
    late_successes: Floats
    """(1,) rollouts that succeeded and were not feasible: never stopping alone has them; NaN where
    the outcome of some is not known."""

    @classmethod
    def of(cls, samples: FamilyColumns, answers: AnswerColumns) -> Self:
        """Sum up one family; without forecasts only the sums of stopping are not 0."""
        family = AnsweredFamily(samples, answers, answers, alpha=0.2)
        benefit, late = _benefit(family)
        forecasts = answers.forecasts
        if forecasts is None:
            empty = np.zeros((3, BINS))
            levels = np.zeros((2, len(QUANTILE_LEVELS)))
            return cls(empty, empty, levels, np.zeros((3, len(CURVE_BUDGETS))), benefit, late)
        is_valid = ~np.isnan(forecasts.finish)
        has_outcome = is_valid & (samples.rollout_success is not None)
        return cls(
            _by_bin(forecasts.finish, samples.feasible, is_valid & samples.is_open),
            _by_bin(forecasts.success, is_success(samples), has_outcome),
            _by_level(samples, forecasts),
            _by_budget(samples, forecasts),
            benefit,
            late,
        )

    def __add__(self, other: Self) -> Self:
        return type(self)(
            *(getattr(self, each.name) + getattr(other, each.name) for each in fields(self))
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the curves as plain lists and numbers; None where there is nothing to divide by.

        `finish` and `success`: a list of `{n, said, happened}` by bin. `quantiles`: `{level, n,
        below}`. `budget`: `{budget, n, said, happened}`, with a budget of None for infinity.
        `net_benefit`: by worth of a success, `{worth, estimator, cap, never, foresight}` in budgets
        a rollout.
        """
        return {
            "finish": [_bin(each) for each in self.finish.T],
            "success": [_bin(each) for each in self.success.T],
            "quantiles": [
                {"level": level, "n": int(n), "below": _share(below, n)}
                for level, (n, below) in zip(QUANTILE_LEVELS, self.quantiles.T, strict=True)
            ],
            "budget": [
                {"budget": None if np.isinf(times) else times} | _bin(each)
                for times, each in zip(CURVE_BUDGETS, self.budget.T, strict=True)
            ],
            "net_benefit": [self._net_benefit(worth) for worth in WORTHS],
        }

    def _net_benefit(self, worth: float) -> dict[str, float | None]:
        rollouts, own, lost, foresight, overspent = self.benefit
        never = worth * self.late_successes[0] - overspent
        return {
            "worth": worth,
            "estimator": _share(own + (SUCCESS_WORTH - worth) * lost, rollouts),
            "cap": _share(0.0, rollouts),
            "never": _share(never, rollouts),
            "foresight": _share(foresight, rollouts),
        }


def curves_by_task(
    matched: Iterable[tuple[FamilyColumns, AnswerColumns]],
) -> dict[str, dict[str, Any]]:
    """Return the curves of each task and of all, `overall`, by name, as `Curves.to_dict` has them.

    Args:
        matched: families with their answers, as `match_predictions` yields them.
    """
    sums: dict[str, Curves] = {}
    for samples, answers in matched:
        own = Curves.of(samples, answers)
        for name in ("overall", samples.task):
            sums[name] = sums[name] + own if name in sums else own
    return {name: curves.to_dict() for name, curves in sums.items()}


def _by_bin(chance: Floats, happened: Mask, among: Mask) -> Floats:
    rows = np.flatnonzero(among)
    said = chance.take(rows)
    place = np.minimum((said * BINS).astype(np.int64), BINS - 1)
    weights = (np.ones(len(rows)), said, happened.take(rows))
    return np.array([np.bincount(place, each, BINS) for each in weights], np.float64)


def _by_level(samples: FamilyColumns, forecasts: ForecastColumns) -> Floats:
    rows = np.flatnonzero(is_success(samples) & ~np.isnan(forecasts.finish))
    quantiles = forecasts.quantiles.take(rows, axis=2)
    remaining = samples.remaining.take(rows, axis=1)
    below = (remaining[:, np.newaxis] <= quantiles).sum(axis=(0, 2))
    return np.array([np.full(len(QUANTILE_LEVELS), remaining.size), below], np.float64)


def _by_budget(samples: FamilyColumns, forecasts: ForecastColumns) -> Floats:
    sums = np.zeros((3, len(CURVE_BUDGETS)))
    if len(samples.resources) > 1 or samples.rollout_success is None:
        return sums
    is_valid = ~np.isnan(forecasts.finish)
    used, total = samples.used[0], samples.used[0] + samples.remaining[0]
    for place, times in enumerate(CURVE_BUDGETS):
        limit = curve_budget(samples.budget[0], times)
        rows = np.flatnonzero(is_valid & (used <= limit))
        left = limit.take(rows) - used.take(rows)
        within = chance_within(forecasts.quantiles[0].take(rows, axis=1), left)
        happened = samples.rollout_success.take(rows) & (total.take(rows) <= limit.take(rows))
        said = forecasts.success.take(rows) * within
        sums[:, place] = len(rows), said.sum(), happened.sum()
    return sums


def _benefit(family: AnsweredFamily) -> tuple[Floats, Floats]:
    """Return the sums of stopping, and the successes beyond the budget."""
    samples = family.samples
    first = samples.first
    used, budget = samples.used[:, first], samples.budget[:, first]
    total = used + samples.remaining[:, first]
    is_feasible = samples.feasible[first]
    capped = np.minimum(total, budget)
    foresight = in_budgets(capped - np.minimum(used, budget), budget) * ~is_feasible
    overspent = in_budgets(total - capped, budget)
    own, lost = (family.once(each.of).sum() for each in (NET_BENEFIT, STOPPED_FEASIBLE))
    late = (is_success(samples)[first] & ~is_feasible).sum()
    known_late = np.nan if samples.rollout_success is None else late
    return (
        np.array([len(first), own, lost, foresight.sum(), overspent.sum()]),
        np.array([known_late], np.float64),
    )


def _bin(sums: Floats) -> dict[str, float | int | None]:
    n, said, happened = sums
    return {"n": int(n), "said": _share(said, n), "happened": _share(happened, n)}


def _share(amount: float, n: float) -> float | None:
    return float(amount / n) if n and not np.isnan(amount) else None
