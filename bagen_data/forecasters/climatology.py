"""Climatology: what other runs came to at the same turn, the reference of all skills.

Learned from training rollouts it says what those came to. Cross-validated, each instance is left
out alone, so that the forecasts are exactly those of `bagen_data.climatology`; only where the
reference's `finish` is above its `success`, the answer's `success` is raised to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.climatology import Pool
from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.forecasters.learning.column_forecasters import forecasting, unknown_probabilities
from bagen_data.forecasters.learning.cross_fitting import asked_for
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.model_checks import check_numbers
from bagen_data.forecasters.learning.probe_amounts import Known

_MOST_TURNS = 1 << 31
_MOST_PROBES = 1 << 22


@dataclass(frozen=True)
class OutcomeShares:
    """Shares of known rollouts by their end."""

    finish: float
    """The share of feasible rollouts among those with an open probe."""
    success: float
    """The share of rollouts that succeeded."""

    def __post_init__(self) -> None:
        if not (0 <= self.finish <= 1 and 0 <= self.success <= 1):
            raise ValueError("has shares that are not between 0 and 1")


@dataclass(frozen=True)
class KnownRemainders:
    """Remaining amounts of p probes of q rollouts, rollout by rollout."""

    names: tuple[str, ...]
    """The features that it reads: none."""
    resources: tuple[str, ...]
    """(r,)."""
    turn: Ints
    """(p,) the completed turns, ascending within a rollout."""
    remaining: Floats
    """(r, p) amounts."""
    start: Ints
    """(q,) the first probe of each rollout."""
    outcomes: OutcomeShares | None
    """The shares of outcomes; None where these are not known."""

    def __post_init__(self) -> None:
        if self.names:
            raise ValueError(f"reads {len(self.names)} features; expected none")
        probes = len(self.turn)
        if self.turn.ndim != 1 or not 0 < probes <= _MOST_PROBES:
            raise ValueError(f"has {probes} probes; expected 1 to {_MOST_PROBES:,}")
        if not ((self.turn >= 0) & (self.turn < _MOST_TURNS)).all():
            raise ValueError("has a number of turns that cannot be")
        check_numbers(self.remaining, (len(self.resources), probes), "amounts")
        starts = self.start
        is_row = starts.ndim == 1 and len(starts) > 0 and starts[0] == 0
        if not (is_row and (np.diff(starts) > 0).all() and starts[-1] < probes):
            raise ValueError("has rollouts that do not begin one after another")
        rises = np.diff(self.turn) >= 0
        rises[starts[1:] - 1] = True
        if not rises.all():
            raise ValueError("has turns that do not ascend in a rollout")

    @property
    def knows_success(self) -> bool:
        """Whether the model learned from outcomes."""
        return self.outcomes is not None

    @cached_property
    def _pool(self) -> Pool:
        return Pool(self.turn, self.remaining, self.start, np.zeros(len(self.start), np.int64))

    def foretell(self, asked: AskedColumns) -> ForecastColumns:
        """Return forecasts of n probes; without outcomes their probabilities are NaN."""
        turns = asked.amounts.completed_turns
        quantiles = self._pool.quantiles(turns, np.ones_like(turns))
        if self.outcomes is None:
            unknown = unknown_probabilities(len(turns))
            return ForecastColumns(unknown, unknown, quantiles)
        finish = np.where(asked.amounts.is_open, self.outcomes.finish, 0.0)
        return ForecastColumns(finish, np.full(len(turns), self.outcomes.success), quantiles)


def fit(examples: Sequence[Example], _: int) -> KnownRemainders:
    """Learn from all examples that are asked for; nothing is drawn."""
    known = _known(examples)
    first = np.unique(known.rollout, return_index=True)[1]
    has_open = np.bincount(known.rollout, known.amounts.is_open) > 0
    success = known.success[first]
    shares = OutcomeShares(
        _share(known.feasible[first] & has_open, has_open), _share(success, np.ones_like(success))
    )
    sources = known.success if success.any() else np.ones_like(known.success)
    return _remainders(known.at(sources), shares)


def fit_amounts(examples: Sequence[Example], _: int) -> KnownRemainders:
    """Learn amounts from all rollouts, whose outcomes are not read."""
    return _remainders(_known(examples), None)


def _known(examples: Sequence[Example]) -> Known:
    order = sorted(asked_for(examples), key=lambda one: (one.rollout, len(one.probe.turns)))
    return Known.of(order)


def _remainders(known: Known, shares: OutcomeShares | None) -> KnownRemainders:
    start = np.flatnonzero(np.diff(known.rollout, prepend=-1))
    amounts = known.amounts
    turns = amounts.completed_turns
    return KnownRemainders((), amounts.resources, turns, known.remaining, start, shares)


def _share(hits: Mask, among: Mask) -> float:
    return float(hits.sum() / max(1, among.sum()))


FORECASTER = forecasting(fit, folds=None, fit_amounts=fit_amounts, model=KnownRemainders)
