"""Datasets that a leaderboard can be built of."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bagen_data.errors import InputError
from leaderboard.benchmark_samples import load_benchmark
from tests.bagen_data.scoring.scoring_cases import sample
from tests.leaderboard.made_boards import write_as_built


def built(folder: Path, task: str) -> str:
    derived: dict[str, Any] = {
        "task": task,
        "rollout_model": "m",
        "rollout_id": "r",
        "completed_turns": 1,
    }
    derived |= {"total_turns": 2, "rollout_success": True, "instance_id": "i"}
    samples = pa.Table.from_pylist([sample(f"{task}/m/r/1", **derived)])
    write_as_built(folder, samples, "ffffffff")
    return str(folder)


def test_a_task_of_ones_own_has_a_leaderboard(tmp_path: Path) -> None:
    assert load_benchmark(built(tmp_path, "chess")).tasks == ["chess"]


@pytest.mark.parametrize("task", ["overall", "predictions", "a-b", "x" * 51])
def test_a_task_whose_name_means_something_else_is_refused(task: str, tmp_path: Path) -> None:
    """`overall` is the group of all tasks, `predictions` a file of any."""
    with pytest.raises(InputError, match=f"task '{task}' cannot"):
        load_benchmark(built(tmp_path, task))
