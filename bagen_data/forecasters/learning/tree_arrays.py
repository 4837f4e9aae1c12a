"""Fitted trees as arrays, walked by NumPy: forecasting needs no scikit-learn.

The nodes of all trees lie in one row, each tree's after those of the tree before. A leaf is its own
child, so all walks are of one length. Features are compared as scikit-learn compares them: in 32
bits, with thresholds of 64.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from bagen_data.array_types import Floats, Ints

LARGEST_VALUE = 1e100
"""Numbers of models are at most this large, so that no sum of them is infinite."""
MOST_LEVELS = 200
"""Branches from a root to a leaf; fitted trees have some tens at most."""
_MOST_TREES = 1_000
_MOST_KNOWN = 1 << 24
"""Known amounts in leaves."""
_MOST_CELLS = 1 << 19
"""Pairs of a tree and a probe that are walked together."""
_MOST_PAIRS = 1 << 22
"""Pairs of a probe and a member of its leaves that are weighed together."""
_LEAST_WEIGHT = 1e-9
"""Sums of weights are this near to a level where they have reached it."""
_LARGEST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Trees:
    """The branches of t trees with m nodes in all.

    Raises:
        ValueError: the arrays are not trees.
    """

    roots: Ints
    """(t,) the node of each tree's root, ascending; the first is 0."""
    feature: Ints
    """(m,) the feature that each node compares; 0 of a leaf."""
    threshold: Floats
    """(m,) the greatest value with which a probe goes to the left; 0 of a leaf."""
    left: Ints
    """(m,) the left child, a later node of the same tree; of a leaf, itself."""
    right: Ints
    """(m,) the right child, likewise."""

    def __post_init__(self) -> None:
        nodes = len(self.feature)
        own = np.arange(nodes)
        is_flat = all(each.ndim == 1 for each in (self.roots, self.feature, self.threshold))
        shapes = {each.shape for each in (self.threshold, self.left, self.right)}
        _expect(is_flat and shapes == {(nodes,)}, "has nodes of different numbers")
        _expect(len(self.roots) > 0 and nodes > 0, "has no tree")
        _expect(len(self.roots) <= _MOST_TREES, f"has more than {_MOST_TREES:,} trees")
        _expect(
            self.roots[0] == 0 and (np.diff(self.roots) > 0).all() and self.roots[-1] < nodes,
            "has roots that do not ascend",
        )
        is_leaf = self.left == own
        _expect((is_leaf == (self.right == own)).all(), "has a node with one child")
        tree = np.searchsorted(self.roots, own, side="right")
        for child in (self.left, self.right):
            _expect(((child >= own) & (child < nodes)).all(), "has a child before its parent")
            _expect((tree[child] == tree).all(), "has a child in another tree")
        children = np.concatenate([self.left[~is_leaf], self.right[~is_leaf]])
        parents = np.bincount(children, minlength=nodes)
        parents[self.roots] += 1
        _expect((parents == 1).all(), "has a node that is not one parent's child")
        _expect((self.feature >= 0).all(), "compares a feature below 0")
        _expect(np.isfinite(self.threshold).all(), "has a threshold that is not finite")
        _expect(self.levels <= MOST_LEVELS, f"has branches longer than {MOST_LEVELS}")

    @classmethod
    def of(cls, trees: Sequence[Any]) -> Self:
        """Return the branches of fitted `tree_` objects of scikit-learn."""
        sizes = [tree.node_count for tree in trees]
        roots = np.cumsum([0, *sizes[:-1]])
        parts: list[tuple[Ints, Floats, Ints, Ints]] = []
        for root, tree in zip(roots.tolist(), trees, strict=True):
            own = np.arange(tree.node_count)
            is_leaf = tree.children_left < 0
            parts.append(
                (
                    np.where(is_leaf, 0, tree.feature).astype(np.int64),
                    np.where(is_leaf, 0.0, tree.threshold),
                    root + np.where(is_leaf, own, tree.children_left),
                    root + np.where(is_leaf, own, tree.children_right),
                )
            )
        return cls(roots, *(np.concatenate(each) for each in zip(*parts, strict=True)))

    @property
    def nodes(self) -> int:
        """The number of nodes, m."""
        return len(self.feature)

    @property
    def most_features(self) -> int:
        """The least number of features that a probe must have."""
        return int(self.feature.max()) + 1

    @cached_property
    def is_leaf(self) -> npt.NDArray[np.bool_]:
        """(m,) whether each node is a leaf."""
        leaf: npt.NDArray[np.bool_] = self.left == np.arange(self.nodes)
        return leaf

    @cached_property
    def levels(self) -> int:
        """Branches from a root to the furthest leaf; one more than the most at the most."""
        front, levels = self.roots, 0
        while levels <= MOST_LEVELS:
            front = front[~self.is_leaf[front]]
            if not len(front):
                break
            front = np.concatenate([self.left[front], self.right[front]])
            levels += 1
        return levels

    @cached_property
    def _children(self) -> Ints:
        """(2 m,) the right and the left child of each node in turn."""
        return np.stack([self.right, self.left], axis=1).ravel()

    def leaves(self, values: Floats) -> Iterator[tuple[slice, Ints]]:
        """Yield probes, and (t, n) the leaf of each tree that each of them comes to.

        Args:
            values: (n, f) features.
        """
        most = max(1, _MOST_CELLS // len(self.roots))
        for start in range(0, len(values), most):
            rows = slice(start, min(start + most, len(values)))
            yield rows, self._walk(values[rows])

    def _walk(self, values: Floats) -> Ints:
        compared = np.clip(values, -_LARGEST, _LARGEST).astype(np.float32).ravel()
        offsets = np.arange(len(values)) * values.shape[1]
        node = np.repeat(self.roots, len(values)).reshape(-1, len(values))
        for _ in range(self.levels):
            is_left = compared.take(self.feature.take(node) + offsets) <= self.threshold.take(node)
            node = self._children.take(2 * node + is_left)
        return node


@dataclass(frozen=True)
class SummedTrees:
    """A start, and what each tree adds to it: boosted trees, or the mean of a forest's.

    Raises:
        ValueError: the arrays are not trees with a value each node.
    """

    trees: Trees
    value: Floats
    """(m,) what each leaf adds; what inner nodes have is never added."""
    start: float
    divisor: float
    """The sum is divided by it."""

    def __post_init__(self) -> None:
        _expect(self.value.shape == (self.trees.nodes,), "has values of another number of nodes")
        numbers = (self.start, self.divisor)
        _expect((np.abs(self.value) <= LARGEST_VALUE).all(), "has a value that is not finite")
        is_finite = (np.abs(numbers) <= LARGEST_VALUE).all()
        _expect(is_finite, "has a start or divisor that is not finite")
        _expect(self.divisor > 0, "has a divisor that is not above 0")

    def sums(self, values: Floats) -> Floats:
        """Return (n,), added up in the order of the trees, for one probe as for many.

        Args:
            values: (n, f) features.
        """
        sums = np.empty(len(values))
        for rows, leaves in self.trees.leaves(values):
            each = self.value.take(leaves)
            each[0] += self.start
            sums[rows] = np.add.accumulate(each, axis=0)[-1] / self.divisor
        return sums


@dataclass(frozen=True)
class LeafMembers:
    """The known amounts in the leaves of t trees, as a quantile regression forest weighs them.

    Raises:
        ValueError: the arrays are not trees with known amounts in each leaf.
    """

    trees: Trees
    first: Ints
    """(m + 1,) where the members of each node begin, and where the last ones end."""
    member: Ints
    """(t x k,) positions of known amounts, leaf after leaf; each of the k is in a leaf of each
    tree."""
    amount: Floats
    """(k,) the known amounts, ascending."""

    def __post_init__(self) -> None:
        nodes, known = self.trees.nodes, len(self.amount)
        _expect(self.amount.ndim == 1 and known > 0, "has no known amount")
        _expect(known <= _MOST_KNOWN, f"has more than {_MOST_KNOWN:,} known amounts")
        _expect((np.abs(self.amount) <= LARGEST_VALUE).all(), "has an amount that is not finite")
        _expect((np.diff(self.amount) >= 0).all(), "has amounts that do not ascend")
        _expect(self.first.shape == (nodes + 1,), "has members of another number of nodes")
        whole = len(self.trees.roots) * known
        _expect(self.member.shape == (whole,), "lacks members of leaves")
        sizes = np.diff(self.first)
        is_whole = self.first[0] == 0 and self.first[-1] == whole
        ascends = (self.first >= 0).all() and (self.first <= whole).all() and (sizes >= 0).all()
        _expect(bool(is_whole and ascends), "has members that do not ascend")
        _expect(((sizes > 0) == self.trees.is_leaf).all(), "has a leaf without members")
        tree = np.repeat(np.arange(nodes), sizes)
        tree = np.searchsorted(self.trees.roots, tree, side="right") - 1
        in_range = ((self.member >= 0) & (self.member < known)).all()
        _expect(bool(in_range), "has a member that is not a known amount")
        times = np.bincount(tree * known + self.member, minlength=whole)
        _expect((times == 1).all(), "has a known amount twice in one tree")

    @classmethod
    def of(cls, trees: Trees, values: Floats, amount: Floats) -> Self:
        """Return the members of the leaves.

        Args:
            trees: the trees.
            values: (k, f) the features of the known amounts.
            amount: (k,) ascending.
        """
        leaf = np.concatenate([own for _, own in trees.leaves(values)], axis=1)
        member = np.tile(np.arange(len(amount)), len(leaf))
        order = np.argsort(leaf.ravel(), kind="stable")
        sizes = np.bincount(leaf.ravel(), minlength=trees.nodes)
        return cls(trees, np.concatenate([[0], np.cumsum(sizes)]), member[order], amount)

    @cached_property
    def _largest(self) -> int:
        """The members of the largest leaf."""
        return int(np.diff(self.first).max())

    @cached_property
    def _weight(self) -> Floats:
        """(m,) the weight of each of a node's members; NaN of inner nodes."""
        sizes = np.where(self.trees.is_leaf, np.diff(self.first), np.nan)
        weight: Floats = 1 / (sizes * len(self.trees.roots))
        return weight

    def quantiles(self, values: Floats, levels: Sequence[float]) -> Floats:
        """Return (levels, n) the least known amounts whose weights reach each level.

        Args:
            values: (n, f) features.
            levels: 0 .. 1.
        """
        quantiles = np.empty((len(levels), len(values)))
        most = max(1, _MOST_CELLS // len(self.amount))
        for rows, leaves in self.trees.leaves(values):
            for start in range(0, leaves.shape[1], most):
                part = leaves[:, start : start + most]
                here = slice(rows.start + start, rows.start + start + part.shape[1])
                reached = np.add.accumulate(self._weights(part), axis=1)
                for number, level in enumerate(levels):
                    place = (reached < level - _LEAST_WEIGHT).sum(axis=1)
                    quantiles[number, here] = self.amount[np.minimum(place, len(self.amount) - 1)]
        return quantiles

    def _weights(self, leaves: Ints) -> Floats:
        """Return (n, k) the weights of the known amounts for n probes, summed tree by tree."""
        probes, known = leaves.shape[1], len(self.amount)
        weights = np.zeros(probes * known)
        most = max(1, _MOST_PAIRS // (probes * self._largest))
        for start in range(0, len(leaves), most):
            self._add_weights(weights, leaves[start : start + most])
        return weights.reshape(probes, known)

    def _add_weights(self, weights: Floats, leaves: Ints) -> None:
        """Add the weights of some trees, one after another, to (n x k,) weights."""
        probes, known = leaves.shape[1], len(self.amount)
        nodes = leaves.ravel()
        first = self.first.take(nodes)
        sizes = self.first.take(nodes + 1) - first
        ends = np.cumsum(sizes)
        place = np.repeat(first - (ends - sizes), sizes) + np.arange(ends[-1])
        probe = np.repeat(np.tile(np.arange(probes), len(leaves)), sizes)
        weight = np.repeat(self._weight.take(nodes), sizes)
        np.add.at(weights, probe * known + self.member.take(place), weight)


def _expect(holds: bool | np.bool_, problem: str) -> None:
    if not holds:
        raise ValueError(problem)
