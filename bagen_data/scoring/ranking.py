"""Rank many estimators by one score, so that those who cannot be told apart share a rank."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.scoring.all_scores import SCORES
from bagen_data.scoring.paired_tests import StudentTest, counts_by_kind, pairs_told_apart
from bagen_data.scoring.resampling import FEWEST_INSTANCES, Resampling
from bagen_data.scoring.sample_table import FamilyColumns
from bagen_data.scoring.scores.forecasts import has_brier_skill, has_wis_skill

RANKED_AMONG: Mapping[str, Callable[[FamilyColumns], Mask]] = {
    "macro_f1": lambda family: np.ones(len(family.rollout), bool),
    "macro_f1_open": lambda family: family.is_open,
    "fail_f1": lambda family: np.ones(len(family.rollout), bool),
    "hit_rate": lambda family: family.feasible,
    "reward": lambda family: family.feasible,
    "brier_skill": has_brier_skill,
    "wis_skill": has_wis_skill,
}
"""Scores that estimators can be compared by, and (n,) the samples that each is taken over: none
depends on the answers, so all who answered have the score over the same samples."""
RANKED = ("brier_skill", "wis_skill", "macro_f1_open")
"""The scores that boards rank by: forecasts by the first two, and everybody by the last. Others of
`RANKED_AMONG` are topped by a trick, or are of probes that their own prompt decides."""
LEVEL = 0.05
"""The chance that any two of equal skill are told apart, over all pairs together."""


@dataclass(frozen=True)
class Part:
    """The part that one task has in a score, a mean over tasks."""

    instances: int
    """Number of instances that the score is taken over, in any family of the task, at least 1: for
    some scores, only instances with a feasible rollout."""
    weight: float
    """Weight of the task's score in the mean."""


@dataclass(frozen=True)
class Ranks:
    """The places that s estimators may hold, and who is better or worse, by k kinds."""

    better: Ints
    """(s, k) how many of each kind are better, told apart."""
    worse: Ints
    """(s, k) how many of each kind are worse, told apart."""

    @property
    def first(self) -> Ints:
        """(s,) 1 + how many are better, told apart."""
        return 1 + self.better.sum(axis=1)

    @property
    def last(self) -> Ints:
        """(s,) s - how many are worse, told apart."""
        return len(self.worse) - self.worse.sum(axis=1)


def parts_of(families: Sequence[FamilyColumns], score: str, resampling: Resampling) -> list[Part]:
    """Return the parts of a score, which is the mean over tasks.

    Args:
        families: all families of a task, or of several tasks.
        score: one of `RANKED`.
        resampling: how instances are drawn; those that are drawn as one count as one.

    Returns:
        One part for each task that has the score. Instances that are only in families without it
        do not count.
    """
    numbers = []
    for task, draws in resampling.draws(families).items():
        contributes = np.zeros(draws.clusters, bool)
        for family in families:
            if family.task == task:
                rollouts = family.rollout[RANKED_AMONG[score](family)]
                contributes[draws.clusters_of(family.instance[rollouts])] = True
        numbers.append(int(np.count_nonzero(contributes)))
    known = [number for number in numbers if number]
    return [Part(number, 1 / len(known)) for number in known]


def ranked(
    values: Floats, score: str, test: StudentTest | None, kinds: Ints, kinds_number: int = 1
) -> Ranks:
    """Rank estimators by a score; each pair is compared on the same resamples of instances.

    All pairs are tested, and Holm's (1979) correction is over all of them.

    Args:
        values: (s, 1 + b), each one's score, then that of each resample; the same resamples for
            all. A resample in which anyone has no value is left out.
        score: its name, a key of `SCORES`, which says which way is better.
        test: the test of a pair, as `student_test` gives it; None tells nobody apart.
        kinds: (s,) the kind of each estimator, 0 .. k - 1.
        kinds_number: k, the number of kinds.

    Raises:
        ValueError: a row has no value.
        MissingExtraError: SciPy is not installed.
    """
    if np.isnan(values[:, 0]).any():
        raise ValueError(f"{score}: an estimator without a value cannot be ranked")
    better = values if SCORES[score].better == "higher" else -values
    order = np.argsort(-better[:, 0], kind="stable")
    blocks = iter(()) if test is None else pairs_told_apart(better[order], test, LEVEL)
    counts = counts_by_kind(blocks, kinds[order], kinds_number)
    place = np.argsort(order)
    ahead, behind = (of_kind[place] for of_kind in counts)
    return Ranks(better=ahead, worse=behind)


def student_test(parts: Sequence[Part]) -> StudentTest | None:
    """Return the test of the difference of two means over tasks; None below ten instances.

    A difference over its standard error follows Student's t with instances - 1 degrees of freedom.
    The variance is that of its resamples, with what resampling leaves out: the mean over n
    instances varies by s^2 / n, and that of resamples of them by (n - 1) / n of it on average.
    Summed over tasks, as if instances varied alike in all of them, the factor is the quotient of
    both; for a single task it is n / (n - 1). A share of resamples on the other side of 0, of which
    `compare` makes its p, cannot be below 1 / (b + 1), too much for many pairs.

    No p is below 2^(1 - instances), that of the instances' differences all having one sign by
    chance.

    >>> test = student_test([Part(10, 0.5), Part(10, 0.5)])
    >>> round(test.factor, 3), test.freedom, test.least_p == 2**-19
    (1.111, 19, True)
    """
    total = sum(part.instances for part in parts)
    if total < FEWEST_INSTANCES or total == len(parts):
        return None
    instances = np.array([part.instances for part in parts], np.float64)
    of_mean = np.array([part.weight for part in parts]) ** 2 / instances
    resampled = of_mean * (instances - 1) / instances
    return StudentTest(
        factor=float(of_mean.sum() / resampled.sum()),
        freedom=total - 1,
        least_p=2.0 ** (1 - total),
    )
