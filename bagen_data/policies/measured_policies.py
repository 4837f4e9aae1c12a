"""Measures of a policy on recorded rollouts, with intervals that resample instances."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.policies.foretold_rollouts import ForetoldFamily
from bagen_data.policies.stopped_runs import StoppedRuns, spending_under_cap
from bagen_data.scoring.measure import Measured
from bagen_data.scoring.report import Score
from bagen_data.scoring.resampling import Resampling
from bagen_data.scoring.sample_table import instances_by_task


@dataclass(frozen=True)
class PolicyScores:
    """The measures of one policy."""

    cost_saved: Score
    """Share of what all rollouts spend under a hard cap that the policy saves."""
    successes_lost: Score
    """Share of the rollouts that succeed within their budgets that it stops."""
    false_aborts: Score
    """Share of the rollouts that succeed, within their budgets or not, that it stops."""
    failures_stopped: Score
    """Share of the rollouts that do not succeed within their budgets that it stops."""
    net_benefit: Score
    """Budgets a rollout saved beyond a hard cap, less the worth of each success lost."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts and numbers, as JSON takes them."""
        return asdict(self)


@dataclass(frozen=True)
class Rollouts:
    """The m rollouts of all families of a task, as measures need them."""

    families: Sequence[ForetoldFamily]
    cluster: Ints
    """(m,) 0 .. c-1: the instance of each, or the bundle of instances that are drawn as one."""
    draws: Floats
    """(1 + b, c) how often each cluster is drawn; the first row draws each once."""
    spent: Floats
    """(m,) what each spends under a hard cap, in budgets."""

    @classmethod
    def of(cls, families: Sequence[ForetoldFamily], resampling: Resampling) -> Self:
        """Take the rollouts of families of one task, and draw their instances."""
        columns = [family.columns for family in families]
        draws = resampling.draws_of(instances_by_task(columns))[columns[0].task]
        instance = np.concatenate([each.instance for each in columns])
        return cls(
            families,
            draws.clusters_of(instance),
            np.vstack([np.ones(draws.clusters), draws.weights]),
            spending_under_cap(families),
        )

    def __len__(self) -> int:
        return len(self.cluster)

    @property
    def instance_ids(self) -> list[str]:
        """(m,) the instance of each."""
        return [name for family in self.families for name in family.instance_ids]

    @property
    def is_feasible(self) -> Mask:
        """(m,) whether each succeeded within its budgets."""
        return np.concatenate([family.is_feasible for family in self.families])

    @property
    def is_success(self) -> Mask:
        """(m,) whether each succeeded, within its budgets or not."""
        return np.concatenate([family.is_success for family in self.families])

    def scores(self, runs: StoppedRuns, worth: float) -> PolicyScores:
        """Return the measures of what stopping comes to."""
        every = np.ones(len(self), bool)
        return PolicyScores(
            self.share(runs.saved, self.spent),
            self._stopped(runs.lost, self.is_feasible),
            self._stopped(runs.lost_success, self.is_success),
            self._stopped(runs.stopped_failed, ~self.is_feasible),
            self.share(runs.net_benefit(worth), every),
        )

    def _stopped(self, stopped: Mask, among: Mask) -> Score:
        """Return the share of some rollouts that is stopped.

        Resamples of none or all of them are none or all again, and have no interval.
        """
        score = self.share(stopped, among)
        return Score(score.value, score.n) if score.value in {0, 1} else score

    def share(self, part: Floats | Mask, whole: Floats | Mask) -> Score:
        """Return the sum of (m,) parts over that of (m,) wholes, with its interval."""
        clusters = self.draws.shape[1]
        sums = [self.draws @ np.bincount(self.cluster, own, clusters) for own in (part, whole)]
        values = np.full(len(self.draws), np.nan)
        np.divide(sums[0], sums[1], out=values, where=sums[1] > 0)
        contributes = np.bincount(self.cluster, whole > 0, clusters) > 0
        return Measured(values, int(np.count_nonzero(whole)), contributes).score()
