"""Simulated agents, whose forecasters are right, too sure, or know nothing.

A run succeeds with the probability of its instance. Each turn brings evidence, a normal number of
variance v with a mean of `+v / 2` if the run will succeed and `-v / 2` if not; its sum is exactly
the log likelihood ratio, so the probability of success given all turns is known.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bagen_data.array_types import Floats, Mask
from bagen_data.live.policies import SequentialPolicy
from bagen_data.policies.calibration import WatchedRuns

Forecaster = Literal["calibrated", "overconfident", "useless"]
FORECASTERS: tuple[Forecaster, ...] = ("calibrated", "overconfident", "useless")


@dataclass(frozen=True)
class SimulatedAgent:
    """A kind of runs."""

    success: float
    """Mean probability of success of an instance."""
    turns: tuple[int, int]
    """Least and most turns of a run that succeeds; one that fails takes up to twice as many."""
    evidence: float
    """Standard deviation of the log likelihood ratio after 10 turns."""
    forecaster: Forecaster
    runs: tuple[int, int] = (1, 1)
    """Least and most recorded runs of an instance."""
    spread: float = 0.0
    """Spread of the instances' probability: 0 is none, at 1 each succeeds or fails."""

    def instances(self, number: int, rng: np.random.Generator) -> WatchedRuns:
        """Record runs of new instances."""
        of_instance = rng.integers(self.runs[0], self.runs[1] + 1, number)
        chance = self._chances(number, rng)
        instance = np.repeat(np.arange(number), of_instance)
        outcome = rng.random(len(instance)) < chance[instance]
        chances = [self._forecasts(bool(own), rng) for own in outcome]
        return WatchedRuns(chances, outcome, instance.tolist())

    def new_successes(self, number: int, rng: np.random.Generator) -> list[Floats]:
        """Record a run of each of new instances until so many succeeded; what was said of those."""
        chances: list[Floats] = []
        while len(chances) < number:
            outcome = rng.random(number) < self._chances(number, rng)
            chances += [self._forecasts(True, rng) for _ in range(int(outcome.sum()))]
        return chances[:number]

    def _chances(self, number: int, rng: np.random.Generator) -> Floats:
        if not self.spread:
            return np.full(number, self.success)
        scale = 1 / self.spread - 1 + 1e-9
        return rng.beta(scale * self.success, scale * (1 - self.success), number)

    def _forecasts(self, outcome: bool, rng: np.random.Generator) -> Floats:
        """Return what is said after each turn of a run that ends in this way."""
        least, most = self.turns
        turns = int(rng.integers(least, (most if outcome else 2 * most) + 1))
        if self.forecaster == "useless":
            return rng.random(turns)
        variance = self.evidence**2 / 10
        drift = variance / 2 if outcome else -variance / 2
        known = np.cumsum(rng.normal(drift, np.sqrt(variance), turns))
        odds = known + np.log(self.success / (1 - self.success))
        if self.forecaster == "overconfident":
            odds = 4 * odds
        return 1 / (1 + np.exp(-np.clip(odds, -30, 30)))


Rule = Callable[[Floats], bool]
"""Decides whether a run is ever stopped, by its forecasts after each turn."""


def by_policy(policy: SequentialPolicy) -> Rule:
    """Return the rule of a policy."""
    return lambda chances: policy.stops(chances, chances) is not None


def by_pooled_quantile(runs: WatchedRuns, share: float) -> Rule:
    """Return a naive rule: below its threshold lies this share of what was said of successes."""
    pooled = np.concatenate(
        [own for own, had in zip(runs.chances, runs.outcome, strict=True) if had]
    )
    threshold = np.quantile(pooled, share)
    return lambda chances: bool((chances < threshold).any())


def by_face_value(share: float) -> Rule:
    """Return a naive rule: a run is stopped where its probability of success is below the share."""
    return lambda chances: bool((chances < share).any())


@dataclass(frozen=True)
class FalseAborts:
    """The share of runs that would have succeeded and are stopped, over calibrations."""

    share: float
    error: float
    """The Monte Carlo standard error: that of the mean over independent calibrations."""

    @classmethod
    def of(
        cls,
        agent: SimulatedAgent,
        make: Callable[[WatchedRuns], Rule],
        instances: int,
        calibrations: int,
        seed: int,
        new: int = 20,
    ) -> "FalseAborts":
        """Calibrate anew many times, and try each rule on new runs that succeed."""
        rng = np.random.default_rng(seed)
        shares = []
        for _ in range(calibrations):
            rule = make(agent.instances(instances, rng))
            shares.append(np.mean([rule(chances) for chances in agent.new_successes(new, rng)]))
        return cls(float(np.mean(shares)), float(np.std(shares, ddof=1) / np.sqrt(calibrations)))


def stopped(rule: Rule, runs: WatchedRuns) -> Mask:
    """Return (m,) which runs a rule stops."""
    return np.array([rule(chances) for chances in runs.chances])
