"""The text between two tags of a response."""

import re
from functools import lru_cache

_THOUGHT_END = re.compile("</think>", re.IGNORECASE)


def last_tagged(response: str, tag: str) -> str | None:
    """Return what stands in the last `<tag>...</tag>` after the last `</think>`; None without one.

    Tags may be in upper case; white space around the text is left out.

    >>> last_tagged("<think><v>A</v></think><v>B</v> and <V> C </V>", "v")
    'C'
    >>> last_tagged("<v>A", "v") is None
    True
    """
    shown = _THOUGHT_END.split(response)[-1]
    texts: list[str] = _tagged(tag).findall(shown)
    return texts[-1].strip() if texts else None


@lru_cache
def _tagged(tag: str) -> re.Pattern[str]:
    return re.compile(f"<{tag}>((?:(?!<{tag}>).)*?)</{tag}>", re.IGNORECASE | re.DOTALL)
