"""Measures of whether a final answer is right: those of SQuAD and HotpotQA."""

import re
import string
from collections import Counter
from collections.abc import Sequence

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_CLOSED = frozenset({"yes", "no", "noanswer"})


def normalised(answer: str) -> str:
    """Return a text in lower case, without punctuation, articles and superfluous white space.

    Source: SQuAD's evaluation (Rajpurkar et al. 2016), in that order; punctuation is ASCII's.

    >>> normalised("  The Heron Bridge, (1874).")
    'heron bridge 1874'
    >>> normalised("A!")
    ''
    """
    bare = answer.lower().translate(_NO_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def exact_match(answer: str, accepted: Sequence[str]) -> bool:
    """Return whether the answer is one of the accepted ones, both normalised; of none, False.

    >>> exact_match("the river Oskel.", ["Oskel", "River Oskel"])
    True
    >>> exact_match("1874, I think", ["1874"])
    False
    """
    return normalised(answer) in map(normalised, accepted)


def f1(answer: str, accepted: Sequence[str]) -> float:
    """Return the highest F1 score, 0 to 1, of the answer's words over the accepted answers.

    Words are counted as often as they occur; precision is the share of the answer's words that the
    accepted one has, recall the share of the accepted one's words that the answer has (SQuAD).
    Yes and no fit only themselves (HotpotQA). Without an accepted answer, 0.

    >>> f1("the Heron Bridge", ["Heron Bridge at Garlow"])  # precision 2/2, recall 2/4
    0.6666666666666666
    >>> f1("no bridge", ["no"]), f1("No.", ["no"])
    (0.0, 1.0)
    """
    return max((_f1(normalised(answer), normalised(right)) for right in accepted), default=0.0)


def _f1(answer: str, right: str) -> float:
    given, expected = answer.split(), right.split()
    if not given or not expected or answer in _CLOSED or right in _CLOSED:
        return float(answer == right)
    shared = (Counter(given) & Counter(expected)).total()
    return 2 * shared / (len(given) + len(expected))
