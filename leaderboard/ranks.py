"""The rank of each submission in each group, by each score that is ranked on."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bagen_data.array_types import Floats
from bagen_data.scoring.ranking import RANKED, parts_of, ranked
from bagen_data.scoring.resampling import Resampling
from leaderboard.benchmark_samples import Benchmark
from leaderboard.results import OVERALL


def add_ranks(
    submissions: Sequence[dict[str, Any]],
    resampled: Sequence[Mapping[str, Floats]],
    benchmark: Benchmark,
    resampling: Resampling,
) -> None:
    """Give each submission `ranks`: by group and score, `first`, `last` and `behind`.

    `behind` has bit i set if the submission at i is significantly better; it is hexadecimal, as
    there may be many. A submission without a value in a group has no rank there.

    Args:
        submissions: their records, which `ranks` is put into.
        resampled: the values of each, as in `SubmissionScores`.
        benchmark: the samples that they answered.
        resampling: the resampling that the values are of.
    """
    for submission in submissions:
        submission["ranks"] = {}
    for group in (OVERALL, *benchmark.tasks):
        tasks = benchmark.tasks if group == OVERALL else [group]
        families = benchmark.sample_table(tasks).families
        for score in RANKED:
            name = f"{group}/{score}"
            valued = [
                position
                for position, by_score in enumerate(resampled)
                if name in by_score and not np.isnan(by_score[name][0])
            ]
            if not valued:
                continue
            values = np.array([resampled[position][name] for position in valued])
            ranks = ranked(values, score, parts_of(families, score, resampling))
            for position, rank in zip(valued, ranks, strict=True):
                submissions[position]["ranks"].setdefault(group, {})[score] = {
                    "first": rank.first,
                    "last": rank.last,
                    "behind": f"{sum(1 << valued[other] for other in rank.behind):x}",
                }
