"""Names that strangers give and pages show: they read as they are written, or are refused.

The rules are those of Unicode's report on security mechanisms (UTS 39) for names of one script
a word, without its tables: Python has no script of a character, and the first word of its Unicode
name (`CYRILLIC SMALL LETTER A`) says the same of letters. Whole words that look like other words,
such as a Cyrillic `сор`, differ visibly only beside the other word: `leaderboard/look_alikes.py`.
"""

import re
import unicodedata
from collections.abc import Iterator

UNSEEN = (
    r"\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200c"
    r"\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb"
)
"""Characters, as a part of a pattern, that have no width, turn a text's direction or end a line."""

_UNSEEN = re.compile(rf"[{UNSEEN}\u200d\ufe0f\U000e0000-\U000e0fff]")
_NO_TEXT = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}
"""Unicode's categories of what is not a visible character."""
EMOJI_PARTS = re.compile("[\u200d\ufe0f]")
"""The joiner and the selector that have no width themselves and make one picture of several."""
_MARKS = 4
"""The most marks on one letter."""
_ORDINARY = "\u2026\u2122\u2120"
"""Signs that may stay though they stand for others: the ellipsis, trade mark and service mark."""
_COMMON = {"MODIFIER", "COMBINING"}
"""First words of letters and marks that belong to no script."""
_ACCENT = re.compile("[\u02c6-\u02cf]")
"""Letters that are shown as accents; Bopomofo writes its tones so."""
_STROKES = re.compile("[\u1173\u30fc\u3127\u4e00]")
"""Letters of Chinese, Japanese and Korean that are one stroke, as a dash is."""
_SCRIPT = {
    "CJK": "HAN",
    "IDEOGRAPHIC": "HAN",
    "VERTICAL": "HAN",
    "KATAKANA-HIRAGANA": "KATAKANA",
    "ARABIC-INDIC": "ARABIC",
    "EXTENDED": "ARABIC",
}
"""Scripts that the first word of a Unicode name does not say."""
_TOGETHER = (
    {"LATIN", "HAN", "HIRAGANA", "KATAKANA"},
    {"LATIN", "HAN", "BOPOMOFO"},
    {"LATIN", "HAN", "HANGUL"},
)
"""Scripts that stand in one word in Japanese, Chinese and Korean (UTS 39, highly restrictive)."""


def check_shown_name(name: str) -> str:
    """Return a name that reads as it is written.

    Args:
        name: one line of text.

    Raises:
        ValueError: the name is blank, holds a character that is not seen, a letter in another
            form than the usual one, or letters of several scripts in one word; the message says
            which and what to write.

    >>> check_shown_name("Qwen3-8B, \u6df1\u601d")
    'Qwen3-8B, \u6df1\u601d'
    >>> check_shown_name("gp\u0442-4")
    Traceback (most recent call last):
    ValueError: U+0442 CYRILLIC SMALL LETTER TE and U+0070 LATIN SMALL LETTER P stand in one word...
    """
    for place, character in enumerate(name):
        if not (EMOJI_PARTS.match(character) and _follows_picture(name, place)):
            _check_character(character)
    if not any(character.isalnum() for character in name):
        raise ValueError("it is blank; expected a letter or a digit")
    if name != name.strip(" ") or "  " in name:
        raise ValueError("it has a space first, last or beside another one; leave that space out")
    if not unicodedata.is_normalized("NFC", name):
        composed = unicodedata.normalize("NFC", name)
        raise ValueError(f"it is not in Unicode's normal form C; write {composed!r}")
    for word in _words(name):
        _check_word(word)
    return name


def _follows_picture(name: str, place: int) -> bool:
    """Return whether a joiner stands between two pictures, or a selector after one."""
    before = name[:place].rstrip("\ufe0f") if name[place] == "\u200d" else name[:place]
    after = name[place + 1 : place + 2] if name[place] == "\u200d" else before[-1:]
    return all(unicodedata.category(each or " ") in ("So", "Sk") for each in (before[-1:], after))


def _check_character(character: str) -> None:
    if _UNSEEN.match(character) or unicodedata.category(character) in _NO_TEXT:
        raise ValueError(f"{_named(character)} cannot be seen; leave it out")
    if unicodedata.category(character) == "Zs" and character != " ":
        raise ValueError(f"{_named(character)} is a space of another kind; write an ordinary one")
    if unicodedata.normalize("NFC", character) != character:
        return  # the whole name fails, and its message shows the usual form
    plain = unicodedata.normalize("NFKC", character)
    if plain != character and character not in _ORDINARY:
        raise ValueError(f"{_named(character)} is another form of {plain!r}; write that")


def _words(name: str) -> Iterator[str]:
    """The runs of letters, marks and digits of a name."""
    word = ""
    for character in name:
        if unicodedata.category(character)[0] in "LMN" and not EMOJI_PARTS.match(character):
            word += character
        elif word:
            yield word
            word = ""
    if word:
        yield word


def _check_word(word: str) -> None:
    """Refuse a word of several scripts, or with marks that its script does not have."""
    scripts: dict[str, str] = {}
    marks = 0
    for place, character in enumerate(word):
        is_mark = unicodedata.category(character)[0] == "M"
        marks = marks + 1 if is_mark else 0
        script = _script(character)
        before = _script(word[place - 1]) if place else None
        if is_mark and (script is None or script != before or marks > _MARKS):
            raise ValueError(f"{_named(character)} is a mark of no letter here; leave it out")
        if script is not None:
            scripts.setdefault(script, character)
    accent = _ACCENT.search(word)
    if accent and "BOPOMOFO" not in scripts:
        raise ValueError(f"{_named(accent[0])} is an accent of no letter here; leave it out")
    stroke, rest = _STROKES.search(word), _STROKES.sub("", word)
    if stroke and rest and {_script(character) for character in rest} <= {None, "LATIN"}:
        raise ValueError(f"{_named(stroke[0])} looks like a dash in this word; write '-'")
    if len(scripts) > 1 and not any(scripts.keys() <= allowed for allowed in _TOGETHER):
        first, *_, last = sorted(scripts, key=lambda script: (script == "LATIN", script))
        raise ValueError(
            f"{_named(scripts[first])} and {_named(scripts[last])} stand in one word; "
            "write a word in one script"
        )


def _script(character: str) -> str | None:
    """Return the script of a letter, mark or digit; None for those of every script."""
    first = unicodedata.name(character, "").partition(" ")[0]
    if character.isascii() and not character.isalpha():
        return None
    if first in _COMMON or unicodedata.category(character) in ("No", "Nl"):
        return None
    return _SCRIPT.get(first, first)


def _named(character: str) -> str:
    """Return a character's number and name."""
    return f"U+{ord(character):04X} {unicodedata.name(character, '(without a name)')}"
