"""Correlations of two scores, against SciPy's."""

import numpy as np
import pytest
from scipy import stats

from leaderboard.correlation import correlation
from leaderboard.main_table import EstimatorRow


def rows(first: list[float], second: list[float]) -> list[EstimatorRow]:
    return [
        EstimatorRow(
            str(number), str(number), 0, {"macro_f1": {"value": one}, "reward": {"value": other}}
        )
        for number, (one, other) in enumerate(zip(first, second, strict=True))
    ]


@pytest.mark.parametrize("n", [4, 30])
def test_a_correlation_is_that_of_scipy(n: int) -> None:
    random = np.random.default_rng(n)
    first = random.normal(size=n).round(1)  # with ties
    second = (first + random.normal(size=n)).round(1)
    ours = correlation(rows(first.tolist(), second.tolist()), "reward")
    theirs = stats.pearsonr(first, second)
    assert ours is not None
    assert ours.n == n
    assert ours.pearson == pytest.approx(theirs.statistic)
    interval = theirs.confidence_interval(0.95)
    assert (ours.low, ours.high) == (pytest.approx(interval.low), pytest.approx(interval.high))
    assert ours.spearman == pytest.approx(stats.spearmanr(first, second).statistic)


def test_a_perfect_correlation_has_no_width() -> None:
    perfect = correlation(rows([1, 2, 3, 4, 6], [10, 20, 30, 40, 60]), "reward")
    assert perfect is not None
    assert (perfect.pearson, perfect.low, perfect.high) == (pytest.approx(1),) * 3


@pytest.mark.parametrize(
    ("first", "second"), [([0.1, 0.2], [0.3, 0.4]), ([0.1, 0.2, 0.3], [0.5, 0.5, 0.5])]
)
def test_too_few_or_constant_scores_have_no_correlation(
    first: list[float], second: list[float]
) -> None:
    assert correlation(rows(first, second), "reward") is None
