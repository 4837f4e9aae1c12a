"""Trees as arrays say what scikit-learn's say, to the bit, and refuse to be anything else."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression

from bagen_data.array_types import Floats, Mask
from bagen_data.forecasters.learning.learners import Judge, Spending
from bagen_data.forecasters.learning.linear_model import LinearModel, logistic
from bagen_data.forecasters.learning.tree_arrays import LeafMembers, SummedTrees, Trees


def made(seed: int, rows: int = 300) -> tuple[Floats, Floats]:
    """Features, some of which have few values, and an outcome that depends on them."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 6))
    values[:, 2:4] = values[:, 2:4].round()
    return values, values[:, 0] * values[:, 2] + rng.normal(size=rows)


def trees_of(forest: Any) -> Trees:
    return Trees.of([each.tree_ for each in np.ravel(forest.estimators_)])


@given(seed=st.integers(0, 10**6))
def test_a_forest_s_shares_are_scikit_learn_s(seed: int) -> None:
    values, amounts = made(seed)
    forest = RandomForestClassifier(20, min_samples_leaf=5, random_state=seed)
    forest.fit(values, amounts > 0)
    trees = trees_of(forest)
    (leaves,) = [leaves for _, leaves in trees.leaves(values)]
    np.testing.assert_array_equal(leaves - trees.roots[:, np.newaxis], forest.apply(values).T)
    shares = np.concatenate([each.tree_.value[:, 0, 1] for each in forest.estimators_])
    asked = np.concatenate([values, made(seed + 1)[0]])
    sums = SummedTrees(trees, shares, 0.0, 20.0).sums(asked)
    np.testing.assert_array_equal(sums, forest.predict_proba(asked)[:, 1])


def test_values_are_compared_in_32_bits() -> None:
    """A threshold between two 64-bit numbers that are one 32-bit number parts them nowhere."""
    values, amounts = made(0)
    forest = RandomForestRegressor(5, random_state=0).fit(values, amounts)
    trees = trees_of(forest)
    summed = SummedTrees(
        trees, np.concatenate([each.tree_.value.ravel() for each in forest.estimators_]), 0.0, 5.0
    )
    near = np.nextafter(trees.threshold[~trees.is_leaf][:500], np.inf)
    asked = np.tile(near[:, np.newaxis], 6)
    np.testing.assert_array_equal(summed.sums(asked), forest.predict(asked))


@pytest.mark.parametrize("seed", range(4))
def test_a_judge_says_what_its_models_say(seed: int) -> None:
    values, amounts = made(seed)
    feasible: Mask = amounts > 0.3
    judge = Judge.of(values, feasible, seed)
    own = judge.columns.scaled(values)
    trees = GradientBoostingClassifier(
        n_estimators=80,
        learning_rate=0.06,
        max_depth=2,
        max_features=1 / 3,
        min_samples_leaf=10,
        subsample=0.5,
        random_state=seed,
    ).fit(own, feasible)
    line = LogisticRegression(C=0.01, max_iter=1000).fit(own, feasible)
    assert judge.trees is not None
    np.testing.assert_array_equal(judge.trees.sums(own), trees.decision_function(own))
    expected = (trees.decision_function(own) + line.decision_function(own)) / 2
    np.testing.assert_allclose(judge.log_odds(values), expected, rtol=1e-12)
    chances = logistic(LinearModel.of(line).sums(own))
    np.testing.assert_allclose(chances, line.predict_proba(own)[:, 1], rtol=1e-12)


def test_boosted_quantiles_are_scikit_learn_s() -> None:
    values, amounts = made(3)
    spending = Spending.of(values, amounts, 0, 7)
    own = spending.columns.scaled(values)
    for model, share in zip(spending.models, (0.1, 0.5, 0.9), strict=True):
        expected = GradientBoostingRegressor(
            loss="quantile",
            alpha=share,
            n_estimators=80,
            learning_rate=0.06,
            max_depth=2,
            max_features=1 / 3,
            min_samples_leaf=10,
            subsample=0.5,
            random_state=7,
        ).fit(own, amounts)
        np.testing.assert_array_equal(model.sums(own), expected.predict(own))


def test_leaf_weights_are_those_of_a_quantile_forest() -> None:
    """Every known amount weighs as often as it shares a leaf, one tree after another."""
    values, amounts = made(5)
    order = np.argsort(amounts)
    values, amounts = values[order], amounts[order]
    forest = RandomForestRegressor(20, min_samples_leaf=5, random_state=0).fit(values, amounts)
    members = LeafMembers.of(trees_of(forest), values, amounts)
    asked = made(6, 50)[0]
    levels = (0.1, 0.5, 0.9)
    together = forest.apply(asked)[:, np.newaxis] == forest.apply(values)
    weights = (together / together.sum(axis=1, keepdims=True)).mean(axis=2)
    reached = weights.cumsum(axis=1)
    for row, quantiles in enumerate(members.quantiles(asked, levels)):
        place = (reached < levels[row] - 1e-9).sum(axis=1)
        np.testing.assert_array_equal(quantiles, amounts[place])


