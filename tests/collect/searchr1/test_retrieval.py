"""Retrieval: order, ties, and queries that find nothing."""

import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.errors import InputError, MissingExtraError
from collect.searchr1.corpus import Corpus
from collect.searchr1.retrieval import Library, _best


def corpus_of(*texts: str) -> Corpus:
    columns = {
        "id": [f"d{position}" for position in range(len(texts))],
        "title": ["T"] * len(texts),
        "text": list(texts),
    }
    return Corpus(pa.table(columns))


def best_ids(library: Library, query: str, limit: int = 3) -> list[str]:
    return [hit.document.id for hit in library.search(query, limit)]


def test_best_first_and_ties_by_position() -> None:
    library = Library(corpus_of("mill", "river mill", "river", "river", "bridge river", "river"))
    assert best_ids(library, "river") == ["d2", "d3", "d5"]
    assert best_ids(library, "river", 9) == ["d2", "d3", "d5", "d1", "d4"]
    assert best_ids(library, "RIVER, mill!") == ["d0", "d1", "d2"]  # mill is rarer
    assert best_ids(library, "river", 0) == []


@pytest.mark.parametrize("query", ["", " ", "the of", "unheardof", "[]", "é", "x", "\x00", "𝔘"])
def test_nothing_is_found(query: str) -> None:
    assert best_ids(Library(corpus_of("the mill", "a river")), query) == []


def test_words_without_a_place_in_the_corpus_do_not_count() -> None:
    library = Library(corpus_of("mill", "river"))
    assert library.search("unheardof mill", 3) == library.search("mill", 3)


def test_scores_are_rounded_and_fall(library: Library) -> None:
    hits = library.search("bridge over the river at Garlock", 20)
    scores = [hit.score for hit in hits]
    assert len(hits) == 20
    assert scores == sorted(scores, reverse=True) == [round(score, 3) for score in scores]
    assert scores[-1] > 0


def test_the_same_each_time(corpus: Corpus, library: Library) -> None:
    again = Library(corpus)
    for query in ("Heron Bridge opened", "ship launched at Corvane", "river hills sea"):
        assert again.search(query, 10) == library.search(query, 10)


def test_known_scores() -> None:
    """Lucene's BM25 by hand: idf ln(1 + (2 - 1 + .5) / (1 + .5)) = ln 2, of two 1-word texts."""
    [hit] = Library(corpus_of("mill", "river")).search("mill", 3)
    assert hit.score == round(np.log(2) / (1 + 1.5), 3)


@given(
    st.lists(st.sampled_from([0.0, 0.5, 1.0, 1.5]), min_size=1, max_size=30),
    st.integers(0, 40),
)
def test_best_is_what_sorting_gives(scores: list[float], limit: int) -> None:
    ordered = sorted(range(len(scores)), key=lambda position: (-scores[position], position))
    expected = [position for position in ordered if scores[position] > 0][:limit]
    assert _best(np.array(scores), limit).tolist() == expected


def test_a_corpus_without_words() -> None:
    with pytest.raises(InputError, match="none of its 1 documents has an English word"):
        Library(corpus_of("?"))


def test_the_missing_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bm25s", None)
    with pytest.raises(MissingExtraError, match=r"bm25s .*'bagen-data\[collect\]'"):
        Library(corpus_of("mill"))
