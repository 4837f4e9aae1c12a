"""The bundled corpus and questions."""

import json
from collections import Counter
from pathlib import Path

from collect.searchr1.corpus import Corpus
from collect.searchr1.judging import normalised
from collect.searchr1.question_file import SearchQuestion
from sample.search import make_country


def test_the_command_makes_the_same_files(bundled: Path, tmp_path: Path) -> None:
    make_country.main(tmp_path)
    for name in ("corpus.jsonl", "questions.jsonl"):
        assert (tmp_path / name).read_bytes() == (bundled / name).read_bytes()


def test_documents(corpus: Corpus) -> None:
    documents = [corpus.document(position) for position in range(len(corpus))]
    assert len(documents) == 85
    assert len({document.title for document in documents}) == len(documents)
    assert len({document.text for document in documents}) == len(documents)
    assert all(60 <= len(document.text.split()) <= 100 for document in documents)
    assert not any(mark in document.text for document in documents for mark in "{}")


def test_questions(bundled: Path, questions: tuple[SearchQuestion, ...]) -> None:
    assert len({question.text for question in questions}) == len(questions) == 66
    with (bundled / "questions.jsonl").open(encoding="utf-8") as lines:
        kinds = Counter(json.loads(line)["type"] for line in lines)
    assert kinds == {"one-hop": 27, "two-hop": 24, "three-hop": 6, "comparison": 9}


def test_every_answer_is_in_the_corpus(
    corpus: Corpus, questions: tuple[SearchQuestion, ...]
) -> None:
    texts = [f" {normalised(text)} " for text in corpus.searchable()]
    for question in questions:
        answer = normalised(question.answers[0])
        assert answer in ("yes", "no") or any(f" {answer} " in text for text in texts), question
