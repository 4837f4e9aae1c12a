"""Recorded rollouts with what a forecaster says after each of their turns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.replay import benchmark_prefixes, replay, succeeded
from bagen_data.schema import Budget, Forecast, Probe, Rollout
from bagen_data.scoring.sample_table import FamilyColumns


@dataclass(frozen=True)
class RecordedRollout:
    """A recorded rollout of one turn or more, with its budget."""

    rollout: Rollout
    budget: Budget

    @property
    def family(self) -> str:
        """`task/rollout_model`."""
        return f"{self.rollout.task}/{self.rollout.rollout_model}"

    @property
    def name(self) -> str:
        """`task/rollout_model/rollout_id`."""
        return f"{self.family}/{self.rollout.rollout_id}"

    @property
    def instance_id(self) -> str:
        """The instance of the rollout."""
        return self.rollout.instance_id

    def probes(self) -> list[Probe]:
        """Return the probe after each turn but the last, where nothing is left to stop."""
        prefixes = benchmark_prefixes(len(self.rollout.turns))
        return [probe for probe, _ in replay(self.rollout, self.budget, prefixes)]


@dataclass(frozen=True)
class Said:
    """The probabilities that a forecaster gave a rollout of T turns."""

    finish: Floats
    """(T - 1,) after turns 1 .. T - 1; NaN where they are not known."""
    success: Floats
    """(T - 1,)."""

    @classmethod
    def of(cls, forecasts: Sequence[Forecast | None]) -> Self:
        """Take the probabilities of the forecasts of a rollout, in order; None is not known."""
        probabilities = [
            (np.nan, np.nan) if one is None else (one.finish, one.success) for one in forecasts
        ]
        columns = np.array(probabilities, np.float64).reshape(-1, 2).T
        return cls(columns[0], columns[1])


@dataclass(frozen=True)
class ForetoldFamily:
    """The m rollouts of one family, with the forecasts after each turn."""

    columns: FamilyColumns
    """A row a turn, the last one included, at which nothing remains."""
    said: Sequence[Said]
    """(m,)."""
    instance_ids: Sequence[str]
    """(m,)."""
    is_feasible: Mask
    """(m,) whether each rollout succeeded within its budgets."""
    is_success: Mask
    """(m,) whether each rollout succeeded, within its budgets or not."""
    turns: Ints
    """(m,) T of each rollout."""

    @classmethod
    def of(
        cls,
        rollouts: Sequence[RecordedRollout],
        said: Mapping[str, Said],
        ranks: Mapping[str, int],
    ) -> Self:
        """Put the rollouts of a family, one or more, into columns.

        Args:
            rollouts: rollouts of one family.
            said: forecasts by the rollout's name.
            ranks: the rank of each instance among those of all families.
        """
        first = rollouts[0].rollout
        resources = tuple(rollouts[0].budget.limits)
        tables = [_Rows.of(each, resources) for each in rollouts]
        turns = np.array([len(each.rollout.turns) for each in rollouts])
        number = np.repeat(np.arange(len(rollouts)), turns)
        is_feasible = np.array([each.is_feasible for each in tables])
        is_success = np.array([each.is_success for each in tables])
        columns = FamilyColumns(
            task=first.task,
            rollout_model=first.rollout_model,
            resources=resources,
            rows=slice(0, len(number)),
            rollout=number,
            first=np.cumsum(turns) - turns,
            instance=np.array([ranks[each.instance_id] for each in rollouts]),
            completed_turns=np.concatenate([np.arange(1, own + 1) for own in turns.tolist()]),
            total_turns=np.repeat(turns, turns),
            feasible=is_feasible[number],
            rollout_success=is_success[number],
            budget=np.hstack([each.budget for each in tables]),
            used=np.hstack([each.used for each in tables]),
            remaining=np.hstack([each.remaining for each in tables]),
        )
        return cls(
            columns,
            [said[each.name] for each in rollouts],
            [each.instance_id for each in rollouts],
            is_feasible,
            is_success,
            turns,
        )


@dataclass(frozen=True)
class _Rows:
    """The amounts of one rollout after each of its T turns."""

    used: Floats
    """(r, T)."""
    remaining: Floats
    """(r, T)."""
    budget: Floats
    """(r, T)."""
    is_feasible: bool
    is_success: bool

    @classmethod
    def of(cls, recorded: RecordedRollout, resources: Sequence[str]) -> Self:
        rollout, budget = recorded.rollout, recorded.budget
        pairs = list(replay(rollout, budget, range(1, len(rollout.turns) + 1)))
        limits = np.array([[budget.limits[name]] for name in resources], np.float64)
        return cls(
            np.array([[probe.used[name] for probe, _ in pairs] for name in resources], float),
            np.array([[own.remaining[name] for _, own in pairs] for name in resources], float),
            np.repeat(limits, len(pairs), axis=1),
            pairs[0][1].feasible,
            succeeded(rollout, budget),
        )


def foretold_families(
    rollouts: Sequence[RecordedRollout], said: Mapping[str, Said]
) -> list[ForetoldFamily]:
    """Return the families of rollouts of one task, by name.

    Args:
        rollouts: one or more.
        said: forecasts of each, by its name.
    """
    instances = sorted({each.instance_id for each in rollouts})
    ranks = {name: rank for rank, name in enumerate(instances)}
    members: dict[str, list[RecordedRollout]] = {}
    for each in rollouts:
        members.setdefault(each.family, []).append(each)
    return [ForetoldFamily.of(members[name], said, ranks) for name in sorted(members)]
