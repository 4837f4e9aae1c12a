"""Questions with their accepted answers, from a HotpotQA-style file."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bagen_data.errors import InputError
from collect.searchr1.row_files import id_of, read_rows, shown, text_of

_ANSWERS = ("answer", "golden_answers", "answers")
_IDS = ("id", "_id")


@dataclass(frozen=True)
class SearchQuestion:
    """A question and its accepted answers."""

    id: str
    """Id of the question in the file, or else a hash of the text; no two questions share it."""
    text: str
    """Text of the question, as it is asked."""
    answers: tuple[str, ...]
    """Accepted answers, one or more; any of them is right."""


def read_questions(path: Path) -> tuple[SearchQuestion, ...]:
    """Read a JSONL or Parquet file with a question a row, in the file's order.

    Fields: `question`; `answer`, `golden_answers` or `answers`, a text or a list of accepted
    texts; `id` or `_id`, where there. Others are ignored. A question without an id that is there
    twice is read once, as the two could not be told apart.

    Raises:
        InputError: naming the file, the line or row, the field, and what to do.
    """
    questions: dict[str, SearchQuestion] = {}
    places: dict[str, str] = {}
    for place, row in read_rows(path, {"question", *_ANSWERS, *_IDS}):
        question = _question(row, place)
        known = questions.get(question.id)
        if known is None:
            questions[question.id] = question
            places[question.id] = place
        elif known != question:
            raise InputError(
                f"{place}: is as {places[question.id]} by its id {shown(question.id)}, but asks or "
                "expects something else; expected an id of its own; correct or remove one of them"
            )
    return tuple(questions.values())


def _question(row: Mapping[str, Any], place: str) -> SearchQuestion:
    text = " ".join(text_of(row, "question", place).split())
    given = id_of(row, _IDS, place)
    return SearchQuestion(
        id=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        if given is None
        else given,
        text=text,
        answers=_accepted(row, place),
    )


def _accepted(row: Mapping[str, Any], place: str) -> tuple[str, ...]:
    name = next((name for name in _ANSWERS if row.get(name) is not None), "answer")
    value = row.get(name)
    answers = [value] if isinstance(value, str) else value
    if (
        isinstance(answers, list)
        and answers
        and all(isinstance(answer, str) and answer.strip() for answer in answers)
    ):
        return tuple(answer.strip() for answer in answers)
    raise InputError(
        f"{place}: {name} is {shown(value)}; expected a text that is not empty, or a list of such "
        "texts; correct or remove it"
    )
