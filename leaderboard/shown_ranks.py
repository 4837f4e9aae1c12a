"""The ranks that pages show: among submitted estimators, whose places no baseline takes."""

from collections import Counter
from collections.abc import Collection, Mapping
from typing import Any

from leaderboard.kinds import SUBMITTED, kind_of, standing_of


def with_shown_ranks(results: Mapping[str, Any]) -> dict[str, Any]:
    """Return results in which submitted estimators are ranked among themselves, and no others are.

    Results rank all estimators together, and count by kind those that are told apart from each one.
    So the ranks among some kinds follow from these counts without another test.

    Args:
        results: as in `results.json`; they stay as they are.
    """
    kinds = results["ranking"]["kinds"]
    submitted = [each for each in results["submissions"] if _is_submitted(each)]
    numbers = {kinds.index(kind_of(each["metadata"])) for each in submitted}
    totals = Counter(
        (group, score)
        for each in submitted
        for group, ranks in each["ranks"].items()
        for score in ranks
    )
    return {
        **results,
        "submissions": [
            each | {"ranks": _shown(each["ranks"], numbers, totals) if _is_submitted(each) else {}}
            for each in results["submissions"]
        ],
    }


def _is_submitted(submission: Mapping[str, Any]) -> bool:
    return standing_of(submission["metadata"]) == SUBMITTED


def _shown(
    ranks_by_group: Mapping[str, Any],
    kinds: Collection[int],
    totals: Mapping[tuple[str, str], int],
) -> dict[str, Any]:
    return {
        group: {score: _among(rank, kinds, totals[group, score]) for score, rank in ranks.items()}
        for group, ranks in ranks_by_group.items()
    }


def _among(rank: Mapping[str, Any], kinds: Collection[int], total: int) -> dict[str, Any]:
    """Return a rank among the estimators of some kinds, `total` together.

    Counts of other kinds become 0.
    """
    better, worse = (
        [count if kind in kinds else 0 for kind, count in enumerate(rank[way])]
        for way in ("better", "worse")
    )
    first, last = 1 + sum(better), total - sum(worse)
    return {"first": first, "last": last, "better": better, "worse": worse}
