"""Answers that repeat the labels.

The labels of the benchmark are public, and a later prefix of a rollout shows the answer to an
earlier one. So predictions may be the labels themselves, or be joined from later prefixes; a file
cannot show that they are not. A sign of it is an interval with an end or its midpoint exactly on a
remaining amount. Chance gives that where rollouts cost alike, so amounts that several rollouts of a
family share do not count.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from bagen_data.answer_columns import FEASIBLE, AnswerColumns
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.scoring.sample_table import FamilyColumns

NOTED = 0.5
"""Share of intervals on a label from which a page says that answers lie on labels."""
FEWEST = 10
"""Fewest matches from which a page says that answers lie on labels."""

Keys = npt.NDArray[np.complex128]


@dataclass
class LabelMatches:
    """Counts of intervals, and of those on a label, over the families that passed through."""

    intervals: int = 0
    """Feasible samples answered with an interval."""
    matches: int = 0
    """Intervals in which, for every resource, an end or the midpoint is what remains at this prefix
    or at a later one of the same rollout, and for one of them at no prefix of another rollout."""

    def counted(
        self, answers_by_family: Iterable[tuple[FamilyColumns, AnswerColumns]]
    ) -> Iterator[tuple[FamilyColumns, AnswerColumns]]:
        """Count families and answers, and pass them on."""
        for family, answers in answers_by_family:
            rows = np.flatnonzero((answers.verdict == FEASIBLE) & family.feasible)
            self.intervals += len(rows)
            self.matches += int(np.count_nonzero(_on_a_label(family, answers, rows)))
            yield family, answers

    @property
    def is_noted(self) -> bool:
        """Return whether a page should say that the answers lie on labels."""
        return self.matches >= max(FEWEST, NOTED * self.intervals)


def _on_a_label(family: FamilyColumns, answers: AnswerColumns, rows: Ints) -> Mask:
    """Return whether the interval of each of these rows lies on a label, (a,)."""
    every_resource = np.ones(len(rows), bool)
    tells = np.zeros(len(rows), bool)
    for resource in range(len(family.resources)):
        low, high = answers.low[resource, rows], answers.high[resource, rows]
        remaining = family.remaining[resource]
        amounts = np.stack([low, high, (low + high) / 2])
        keys = _keys(family.rollout[rows], amounts)
        is_later = (amounts > 0) & (amounts <= remaining[rows])  # what remains never grows
        labels = np.unique(_keys(family.rollout, remaining))
        every_resource &= (np.isin(keys, labels) & is_later).any(axis=0)
        tells |= (np.isin(keys, _of_one_rollout(labels)) & is_later).any(axis=0)
    return every_resource & tells


def _of_one_rollout(labels: Keys) -> Keys:
    """Return the labels with an amount that no other rollout has."""
    _, inverse, counts = np.unique(labels.imag, return_inverse=True, return_counts=True)
    unshared: Keys = labels[counts[inverse] == 1]
    return unshared


def _keys(rollout: Ints, amounts: Floats) -> Keys:
    """Return a rollout and an amount as one value."""
    return rollout + 1j * amounts
