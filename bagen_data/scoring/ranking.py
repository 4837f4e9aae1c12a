"""Rank many estimators by one score, so that those who cannot be told apart share a rank."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bagen_data.array_types import Floats, Mask
from bagen_data.errors import MissingExtraError
from bagen_data.scoring.all_scores import SCORES
from bagen_data.scoring.resampling import Resampling
from bagen_data.scoring.sample_table import FamilyColumns

RANKED_AMONG: Mapping[str, Callable[[FamilyColumns], Mask]] = {
    "macro_f1": lambda family: np.ones(len(family.rollout), bool),
    "macro_f1_open": lambda family: family.is_open,
    "fail_f1": lambda family: np.ones(len(family.rollout), bool),
    "hit_rate": lambda family: family.feasible,
    "reward": lambda family: family.feasible,
}
"""Scores to rank by, and (n,) the samples that each is taken over: none depends on the answers, so
all who answered have the score over the same samples."""
RANKED = tuple(RANKED_AMONG)
LEVEL = 0.05
"""The chance that any two of equal skill are told apart, over all pairs together."""


@dataclass(frozen=True)
class Part:
    """What one family has to do with a score."""

    rollouts: int
    """How many the score is taken over, at least 1: of the feasible ones, say."""
    weight: float
    """Of the family's score in the mean."""


@dataclass(frozen=True)
class Rank:
    """The places that one of n estimators may hold."""

    first: int
    """1 + how many are better, told apart."""
    last: int
    """n - how many are worse, told apart."""
    behind: tuple[int, ...]
    """The positions of those that are better, told apart."""


def parts_of(families: Sequence[FamilyColumns], score: str, resampling: Resampling) -> list[Part]:
    """Return the parts of a score, which is the mean over tasks of the means over families.

    Args:
        families: of a task, or of all.
        score: one of `RANKED`.
        resampling: how rollouts are drawn; those that are drawn as one count as one.

    Returns:
        One part for each family that has the score.
    """
    drawn = []
    for family in families:
        rollouts = family.rollout[RANKED_AMONG[score](family)]
        number = len(np.unique(resampling.clusters(family)[rollouts]))
        if number:
            drawn.append((family.task, number))
    of_task = Counter(task for task, _ in drawn)
    return [Part(number, 1 / (len(of_task) * of_task[task])) for task, number in drawn]


def ranked(values: Floats, score: str, parts: Sequence[Part]) -> list[Rank]:
    """Rank estimators by a score; each pair is compared on the same resamples of rollouts.

    All pairs are tested, and Holm's (1979) correction is over all of them.

    Args:
        values: (s, 1 + b), each one's score, then that of each resample; the same resamples for
            all. A resample in which anyone has no value is left out.
        score: its name, a key of `SCORES`, which says which way is better.
        parts: of the families that have the score, as `parts_of` gives them.

    Returns:
        One rank for each row, in the order of the rows.

    Raises:
        ValueError: a row has no value.
        MissingExtraError: SciPy is not installed.
    """
    if np.isnan(values[:, 0]).any():
        raise ValueError(f"{score}: an estimator without a value cannot be ranked")
    better = values if SCORES[score].better == "higher" else -values
    apart = holm(paired_p(better, parts))
    ahead = apart & (better[:, :1] > better[:, 0])  # [i, j]: i is better than j
    return [
        Rank(
            first=1 + int(ahead[:, row].sum()),
            last=len(values) - int(ahead[row].sum()),
            behind=tuple(np.flatnonzero(ahead[:, row]).tolist()),
        )
        for row in range(len(values))
    ]


def paired_p(values: Floats, parts: Sequence[Part]) -> Floats:
    """(s, s) two-sided p of no difference between each two rows.

    A difference over its standard error follows Student's t. The variance is that of its resamples,
    with what resampling leaves out (see `_correction`). The share of resamples on the other side of
    0, which `compare` gives, cannot be below 2 / (b + 1), too much for many pairs. No p is below
    2^(1 - rollouts), that of the rollouts' differences all having one sign by chance.

    Args:
        values: as in `ranked`.
        parts: as in `ranked`.
    """
    try:
        from scipy.special import stdtr  # scipy.stats has the same as `t.sf`, and takes a second
    except ModuleNotFoundError as error:
        raise MissingExtraError("scipy", "leaderboard") from error
    replicates = values[:, 1:]
    replicates = replicates[:, ~np.isnan(replicates).any(axis=0)]
    rollouts = sum(part.rollouts for part in parts)
    if rollouts <= len(parts) or replicates.shape[1] < 2:
        return np.ones((len(values), len(values)))
    factor, freedom = _correction(parts)
    # Not from covariances: of two that are nearly alike their difference would be rounding error.
    variance = factor * np.array([np.var(replicates - row, axis=1, ddof=1) for row in replicates])
    differences = np.abs(values[:, :1] - values[:, 0])
    with np.errstate(divide="ignore", invalid="ignore"):
        p = 2 * stdtr(freedom, -differences / np.sqrt(variance))
    p = np.where(differences > 0, np.maximum(p, 2.0 ** (1 - rollouts)), 1.0)
    return np.minimum(p, 1.0)


def _correction(parts: Sequence[Part]) -> tuple[float, float]:
    """What to multiply the variance of resamples by, and its degrees of freedom.

    The mean of m rollouts varies by s^2 / m, and that of resamples of them by (m - 1) / m of it on
    average. Summed over families, as if rollouts varied alike in all of them: the factor is the
    quotient of both, and the degrees of freedom are Satterthwaite's (1946). Of f families of m
    rollouts these are m / (m - 1) and f (m - 1).

    >>> factor, freedom = _correction([Part(10, 0.5), Part(10, 0.5)])
    >>> round(factor, 3), round(freedom, 3)
    (1.111, 18.0)
    """
    rollouts = np.array([part.rollouts for part in parts], np.float64)
    of_mean = np.array([part.weight for part in parts]) ** 2 / rollouts
    of_square = of_mean / rollouts
    drawn = (of_square * (rollouts - 1)).sum()
    freedom = drawn**2 / (of_square**2 * (rollouts - 1)).sum()
    return float(of_mean.sum() / drawn), float(freedom)


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
