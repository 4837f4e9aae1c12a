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
    entries: Sequence[dict[str, Any]],
    resampled: Sequence[Mapping[str, Floats]],
    benchmark: Benchmark,
    resampling: Resampling,
) -> None:
    """Give each entry `ranks`: by group and score, `first`, `last` and `behind`.

    `behind` has bit i set if the entry at i is better, told apart; it is hexadecimal, as there may
    be many.

    Who has not answered a group, or has no value there, has no rank in it.

    Args:
        entries: submissions, which `ranks` is put into.
        resampled: of each, as in `Scored`.
        benchmark: what they answered.
        resampling: of which they are.
    """
    for entry in entries:
        entry["ranks"] = {}
    for group in (OVERALL, *benchmark.tasks):
        families = benchmark.truth(benchmark.tasks if group == OVERALL else [group]).families
        for score in RANKED:
            name = f"{group}/{score}"
            able = [
                row
                for row, own in enumerate(resampled)
                if name in own and not np.isnan(own[name][0])
            ]
            if not able:
                continue
            values = np.array([resampled[row][name] for row in able])
            ranks = ranked(values, score, parts_of(families, score, resampling))
            for row, rank in zip(able, ranks, strict=True):
                entries[row]["ranks"].setdefault(group, {})[score] = {
                    "first": rank.first,
                    "last": rank.last,
                    "behind": f"{sum(1 << able[other] for other in rank.behind):x}",
                }
