"""Scores of start probes, which are asked before a rollout's first turn."""

from typing import Any

from bagen_data.schema import Question
from bagen_data.scoring.match_predictions import match_predictions
from bagen_data.scoring.measure import measure
from bagen_data.scoring.resampling import Resampling
from bagen_data.scoring.score import ALPHA
from bagen_data.submitted_predictions import SubmittedPredictions
from leaderboard.benchmark_samples import Benchmark
from leaderboard.results import OVERALL

SCORE = "start_correlation"


def start_scores(
    predictions: SubmittedPredictions,
    benchmark: Benchmark,
    question: Question,
    resampling: Resampling,
    name: str,
) -> dict[str, Any]:
    """Score a submission's answers to start probes.

    Args:
        predictions: the predictions of the submission.
        benchmark: the samples, with the start probes in `start`.
        question: the question that was asked.
        resampling: how intervals are computed.
        name: the name of the predictions in errors.

    Returns:
        By task, and by `overall` if it has a value for every task, `start_correlation`; empty if no
        start probe is answered.

    Raises:
        InputError: a task's start probes are answered in part.
    """
    tasks = predictions.start_tasks
    if benchmark.start is None or not tasks:
        return {}
    samples = benchmark.start.sample_table(tasks)
    answers = match_predictions(samples, predictions.start.to_batches, name, question)
    report = measure(samples, answers, resampling, ALPHA).report().to_dict()
    groups = {task: {SCORE: report["tasks"][task][SCORE]} for task in tasks}
    values = [scores[SCORE]["value"] for scores in groups.values()]
    if list(tasks) == benchmark.tasks and None not in values:  # else means over different tasks
        groups = {OVERALL: {SCORE: report["overall"][SCORE]}, **groups}
    return groups
