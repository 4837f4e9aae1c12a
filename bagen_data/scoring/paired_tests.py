"""Tests of every pair of estimators at once: paired resamples, Student's t, Holm's correction.

Thousands of estimators make millions of pairs, so no value of p is computed that cannot matter: p
falls as t grows, and Holm's limits lie so close together that almost every t is above all of them
or below. Standard errors come from matrix products, block by block.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.errors import MissingExtraError

_ROWS = 256
"""Rows of a block, which bounds what the work on one takes in memory."""
_ALIKE = 1e-5
"""Variance of a difference, over the sum of both variances, below which a product is not trusted:
its rounding error is 1e-15 of that sum."""
_SLACK = 1e-6
"""Relative widening of a bound on t, far more than the error of its computation."""
_ROUNDS = 4
"""Times that the bounds on the number of pairs told apart are drawn closer."""


@dataclass(frozen=True)
class StudentTest:
    """Student's t-test of the difference of two scores, of which there are resamples."""

    factor: float
    """The variance of a difference over the variance of its resamples."""
    freedom: int
    """The degrees of freedom."""
    least_p: float
    """The smallest p that so few observations can give."""

    def p(self, t: Floats) -> Floats:
        """Return the two-sided p of each t; `least_p` is left aside.

        >>> StudentTest(1.0, 10, 0.0).p(np.array([0.0, 2.228])).round(3).tolist()
        [1.0, 0.05]
        """
        p: Floats = 2 * _special("stdtr")(self.freedom, -t)
        return p

    def critical(self, p: float) -> float:
        """Return the t whose two-sided p this is, 0 < p < 1."""
        return float(-_special("stdtrit")(self.freedom, p / 2))


def _special(name: str) -> Callable[..., Floats]:
    try:
        from scipy import special  # scipy.stats has the same, and takes a second to import
    except ModuleNotFoundError as error:
        raise MissingExtraError("scipy", "leaderboard") from error
    function: Callable[..., Floats] = getattr(special, name)
    return function


def pairs_told_apart(values: Floats, test: StudentTest, level: float) -> Iterator[tuple[int, Mask]]:
    """Yield which pairs of rows are told apart, by Holm's (1979) step-down test of all pairs.

    The smallest of m values of p is held against level / m, the next one against level / (m - 1),
    and so on until one is larger. A pair of equal values has a p of 1.

    Args:
        values: (s, 1 + b), each row's value, then that of each resample; the same resamples for
            all rows. The values do not grow from row to row. A resample in which any row is NaN is
            left out.
        test: the test of one pair.
        level: the chance that any two of equal value are told apart.

    Yields:
        A row's number i, and (r, s - i) whether rows i .. i + r - 1 are told apart from rows i ..
        s - 1; for a pair of equal values, or a row and one before it, False. Nothing where nobody
        is told apart.

    Raises:
        MissingExtraError: SciPy is not installed.
    """
    replicates = values[:, 1:]
    replicates = replicates[:, ~np.isnan(replicates).any(axis=0)]
    pairs = len(values) * (len(values) - 1) // 2
    if replicates.shape[1] < 2 or not pairs or test.least_p > level / pairs:
        return
    blocks = list(_statistics(values[:, 0], replicates, test.factor))
    least = _least_told_apart(blocks, pairs, test, level)
    for number, t in enumerate(blocks):
        yield number * _ROWS, t >= least


def _least_told_apart(
    blocks: Sequence[Floats], pairs: int, test: StudentTest, level: float
) -> float:
    """Return the least t of a pair that Holm's test tells apart, or a bound that none is below.

    Let K pairs be told apart. With at least k of them, all pairs with a p of level / (pairs - k) or
    less are; with at most k, no others are. Both bounds are drawn closer until few pairs lie
    between, and those are tested one by one.
    """

    def count(t: float) -> int:
        return sum(int(np.count_nonzero(block >= t)) for block in blocks)

    fewest, most = 0, pairs
    for _ in range(_ROUNDS):
        surely = test.critical(level / (pairs - fewest)) * (1 + _SLACK)
        possibly = test.critical(level / max(pairs - most, 1)) * (1 - _SLACK)
        fewest, most = count(surely), count(possibly)
        if fewest == most:
            return surely
    between = np.concatenate([t[(t >= possibly) & (t < surely)] for t in blocks])
    between = np.sort(between)[::-1]
    limits = level / (pairs - fewest - np.arange(len(between)))
    told_apart = int(np.logical_and.accumulate(test.p(between) <= limits).sum())
    return float(between[told_apart - 1]) if told_apart else surely


