"""Probes and examples as columns: (r, n), a row a resource, a column a probe."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from bagen_data.array_types import Floats, Ints, Mask, decimal, every
from bagen_data.forecasters.learning.examples import Example
from bagen_data.schema import Estimate, Interval, Probe, decimals


@dataclass(frozen=True)
class ProbeAmounts:
    """Amounts of r resources that n probes show, all of one task."""

    resources: tuple[str, ...]
    completed_turns: Ints
    """(n,) k, the turns before each probe."""
    used: Floats
    """(r, n) used so far."""
    used_first: Floats
    """(r, n) used in the first turn; NaN at k = 0."""
    left: Floats
    """(r, n) left of the budget; below 0 where it is exceeded."""

    @classmethod
    def of(cls, probes: Sequence[Probe]) -> Self:
        """Return the columns of one probe or more."""
        resources = tuple(probes[0].budget.limits)
        first = [probe.turns[0].usage if probe.turns else {} for probe in probes]
        used = _rows(resources, [probe.used for probe in probes])
        return cls(
            resources,
            np.array([len(probe.turns) for probe in probes]),
            used,
            _rows(resources, first),
            decimal(_rows(resources, [probe.budget.limits for probe in probes]) - used),
        )

    def at(self, rows: Mask | Ints) -> Self:
        """Return the amounts of these probes alone."""
        return type(self)(
            self.resources,
            self.completed_turns[rows],
            self.used[:, rows],
            self.used_first[:, rows],
            self.left[:, rows],
        )

    @property
    def is_open(self) -> Mask:
        """(n,) marks of the probes that exceed no budget."""
        return every(self.left >= 0)


@dataclass(frozen=True)
class Known:
    """Amounts and outcomes that are known of n training probes."""

    amounts: ProbeAmounts
    remaining: Floats
    """(r, n) that the rollouts went on to spend."""
    feasible: Mask
    """(n,) marks of the feasible probes."""
    success: Mask
    """(n,) marks of the probes whose rollout succeeded, within the budget or not."""
    total_turns: Ints
    """(n,) T, the number of turns of each probe's rollout."""
    rollout: Ints
    """(n,) 0 .. m-1, the rollout of each probe."""

    def at(self, rows: Mask | Ints) -> Self:
        """Return what is known of these probes alone."""
        return type(self)(
            self.amounts.at(rows),
            self.remaining[:, rows],
            self.feasible[rows],
            self.success[rows],
            self.total_turns[rows],
            self.rollout[rows],
        )

    @property
    def lengths(self) -> Ints:
        """(m,) T of each rollout."""
        lengths: Ints = self.total_turns[np.unique(self.rollout, return_index=True)[1]]
        return lengths

    @classmethod
    def of(cls, examples: Sequence[Example]) -> Self:
        """Return the columns of one example or more."""
        amounts = ProbeAmounts.of([example.probe for example in examples])
        names = [example.rollout for example in examples]
        return cls(
            amounts,
            _rows(amounts.resources, [example.target.remaining for example in examples]),
            np.array([example.target.feasible for example in examples]),
            np.array([example.success for example in examples]),
            np.array([example.total_turns for example in examples]),
            np.unique(names, return_inverse=True)[1],
        )


def estimates(
    amounts: ProbeAmounts, is_feasible: Mask, low: Floats, high: Floats
) -> list[Estimate]:
    """Return answers in the digits of each resource, rounded outwards, within 0 and what is left.

    A feasible rollout spends no more than is left, so nothing is lost by that.

    Args:
        amounts: amounts of n probes.
        is_feasible: (n,).
        low: (r, n), finite where feasible.
        high: (r, n), likewise, and no lower than `low`.
    """
    most = np.maximum(amounts.left, 0)
    scale = 10.0 ** np.array([[decimals(name)] for name in amounts.resources])
    lows = np.minimum(np.floor(np.maximum(low, 0) * scale) / scale, most).T.tolist()
    highs = np.minimum(np.ceil(np.maximum(high, 0) * scale) / scale, most).T.tolist()
    made = []
    for feasible, *bounds in zip(is_feasible.tolist(), lows, highs, strict=True):
        if not feasible:
            made.append(Estimate("infeasible"))
            continue
        intervals = map(Interval, *bounds)
        made.append(Estimate("feasible", dict(zip(amounts.resources, intervals, strict=True))))
    return made


def _rows(names: Sequence[str], amounts: Sequence[Mapping[str, float]]) -> Floats:
    rows: Floats = np.array(
        [[each.get(name, math.nan) for each in amounts] for name in names], np.float64
    )
    return rows
