"""The bundled country, to search."""

from pathlib import Path

import pytest

from collect.searchr1.corpus import Corpus, read_corpus
from collect.searchr1.question_file import SearchQuestion, read_questions
from collect.searchr1.retrieval import Library
from tests.making import REPO

SEARCH = REPO / "sample" / "search"


@pytest.fixture(scope="session")
def bundled() -> Path:
    return SEARCH


@pytest.fixture(scope="session")
def corpus() -> Corpus:
    return read_corpus(SEARCH / "corpus.jsonl")


@pytest.fixture(scope="session")
def library(corpus: Corpus) -> Library:
    return Library(corpus)


@pytest.fixture(scope="session")
def questions() -> tuple[SearchQuestion, ...]:
    return read_questions(SEARCH / "questions.jsonl")
