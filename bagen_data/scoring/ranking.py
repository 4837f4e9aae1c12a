"""Rank many estimators by one score, so that those who cannot be told apart share a rank."""

from dataclasses import dataclass

import numpy as np

from bagen_data.arrays import Floats, Mask
from bagen_data.errors import MissingExtraError
from bagen_data.scoring.definitions import SCORES

RANKED = ("macro_f1", "macro_f1_open", "fail_f1", "hit_rate", "reward")
"""Scores to rank by: each is taken over samples that the truth alone chooses, so that all who
answered have it over the same ones."""
LEVEL = 0.05
"""The chance that any two of equal skill are told apart, over all pairs together."""


@dataclass(frozen=True)
class Rank:
    """The places that one of n estimators may hold."""

    first: int
    """1 + how many are better, told apart."""
    last: int
    """n - how many are worse, told apart."""
    behind: tuple[int, ...]
    """The positions of those that are better, told apart."""


def ranked(values: Floats, score: str, rollouts: int, families: int) -> list[Rank]:
    """Rank estimators by a score; each pair is compared on the same resamples of rollouts.

    All pairs are tested, and Holm's (1979) correction is over all of them.

    Args:
        values: (s, 1 + b), each one's score, then that of each resample; the same resamples for
            all. A resample in which anyone has no value is left out.
        score: its name, a key of `SCORES`, which says which way is better.
        rollouts: how many were resampled, of all families.
        families: how many families they are of.

    Returns:
        One rank for each row, in the order of the rows.

    Raises:
        ValueError: a row has no value.
        MissingExtraError: SciPy is not installed.
    """
    if np.isnan(values[:, 0]).any():
        raise ValueError(f"{score}: an estimator without a value cannot be ranked")
    better = values if SCORES[score].better == "higher" else -values
    apart = holm(paired_p(better, rollouts, families))
    ahead = apart & (better[:, :1] > better[:, 0])  # [i, j]: i is better than j
    return [
        Rank(
            first=1 + int(ahead[:, row].sum()),
            last=len(values) - int(ahead[row].sum()),
            behind=tuple(np.flatnonzero(ahead[:, row]).tolist()),
        )
        for row in range(len(values))
    ]


def paired_p(values: Floats, rollouts: int, families: int) -> Floats:
    """(s, s) two-sided p of no difference between each two rows.

    A difference over its standard error, which is that of its resamples, follows Student's t with
    `rollouts - families` degrees of freedom. The share of resamples on the other side of 0, which
    `compare` gives, cannot be below 2 / (b + 1), too much for many pairs. No p is below 2^(1 -
    rollouts), that of the rollouts' differences all having one sign by chance.

    Args:
        values: as in `ranked`.
        rollouts: as in `ranked`.
        families: as in `ranked`.
    """
    try:
        from scipy.stats import t as student
    except ModuleNotFoundError as error:
        raise MissingExtraError("scipy", "leaderboard") from error
    replicates = values[:, 1:]
    replicates = replicates[:, ~np.isnan(replicates).any(axis=0)]
    freedom = rollouts - families
    if freedom < 1 or replicates.shape[1] < 2:
        return np.ones((len(values), len(values)))
    covariance = np.atleast_2d(np.cov(replicates))
    own = np.diag(covariance)
    variance = np.maximum(own[:, np.newaxis] + own - 2 * covariance, 0)
    differences = np.abs(values[:, :1] - values[:, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * student.sf(differences / np.sqrt(variance), freedom)
    p = np.where(differences > 0, np.maximum(p, 2.0 ** (1 - rollouts)), 1.0)
    return np.minimum(p, 1.0)


def holm(p: Floats, level: float = LEVEL) -> Mask:
    """(s, s) which pairs are told apart, by Holm's step-down test of all of them.

    The smallest of m values of p is held against level / m, the next one against level / (m - 1),
    and so on until one fails.

    >>> p = np.array([[1, 0.01, 0.03], [0.01, 1, 0.2], [0.03, 0.2, 1]])
    >>> holm(p)[0].tolist()
    [False, True, False]
    """
    rows, columns = np.triu_indices(len(p), 1)
    of_pairs = p[rows, columns]
    order = np.argsort(of_pairs, kind="stable")
    limits = level / np.arange(len(order), 0, -1)
    passed = np.logical_and.accumulate(of_pairs[order] <= limits)
    apart = np.zeros(p.shape, bool)
    apart[rows[order], columns[order]] = passed
    return apart | apart.T
