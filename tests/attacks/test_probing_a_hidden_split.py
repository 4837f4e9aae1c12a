"""Somebody hands in random answers to a hidden split, and adds up those that scored well.

Nothing stops that but few submissions: what scores tell, two digits tell nearly as well. The table
in docs/hidden-split.md says how far it gets from nothing, and this makes it.
"""

import re
from typing import Any

import numpy as np
import pytest

from tests.making import REPO

SAMPLES, SUBMISSIONS = (64, 128, 256, 512), (5, 10, 20, 50, 100)
RUNS = 60
FEASIBLE = 0.4


def macro_f1(labels: Any, answers: Any) -> Any:
    """(s,) scores of (s, n) answers to n samples."""
    scores = [
        2
        * ((answers == kind) & (labels == kind)).sum(-1)
        / np.maximum(1, (answers == kind).sum(-1) + (labels == kind).sum(-1))
        for kind in (True, False)
    ]
    return sum(scores) / 2


def learned(samples: int, submissions: int, rng: np.random.Generator) -> float:
    """The score of answers that were learned from the scores of random ones."""
    labels = rng.random(samples) < FEASIBLE
    answers = rng.random((submissions, samples)) < 0.5
    scores = np.round(macro_f1(labels, answers), 2)
    votes = (scores - scores.mean()) @ np.where(answers, 1.0, -1.0)
    return float(macro_f1(labels, votes > 0))


@pytest.mark.parametrize("samples", SAMPLES)
def test_the_table_says_what_probing_reaches(samples: int) -> None:
    rng = np.random.default_rng(samples)
    reached = [
        np.mean([learned(samples, submissions, rng) for _ in range(RUNS)])
        for submissions in SUBMISSIONS
    ]
    text = (REPO / "docs" / "hidden-split.md").read_text(encoding="utf-8")
    (row,) = re.findall(rf"^ *\| {samples} \| (.+) \|$", text, re.MULTILINE)
    assert [float(cell) for cell in row.split(" | ")] == pytest.approx(reached, abs=0.015)
