"""Answers that repeat the labels.

The labels of the benchmark are public, and a later prefix of a rollout tells what an earlier one
asks. So predictions may be the labels themselves, or be joined from later prefixes; a file cannot
show that they are not. What can be seen is an interval with an end or its midpoint exactly on a
remaining amount, which chance seldom gives.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from bagen_data.answer_columns import FEASIBLE, AnswerColumns
from bagen_data.arrays import Floats, Ints, Mask
from bagen_data.scoring.truth import Family

NOTED = 0.5
"""Share of intervals on a label from which a page says so. Chance gives about 0.01 where amounts
are large, and more where rollouts cost alike."""
FEWEST = 10
"""Matches that are needed to say so."""


@dataclass
class LabelMatches:
    """Counts, over the families that passed through."""

    intervals: int = 0
    """Feasible samples answered with an interval."""
    matches: int = 0
    """Those in which, for every resource, an end or the midpoint is what remains at this prefix or
    at a later one of the same rollout."""

    def watching(
        self, answered: Iterable[tuple[Family, AnswerColumns]]
    ) -> Iterator[tuple[Family, AnswerColumns]]:
        """The same families and answers, counted as they pass."""
        for family, answers in answered:
            rows = np.flatnonzero((answers.verdict == FEASIBLE) & family.feasible)
            self.intervals += len(rows)
            self.matches += int(np.count_nonzero(_on_a_label(family, answers, rows)))
            yield family, answers

    @property
    def is_noted(self) -> bool:
        """Whether a page should say so."""
        return self.matches >= max(FEWEST, NOTED * self.intervals)


def _on_a_label(family: Family, answers: AnswerColumns, rows: Ints) -> Mask:
    """(a,) of these rows."""
    found = np.ones(len(rows), bool)
    for resource in range(len(family.resources)):
        low, high = answers.low[resource, rows], answers.high[resource, rows]
        remaining = family.remaining[resource]
        labels = _keys(family.rollout, remaining)
        amounts = np.stack([low, high, (low + high) / 2])
        is_later = amounts <= remaining[rows]  # what remains never grows
        is_label = np.isin(_keys(family.rollout[rows], amounts), labels)
        found &= (is_label & is_later & (amounts > 0)).any(axis=0)
    return found


def _keys(rollout: Ints, amounts: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.complex128]]:
    """A rollout and an amount as one value."""
    return rollout + 1j * amounts
