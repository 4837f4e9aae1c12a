"""Search-R1 as it is collected."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from bagen_data.errors import WrongUsageError
from collect.environment import Rules
from collect.recorded_file import RecordedFile, recorded_file
from collect.searchr1.corpus import read_corpus
from collect.searchr1.question_file import SearchQuestion, read_questions
from collect.searchr1.retrieval import Library
from collect.searchr1.search_defaults import DOCUMENTS
from collect.searchr1.search_environment import RULES, SEARCH, SearchEnvironment


@dataclass(frozen=True)
class SearchR1:
    """Questions of one file over one corpus."""

    questions: RecordedFile
    corpus: RecordedFile
    first: int = 0
    """Place in the seed's order where a family begins: two families of one seed can share none."""
    documents: int = DOCUMENTS
    """Number of documents that a search shows."""
    task: ClassVar[str] = "searchr1"
    rules: ClassVar[Rules] = RULES
    tools: ClassVar[tuple[str, ...]] = (SEARCH,)
    targets: ClassVar[tuple[str, ...]] = ()

    @property
    def settings(self) -> Mapping[str, Any]:
        """The options; files by their names and contents, wherever they lie."""
        return {
            "questions": self.questions.settings,
            "corpus": self.corpus.settings,
            "first": self.first,
            "documents": self.documents,
        }

    def environment(self, seed: int, number: int) -> SearchEnvironment:
        """Return a question's environment; once all questions were asked, they are asked again."""
        questions = _ordered(self.questions, seed)
        question = questions[(self.first + number) % len(questions)]
        return SearchEnvironment(question, _library(self.corpus), documents=self.documents)


def searchr1(questions: Path, corpus: Path, first: int, documents: int) -> SearchR1:
    """Read both files, and return the game with these options.

    Raises:
        InputError: a file cannot be used.
        WrongUsageError: there are not so many questions.
    """
    game = SearchR1(recorded_file(questions), recorded_file(corpus), first, documents)
    known = len(_ordered(game.questions, 0))
    _library(game.corpus)
    if first >= known:
        raise WrongUsageError(f"--first {first}: {questions} has {known} questions")
    return game


@lru_cache(2)
def _ordered(file: RecordedFile, seed: int) -> tuple[SearchQuestion, ...]:
    """Return the questions of a file in the order of a seed."""
    with file.unchanged() as path:
        questions = list(read_questions(path))
    random.Random(f"searchr1 {seed}").shuffle(questions)
    return tuple(questions)


@lru_cache(1)
def _library(file: RecordedFile) -> Library:
    """Return the library of a corpus, made once a process."""
    with file.unchanged() as path:
        return Library(read_corpus(path))
