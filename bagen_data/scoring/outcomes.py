"""Each sample's outcome as a few bits, and what of them is counted.

Samples with the same bits count alike in every rate, and there are few combinations. So a family's
samples are counted once, by cluster, progress bin and outcome, and every number of samples that any
score needs is a sum of these counts.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from bagen_data.answer_columns import FEASIBLE as ANSWERED_FEASIBLE
from bagen_data.answer_columns import INFEASIBLE as ANSWERED_INFEASIBLE
from bagen_data.answer_columns import AnswerColumns
from bagen_data.array_types import Floats, Ints, Mask, some
from bagen_data.scoring.per_sample import within_2x
from bagen_data.scoring.sample_table import Family

Bits = npt.NDArray[np.uint16]

_FEASIBLE = 1 << 2
"""The two bits below are the answer's verdict."""
_OPEN = 1 << 3
_FIRST_TURN = 1 << 4
_SUCCESS = 1 << 5
_BELOW = 1 << 6
"""Some `high` is below R."""
_ABOVE = 1 << 7
"""Some `low` is above R."""
_WITHIN_2X = 1 << 8
_ZERO = 1 << 9
"""Some R is 0."""
_ALL = 1 << 10


def outcomes(family: Family, answers: AnswerColumns, answered: Ints) -> Bits:
    """(n,) the outcome of each sample.

    Args:
        family: n samples.
        answers: the answers to them.
        answered: which of them have an interval.
    """
    bits = answers.verdict.astype(np.uint16)
    _mark(bits, _FEASIBLE, family.feasible)
    _mark(bits, _OPEN, family.is_open)
    _mark(bits, _FIRST_TURN, family.completed_turns == 1)
    _mark(bits, _ZERO, some(family.remaining == 0))
    if family.rollout_success is not None:
        _mark(bits, _SUCCESS, family.rollout_success)
    remaining = family.remaining.take(answered, axis=1)
    low, high = answers.low.take(answered, axis=1), answers.high.take(answered, axis=1)
    of_intervals = np.zeros(len(answered), np.uint16)
    _mark(of_intervals, _BELOW, some(high < remaining))
    _mark(of_intervals, _ABOVE, some(low > remaining))
    _mark(of_intervals, _WITHIN_2X, within_2x(low, high, remaining))
    bits[answered] |= of_intervals
    return bits


def counted(present: Bits) -> dict[str, Mask]:
    """By name of a count, which outcomes it counts.

    Args:
        present: (c,) distinct outcomes.
    """
    verdict = present & 3
    feasible = present & _FEASIBLE != 0
    says_feasible, says_infeasible = verdict == ANSWERED_FEASIBLE, verdict == ANSWERED_INFEASIBLE
    success = present & _SUCCESS != 0
    covers = says_feasible & (present & (_BELOW | _ABOVE) == 0)
    answered = feasible & says_feasible
    among = {
        "": np.ones(len(present), bool),
        "_open": present & _OPEN != 0,
        "_first_turn": present & _FIRST_TURN != 0,
    }
    counts = {"valid": verdict > 0}
    for suffix, these in among.items():
        counts |= {
            f"samples{suffix}": these,
            f"feasible{suffix}": these & feasible,
            f"infeasible{suffix}": these & ~feasible,
            f"said_feasible{suffix}": these & says_feasible,
            f"said_infeasible{suffix}": these & says_infeasible,
            f"feasible_found{suffix}": these & answered,
            f"infeasible_found{suffix}": these & ~feasible & says_infeasible,
        }
    return counts | {
        "false_aborts": feasible & says_infeasible,
        "infeasible_missed": ~feasible & says_feasible,
        "covered": answered & covers,
        "optimistic": answered & (present & _BELOW != 0),
        "conservative": answered & (present & _ABOVE != 0),
        "nonzero": answered & (present & _ZERO == 0),
        "within_2x": answered & (present & _WITHIN_2X != 0),
        "successes": success,
        "success_hits": success & covers,
        "success_stops": success & ~feasible & says_infeasible,
    }


@dataclass(frozen=True)
class Counted:
    """How many samples of each outcome there are, by cluster and part of a rollout."""

    table: Ints
    """(clusters, bins, c)."""
    masks: dict[str, Mask]
    """By name of a count, (c,) which outcomes it counts."""

    @classmethod
    def of(cls, bits: Bits, place: Ints, clusters: int, bins: int) -> Self:
        """Count samples.

        Args:
            bits: (n,) outcomes.
            place: (n,) `cluster * bins + bin` of each sample.
            clusters: how many there are.
            bins: likewise.
        """
        present = np.flatnonzero(np.bincount(bits, minlength=_ALL)).astype(np.uint16)
        column = np.zeros(_ALL, np.int64)
        column[present] = np.arange(len(present))
        cell = place * len(present)
        cell += column.take(bits)
        table = np.bincount(cell, minlength=clusters * bins * len(present))
        return cls(table.reshape(clusters, bins, len(present)), counted(present))

    def by_cluster(self) -> dict[str, Floats]:
        """Every count by name, (clusters,)."""
        outcomes = self.table.sum(axis=1).T.astype(np.float64)
        return {name: outcomes[mask].sum(axis=0) for name, mask in self.masks.items()}

    def by_bin(self, name: str) -> Floats:
        """(clusters, bins) one count."""
        return self.table[:, :, self.masks[name]].sum(axis=2).astype(np.float64)


def _mark(bits: Bits, bit: int, where: Mask) -> None:
    bits |= where * np.uint16(bit)
