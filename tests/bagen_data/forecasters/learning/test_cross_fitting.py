import numpy as np
import pytest

from bagen_data.forecasters.learning.cross_fitting import best_cut, folds
from bagen_data.forecasters.learning.learners import Columns


def test_columns_stay_in_the_range_of_training() -> None:
    rng = np.random.default_rng(0)
    nearly = np.full(200, 7.0)
    nearly[0] += 1e-12
    training = np.column_stack([rng.normal(size=200), nearly, np.full(200, 5.0)])
    columns = Columns.of(training)
    scaled = columns.scaled(np.array([[1e9, 1e9, 1e9], [-1e9, -1e9, -1e9], [0.0, 7.0, 5.0]]))
    assert columns.kept.tolist() == [True, True, False]
    assert np.abs(scaled).max() <= 3
    np.testing.assert_allclose(scaled[0], columns.scaled(training).max(axis=0))
    np.testing.assert_allclose(scaled[1], columns.scaled(training).min(axis=0))


def test_folds_keep_clusters_whole_and_classes_even() -> None:
    cluster = np.repeat(np.arange(20), 3)
    feasible = cluster < 10
    fold = folds(cluster, feasible, seed=0)
    assert all(len(set(fold[cluster == number])) == 1 for number in range(20))
    assert np.bincount(fold).tolist() == [12] * 5
    assert np.bincount(fold, feasible).tolist() == [6] * 5


def test_the_cut_is_as_good_as_scikit_learn_finds_it() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    feasible = rng.random(2000) < 0.2
    odds = rng.normal(size=2000) + 2 * feasible

    def score(cut: float) -> float:
        return float(metrics.f1_score(feasible, odds >= cut, average="macro"))

    reached = score(best_cut(odds, feasible, np.arange(2000), seed=0))
    assert reached > max(map(score, np.linspace(-3, 5, 81))) - 0.01
