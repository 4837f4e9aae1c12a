"""Correlations of two scores, pooled and within tasks, against SciPy's and the paper's."""

import numpy as np
import pytest
from scipy import stats

from leaderboard.correlation import ScorePair, pooled, within_tasks
from leaderboard.decoupling import paper_pairs


def points(
    first: list[float], second: list[float], tasks: list[str] | None = None
) -> list[ScorePair]:
    names = tasks or ["one"] * len(first)
    return [ScorePair(*each) for each in zip(names, first, second, strict=True)]


@pytest.mark.parametrize("n", [4, 30])
def test_a_correlation_is_that_of_scipy(n: int) -> None:
    random = np.random.default_rng(n)
    first = random.normal(size=n).round(1)  # with ties
    second = (first + random.normal(size=n)).round(1)
    theirs = stats.pearsonr(first, second)
    interval = theirs.confidence_interval(0.95)
    ours = pooled(points(first.tolist(), second.tolist()))
    assert ours is not None
    assert ours.n == n
    assert ours.pearson == pytest.approx(theirs.statistic)
    assert (ours.low, ours.high) == (pytest.approx(interval.low), pytest.approx(interval.high))
    assert ours.spearman == pytest.approx(stats.spearmanr(first, second).statistic)


def test_within_one_task_it_is_the_pooled_one() -> None:
    of_one = points([1, 2, 3, 5, 8], [2, 1, 3, 4, 9])
    apart, together = within_tasks(of_one), pooled(of_one)
    assert apart is not None
    assert together is not None
    assert apart.pearson == pytest.approx(together.pearson)
    assert (apart.low, apart.high) == (pytest.approx(together.low), pytest.approx(together.high))


def test_tasks_that_differ_hide_what_goes_on_within_them() -> None:
    first, second = [1, 2, 3, 11, 12, 13], [21, 22, 23, 1, 2, 3]
    of_two = points([*map(float, first)], [*map(float, second)], ["a"] * 3 + ["b"] * 3)
    apart, together = within_tasks(of_two), pooled(of_two)
    assert apart is not None
    assert together is not None
    assert apart.pearson == pytest.approx(1)
    assert together.pearson < -0.9


def test_a_perfect_correlation_has_no_width() -> None:
    perfect = pooled(points([1, 2, 3, 4, 6], [10, 20, 30, 40, 60]))
    assert perfect is not None
    assert (perfect.pearson, perfect.low, perfect.high) == (pytest.approx(1),) * 3


@pytest.mark.parametrize(
    ("first", "second", "tasks"),
    [
        ([], [], []),
        ([0.1, 0.2], [0.3, 0.4], ["a", "a"]),
        ([0.1, 0.2, 0.3], [0.5, 0.5, 0.5], ["a", "a", "a"]),
        ([0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.9], ["a", "b", "c", "d"]),
    ],
)
def test_too_few_or_constant_scores_have_no_correlation(
    first: list[float], second: list[float], tasks: list[str]
) -> None:
    assert within_tasks(points(first, second, tasks)) is None
    if len(set(second)) < 3:
        assert pooled(points(first, second, tasks)) is None


def test_the_papers_success_and_judging_go_together_within_tasks() -> None:
    success, *others = paper_pairs()
    assert (success.first, success.second) == ("success", "macro_f1")
    together, apart = success.pooled, success.within
    assert together is not None
    assert apart is not None
    assert together.n == apart.n == 15  # no success is reported for warehouse
    assert round(together.pearson, 2) == 0.45
    assert round(apart.pearson, 2) == 0.74
    assert [(pair.second, len(pair.points)) for pair in others] == [
        ("paper_hit_rate", 20),
        ("paper_reward", 20),
    ]
