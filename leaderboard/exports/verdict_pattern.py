"""A regular expression that finds the verdict of an answer: `impossible`, or an interval's `[`.

Scorers that only compare texts, such as Inspect's `pattern`, judge feasibility with it: what it
captures is the sample's `verdict` where the answer is right. It accepts what `bagen_data.parse`
takes for a valid answer to the question for intervals, and nothing else, for numbers of at most
twelve digits before the point: text up to the last `</think>` is skipped, the last
`<answer>...</answer>` counts, each resource is named once in any order, and no interval ends before
it begins.

Python's `re` compares no numbers, so their digits are compared: a number with fewer digits before
the point is smaller, else the first digits that differ decide.
"""

from collections.abc import Collection, Iterator, Sequence

_DIGITS = 12
"""Digits that a number may have before the point, as in `bagen_data.answers.grammar`."""
_DECIMALS = 20
"""Digits that a number may have after the point."""
_NUMBER = rf"0*\d{{1,{_DIGITS}}}(?:\.\d{{1,{_DECIMALS}}})?"
_INTERVAL = rf"\[\s*{_NUMBER}\s*,\s*{_NUMBER}\s*\]"
_ZEROS = "0*(?!0)"
"""Zeros before the first digit that counts."""
_TO_HIGH = rf"[^,]*,\s*{_ZEROS}"
"""A pattern from a place in the lower end to the first digit of the upper end that counts."""


def verdict_pattern(resources: Collection[Sequence[str]]) -> str:
    """Return the pattern for answers about any of some lists of resources.

    It is to be searched for with `re.IGNORECASE`. Its groups capture the verdict, and other
    parts of the answer.

    Args:
        resources: the distinct lists of resources that a sample has; one resource is answered with
            a bare interval.

    >>> import re
    >>> pattern = re.compile(verdict_pattern([["tokens"]]), re.IGNORECASE)
    >>> "[" in pattern.search("<think>few</think><answer>[600, 1200]</answer>").groups()
    True
    >>> pattern.search("<answer>[xx]</answer>"), pattern.search("<answer>[12, 6]</answer>")
    (None, None)
    """
    intervals = iter(range(sum(len(names) for names in resources)))
    forms = [
        _bare(next(intervals)) if len(names) == 1 else _labelled(names, intervals)
        for names in sorted(map(tuple, resources))
    ]
    # Lookaheads with a reference to what they matched give nothing back: a thought or an answer
    # that is not the last one is never taken instead.
    return "".join(
        [
            r"(?a)\A(?=(?P<thought>(?:[\s\S]*</think>)?))(?P=thought)",
            r"(?=(?P<before>[\s\S]*<answer>(?=(?:(?!<answer>)[\s\S])*</answer>)))(?P=before)",
            rf"\s*(?:(impossible)|{'|'.join(forms)})\s*</answer>",
        ]
    )


def _bare(number: int) -> str:
    return rf"(?={_INTERVAL})(?={_ordered(number)})(\[)[^\]]*\]"


def _labelled(names: Sequence[str], numbers: Iterator[int]) -> str:
    """Return the form of an answer that names each of several resources once, in any order."""
    label = f"(?-i:{'|'.join(names)})"
    item = rf"{label}\s*:\s*{_INTERVAL}"
    each = "".join(
        rf"(?=[^<]*\b(?-i:{name})\s*:\s*{_ordered(number)})"
        for name, number in zip(names, numbers, strict=False)
    )
    others = rf"(?:\s*,\s*{item}){{{len(names) - 1}}}"
    return rf"(?={item}{others}\s*<){each}{label}\s*:\s*(\[)[^<]*\]"


def _ordered(number: int) -> str:
    """Return a pattern of an interval that does not end before it begins.

    Args:
        number: of the interval, for the names of its groups.
    """
    lengths = "|".join(
        rf"\d{{{digits}}}(?!\d){_TO_HIGH}\d{{{digits}}}" for digits in range(_DIGITS + 1)
    )
    is_longer = rf"(?={_ZEROS}(?:{lengths})(?P<longer{number}>\d)?)"
    return rf"\[\s*{is_longer}{_ZEROS}(?(longer{number})|{_ordered_digits(number)})"


def _ordered_digits(number: int) -> str:
    """Return a pattern of two numbers in order that have as many digits before the point."""
    whole, decimals = f"(?P=whole{number})", f"(?P=decimals{number})"
    to_decimals = rf"{whole}\.{decimals}"
    ends = rf"(?:\.0*)?\s*,\s*{_ZEROS}{whole}(?!\d)"
    begins = rf"0*\s*,\s*{_ZEROS}{to_decimals}"
    part = rf"\.(?P<decimals{number}>\d*)(?:{begins}|{_smaller_digit(to_decimals)})"
    return rf"(?P<whole{number}>\d*)(?:{_smaller_digit(whole)}|(?!\d)(?:{ends}|{part}))"


def _smaller_digit(before: str) -> str:
    """Return a pattern of a digit that is smaller than the upper end's digit after `before`."""
    return "|".join(rf"{digit}(?={_TO_HIGH}{before}[{digit + 1}-9])" for digit in range(9))
