"""The noise ceiling of a dataset, as `bagen ceiling` wrote it, for the board of that dataset."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bagen_data.errors import InputError
from bagen_data.unique_keys import parse_json
from bagen_data.versions import BENCHMARK_VERSION
from leaderboard.benchmark_samples import Benchmark, with_other_names
from leaderboard.rankings import RANKINGS
from leaderboard.results import OVERALL

_SHOWN = ("value", "n", "low", "high")
_EXPECTED = "expected what 'bagen ceiling --json FILE' wrote"


def read_ceiling(path: Path, benchmark: Benchmark) -> dict[str, Any]:
    """Read a ceiling, and return what results say of it.

    Args:
        path: the file that `bagen ceiling` wrote.
        benchmark: the samples of the board.

    Returns:
        `groups`: by task, and by `overall` where the ceiling is of every task of the board, each
        score that is ranked on, `{value, n, low, high}`; and `continuations`, how many rollouts it
        was made of.

    Raises:
        InputError: the file cannot be read, is not a ceiling, or is of another dataset, revision or
            version; the message names the file and both.
    """
    try:
        content = parse_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(f"--ceiling {path}: cannot be read: {error}; {_EXPECTED}") from error
    try:
        source, tasks = content["dataset"], content["tasks"]
        revision, version = source["revision"], content["benchmark_version"]
        groups = {
            "groups": _groups(content["overall"], tasks, benchmark.tasks),
            "continuations": int(content["continuations"]["rollouts"]),
        }
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"--ceiling {path}: is not a ceiling: {error!r}; {_EXPECTED}") from error
    if not with_other_names(benchmark, [str(revision)]).is_named(str(revision)):
        raise InputError(
            f"--ceiling {path}: is the ceiling of {source.get('path')!a}, revision {revision!a}; "
            f"expected one of this board's dataset, revision {benchmark.revision}; run 'bagen "
            "ceiling' on it, or leave --ceiling out"
        )
    if version != BENCHMARK_VERSION:
        raise InputError(
            f"--ceiling {path}: was scored by BAGEN {version!a}; this is {BENCHMARK_VERSION}; run "
            "'bagen ceiling' again"
        )
    return groups


def _groups(
    overall: Mapping[str, Any], tasks: Mapping[str, Mapping[str, Any]], of_board: Sequence[str]
) -> dict[str, dict[str, Any]]:
    groups = {name: tasks[name] for name in of_board if name in tasks}
    if len(groups) == len(of_board):
        groups = {OVERALL: overall, **groups}
    ranked = [score for ranking in RANKINGS for score in ranking.ranked]
    return {
        name: {
            score: {key: _number(scores[score][key]) for key in _SHOWN}
            for score in ranked
            if score in scores and scores[score]["value"] is not None
        }
        for name, scores in groups.items()
    }


def _number(value: Any) -> float | None:
    if value is not None and not math.isfinite(value):
        raise ValueError(f"{value} is not a number that can be shown")
    return None if value is None else float(value)
