"""The rank of each submission in each group, by each score that is ranked on."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bagen_data.array_types import Floats
from bagen_data.scoring.ranking import RANKED, parts_of, ranked, student_test
from bagen_data.scoring.resampling import Resampling
from leaderboard.benchmark_samples import Benchmark
from leaderboard.kinds import kind_of
from leaderboard.results import OVERALL


def add_ranks(
    submissions: Sequence[dict[str, Any]],
    resampled: Sequence[Mapping[str, Floats]],
    benchmark: Benchmark,
    resampling: Resampling,
) -> list[str]:
    """Give each submission `ranks`: by group and score, `first`, `last`, `better` and `worse`.

    `better` and `worse` count, by kind, the estimators that are reliably better or worse, so that a
    table can rank the kinds that its reader chose. A submission without a value in a group has no
    rank there.

    Args:
        submissions: the records that `ranks` is added to.
        resampled: the resampled values of each submission, as in `SubmissionScores`.
        benchmark: the samples that they answered.
        resampling: the resampling that the values are of.

    Returns:
        The kinds of submissions, in the order of the counts.
    """
    kind_names = [kind_of(submission["metadata"]) for submission in submissions]
    kinds = sorted(set(kind_names))
    numbers = np.array([kinds.index(name) for name in kind_names], np.int64)
    for submission in submissions:
        submission["ranks"] = {}
    for group in (OVERALL, *benchmark.tasks):
        tasks = benchmark.tasks if group == OVERALL else [group]
        families = benchmark.sample_table(tasks).families
        for score in RANKED:
            name = f"{group}/{score}"
            positions, values = _values(resampled, name)
            if not positions:
                continue
            test = student_test(parts_of(families, score, resampling))
            ranks = ranked(values, score, test, numbers[positions], len(kinds))
            columns = (ranks.first, ranks.last, ranks.better, ranks.worse)
            rows = zip(positions, *(column.tolist() for column in columns), strict=True)
            for position, first, last, better, worse in rows:
                rank = {"first": first, "last": last, "better": better, "worse": worse}
                submissions[position]["ranks"].setdefault(group, {})[score] = rank
    return kinds


def _values(resampled: Sequence[Mapping[str, Floats]], name: str) -> tuple[list[int], Floats]:
    """Return the positions of submissions with a value of a score, and their values, (s, 1 + b)."""
    rows = {
        position: by_score[name] for position, by_score in enumerate(resampled) if name in by_score
    }
    valued = [position for position, row in rows.items() if not np.isnan(row[0])]
    return valued, np.array([rows[position] for position in valued])
