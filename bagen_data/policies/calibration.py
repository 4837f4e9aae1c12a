"""Calibrate a sequential test on whole rollouts, so that it stops few runs that would succeed.

A run's evidence against success is watched turn by turn, and the run is stopped where the evidence
passes a threshold. The threshold is a conformal quantile of the largest evidence that each
successful rollout of the calibration ever shows. So at most a share A of the runs that would have
succeeded is stopped, however long they last and whatever the forecaster is worth, if

- the new run and the recorded ones are exchangeable: the same agent, tasks, budgets and forecaster,
- the forecasts of the calibration are of instances that the forecaster did not learn from, as the
  new one is, and
- the policy was not chosen among others on the same rollouts.

The bound is on average over calibrations: the share that one calibration of n successes allows
varies around it, with a standard deviation of about `sqrt(A * (1 - A) / n)`.

Several rollouts of an instance resemble each other, and count as one: each instance weighs 1, which
its rollouts share equally, those that failed included, and the new run's instance weighs 1 at
infinity. Given the rollouts of all instances, with the new one's, and that the new run succeeds, it
is each of the successful rollouts with a probability in proportion to this weight; so the weighted
quantile bounds the probability that it is stopped. (Lee, Barber and Willett, 2023, have it for
groups without a condition.) The largest evidence of each instance alone would not do: instances
with many successes would count too little. With one rollout an instance this is the usual quantile,
the `ceil((n + 1) * (1 - A))`-th smallest of n.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from bagen_data.array_types import Floats, Mask
from bagen_data.live.policies import (
    Outcome,
    SequentialPolicy,
    evidence_against,
    weight_needed,
)

_ROUNDING = 1e-9
"""Sums of weights are this near to what they have to reach where they have reached it."""


@dataclass(frozen=True)
class WatchedRuns:
    """The probabilities that a forecaster gave m recorded runs, and how they ended."""

    chances: Sequence[Floats]
    """(t,) of each run: the probability of the outcome after turns 1 .. t; NaN where unknown."""
    outcome: Mask
    """(m,) whether each had the outcome."""
    instance: Sequence[Hashable]
    """(m,) the instance of each."""

    def __len__(self) -> int:
        return len(self.outcome)

    @property
    def weights(self) -> Floats:
        """(m,) one over the number of runs of the instance of each."""
        _, number = np.unique(np.array(list(map(str, self.instance))), return_inverse=True)
        return 1 / np.bincount(number)[number] if len(self) else np.zeros(0)

    def where(self, among: Mask) -> Self:
        """Return some of the runs."""
        rows = np.flatnonzero(among).tolist()
        return type(self)(
            [self.chances[row] for row in rows],
            self.outcome[among],
            [self.instance[row] for row in rows],
        )

    def lowest(self, first_turn: int = 1) -> Floats:
        """Return (m,) the lowest probability of each run from a turn on; 1 without one."""
        return np.array(
            [np.nanmin(own[first_turn - 1 :], initial=1.0) for own in self.chances], np.float64
        )


@dataclass(frozen=True)
class Calibration:
    """The successes that a threshold is taken from."""

    evidence: Floats
    """(s,) the largest evidence of each run that had the outcome, ascending."""
    weights: Floats
    """(s,) their weights."""
    base_rate: float
    """The weighted share of runs that had the outcome, as if one more of either were known."""

    @classmethod
    def of(cls, runs: WatchedRuns, first_turn: int = 1) -> Self:
        """Take the successes of recorded runs."""
        weights = runs.weights
        had_outcome = float(weights[runs.outcome].sum())
        base_rate = (had_outcome + 1) / (float(weights.sum()) + 2)
        evidence = evidence_against(runs.lowest(first_turn)[runs.outcome], base_rate)
        order = np.argsort(evidence, kind="stable")
        return cls(evidence[order], weights[runs.outcome][order], base_rate)

    @property
    def weight(self) -> float:
        """The sum over instances of the share of their runs that succeeded."""
        return float(self.weights.sum())

    def threshold(self, max_false_abort: float) -> float | None:
        """Return what the evidence has to exceed; None where there are too few successes.

        >>> runs = WatchedRuns([np.array([0.5]), np.array([0.2])], np.array([True, True]), "ab")
        >>> Calibration.of(runs).threshold(0.4), Calibration.of(runs).threshold(0.3)
        (12.0, None)
        """
        reached = np.cumsum(self.weights)
        enough = reached >= (1 - max_false_abort) * (self.weight + 1) - _ROUNDING
        return float(self.evidence[np.argmax(enough)]) if enough.any() else None


def calibrated(
    runs: WatchedRuns,
    max_false_abort: float,
    outcome: Outcome = "success",
    first_turn: int = 1,
    about: str = "",
) -> SequentialPolicy:
    """Return the test that stops at most a share of the runs that would have had an outcome.

    Args:
        runs: recorded runs that the forecaster did not learn from.
        max_false_abort: the share, more than 0 and less than 1.
        outcome: the outcome that the runs' probabilities are of.
        first_turn: the first turn at which a run may be stopped.
        about: one sentence for the policy's file.

    Raises:
        InputError: a value is out of range.
    """
    calibration = Calibration.of(runs, first_turn)
    return SequentialPolicy(
        max_false_abort=max_false_abort,
        threshold=calibration.threshold(max_false_abort),
        base_rate=calibration.base_rate,
        outcome=outcome,
        first_turn=first_turn,
        calibrated_on=round(calibration.weight, 6),
        about=about,
    )


def why_never(policy: SequentialPolicy) -> str | None:
    """Say why a test never stops a run, and what it needs; None if it can stop one."""
    if policy.threshold is not None:
        return None
    needed = weight_needed(policy.max_false_abort)
    return (
        f"it never stops: a share of at most {policy.max_false_abort:g} needs {needed} instances "
        f"that succeed, and there are {policy.calibrated_on:.4g} (an instance counts as the share "
        "of its rollouts that succeed); record more rollouts, or allow a larger share"
    )
