"""Numbers as pages show them."""

import math
from collections.abc import Mapping
from typing import Any

MINUS = "\N{MINUS SIGN}"
NOTHING = "\N{EN DASH}"
_WHOLE = 1_000
"""Numbers from here on have no digits after the point."""
_SHORT = 100_000
"""Numbers from here on have a power of ten."""


def number(value: float | None, digits: int = 2) -> str:
    """Return a number with a fixed number of digits; `–` for None.

    A large number is whole, and a very large one has two digits and a power of ten.

    >>> number(0.456), number(-0.5, 1), number(None), number(123456.7)
    ('0.46', '−0.5', '–', '1.2e+05')
    >>> number(-0.004), number(999.999), number(1000.4)
    ('0.00', '1,000', '1,000')
    """
    if value is None:
        return NOTHING
    value = round(value, digits) + 0.0  # no minus zero
    if abs(value) < _WHOLE:
        text = f"{value:.{digits}f}"
    else:
        text = f"{value:,.0f}" if abs(value) < _SHORT else f"{value:.2g}"
    return text.replace("-", MINUS)


def count(value: float | None) -> str:
    """Return a whole number, in groups of three.

    >>> count(12345.4), count(None)
    ('12,345', '–')
    """
    return NOTHING if value is None else f"{value:,.0f}" if value < 1e12 else f"{value:.1e}"


def dollars(value: float | None) -> str:
    """Return an amount in US dollars, exact enough to compare.

    >>> dollars(0), dollars(0.0123), dollars(12.345), dollars(12345.6), dollars(None)
    ('$0', '$0.0123', '$12.3', '$12,346', '–')
    """
    if value is None:
        return NOTHING
    if value >= 100 or value == 0:
        return f"${value:,.0f}" if value < 1e12 else f"${value:.1e}"
    return f"${value:.3g}" if value >= 1e-4 else f"${value:.1e}"


def has_width(score: Mapping[str, Any]) -> bool:
    """Return whether a score has an interval whose ends differ.

    The ends are equal where every resample of instances gives the same value, as it does where
    there is one instance.

    >>> has_width({"low": 0.4, "high": 0.6}), has_width({"low": 1.0, "high": 1.0})
    (True, False)
    """
    low, high = score["low"], score["high"]
    return low is not None and not math.isclose(low, high, rel_tol=1e-9, abs_tol=1e-9)


def interval(score: Mapping[str, Any]) -> str:
    """Return the 95% interval of a score; empty if it has none, or one without width.

    Digits are as many as tell the ends apart, four at most.

    >>> interval({"low": -0.1, "high": 0.55}), interval({"low": 0.331, "high": 0.334})
    ('−0.10 to 0.55', '0.331 to 0.334')
    """
    if not has_width(score):
        return ""
    ends = ((number(score["low"], digits), number(score["high"], digits)) for digits in (2, 3, 4))
    low, high = next((pair for pair in ends if pair[0] != pair[1]), (number(score["low"]),) * 2)
    return f"{low} to {high}"


def bar(score: Mapping[str, Any], low: float = 0.0, high: float = 1.0) -> str:
    """Return the path of an error bar in a box 100 wide and 8 high; empty if there is no value."""
    if score["value"] is None:
        return ""

    def place(value: float) -> int:
        return round(100 * min(max((value - low) / (high - low), 0.0), 1.0))

    ends = f"M{place(score['low'])} 4H{place(score['high'])}" if has_width(score) else ""
    return f"{ends}M{place(score['value'])} 1V7"


def way(better: str) -> str:
    """Say which values of a score are better.

    >>> way("lower"), way("neither")
    ('lower is better', 'neither high nor low is better')
    """
    return f"{'neither high nor low' if better == 'neither' else better} is better"


def plain(text: str) -> str:
    """Return a text without the marks of code.

    >>> plain("an `impossible`")
    'an impossible'
    """
    return text.replace("`", "")


def address(url: str) -> str:
    """Return an address as a page shows it.

    >>> address("https://ragen-ai.github.io/bagen/")
    'ragen-ai.github.io/bagen'
    """
    return url.removeprefix("https://").rstrip("/")


def clipped(text: Any, most: int = 120) -> str:
    """Return at most this many characters of a text, and an ellipsis where some were cut."""
    whole = str(text)
    return whole if len(whole) <= most else f"{whole[:most]}\N{HORIZONTAL ELLIPSIS}"
