"""Choose a policy on recorded rollouts, and try the choice on instances it was not made on."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np

from bagen_data.array_types import Mask
from bagen_data.forecasters import FOLDS
from bagen_data.forecasters.learning.predictions import parts_of_instances
from bagen_data.live.policies import Outcome, SequentialPolicy, ThresholdPolicy
from bagen_data.policies.calibration import WatchedRuns, calibrated
from bagen_data.policies.measured_policies import PolicyScores, Rollouts
from bagen_data.policies.stopped_runs import StoppedRuns, by_policy

THRESHOLDS = (0.0, 0.001, 0.002, 0.005, *(round(0.01 * step, 2) for step in range(1, 101)))
"""Probabilities to finish below which a policy may stop; 0 never stops."""
SHARES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
"""Shares of false aborts that the curve of a sequential test is drawn at."""

AnyPolicy = TypeVar("AnyPolicy", ThresholdPolicy, SequentialPolicy)


@dataclass(frozen=True)
class PolicyPoint(Generic[AnyPolicy]):
    """A policy of the curve, and its measures."""

    policy: AnyPolicy
    scores: PolicyScores

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts and numbers, as JSON takes them."""
        return {"policy": {"kind": self.policy.kind, **vars(self.policy)}, **self.scores.to_dict()}


@dataclass(frozen=True)
class Choice(Generic[AnyPolicy]):
    """A policy that was chosen on recorded rollouts."""

    curve: Sequence[PolicyPoint[AnyPolicy]]
    """The policies that it was chosen among, by their threshold."""
    policy: AnyPolicy
    seen: PolicyScores
    """Measures of the policy on the very rollouts that it was chosen on, so too good."""
    unseen: PolicyScores
    """Measures of choosing in this way: each part of the instances is stopped by the policy that
    is chosen on the other parts."""
    others: Sequence[AnyPolicy]
    """The policies that were chosen on all parts but one."""


def choose_threshold(
    rollouts: Rollouts, policy: ThresholdPolicy, worth: float, seed: int
) -> Choice[ThresholdPolicy]:
    """Choose the threshold with the best net benefit; of equal ones the lowest.

    Args:
        rollouts: with forecasts of a forecaster that did not learn from them.
        policy: the policy, but for its `stop_below`, which is chosen.
        worth: worth of a success, in budgets.
        seed: seed of the parts of the instances.
    """
    policies = [replace(policy, stop_below=threshold) for threshold in THRESHOLDS]
    runs = [StoppedRuns.of(rollouts.families, by_policy(each)) for each in policies]
    benefits = np.array([each.net_benefit(worth) for each in runs])

    def best(among: Mask) -> int:
        return int(np.argmax(benefits[:, among].sum(axis=1).round(9)))

    chosen = best(np.ones(len(rollouts), bool))
    unseen, others = runs[0], []
    for own in parts_of(rollouts, seed):
        others.append(best(~own))
        unseen = runs[others[-1]].where(own, unseen)
    curve = [
        PolicyPoint(each, rollouts.scores(own, worth))
        for each, own in zip(policies, runs, strict=True)
    ]
    return Choice(
        curve,
        policies[chosen],
        curve[chosen].scores,
        rollouts.scores(unseen, worth),
        [policies[number] for number in others],
    )


def choose_sequential(
    rollouts: Rollouts, policy: SequentialPolicy, worth: float, seed: int
) -> Choice[SequentialPolicy]:
    """Calibrate a sequential test; the curve is over the share of false aborts that it may have.

    The curve's measures are of rollouts that each test was not calibrated on.

    Args:
        rollouts: with forecasts of a forecaster that did not learn from them.
        policy: the policy, but for its threshold, which is calibrated.
        worth: worth of a success, in budgets.
        seed: seed of the parts of the instances.
    """
    watched = watched_runs(rollouts, policy.outcome)
    parts = list(parts_of(rollouts, seed))
    shares = sorted({*SHARES, policy.max_false_abort})
    calibrate = _Calibrating(watched, policy)
    tried = {share: calibrate.unseen(rollouts, share, parts) for share in shares}
    curve = [
        PolicyPoint(calibrate.on_all(share), rollouts.scores(tried[share][0], worth))
        for share in shares
    ]
    chosen = calibrate.on_all(policy.max_false_abort)
    seen = rollouts.scores(StoppedRuns.of(rollouts.families, by_policy(chosen)), worth)
    unseen, others = tried[policy.max_false_abort]
    return Choice(curve, chosen, seen, rollouts.scores(unseen, worth), others)


@dataclass(frozen=True)
class _Calibrating:
    """The calibration of one kind of sequential test on recorded runs."""

    watched: WatchedRuns
    policy: SequentialPolicy

    def on(self, among: Mask, share: float) -> SequentialPolicy:
        """Calibrate on some of the runs."""
        runs = self.watched.where(among)
        test = calibrated(runs, share, self.policy.outcome, self.policy.first_turn)
        return replace(test, warn_below=self.policy.warn_below, about=self.policy.about)

    def on_all(self, share: float) -> SequentialPolicy:
        """Calibrate on all runs."""
        return self.on(np.ones(len(self.watched), bool), share)

    def unseen(
        self, rollouts: Rollouts, share: float, parts: Sequence[Mask]
    ) -> tuple[StoppedRuns, list[SequentialPolicy]]:
        """Stop each part by the test that is calibrated on the others.

        Where the others of some part have too few successes, no part is stopped: such parts have
        many of the successes, and to stop in the others alone would seem to lose few.
        """
        tests = [self.on(~own, share) for own in parts]
        if any(test.threshold is None for test in tests):
            tests = [replace(test, threshold=None) for test in tests]
        runs = [StoppedRuns.of(rollouts.families, by_policy(test)) for test in tests]
        stopped = runs[0]
        for own, each in zip(parts, runs, strict=True):
            stopped = each.where(own, stopped)
        return stopped, tests


def watched_runs(rollouts: Rollouts, outcome: Outcome) -> WatchedRuns:
    """Return what a sequential test watches of recorded rollouts."""
    said = [own for family in rollouts.families for own in family.said]
    is_finish = outcome == "finish"
    return WatchedRuns(
        [own.finish if is_finish else own.success for own in said],
        rollouts.is_feasible if is_finish else rollouts.is_success,
        rollouts.instance_ids,
    )


def parts_of(rollouts: Rollouts, seed: int) -> Sequence[Mask]:
    """Return (m,) which rollouts are of each part of the instances."""
    part_of = parts_of_instances(rollouts.instance_ids, FOLDS, seed)
    part = np.array([part_of[name] for name in rollouts.instance_ids])
    return [part == number for number in range(int(part.max()) + 1)]


Chosen = Choice[ThresholdPolicy] | Choice[SequentialPolicy]
"""A choice of either kind."""