def _statistics(scores: Floats, replicates: Floats, factor: float) -> Iterator[Floats]:
    """Yield the t of each pair, in blocks of rows; -1 where it is nothing to test.

    Args:
        scores: (s,) not growing.
        replicates: (s, b) their resamples.
        factor: that of the test.
    """
    centred = replicates - replicates.mean(axis=1, keepdims=True)
    centred -= centred.mean(axis=0)  # what all share only adds rounding errors
    squares = np.einsum("ij,ij->i", centred, centred)
    scale = factor / (replicates.shape[1] - 1)
    for start in range(0, len(scores), _ROWS):
        rows = slice(start, start + _ROWS)
        differences = scores[rows, np.newaxis] - scores[start:]
        is_pair = np.triu(differences > 0, 1)
        variance = _squared_distances(
            centred[rows], centred[start:], squares[rows], squares[start:]
        )
        alike = is_pair & (variance <= _ALIKE * np.add.outer(squares[rows], squares[start:]))
        _mend(variance, alike, replicates[rows], replicates[start:])
        variance *= scale
        with np.errstate(divide="ignore", invalid="ignore"):
            np.divide(differences, np.sqrt(variance, out=variance), out=differences)
        differences[~is_pair] = -1.0
        yield differences


def _squared_distances(
    rows: Floats, others: Floats, squares: Floats, other_squares: Floats
) -> Floats:
    """Return (r, s) the squared distance of each of (r, b) rows and (s, b) others, at least 0."""
    distances = rows @ others.T
    distances *= -2
    distances += squares[:, np.newaxis]
    distances += other_squares
    return np.maximum(distances, 0.0, out=distances)


def _mend(distances: Floats, alike: Mask, rows: Floats, others: Floats) -> None:
    """Compute the squared distances of rows that are much alike anew, to the last bits.

    The distance of two rows is that of their differences from a third one, and differences from a
    row that is like both are small and exact. So the row with most such pairs serves for all rows
    that are like it, until no pair is left.

    Args:
        distances: (r, s) as rounding left them; those that `alike` names are replaced.
        alike: (r, s) the pairs to compute; all False afterwards.
        rows: (r, b) resamples.
        others: (s, b) resamples.
    """
    while alike.any():
        pivot = int(np.argmax(np.count_nonzero(alike, axis=1)))
        near = np.flatnonzero(alike[pivot])
        nearby = np.flatnonzero(alike[:, near].any(axis=1))
        own, other = (_centred(part - rows[pivot]) for part in (rows[nearby], others[near]))
        squares, other_squares = (np.einsum("ij,ij->i", part, part) for part in (own, other))
        mended = _squared_distances(own, other, squares, other_squares)
        is_sound = mended > _ALIKE * np.add.outer(squares, other_squares)
        is_sound[nearby == pivot] = True  # from itself, the others' own squares
        place = np.ix_(nearby, near)
        is_mended = alike[place] & is_sound
        distances[place] = np.where(is_mended, mended, distances[place])
        alike[place] &= ~is_sound


def _centred(rows: Floats) -> Floats:
    return rows - rows.mean(axis=1, keepdims=True)


def counts_by_kind(
    blocks: Iterator[tuple[int, Mask]], kinds: Ints, number: int
) -> tuple[Ints, Ints]:
    """Count the rows of each kind that a row is told apart from.

    Args:
        blocks: as `pairs_told_apart` yields them.
        kinds: (s,) the kind of each row, 0 .. number - 1.
        number: the number of kinds.

    Returns:
        (s, number) the rows of each kind before a row, and those after it.
    """
    of_kind = np.zeros((len(kinds), number), np.float32)  # exact up to 2^24
    of_kind[np.arange(len(kinds)), kinds] = 1
    before, after = np.zeros_like(of_kind), np.zeros_like(of_kind)
    for start, apart in blocks:
        told_apart = apart.astype(np.float32)
        after[start : start + len(apart)] = told_apart @ of_kind[start:]
        before[start:] += told_apart.T @ of_kind[start : start + len(apart)]
    return before.astype(np.int64), after.astype(np.int64)
