"""Refusals as people read them: what is refused for the same reason is told once."""

from collections.abc import Iterable

_NAMED = 5
"""Places that a line names after the first."""


def refusal_lines(refusals: Iterable[tuple[str, str]], named: int | None = _NAMED) -> list[str]:
    r"""Return a line for each reason: the first place with the whole reason, then the others.

    Reasons are the same if they agree up to their first semicolon; advice follows it.

    Args:
        refusals: places and reasons, in order.
        named: the most places that follow the first; None for all of them.

    >>> refusal_lines([("a", "is empty; fill a"), ("b", "is cut off"), ("c", "is empty; fill c")])
    ['a: is empty; fill a\n  for the same reason, 1 more: c', 'b: is cut off']
    """
    kinds: dict[str, list[tuple[str, str]]] = {}
    for where, reason in refusals:
        kinds.setdefault(reason.partition(";")[0], []).append((where, reason))
    return [_line(alike, named) for alike in kinds.values()]


def _line(alike: list[tuple[str, str]], named: int | None) -> str:
    (first, reason), *others = alike
    text = f"{first}: {reason}"
    if others:
        places = [where for where, _ in others]
        shown = places[:named]
        listed = ", ".join([*shown, "..."] if len(shown) < len(places) else shown)
        text += f"\n  for the same reason, {len(places):,} more: {listed}"
    return text
