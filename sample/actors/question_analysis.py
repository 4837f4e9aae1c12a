"""What a question asks for, as far as simple rules tell: its names, its answer's kind, its hops."""

import re
from dataclasses import dataclass
from enum import Enum

from sample.actors.page_reading import names, stem, telling_words

_THING_WORDS = """
actor album author band book bridge canal city club company country director festival film group
guild harbour lighthouse magazine mill museum novel observatory owner river school ship show singer
song team town university village writer
"""
_THINGS = frozenset(_THING_WORDS.split())
_YES_NO = re.compile(r"(is|are|was|were|do|does|did|has|have|can)\b", re.IGNORECASE)
_YEAR = re.compile(r"\b(which|what) year\b|\bwhen\b", re.IGNORECASE)
_AMOUNT = re.compile(
    r"\bhow (many|much|long|tall|high|deep|wide|far|large|old)\b|\b(length|height|depth|number) of",
    re.IGNORECASE,
)
_NAME = re.compile(
    r"\b(who|where|which)\b|\bwhat (is|was) the (name|title)\b|\bwhat [a-z]+s? (is|was|are|were)\b",
    re.IGNORECASE,
)
_EARLIER = re.compile(r"\b(older|first|earlier|oldest|before)\b", re.IGNORECASE)
_LATER = re.compile(r"\b(younger|later|newer|last)\b", re.IGNORECASE)
_LESS = re.compile(r"\b(shorter|smaller|fewer|lower|less)\b", re.IGNORECASE)


class Kind(Enum):
    """What the answer is."""

    YES_NO = "yes or no"
    CHOICE = "one of two"
    YEAR = "a year"
    AMOUNT = "an amount"
    NAME = "a name"
    THING = "some words"


@dataclass(frozen=True)
class Asked:
    """A question, taken apart."""

    text: str
    """The whole of it."""
    kind: Kind
    """Of its answer."""
    names: tuple[str, ...]
    """In it; may be empty."""
    link: str
    """What has to be found before what is asked: `town`; empty where a name is asked about."""
    words: tuple[str, ...]
    """Its telling words apart from names, as they are written."""

    @property
    def is_comparison(self) -> bool:
        """Whether two named things are held against each other."""
        return self.kind in (Kind.YES_NO, Kind.CHOICE) and len(self.names) > 1

    @property
    def compares_years(self) -> bool:
        """Whether what is compared is an age."""
        return bool(_EARLIER.search(self.text) or _LATER.search(self.text))

    @property
    def wants_least(self) -> bool:
        """Whether the smaller number, or the earlier year, wins."""
        return bool(_EARLIER.search(self.text) or _LESS.search(self.text))


def take_apart(question: str) -> Asked:
    """Take a question apart.

    >>> asked = take_apart("How long is the river that Heron Bridge crosses?")
    >>> asked.kind, asked.names, asked.link, asked.words
    (<Kind.AMOUNT: 'an amount'>, ('Heron Bridge',), 'river', ('long', 'river', 'crosses'))
    """
    found = tuple(names(question))
    bare = question
    for name in found:
        bare = bare.replace(name, "~")
    return Asked(
        text=question,
        kind=_kind(question, found),
        names=found,
        link=_link(bare),
        words=tuple(telling_words(bare)),
    )


def _kind(question: str, found: tuple[str, ...]) -> Kind:
    if _YES_NO.match(question):
        return Kind.YES_NO
    if len(found) > 1 and " or " in question:
        return Kind.CHOICE
    kinds = ((_YEAR, Kind.YEAR), (_AMOUNT, Kind.AMOUNT), (_NAME, Kind.NAME))
    return next((kind for rule, kind in kinds if rule.search(question)), Kind.THING)


def _link(bare: str) -> str:
    """The word for a thing nearest to the name, but for what is asked and what the name is."""
    words = re.findall(r"\w+|~", bare.lower())
    if "~" not in words:
        return ""
    name = words.index("~")
    links = [
        (abs(position - name), stem(word) if word.endswith("s") else word)
        for position, word in enumerate(words)
        if word in _THINGS
        and words[position - 1 : position] not in (["which"], ["what"], ["same"])
        and words[position + 1 : position + 2] != ["~"]
    ]
    return min(links)[1] if links else ""
