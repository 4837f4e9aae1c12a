"""Score one submission: everything that results hold of it, except its rank."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from bagen_data.array_types import Floats
from bagen_data.prompt_variants import question_of
from bagen_data.scoring.match_predictions import match_predictions
from bagen_data.scoring.measure import Group, measure
from bagen_data.scoring.other_question import correct_metadata, refuse_other_question
from bagen_data.scoring.resampling import Resampling
from bagen_data.scoring.score import ALPHA
from bagen_data.submission_folder import SubmissionFolder
from bagen_data.submissions import METADATA
from bagen_data.submitted_predictions import read_predictions
from leaderboard.benchmark_samples import Benchmark
from leaderboard.cache import Cache
from leaderboard.costs import mean_costs
from leaderboard.label_matches import LabelMatches
from leaderboard.rankings import ranked_scores
from leaderboard.results import OVERALL
from leaderboard.start_scores import start_scores
from leaderboard.submission_curves import SubmissionCurves


@dataclass(frozen=True)
class SubmissionScores:
    """The scores of one submission's predictions."""

    record: dict[str, Any]
    """The record of results: `question`, `answered`, `complete`, `scores`, `curves`, `start`,
    `progress`, `invalid`, `spent`, `label_matches`, and the `rows` of each file."""
    resampled: Mapping[str, Floats]
    """The value of each score to rank by, then of each resample, (1 + b,), by `group/score`."""


def score_submission(
    folder: SubmissionFolder, benchmark: Benchmark, resampling: Resampling, cache: Cache
) -> SubmissionScores:
    """Score a submission.

    Args:
        folder: the submission.
        benchmark: the samples that it answers.
        resampling: how intervals are computed.
        cache: the scores of earlier builds.

    Raises:
        InputError: it is refused; the message says where, what and why.
    """
    key = cache.key(
        {
            "revision": benchmark.revision,
            "tasks": benchmark.tasks,
            "resampling": asdict(resampling),
            "question": question_of(folder.metadata.prompt_variant),
            "files": [(file.task, file.path.suffixes, file.sha256) for file in folder.files],
        }
    )
    cached = cache.get(key)
    if cached is None:
        scores = _score(folder, benchmark, resampling)
        cache.put(key, json.dumps(scores.record), scores.resampled)
        return scores
    return SubmissionScores(json.loads(cached[0]), cached[1])


def _score(
    folder: SubmissionFolder, benchmark: Benchmark, resampling: Resampling
) -> SubmissionScores:
    tasks = benchmark.tasks
    question = question_of(folder.metadata.prompt_variant)
    predictions = read_predictions(folder, tasks, benchmark.start_tasks)
    samples = benchmark.sample_table(predictions.tasks)
    matches, curves = LabelMatches(), SubmissionCurves()
    answers = match_predictions(samples, predictions.table.to_batches, folder.name, question)
    measured = measure(samples, curves.counted(matches.counted(answers)), resampling, ALPHA)
    if not measured.overall["valid_rate"].values[0]:
        remedy = correct_metadata(METADATA, folder.metadata.prompt_variant)
        reader = predictions.table.to_batches
        refuse_other_question(samples, reader, folder.name, question, remedy)
    is_complete = list(predictions.tasks) == tasks
    report = measured.report().to_dict()
    groups = {OVERALL: measured.overall} if is_complete else {}
    groups |= measured.tasks
    progress = report["progress"] if is_complete else _without_overall(report["progress"])
    all_curves = curves.to_dict()
    costs = mean_costs(predictions.table, predictions.tasks)
    return SubmissionScores(
        {
            "question": question,
            "answered": list(predictions.tasks),
            "complete": is_complete,
            "rows": list(predictions.rows),
            "scores": {
                OVERALL: report["overall"] if is_complete else None,
                "tasks": report["tasks"],
                "families": report["families"],
            },
            "curves": all_curves if is_complete else _without_overall(all_curves),
            "start": start_scores(predictions, benchmark, question, resampling, folder.name),
            "progress": progress,
            "invalid": report["invalid"],
            "spent": costs if is_complete else _without_overall(costs),
            "label_matches": {
                "intervals": matches.intervals,
                "matches": matches.matches,
                "noted": matches.is_noted,
            },
        },
        resampled_scores(groups, ranked_scores(question)),
    )


def _without_overall(groups: Mapping[str, Any]) -> dict[str, Any]:
    return {name: group for name, group in groups.items() if name != OVERALL}


def resampled_scores(groups: Mapping[str, Group], scores: Sequence[str]) -> dict[str, Floats]:
    """Return the value and that of each resample, (1 + b,), by `group/score`."""
    return {
        f"{name}/{score}": group[score].values.astype(np.float64)
        for name, group in groups.items()
        for score in scores
    }
