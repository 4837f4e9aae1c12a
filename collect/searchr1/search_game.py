"""Search-R1 as it is collected."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from bagen_data.errors import WrongUsageError
from bagen_data.tables import sha256_of
from collect.environment import Rules
from collect.searchr1.corpus import read_corpus
from collect.searchr1.question_file import Question, read_questions
from collect.searchr1.retrieval import Library
from collect.searchr1.search_defaults import DOCUMENTS
from collect.searchr1.search_environment import RULES, SearchEnvironment


@dataclass(frozen=True)
class SearchR1:
    """Questions of one file over one corpus."""

    questions: Path
    corpus: Path
    first: int = 0
    """Where a family begins in the order of its seed: two families of one seed can share none."""
    documents: int = DOCUMENTS
    """That a search shows."""
    task: ClassVar[str] = "searchr1"
    rules: ClassVar[Rules] = RULES

    @property
    def settings(self) -> Mapping[str, Any]:
        """The options; files by their names and contents, wherever they lie."""
        return {
            "questions": {"name": self.questions.name, "sha256": sha256_of(self.questions)},
            "corpus": {"name": self.corpus.name, "sha256": sha256_of(self.corpus)},
            "first": self.first,
            "documents": self.documents,
        }

    def environment(self, seed: int, number: int) -> SearchEnvironment:
        """A question; once all of them were asked, they are asked again."""
        questions = _ordered(self.questions, seed)
        question = questions[(self.first + number) % len(questions)]
        return SearchEnvironment(question, _library(self.corpus), documents=self.documents)


def searchr1(questions: Path, corpus: Path, first: int, documents: int) -> SearchR1:
    """The game of some options; reads both files.

    Raises:
        InputError: a file cannot be used.
        WrongUsageError: there are not so many questions.
    """
    known = len(_ordered(questions, 0))
    _library(corpus)
    if first >= known:
        raise WrongUsageError(f"--first {first}: {questions} has {known} questions")
    return SearchR1(questions, corpus, first, documents)


@lru_cache(2)
def _ordered(path: Path, seed: int) -> tuple[Question, ...]:
    """The questions in the order of a seed."""
    questions = list(read_questions(path))
    random.Random(f"searchr1 {seed}").shuffle(questions)
    return tuple(questions)


@lru_cache(1)
def _library(path: Path) -> Library:
    """Made once a process."""
    return Library(read_corpus(path))
