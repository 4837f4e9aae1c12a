"""Search over a corpus: BM25, by the bm25s library."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bagen_data.errors import InputError, MissingExtraError
from collect.searchr1.corpus import Corpus, Document

SCORE_DECIMALS = 3
"""Decimals to which scores are rounded before they are compared: beyond, machines may differ."""


@dataclass(frozen=True)
class Hit:
    """A document that was found."""

    document: Document
    score: float
    """BM25 score, rounded; above 0, higher is better."""


class Library:
    """A corpus with its index.

    Words are runs of two or more letters and digits in lower case, without English function words;
    scores are Lucene's variant of BM25 with k1 = 1.5 and b = 0.75. The index is made anew for each
    process: about 80 seconds and 5 GB of memory for a million passages of 100 words.
    """

    def __init__(self, corpus: Corpus) -> None:
        """Index the corpus.

        Raises:
            MissingExtraError: `bm25s` is not installed.
            InputError: no document has a word.
        """
        try:
            import bm25s
        except ModuleNotFoundError as error:
            raise MissingExtraError("bm25s", "collect") from error
        self._corpus = corpus
        self._tokenize: Callable[..., Any] = bm25s.tokenize
        words = self._tokenize(corpus.searchable(), stopwords="en", show_progress=False)
        if not words.vocab:
            raise InputError(
                f"the corpus: none of its {len(corpus)} documents has an English word to search "
                "for; give another corpus"
            )
        self._known_words = frozenset(words.vocab)
        self._index = bm25s.BM25(k1=1.5, b=0.75, method="lucene", backend="numpy")
        self._index.index(words, show_progress=False)

    def search(self, query: str, limit: int) -> tuple[Hit, ...]:
        """Find the documents that fit the query best, best first, at most `limit`.

        Documents of equal scores are in the order of the corpus. A query without a
        word of the corpus finds nothing.
        """
        [words] = self._tokenize([query], stopwords="en", show_progress=False, return_ids=False)
        known = [word for word in words if word in self._known_words]
        if not known:
            return ()
        scores = np.round(self._index.get_scores(known).astype(np.float64), SCORE_DECIMALS)
        return tuple(
            Hit(self._corpus.document(int(position)), float(scores[position]))
            for position in _best(scores, limit)
        )


def _best(scores: np.ndarray, limit: int) -> np.ndarray:
    """Return the positions of the highest scores above 0, the highest first, then the earliest."""
    if 0 < limit < len(scores):
        least = max(np.partition(scores, len(scores) - limit)[len(scores) - limit], 0.0)
        candidates = np.flatnonzero((scores >= least) & (scores > 0))
    else:
        candidates = np.flatnonzero(scores > 0)
    order = np.argsort(-scores[candidates], kind="stable")
    best: np.ndarray = candidates[order][:limit]
    return best
