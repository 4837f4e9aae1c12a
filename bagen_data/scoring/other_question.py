"""Refuse predictions that answer another question than the one they are read by."""

from collections.abc import Callable
from typing import get_args

from bagen_data.answer_columns import INVALID
from bagen_data.errors import InputError
from bagen_data.schema import Question
from bagen_data.scoring.match_predictions import PredictionReader, match_predictions
from bagen_data.scoring.sample_source import SampleSource


def refuse_other_question(
    samples: SampleSource,
    predictions: PredictionReader,
    name: str,
    question: Question,
    remedy: Callable[[Question], str],
) -> None:
    """Refuse answers of which none is valid, if some are valid answers to another question.

    Args:
        samples: the samples.
        predictions: reads the predictions, all of which are invalid answers to `question`.
        name: what an error calls them.
        question: what they were read as answers to.
        remedy: the end of the message: why they were read so, and what to do, given the question
            that they seem to answer.

    Raises:
        InputError: some are valid answers to another question.
    """

    def has_valid_answers(other: Question) -> bool:
        matched = match_predictions(samples, predictions, name, other)
        return any((answers.verdict != INVALID).any() for _, answers in matched)

    refuse_valid_elsewhere(has_valid_answers, name, question, remedy)


def refuse_valid_elsewhere(
    has_valid_answers: Callable[[Question], bool],
    name: str,
    question: Question,
    remedy: Callable[[Question], str],
) -> None:
    """Refuse answers as `refuse_other_question` does, however they are read.

    Args:
        has_valid_answers: reads them as answers to a question, and says if any of them is valid.
        name: as in `refuse_other_question`.
        question: as in `refuse_other_question`.
        remedy: as in `refuse_other_question`.

    Raises:
        InputError: some are valid answers to another question.
    """
    for other in get_args(Question):
        if other != question and has_valid_answers(other):
            raise InputError(
                f"{name}: none is a valid answer to the question {question!r}, and the answers "
                f"look like answers to {other!r}; {remedy(other)}"
            )


def pass_argument(other: Question) -> str:
    """Return the remedy of a caller in Python.

    >>> pass_argument("forecast")
    "pass question='forecast'"
    """
    return f"pass question={other!r}"


def correct_metadata(file: object, prompt_variant: str) -> Callable[[Question], str]:
    """Return the remedy of predictions with metadata.

    Args:
        file: the metadata's file, as the message names it.
        prompt_variant: what they say.

    >>> correct_metadata("metadata.yaml", "none")("point")
    "metadata.yaml says prompt_variant 'none'; correct it there, to point_think or point_no_think"
    """
    return lambda other: (
        f"{file} says prompt_variant {prompt_variant!r}; correct it there, to "
        f"{other}_think or {other}_no_think"
    )
