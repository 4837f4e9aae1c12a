"""Ranks of a group are over those who answered it, and by its own rollouts."""

from typing import Any

import numpy as np
import pyarrow as pa

from bagen_data.array_types import Floats
from bagen_data.scoring.ranking import RANKED
from bagen_data.scoring.resampling import Resampling
from leaderboard.benchmark_samples import Benchmark
from leaderboard.ranks import add_ranks
from tests.bagen_data.scoring.scoring_cases import sample

METADATA = {"provider": "lab", "trained_on": "none"}
ROLLOUTS = {"big": 40, "small": 3}
"""Rollouts of each task: three cannot tell submissions apart, as p is at least 1 / 4."""


def benchmark() -> Benchmark:
    rows = [
        sample(f"{task}/m/r{number}/1", task=task)
        for task, rollouts in ROLLOUTS.items()
        for number in range(rollouts)
    ]
    return Benchmark(pa.Table.from_pylist(rows), None, "f" * 40)


def resampled(skill: float, *groups: str) -> dict[str, Floats]:
    """Known to a hundredth in each group."""
    noise = 0.01 * np.random.default_rng(0).normal(size=500)
    values = np.append(skill, skill + noise * (1 + skill))
    return {f"{group}/{score}": values for group in groups for score in RANKED}


def ranks_of(*each: dict[str, Floats]) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = [
        {"metadata": METADATA | {"constrained": position % 2 == 1}} for position in range(len(each))
    ]
    add_ranks(entries, each, benchmark(), Resampling(500))
    return [entry["ranks"] for entry in entries]


def test_counts_are_of_those_who_answered_by_their_kind() -> None:
    absent, worst, best, middle = ranks_of(
        resampled(0.9, "small"), *(resampled(skill, "big") for skill in (0.1, 0.8, 0.4))
    )
    assert "big" not in absent
    assert [ranks["big"]["macro_f1_open"] for ranks in (worst, best, middle)] == [
        {"first": 3, "last": 3, "better": [1, 1], "worse": [0, 0]},  # constrained, free
        {"first": 1, "last": 1, "better": [0, 0], "worse": [2, 0]},
        {"first": 2, "last": 2, "better": [0, 1], "worse": [1, 0]},
    ]
    assert set(worst["big"]) == set(RANKED)


def test_a_group_is_ranked_by_its_own_rollouts() -> None:
    worse, better = ranks_of(resampled(0.1, *ROLLOUTS), resampled(0.8, *ROLLOUTS))
    assert [ranks["big"]["macro_f1_open"]["first"] for ranks in (better, worse)] == [1, 2]
    assert [ranks["small"]["macro_f1_open"]["first"] for ranks in (better, worse)] == [1, 1]


def test_who_has_no_value_has_no_rank() -> None:
    silent = resampled(0.5, "big")
    silent["big/brier_skill"] = np.full(501, np.nan)
    (first, second) = ranks_of(silent, resampled(0.5, "big"))
    assert set(first["big"]) == set(RANKED) - {"brier_skill"}
    assert second["big"]["brier_skill"] == {
        "first": 1,
        "last": 1,
        "better": [0, 0],
        "worse": [0, 0],
    }
