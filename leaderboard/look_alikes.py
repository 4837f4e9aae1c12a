"""Names on one board that look alike: each is shown once, and others are refused.

A name's skeleton is that of Unicode's report on security mechanisms (UTS 39): each character is
replaced by the first of those that it may be taken for, by the tables of `confusable_homoglyphs`.
The tables leave out long dashes, characters that are one stroke like them, and small capitals;
these are replaced too, by a hyphen or a lower-case letter.
Two names with one skeleton, upper or lower case, look alike. Equal names do not count:
their rows show their folders.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from bagen_data.shown_names import EMOJI_PARTS

_LRM = "\u200e"
_LONG_DASHES = frozenset("\u1428\u23af\u23e4\u2e3a\u2e3b\u30fc\u3127")
"""Prototypes of characters that look like a long stroke; the em dash and the ideograph for one have
the prolonged sound mark."""
_SMALL_CAPITAL = re.compile("LATIN LETTER SMALL CAPITAL ([A-Z])")
"""Unicode's names of small capitals that are one letter."""


@dataclass(frozen=True)
class ShownName:
    """The names that the row of one submission shows."""

    folder: str
    """The name of the submission's folder."""
    estimator: str
    """The name of the submission's estimator."""
    date: str
    """The day of the submission's predictions, as ISO 8601 writes it."""


def look_alikes(names: Iterable[ShownName], kept: Iterable[str] = ()) -> dict[str, str]:
    """Return why submissions are refused for their names, by folder.

    Plain ASCII comes before other characters, and an earlier date before a later one, so that the
    name that came first is the one that stays.

    Args:
        names: the names of each submission; no folder twice.
        kept: estimators that no submission can displace, such as the paper's.

    >>> names = [ShownName("b", "GPT-4l", "2026-02-01"), ShownName("a", "GPT-4I", "2026-03-01")]
    >>> list(look_alikes(names))
    ['a']
    """
    reasons: dict[str, str] = {}
    estimators = {key: (name, "") for name in kept for key in _keys(name)}
    folders: dict[str, tuple[str, str]] = {}
    for shown in sorted(names, key=_precedence):
        estimator = _taken(estimators, shown.estimator)
        folder = _taken(folders, shown.folder)
        if estimator is not None:
            other, place = estimator
            where = f"that of the folder {place}" if place else "another on the board"
            reasons[shown.folder] = (
                f"the estimator's name {shown.estimator!a} looks like {other!a}, {where}; write it "
                "so if it is the same estimator, or give it a name that looks different"
            )
        elif folder is not None:
            reasons[shown.folder] = (
                f"the folder's name looks like {folder[0]!a}, another folder's; give it another one"
            )
        else:
            estimators |= {
                key: (shown.estimator, shown.folder)
                for key in _keys(shown.estimator)
                if key not in estimators
            }
            folders |= dict.fromkeys(_keys(shown.folder), (shown.folder, shown.folder))
    return reasons


def _precedence(shown: ShownName) -> tuple[bool, str, str]:
    return not shown.estimator.isascii(), shown.date, shown.folder


def _taken(names: dict[str, tuple[str, str]], name: str) -> tuple[str, str] | None:
    """Return another name that looks like this one; None if nothing looks like it."""
    like_it = (names[key] for key in _keys(name) if key in names)
    return next((taken for taken in like_it if taken[0] != name), None)


def _keys(name: str) -> set[str]:
    """Return the looks of a name, ignoring case; names with one in common look alike.

    Case is folded before and after: `GPT-4I` looks like `GPT-4l` as it is written, and like
    `gpt-4i` in lower case.
    """
    return {skeleton(name).casefold(), skeleton(name.casefold()).casefold()}


def skeleton(name: str) -> str:
    """Return what a name looks like, as UTS 39 defines it.

    >>> skeleton("\u0440aypal") == skeleton("paypa\u0406") == skeleton("paypa1")
    True
    """
    decomposed = unicodedata.normalize("NFD", EMOJI_PARTS.sub("", name))
    return unicodedata.normalize("NFD", "".join(map(_shown_as, decomposed)))


def _shown_as(character: str) -> str:
    """Return the text that stands for a character in a skeleton."""
    small_capital = _SMALL_CAPITAL.fullmatch(unicodedata.name(character, ""))
    prototype = _prototype(small_capital[1].lower() if small_capital else character)
    return "-" if prototype in _LONG_DASHES else prototype


@cache
def _prototype(character: str) -> str:
    """Return the text that stands for all that a character may be taken for, such as rn for m.

    The tables are stars: a character is tied to its prototype, and a prototype to all that look
    like it. Of two that are tied to each other alone, the first in Unicode's order is taken.
    """
    ties = _ties(character)
    if len(ties) != 1:
        return character
    (other,) = ties
    is_prototype = len(other) > 1 or len(_ties(other)) > 1
    return other if is_prototype else min(character, other)


def _ties(character: str) -> set[str]:
    from confusable_homoglyphs.confusables import confusables_data as tables

    # characters that are written from right to left stand between two marks there
    matches = tables.get(character) or tables.get(f"{_LRM}{character}{_LRM}") or ()
    return {match["c"].replace(_LRM, "") for match in matches}
