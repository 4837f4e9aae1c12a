"""The cluster bootstrap: rollouts are drawn, never rows, and the same ones for every estimator."""

import zlib
from dataclasses import dataclass

import numpy as np

from bagen_data.array_types import Floats, Ints
from bagen_data.scoring.quantiles import quantiles
from bagen_data.scoring.sample_table import Family

_MAX_CLUSTERS = 256
LEVEL = 0.95
"""Of every reported interval."""


@dataclass(frozen=True)
class Resampling:
    """How uncertainty is measured.

    Probes of one rollout are correlated, so whole rollouts are drawn with replacement, as many as
    there are, within each family. Families draw independently. The rollouts of a family of more
    than 256 are drawn in 256 bundles of nearly equal size, put together at random.
    """

    resamples: int = 1000
    """0: no intervals."""
    seed: int = 0

    def __post_init__(self) -> None:
        if self.resamples < 0 or self.seed < 0:
            raise ValueError(
                f"resamples is {self.resamples} and seed {self.seed}; expected 0 or more"
            )

    def clusters(self, family: Family) -> Ints:
        """(m,) the cluster of each of the family's rollouts, 0 .. c-1."""
        rollouts = len(family.first)
        if rollouts <= _MAX_CLUSTERS:
            return np.arange(rollouts)
        shuffled = self._generator(family).permutation(rollouts)
        return shuffled * _MAX_CLUSTERS // rollouts

    def weights(self, family: Family, clusters: int) -> Floats:
        """(b, c) how often each of b resamples draws each cluster."""
        generator = self._generator(family)
        drawn = generator.integers(0, clusters, (self.resamples, clusters))
        drawn += np.arange(self.resamples)[:, np.newaxis] * clusters
        counts = np.bincount(drawn.ravel(), minlength=self.resamples * clusters)
        return counts.reshape(self.resamples, clusters).astype(np.float64)

    def _generator(self, family: Family) -> np.random.Generator:
        return np.random.default_rng([self.seed, zlib.crc32(family.name.encode())])


def percentile_interval(replicates: Floats) -> tuple[float, float] | None:
    """The 95% percentile interval of (b,) resampled values; None where there are none to speak of.

    Resamples without a value (nothing to divide by) are left out.

    >>> low, high = percentile_interval(np.arange(1001.0))
    >>> round(low), round(high)
    (25, 975)
    """
    known = replicates[~np.isnan(replicates)]
    if not len(known):
        return None
    low, high = quantiles(known, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return low, high
