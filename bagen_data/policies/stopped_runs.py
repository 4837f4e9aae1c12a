"""Savings and losses of a policy on recorded rollouts, by the sums that scores are made of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np

from bagen_data.answer_columns import FEASIBLE, INFEASIBLE, AnswerColumns
from bagen_data.array_types import Floats, Mask
from bagen_data.live.policies import Policy
from bagen_data.policies.foretold_rollouts import ForetoldFamily
from bagen_data.scoring.definitions import AnsweredFamily
from bagen_data.scoring.scores.early_stop import (
    STOPPED_FEASIBLE,
    STOPPED_INFEASIBLE,
    STOPPED_SUCCESSFUL,
    capped_budgets,
    saved_budgets,
)

Stops = Callable[[ForetoldFamily], Sequence[int | None]]
"""The turn at which each of a family's rollouts is stopped; None where it is not."""


@dataclass(frozen=True)
class StoppedRuns:
    """Sums of stopping, for each of m rollouts of all families."""

    saved: Floats
    """(m,) usage saved that a hard cap at the budget does not save, in budgets."""
    lost: Mask
    """(m,) stopped, and would have succeeded within the budgets."""
    lost_success: Mask
    """(m,) stopped, and would have succeeded, within the budgets or not."""
    stopped_failed: Mask
    """(m,) stopped, and would not have succeeded within the budgets."""

    @classmethod
    def of(cls, families: Sequence[ForetoldFamily], stops: Stops) -> Self:
        """Stop each rollout where a rule says so; a stop after the last turn changes nothing."""
        own = [cls._of_family(family, stops(family)) for family in families]
        return cls(
            *(np.concatenate([getattr(one, each.name) for one in own]) for each in fields(cls))
        )

    @classmethod
    def _of_family(cls, family: ForetoldFamily, stops: Sequence[int | None]) -> Self:
        columns = family.columns
        turn = np.array([np.inf if stop is None else stop for stop in stops], np.float64)
        is_stopped = (columns.completed_turns >= turn[columns.rollout]) & (turn < family.turns)[
            columns.rollout
        ]
        verdict = np.where(is_stopped, INFEASIBLE, FEASIBLE).astype(np.uint8)
        nothing = np.full(columns.used.shape, np.nan)
        answers = AnswerColumns(verdict, np.zeros_like(verdict), nothing, nothing)
        answered = AnsweredFamily(columns, answers, answers, alpha=0.2)
        return cls(
            answered.once(saved_budgets),
            STOPPED_FEASIBLE.of(answered) > 0,
            STOPPED_SUCCESSFUL.of(answered) > 0,
            STOPPED_INFEASIBLE.of(answered) > 0,
        )

    def where(self, rollouts: Mask, other: Self) -> Self:
        """Return these values at some rollouts, and another policy's elsewhere."""
        return type(self)(
            *(
                np.where(rollouts, getattr(self, each.name), getattr(other, each.name))
                for each in fields(self)
            )
        )

    def net_benefit(self, worth: float) -> Floats:
        """Return (m,) budgets saved, less the worth of each success within the budgets lost."""
        benefit: Floats = self.saved - worth * self.lost
        return benefit


def by_policy(policy: Policy) -> Stops:
    """Return the stops of a policy."""
    return lambda family: [policy.stops(own.finish, own.success) for own in family.said]


def by_foresight(family: ForetoldFamily) -> list[int | None]:
    """Return the stops of perfect foresight: after turn 1 of rollouts that are not feasible."""
    return [None if feasible else 1 for feasible in family.is_feasible]


def spending_under_cap(families: Sequence[ForetoldFamily]) -> Floats:
    """Return (m,) what each rollout spends under a hard cap, in budgets."""
    spent = []
    for family in families:
        columns = family.columns
        nothing = np.full(columns.used.shape, np.nan)
        verdict = np.full(columns.used.shape[1], FEASIBLE, np.uint8)
        answers = AnswerColumns(verdict, np.zeros_like(verdict), nothing, nothing)
        answered = AnsweredFamily(columns, answers, answers, alpha=0.2)
        spent.append(answered.once(capped_budgets))
    return np.concatenate(spent)
