"""Ranks pair by pair, written from the definition: what the fast ones are held against."""

from collections.abc import Sequence

import numpy as np
from scipy import special

from bagen_data.array_types import Floats, Mask
from bagen_data.scoring.ranking import LEVEL, Part


def behind(values: Floats, parts: Sequence[Part]) -> Mask:
    """(s, s) whether each row is told apart from each other one, which has the higher value."""
    apart = holm(paired_p(values, parts))
    return apart & (values[:, :1] < values[:, 0])


def paired_p(values: Floats, parts: Sequence[Part]) -> Floats:
    """(s, s) two-sided p of no difference between each two rows, by Student's t.

    Args:
        values: (s, 1 + b), each row's value, then that of each resample.
        parts: those of the tasks that have the score.
    """
    replicates = values[:, 1:]
    replicates = replicates[:, ~np.isnan(replicates).any(axis=0)]
    instances = sum(part.instances for part in parts)
    p = np.ones((len(values), len(values)))
    if instances < 10 or instances == len(parts) or replicates.shape[1] < 2:
        return p
    factor = correction(parts)
    for row in range(len(values)):
        variance = factor * np.var(replicates - replicates[row], axis=1, ddof=1)
        differences = np.abs(values[:, 0] - values[row, 0])
        with np.errstate(divide="ignore", invalid="ignore"):
            of_row = 2 * special.stdtr(instances - 1, -differences / np.sqrt(variance))
        p[row] = np.where(differences > 0, np.maximum(of_row, 2.0 ** (1 - instances)), 1.0)
    return np.minimum(p, 1.0)


def correction(parts: Sequence[Part]) -> float:
    """Return the factor of the variance of resamples.

    The variance of a mean over tasks of n instances is a sum of w^2 s^2 / n, of which resampling
    shows the share (n - 1) / n, as if all s were alike.
    """
    shown = [part.weight**2 / part.instances**2 * (part.instances - 1) for part in parts]
    whole = sum(part.weight**2 / part.instances for part in parts)
    return whole / sum(shown)


def holm(p: Floats, level: float = LEVEL) -> Mask:
    """(s, s) which pairs are told apart, by Holm's step-down test of all of them.

    >>> p = np.array([[1, 0.01, 0.03], [0.01, 1, 0.2], [0.03, 0.2, 1]])
    >>> holm(p)[0].tolist()
    [False, True, False]
    """
    rows, columns = np.triu_indices(len(p), 1)
    of_pairs = p[rows, columns]
    order = np.argsort(of_pairs, kind="stable")
    apart = np.zeros(p.shape, bool)
    for rank, pair in enumerate(order):
        if of_pairs[pair] > level / (len(order) - rank):
            break
        apart[rows[pair], columns[pair]] = apart[columns[pair], rows[pair]] = True
    return apart
