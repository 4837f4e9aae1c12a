"""Scoring files of predictions for `bagen score`, also those that leave samples out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bagen_data.answered_samples import AnsweredSamples, answered_samples
from bagen_data.console import STDERR, shown
from bagen_data.dataset_configs import DEFAULT, start_config
from bagen_data.errors import UnansweredError
from bagen_data.hub import build_record, splits
from bagen_data.prediction_folder import ExpectedSamples, FolderPredictions, choose_predictions
from bagen_data.schema import Question
from bagen_data.scoring.match_predictions import PredictionReader, match_predictions
from bagen_data.scoring.measure import measure
from bagen_data.scoring.report import Comparison, Report
from bagen_data.scoring.resampling import Resampling
from bagen_data.scoring.sample_source import SampleSource
from bagen_data.scoring.score import ALPHA, compare_readers

NamedReader = tuple[str, PredictionReader, Question]
"""Predictions: what an error calls them, their reader, and the question that they answer."""
_HIDDEN_KEYS = ("key_sha256", "salt")
"""Keys of the record of a hidden split: of its public part, and of the part with labels."""


@dataclass(frozen=True)
class ScoreRequest:
    """Files or folders of predictions to score, and the samples that they are scored on."""

    dataset: str
    config: str | None
    split: str
    paths: tuple[Path, ...]
    """Paths of the predictions: one, or two, which are compared."""
    questions: tuple[Question, ...]
    """The question that each answers."""
    samples: SampleSource
    resampling: Resampling


@dataclass(frozen=True)
class ScoredAnswers:
    """The scores of a request."""

    result: Report | Comparison
    samples: SampleSource
    """The samples that were scored."""
    answers: tuple[NamedReader, ...]
    part: AnsweredSamples | None
    """The samples that are answered, where others are left out."""


def score_answers(request: ScoreRequest) -> ScoredAnswers:
    """Score predictions, or compare two; where they leave samples out, on the others.

    Raises:
        UnansweredError: no sample is answered, or none by both.
        InputError: predictions cannot be read, or do not fit the samples.
    """
    chosen = _chosen_of_some(request)
    names = [str(each.path) for each in chosen]
    answers = tuple(zip(names, [each.read for each in chosen], request.questions, strict=True))
    try:
        scored = ScoredAnswers(
            _result(request.samples, answers, request.resampling), request.samples, answers, None
        )
    except UnansweredError as error:
        readers = [each.read for each in chosen]
        part = answered_samples(request.dataset, request.config, request.split, readers)
        if part is None and len(names) > 1:
            raise UnansweredError(
                f"no sample is answered both by {names[0]} and by {names[1]}; compare predictions "
                "of the same samples"
            ) from error
        if part is None:
            raise
        answers = tuple(zip(names, part.readers, request.questions, strict=True))
        result = _result(part.samples, answers, request.resampling)
        scored = ScoredAnswers(result, part.samples, answers, part)
    for each in chosen:
        if each.others:
            note = f"note: {each.path}: left aside: {each.others:,} predictions of other configs"
            STDERR.print(shown(note))
    return scored


def choose(
    paths: Sequence[Path], dataset: str, config: str | None, tasks: Iterable[str]
) -> list[FolderPredictions]:
    """Return the predictions that answer samples of some tasks, and say which are not read.

    Raises:
        as `choose_predictions`.
    """
    return _chosen(paths, asked_samples(dataset, config, tasks))


def _chosen_of_some(request: ScoreRequest) -> list[FolderPredictions]:
    """Return the predictions; of a folder with files for some tasks, of these alone."""
    tasks = (family.partition("/")[0] for family in request.samples.family_names)
    asked = asked_samples(request.dataset, request.config, tasks)
    try:
        return _chosen(request.paths, asked)
    except UnansweredError as error:
        if not error.answered:
            raise
        return _chosen(request.paths, replace(asked, tasks=error.answered))


def asked_samples(dataset: str, config: str | None, tasks: Iterable[str]) -> ExpectedSamples:
    """Return the samples of some tasks that predictions are to answer.

    Args:
        dataset: as `hub.load_samples` takes it.
        config: the config that was chosen, if one was.
        tasks: the tasks of the samples, in their order.
    """
    record = build_record(dataset)
    is_hidden = isinstance(record, dict) and not record.keys().isdisjoint(_HIDDEN_KEYS)
    names = tuple(dict.fromkeys(tasks))
    start_tasks = tuple(task for task in names if splits(dataset, start_config(task)))
    return ExpectedSamples(None if config == DEFAULT else config, names, start_tasks, is_hidden)


def _chosen(paths: Sequence[Path], asked: ExpectedSamples) -> list[FolderPredictions]:
    chosen = [choose_predictions(path, asked) for path in paths]
    for each in chosen:
        if each.left_aside:
            files = ", ".join(file.name for file in each.left_aside)
            note = f"note: {each.left_aside[0].parent}: left aside: {files}"
            STDERR.print(shown(f"{note}; --config selects another config"))
    return chosen


def _result(
    samples: SampleSource, answers: Sequence[NamedReader], resampling: Resampling
) -> Report | Comparison:
    if len(answers) > 1:
        return compare_readers(samples, answers, resampling, ALPHA)
    [(name, reader, question)] = answers
    answered = match_predictions(samples, reader, name, question)
    return measure(samples, answered, resampling, ALPHA).report()
