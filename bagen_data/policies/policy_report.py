"""Choose a policy for a forecaster on recorded rollouts."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bagen_data.errors import InputError
from bagen_data.forecasters import find_forecaster, known_forecasters
from bagen_data.forecasters.kept import load_forecaster
from bagen_data.live.policies import Policy, SequentialPolicy, ThresholdPolicy
from bagen_data.policies.calibration import why_never
from bagen_data.policies.foretold_rollouts import Said, foretold_families
from bagen_data.policies.measured_policies import PolicyScores, Rollouts
from bagen_data.policies.policy_choice import Choice, choose_sequential, choose_threshold
from bagen_data.policies.stopped_runs import StoppedRuns, by_foresight
from bagen_data.policies.unseen_forecasts import (
    RecordedConfig,
    cross_fitted,
    load_recorded,
    of_kept,
)
from bagen_data.scoring.resampling import Resampling
from bagen_data.wording import numbered


@dataclass(frozen=True)
class PolicyRequest:
    """A forecaster, the rollouts that a policy is chosen on, and what is wanted of it."""

    forecaster: str
    """Name of the forecaster, of `known_forecasters()`, or the folder or Hub id of a kept one."""
    dataset: str
    """A folder, URL, ORG/NAME or ORG/NAME@REV."""
    config: str
    """A task or `<task>_train`."""
    policy: Policy
    """The kind of policy, and what is not chosen."""
    worth: float = 2.0
    """Worth of a success, in budgets."""
    seed: int = 0
    """Seed of all parts, of what is learned, and of the resampling."""
    resamples: int = 1000
    """Resamples of instances, for 95% intervals."""


@dataclass(frozen=True)
class PolicyReport:
    """A policy that was chosen, and what it does."""

    request: PolicyRequest
    dataset: str
    """The dataset, at its commit if it is on the Hub."""
    revision: str | None
    """The revision of the dataset."""
    learned: str
    """Source of the forecasts, one clause."""
    is_cross_fitted: bool
    """True if each rollout's forecasts are by a forecaster of its own, learned from others."""
    counts: Mapping[str, int]
    """Numbers of `rollouts`, `instances`, of rollouts with `successes`, within their budgets or
    not, and of `feasible` ones."""
    choice: Choice[ThresholdPolicy] | Choice[SequentialPolicy]
    foresight: PolicyScores
    """Measures of perfect foresight, which stops what is not feasible after turn 1."""

    @property
    def policy(self) -> Policy:
        """The policy that was chosen, with a sentence about how."""
        return self.choice.policy

    @property
    def warning(self) -> str | None:
        """A sentence on what the policy cannot do; None if it does what was asked for."""
        policy = self.policy
        if not isinstance(policy, SequentialPolicy):
            return None
        if policy.threshold is not None and self.choice.others[0].stop_below == 0:
            return (
                "it is not tried on unseen instances: without a part of them, too few succeed to "
                "calibrate it"
            )
        return why_never(policy)

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts and numbers, as JSON takes them."""
        choice = self.choice
        return {
            "forecaster": self.request.forecaster,
            "learned": self.learned,
            "dataset": {
                "path": self.dataset,
                "config": self.request.config,
                "revision": self.revision,
            },
            "counts": dict(self.counts),
            "worth": self.request.worth,
            "seed": self.request.seed,
            "resamples": self.request.resamples,
            "policy": {"kind": self.policy.kind, **vars(self.policy)},
            "warning": self.warning,
            "seen": choice.seen.to_dict(),
            "unseen": choice.unseen.to_dict(),
            "chosen_on_other_parts": [{"kind": each.kind, **vars(each)} for each in choice.others],
            "foresight": self.foresight.to_dict(),
            "curve": [point.to_dict() for point in choice.curve],
        }


def evaluate(request: PolicyRequest) -> PolicyReport:
    """Choose a policy on recorded rollouts, and measure it.

    Raises:
        WrongUsageError, InputError: the forecaster or the rollouts cannot be used.
        StoreError: the Hub or a store does not answer.
    """
    foretold = _foretold(request)
    _check_instances(foretold, request)
    families = foretold_families(foretold.recorded.rollouts, foretold.said)
    rollouts = Rollouts.of(families, Resampling(request.resamples, request.seed))
    counts = {
        "rollouts": len(rollouts),
        "instances": len(set(rollouts.instance_ids)),
        "successes": int(np.count_nonzero(rollouts.is_success)),
        "feasible": int(np.count_nonzero(rollouts.is_feasible)),
    }
    policy = replace(request.policy, about=_about(request, counts))
    choice: Choice[ThresholdPolicy] | Choice[SequentialPolicy]
    if isinstance(policy, ThresholdPolicy):
        choice = choose_threshold(rollouts, policy, request.worth, request.seed)
    else:
        choice = choose_sequential(rollouts, policy, request.worth, request.seed)
    foresight = StoppedRuns.of(families, by_foresight)
    return PolicyReport(
        request,
        foretold.recorded.dataset,
        foretold.recorded.revision,
        foretold.learned,
        foretold.is_cross_fitted,
        counts,
        choice,
        rollouts.scores(foresight, request.worth),
    )


@dataclass(frozen=True)
class _Foretold:
    """Recorded rollouts, their forecasts, and the forecaster that made these."""

    recorded: RecordedConfig
    said: Mapping[str, Said]
    """The forecasts of each rollout, by the rollout's name."""
    learned: str
    is_cross_fitted: bool


