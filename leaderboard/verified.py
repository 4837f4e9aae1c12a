"""The verified scores of a submission: one or two on a hidden split, computed with its key.

Every score that is shown reveals something of the labels: somebody who submits many files may learn
them from how the scores differ. So the only scores are `macro_f1_open` and, of forecasts,
`brier_skill`, each with its interval, in two digits. The number of feasible samples is never shown.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.errors import InputError
from bagen_data.hub import is_hidden, load_questions
from bagen_data.prompt_variants import question_of
from bagen_data.repositories.dataset_places import pinned
from bagen_data.schema import Question
from bagen_data.scoring.check_predictions import check_predictions, of_tasks
from bagen_data.scoring.match_predictions import match_predictions
from bagen_data.scoring.measure import Group, measure
from bagen_data.scoring.resampling import Resampling
from bagen_data.scoring.score import ALPHA
from bagen_data.submission_folder import HIDDEN, SubmissionFolder
from bagen_data.submitted_predictions import (
    NothingAnsweredError,
    SubmittedPredictions,
    read_predictions,
)
from bagen_data.tables import BUILD_RECORD, is_sealed
from bagen_data.unique_keys import parse_json
from leaderboard.benchmark_samples import SPLIT, Benchmark, is_key, load_samples_of
from leaderboard.cache import Cache
from leaderboard.ranks import add_ranks
from leaderboard.results import OVERALL
from leaderboard.submission_scores import SubmissionScores, resampled_scores

SCORES: Mapping[Question, Sequence[str]] = {
    "interval": ("macro_f1_open",),
    "point": ("macro_f1_open",),
    "forecast": ("macro_f1_open", "brier_skill"),
}
"""The scores that are shown, by what was asked: every probe of a hidden split is open."""
_DIGITS = 2
_WORN = 1 / 20
"""Scored submissions, as a share of a task's samples, after which a split should be retired."""
_FEWEST = 10
"""Samples, each of an instance of its own, below which a score has no interval."""
_SHOWN = ("value", "low", "high")
_ENDS = ("first", "last")


def load_key(folder: Path) -> Benchmark:
    """Load the key of a hidden split.

    Raises:
        InputError: it is not the key of a hidden split, or not as it was built.
    """
    if not (folder.is_dir() and is_key(str(folder))):
        raise InputError(
            f"--hidden {folder}: is not the key of a hidden split; expected the folder "
            "KEY-DO-NOT-PUBLISH that 'python -m builders build --hidden N' wrote"
        )
    if not is_sealed(parse_json((folder / BUILD_RECORD).read_bytes())):
        raise InputError(
            f"--hidden {folder}: {BUILD_RECORD} was changed since it was built; bring the file back"
        )
    return load_samples_of(str(folder))


def score_hidden(
    folder: SubmissionFolder, hidden: Benchmark, resampling: Resampling, cache: Cache
) -> SubmissionScores | None:
    """Score a submission's answers to a hidden split.

    Args:
        folder: the submission.
        hidden: the split, with its labels.
        resampling: how intervals are computed.
        cache: the scores of earlier builds.

    Returns:
        None if the submission has no such answers, or has answers to none of this split's samples,
        as those to an earlier split are.

    Raises:
        InputError: it answers a task of this split in part.
    """
    if folder.hidden is None:
        return None
    decides = {
        "hidden": hidden.revision,
        "resampling": asdict(resampling),
        "file": (folder.hidden.path.suffixes, folder.hidden.sha256),
        "question": question_of(folder.metadata.prompt_variant),
    }
    key = cache.key(decides)
    cached = cache.get(key)
    if cached is not None:
        record = json.loads(cached[0])
        return SubmissionScores(record, cached[1]) if record else None
    scores = _score(folder, hidden, resampling)
    if scores is None:
        cache.put(key, json.dumps(None), {})
    else:
        cache.put(key, json.dumps(scores.record), scores.resampled)
    return scores


def _score(
    folder: SubmissionFolder, hidden: Benchmark, resampling: Resampling
) -> SubmissionScores | None:
    predictions = _read(folder, hidden.samples)
    if predictions is None:
        return None
    question = question_of(folder.metadata.prompt_variant)
    samples = hidden.sample_table(predictions.tasks)
    name = f"{folder.name}/{HIDDEN}"
    answers = match_predictions(samples, predictions.table.to_batches, name, question)
    measured = measure(samples, answers, resampling, ALPHA)
    is_complete = list(predictions.tasks) == hidden.tasks
    groups: dict[str, Group] = {OVERALL: measured.overall} if is_complete else {}
    groups |= measured.tasks
    report = measured.report().to_dict()
    shown = {OVERALL: report["overall"], **report["tasks"]}
    return SubmissionScores(
        {
            name: {score: _rounded(shown[name][score]) for score in SCORES[question]}
            for name in groups
        },
        resampled_scores(groups, SCORES[question]),
    )


