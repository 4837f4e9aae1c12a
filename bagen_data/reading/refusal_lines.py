"""Lines for people that say what is not used and why, one line for all equal reasons."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from typing import NamedTuple

SHOWN = 3
"""Places that a line names of those with the same reason."""
NOT_A_LABEL = "not used as label"
"""The verb of a line about labels that cannot be used."""

_NUMBER = r"(?:(?<![\w.-])|(?<![\w.])[-+])(?:0x[0-9a-f]+|\d+(?:,\d{3})*(?:\.\d+)?)(?![\w-])"
"""A number by itself: `3`, `-1,024`, `0.5`, `0xff`, but not the 5 of `gpt-5`."""
_PATH = r"[^\s,;()'\"]*\.(?:jsonl?|eval|traj|pred|txt|ya?ml)\b(?::\d+)?(?: \([^\s()]+\))?"
"""A file's name, with a line and an id as places have them: `run/a.jsonl:1 (traj_0)`."""
_ID = (
    r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # a UUID
    r"|[a-z]+_(?=\w*\d)\w{8,}|(?=[a-f]*\d)[0-9a-f]{8,})\b"  # toolu_01AbCdEf, 5e8ff9bf
)
_WORD = r"\w[^\s(),;:=\[\]{}'\"]*"
_PIECE = re.compile(f"(?P<varies>{_PATH}|{_ID}|(?P<number>{_NUMBER}))|{_WORD}")


def refusal_lines(
    refusals: Iterable[tuple[str, str]],
    family: str = "",
    *,
    verb: str = "refused",
    shown: int | None = SHOWN,
) -> list[str]:
    r"""Return a line for each reason, with how often it was met and the first places.

    Reasons are equal if they agree up to their first semicolon, numbers, files and ids aside;
    expectations and advice follow the semicolon.

    Args:
        refusals: places and reasons, in order. The place `.` is the family itself.
        family: the name of the places' family, which begins each line; may be empty.
        verb: what became of the places.
        shown: the most places that a line names; None for all of them.

    >>> turns = [(f"a.jsonl:{n}", f"turn {n + 2} has no usage; give --tokenizer") for n in range(9)]
    >>> for line in refusal_lines([*turns, ("b.json", "is cut off")], "x"):
    ...     print(line)
    x: 9 refused: turn N has no usage (first: a.jsonl:0, a.jsonl:1, a.jsonl:2); give --tokenizer
    x/b.json: refused: is cut off
    """
    kinds: dict[tuple[str, ...], list[_Refusal]] = {}
    for where, reason in refusals:
        head, semicolon, tail = reason.partition(";")
        pieces = _pieces(where, head)
        kinds.setdefault(tuple(pieces[::3]), []).append(_Refusal(where, pieces, semicolon + tail))
    return [_line(alike, family, verb, shown) for alike in kinds.values()]


class _Refusal(NamedTuple):
    """A place, and its reason in pieces."""

    where: str
    head: list[str]
    """The reason up to its first semicolon, as `_pieces` cuts it."""
    tail: str
    """The rest of the reason, from the semicolon on."""


def _line(alike: Sequence[_Refusal], family: str, verb: str, shown: int | None) -> str:
    first = alike[0]
    if len(alike) == 1:
        place = "/".join(
            filter(None, (family, "" if family and first.where == "." else first.where))
        )
        return f"{place}: {verb}: {''.join(first.head)}{first.tail}"
    places = [each.where for each in alike[:shown]]
    listed = f"{'' if len(places) == len(alike) else 'first: '}{', '.join(places)}"
    begin = f"{family}: " if family else ""
    return f"{begin}{len(alike):,} {verb}: {_common_head(alike)} ({listed}){_common_tail(alike)}"


def _common_head(alike: Sequence[_Refusal]) -> str:
    """Return the beginnings of equal reasons as one, with N or `...` for what varies."""
    slots = zip(*(each.head for each in alike), strict=True)
    return "".join(
        same[0] if len(set(same)) == 1 else ("N" if place % 3 == 1 else "...")
        for place, same in enumerate(slots)
    )


def _common_tail(alike: Sequence[_Refusal]) -> str:
    """Return what follows the semicolon; if it differs, the most frequent one with its place."""
    tails = Counter(each.tail for each in alike)
    tail, uses = tails.most_common(1)[0]
    if uses == len(alike) or not tail:
        return tail
    where = next(each.where for each in alike if each.tail == tail)
    return f"; for {where}:{tail.removeprefix(';')}"


def _pieces(where: str, text: str) -> list[str]:
    """Cut a reason into a text, a number, and a file or id, and so on; each may be empty.

    A word that stands in the place is an id, whatever its form.
    """
    own = {*re.split(r"[\s(),/:]+", where), *where.split(), PurePosixPath(where).name.split(".")[0]}
    pieces, end = [], 0
    for match in _PIECE.finditer(text):
        if match["varies"] or (match[0] in own and any(map(str.isdigit, match[0]))):
            number = match["number"] or ""
            pieces += [text[end : match.start()], number, "" if number else match[0]]
            end = match.end()
    return [*pieces, text[end:]]
