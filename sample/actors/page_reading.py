"""How the scripted searcher reads: pages from observations, names, years and amounts from text."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_PAGE = re.compile(r'^\[Document \d+\] \(ID: .*?, Score: [\d.]+\)\n"(.*)"\n(.*)$', re.MULTILINE)
_SENTENCE = re.compile(r"(?<=[.;?!])\s+")
_WORD = re.compile(r"[A-Za-z]+|\d+")
_NAME = re.compile(r"[A-Z][\w'-]*(?:\s+(?:of\s+(?:the\s+)?)?[A-Z][\w'-]*)*")
_ENDINGS = ("ing", "ied", "ies", "ed", "er", "es", "s")

_FUNCTION_WORD_LIST = """
a about above after all an and any are as at be been before below by can did do does each every
first for from had has have her his how in into is it its last many most much near no not of off on
only or other our out over same she since so some than that the their them there these they this
those to under until up was were what when where which who whom whose why will with
"""
_FUNCTION_WORDS = frozenset(_FUNCTION_WORD_LIST.split())


@dataclass(frozen=True)
class Page:
    """A document as a search showed it."""

    title: str
    text: str

    def sentences(self) -> Iterator[str]:
        """The text's, one after the other."""
        yield from _SENTENCE.split(self.text)


def pages(observation: str) -> list[Page]:
    """The documents that an observation shows, best first."""
    return [Page(title, text) for title, text in _PAGE.findall(observation)]


def stems(text: str) -> set[str]:
    """Its telling words in lower case, without their commonest endings.

    >>> sorted(stems("The bridge was opened in 1834."))
    ['1834', 'bridge', 'open']
    """
    words = (word.lower() for word in _WORD.findall(text))
    return {stem(word) for word in words if word not in _FUNCTION_WORDS}


def stem(word: str) -> str:
    """A word without a common ending, where enough of it is left."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word[: -len(ending)]
    return word


def telling_words(text: str) -> list[str]:
    """Words that are no function words, in their order, as they are written."""
    return [word for word in _WORD.findall(text) if word.lower() not in _FUNCTION_WORDS]


def names(text: str) -> list[str]:
    """Runs of capitalised words, each once, without function words that begin them.

    >>> names("Every May the Feast of Barges is held in Garlock.")
    ['May', 'Feast of Barges', 'Garlock']
    """
    found: dict[str, None] = {}
    for run in _NAME.findall(text):
        words = run.split()
        while words and words[0].lower() in _FUNCTION_WORDS:
            words = words[1:]
        if words:
            found[" ".join(words)] = None
    return list(found)


def is_about(page: Page, name: str) -> bool:
    """Whether the page's title has all words of the name."""
    return stems(name) <= stems(page.title)