def _read(folder: SubmissionFolder, samples: pa.Table) -> SubmittedPredictions | None:
    """Read a submission's answers to a hidden split; None if none of them is to this one."""
    if folder.hidden is None:
        return None
    tasks = sorted(pc.unique(samples["task"].cast(pa.string())).to_pylist())
    try:
        predictions = read_predictions(replace(folder, files=(folder.hidden,)), tasks)
    except NothingAnsweredError:
        return None
    except InputError as error:
        raise InputError(f"{HIDDEN}: {error}") from error
    ids = samples["sample_id"].cast(pa.string()).combine_chunks()
    if not pc.any(pc.is_in(predictions.table["sample_id"], ids)).as_py():
        return None
    return predictions


def _rounded(score: Mapping[str, Any]) -> dict[str, Any]:
    rounded = {
        name: None if score[name] is None else round(score[name], _DIGITS) for name in _SHOWN
    }
    if score["n"] < _FEWEST:
        rounded |= {"low": None, "high": None}
    return {**rounded, "n": score["n"]}


def add_verified(
    records: Sequence[dict[str, Any]],
    verified: Sequence[SubmissionScores | None],
    hidden: Benchmark | None,
    resampling: Resampling,
) -> None:
    """Give each record `verified`: by group and score, its rank among the records that have one.

    Args:
        records: the records of the submissions.
        verified: the scores of each; None for those without.
        hidden: the split; None if it is not used.
        resampling: how intervals were computed.
    """
    for record in records:
        record["verified"] = {}
    if hidden is None:
        return
    having = [
        (record, scores)
        for record, scores in zip(records, verified, strict=True)
        if scores is not None
    ]
    places = [{"metadata": record["metadata"]} for record, _ in having]
    add_ranks(places, [scores.resampled for _, scores in having], hidden, resampling)
    for (record, scores), place in zip(having, places, strict=True):
        for group, shown in scores.record.items():
            ranks = place["ranks"].get(group, {})
            record["verified"][group] = {
                score: {**value, **{end: ranks.get(score, {}).get(end) for end in _ENDS}}
                for score, value in shown.items()
            }


def hidden_summary(hidden: Benchmark | None) -> dict[str, Any] | None:
    """Return the record of a hidden split in results, which reveals nothing of its labels."""
    if hidden is None:
        return None
    return {
        "revision": hidden.revision,
        "scores": list(SCORES["forecast"]),
        "samples": hidden.samples_by_task(),
    }


def is_worn(results: Mapping[str, Any]) -> bool:
    """Return whether so many submissions were scored on a hidden split that scores reveal labels.

    Args:
        results: as in `results.json`.

    >>> submissions = [{"verified": {"overall": 0.5}}] * 3
    >>> results = {"hidden": {"samples": {"sokoban": 60}}, "submissions": submissions[:2]}
    >>> is_worn(results), is_worn(results | {"submissions": submissions})
    (False, True)
    """
    if results["hidden"] is None:
        return False
    verified = sum(bool(submission["verified"]) for submission in results["submissions"])
    return bool(verified >= min(results["hidden"]["samples"].values()) * _WORN)


def check_hidden_answers(folder: SubmissionFolder, dataset: str) -> str:
    """Check a submission's answers to a hidden split without its labels.

    Args:
        folder: the submission.
        dataset: the public part of the split: a folder, or ORG/NAME or ORG/NAME@REV.

    Returns:
        A sentence on the result.

    Raises:
        InputError: the answers do not fit the split, or `dataset` is not a public part.
    """
    dataset = pinned(dataset)
    if not is_hidden(dataset):
        raise InputError(
            f"--hidden {dataset}: is not the public part of a hidden split; expected the folder "
            "'public' that 'python -m builders build --hidden N' wrote, or its id on the Hub"
        )
    questions = load_questions(dataset, None, SPLIT).table
    if folder.hidden is None:
        return f"it holds no answers to the hidden split: no file {HIDDEN}.jsonl"
    predictions = _read(folder, questions)
    if predictions is None:
        raise InputError(
            f"{folder.hidden.path}: answers no sample of {dataset}; a hidden split that was built "
            "anew has other ids"
        )
    own = of_tasks(questions, predictions.tasks)
    invalid = check_predictions(own, predictions.table.to_batches, str(folder.hidden.path))
    return (
        f"its answers to the hidden split fit: {len(own):,} of {', '.join(predictions.tasks)}, "
        f"{invalid:,} of them invalid"
    )