def test_parts_that_fit_into_memory_change_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    values, amounts = made(8)
    order = np.argsort(amounts)
    values, amounts = values[order], amounts[order]
    forest = RandomForestRegressor(20, min_samples_leaf=5, random_state=0).fit(values, amounts)
    trees = trees_of(forest)
    members = LeafMembers.of(trees, values, amounts)
    summed = SummedTrees(trees, np.arange(trees.nodes) / 7, 0.1, 3.0)
    asked = made(9, 50)[0]
    whole = members.quantiles(asked, (0.1, 0.9)), summed.sums(asked)
    for name, most in (("_MOST_CELLS", 1_000), ("_MOST_PAIRS", 300), ("_MOST_CELLS", 1)):
        monkeypatch.setattr(f"bagen_data.forecasters.learning.tree_arrays.{name}", most)
        np.testing.assert_array_equal(members.quantiles(asked, (0.1, 0.9)), whole[0])
        np.testing.assert_array_equal(summed.sums(asked), whole[1])


STUMPS = Trees(
    roots=np.array([0, 3]),
    feature=np.array([1, 0, 0, 0]),
    threshold=np.array([0.5, 0.0, 0.0, 0.0]),
    left=np.array([1, 1, 2, 3]),
    right=np.array([2, 1, 2, 3]),
)
"""A tree of one branch, and one that is a leaf."""


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ({"roots": np.array([0, 4])}, "do not ascend"),
        ({"roots": np.array([0, 0])}, "do not ascend"),
        ({"roots": np.array([1, 3])}, "do not ascend"),
        ({"roots": np.array([], np.int64)}, "has no tree"),
        ({"roots": np.zeros((1, 2), np.int64)}, "different numbers"),
        ({"left": np.array([0, 1, 2, 3])}, "one child"),
        ({"left": np.array([3, 1, 2, 3])}, "another tree"),
        ({"left": np.array([1, 0, 2, 3])}, "one child"),
        ({"left": np.array([1, 0, 2, 3]), "right": np.array([2, 0, 2, 3])}, "before its parent"),
        ({"left": np.array([9, 1, 2, 3])}, "before its parent"),
        ({"left": np.array([2, 1, 2, 3])}, "not one parent's"),
        ({"feature": np.array([-1, 0, 0, 0])}, "below 0"),
        ({"feature": np.array([0, 0, 0])}, "different numbers"),
        ({"threshold": np.array([np.nan, 0, 0, 0])}, "not finite"),
    ],
)
def test_what_is_not_trees_is_refused(part: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        replace(STUMPS, **part)


def test_a_chain_of_branches_is_refused() -> None:
    nodes = 501
    inner = np.arange(0, nodes - 1, 2)
    left, right = np.arange(nodes), np.arange(nodes)
    left[inner], right[inner] = inner + 1, inner + 2
    zeros = np.zeros(nodes, np.int64)
    with pytest.raises(ValueError, match="branches longer than 200"):
        Trees(np.array([0]), zeros, np.zeros(nodes), left, right)


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ({"first": np.array([0, 0, 2, 3, 5])}, "lacks members|do not ascend"),
        ({"first": np.array([0, 0, 4, 3, 6])}, "do not ascend"),
        ({"first": np.array([0, 0, 2**62, 3, 6])}, "do not ascend"),
        ({"first": np.array([0, 0, 3, 3, 6])}, "without members"),
        ({"first": np.array([0, 1, 2, 3, 6])}, "without members"),
        ({"member": np.array([0, 1, 9, 0, 1, 2])}, "not a known amount"),
        ({"member": np.array([0, 1, -1, 0, 1, 2])}, "not a known amount"),
        ({"member": np.array([0, 1, 1, 0, 1, 2])}, "twice"),
        ({"amount": np.array([0.0, 2.0, 1.0])}, "do not ascend"),
        ({"amount": np.array([0.0, 1.0, np.inf])}, "not finite"),
        ({"amount": np.array([])}, "no known amount"),
    ],
)
def test_leaves_with_other_members_are_refused(part: dict[str, Any], problem: str) -> None:
    members = LeafMembers(
        STUMPS,
        np.array([0, 0, 2, 3, 6]),
        np.array([0, 1, 2, 0, 1, 2]),
        np.array([0.0, 1.0, 2.0]),
    )
    asked = np.array([[0.0, 0.0], [0.0, 9.0]])
    assert members.quantiles(asked, (0.5, 0.9)).tolist() == [[1.0, 2.0], [2.0, 2.0]]
    with pytest.raises(ValueError, match=problem):
        replace(members, **part)
