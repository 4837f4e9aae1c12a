"""Answers before the first turn, against what is then used."""

import pytest

from bagen_data.scoring import score
from tests.bagen_data.scoring.scoring_cases import predictions, sample


@pytest.mark.parametrize("rollouts", [1, 2, 3])
def test_a_correlation_takes_three_rollouts(rollouts: int) -> None:
    """Two points always lie on a line."""
    rows = [
        sample(f"t/m/r{number}/0", completed_turns=0, remaining=remaining)
        for number, remaining in enumerate((100, 300, 200)[:rollouts])
    ]
    said = [f"<answer>{number}</answer>" for number in (100, 200, 300)[:rollouts]]
    report = score(rows, predictions(rows, said), question="point", resamples=0)
    correlation = report.overall["start_correlation"]
    assert correlation.n == (rollouts if rollouts >= 3 else 0)
    assert (correlation.value is None) == (rollouts < 3)