def _foretold(request: PolicyRequest) -> _Foretold:
    if request.forecaster in known_forecasters():
        find_forecaster(request.forecaster).check_packages()
        recorded = load_recorded(request.dataset, request.config)
        said = cross_fitted(recorded, request.forecaster, request.seed)
        learned = "forecasts of each rollout are learned from other instances"
        return _Foretold(recorded, said, learned, is_cross_fitted=True)
    if "/" not in request.forecaster and not Path(request.forecaster).exists():
        names = [name for name in known_forecasters() if find_forecaster(name).learn_forecasts]
        raise InputError(
            f"{request.forecaster}: is not a forecaster that forecasts ({', '.join(names)}), nor a "
            "folder; give one of these, the folder that 'bagen fit' wrote, or ORG/NAME on the Hub"
        )
    kept = load_forecaster(request.forecaster)
    every = load_recorded(request.dataset, request.config)
    recorded, said = of_kept(every, kept, request.forecaster)
    learned = "the forecaster learned from none of these instances"
    left_out = len(every.rollouts) - len(recorded.rollouts)
    if left_out:
        learned += f" ({numbered(left_out, 'rollout')} of others left out)"
    return _Foretold(recorded, said, learned, is_cross_fitted=False)


def _check_instances(foretold: _Foretold, request: PolicyRequest) -> None:
    """Refuse rollouts on which a policy cannot be tried that was chosen on others of them.

    Raises:
        InputError: fewer than two instances have a rollout that could be stopped.
    """
    usable = {
        each.instance_id for each in foretold.recorded.rollouts if len(each.rollout.turns) > 1
    }
    if len(usable) < 2:
        raise InputError(
            f"{foretold.recorded.dataset}: config {request.config} has "
            f"{numbered(len(usable), 'instance')} to choose a policy on; {foretold.learned}; "
            "expected two or more with rollouts of two turns or more, as a policy is tried on "
            "instances that it was not chosen on; give another config, or record more"
        )


def _about(request: PolicyRequest, counts: Mapping[str, int]) -> str:
    purpose = (
        f"chosen for a success worth {request.worth:g} budgets"
        if isinstance(request.policy, ThresholdPolicy)
        else "calibrated"
    )
    text = (
        f"{purpose} on {numbered(counts['rollouts'], 'rollout')} of {request.config} with "
        f"forecasts of {request.forecaster}"
    )
    return "".join(each if each.isprintable() else "?" for each in text)[:1_000]
