"""Score one submission: all that results say of it but its rank."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bagen_data.array_types import Floats
from bagen_data.scoring.match_predictions import read_answers
from bagen_data.scoring.measure import Group, measure
from bagen_data.scoring.ranking import RANKED
from bagen_data.scoring.resampling import Resampling
from bagen_data.scoring.score import ALPHA
from leaderboard.benchmark_samples import Benchmark
from leaderboard.cache import Cache
from leaderboard.costs import spent
from leaderboard.label_matches import LabelMatches
from leaderboard.predictions import read_predictions
from leaderboard.results import OVERALL
from leaderboard.submission_folder import Entry


@dataclass(frozen=True)
class Scored:
    """What predictions are worth, whoever made them."""

    record: dict[str, Any]
    """As results have it: `answered`, `complete`, `scores`, `progress`, `invalid`, `spent`,
    `label_matches`, and the `rows` of each file."""
    resampled: Mapping[str, Floats]
    """By `group/score`, (1 + b,): the value, then that of each resample, of scores to rank by."""


def score_entry(entry: Entry, benchmark: Benchmark, resampling: Resampling, cache: Cache) -> Scored:
    """Score a submission.

    Args:
        entry: the submission.
        benchmark: what it answers.
        resampling: how intervals are found.
        cache: where what was scored before is.

    Raises:
        InputError: it is refused; the message says where, what and why.
    """
    key = cache.key(
        {
            "revision": benchmark.revision,
            "tasks": benchmark.tasks,
            "resampling": asdict(resampling),
            "files": [(file.task, file.path.suffixes, file.sha256) for file in entry.files],
        }
    )
    known = cache.get(key)
    if known is None:
        found = _score(entry, benchmark, resampling)
        cache.put(key, json.dumps(found.record), found.resampled)
        return found
    return Scored(json.loads(known[0]), known[1])


def _score(entry: Entry, benchmark: Benchmark, resampling: Resampling) -> Scored:
    tasks = benchmark.tasks
    predictions = read_predictions(entry, tasks)
    truth = benchmark.truth(predictions.tasks)
    matches = LabelMatches()
    answered = read_answers(truth, predictions.table.to_batches, entry.folder)
    measured = measure(truth, matches.watching(answered), resampling, ALPHA)
    is_complete = list(predictions.tasks) == tasks
    report = measured.report().to_dict()
    groups = {OVERALL: measured.overall} if is_complete else {}
    groups |= measured.tasks
    progress = report["progress"] if is_complete else _without_overall(report["progress"])
    costs = spent(predictions.table, predictions.tasks)
    return Scored(
        {
            "answered": list(predictions.tasks),
            "complete": is_complete,
            "rows": list(predictions.rows),
            "scores": {
                OVERALL: report["overall"] if is_complete else None,
                "tasks": report["tasks"],
                "families": report["families"],
            },
            "progress": progress,
            "invalid": report["invalid"],
            "spent": costs if is_complete else _without_overall(costs),
            "label_matches": {
                "intervals": matches.intervals,
                "matches": matches.matches,
                "noted": matches.is_noted,
            },
        },
        _resampled(groups),
    )


def _without_overall(groups: Mapping[str, Any]) -> dict[str, Any]:
    return {name: group for name, group in groups.items() if name != OVERALL}


def _resampled(groups: Mapping[str, Group]) -> dict[str, Floats]:
    return {
        f"{name}/{score}": group[score].values.astype(np.float64)
        for name, group in groups.items()
        for score in RANKED
    }
