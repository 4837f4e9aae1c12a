"""Points and forecasts read a second time, from section 6 of the specification alone.

Written to be held against `bagen_data.answer_reading`, and to share nothing with it: contents are
split at commas and brackets instead of being matched as a whole.
"""

import math
import re
from collections.abc import Sequence

from tests.bagen_data.scoring.slow import WHITESPACE, _content

Forecast = tuple[float, float, dict[str, list[float]]]


def read_point(text: str, resources: Sequence[str]) -> tuple[str, str, dict[str, float]]:
    """The verdict of an answer to the question `point`, why it is invalid, and its numbers."""
    content = _content(text)
    if content is None:
        return "invalid", "no_answer", {}
    if content.lower() == "impossible":
        return "infeasible", "", {}
    number = _number(content)
    if number is not None:
        if len(resources) > 1:
            return "invalid", "missing_resource", {}
        return _finite({resources[0]: number})
    pairs = [_pair(item, ":") for item in content.split(",")]
    numbers = {pair[0]: _number(pair[1]) for pair in pairs if pair}
    if None in pairs or None in numbers.values() or len(numbers) < len(pairs):
        return "invalid", "malformed", {}
    known = {name: number for name, number in numbers.items() if number is not None}
    reason = _label_reason(set(known), resources)
    return ("invalid", reason, {}) if reason else _finite(known)


def _label_reason(names: set[str], resources: Sequence[str]) -> str:
    if not names <= set(resources):
        return "unknown_resource"
    if len(resources) == 1:
        return "malformed"
    return "" if names == set(resources) else "missing_resource"


def read_forecast(text: str, resources: Sequence[str]) -> tuple[str, Forecast | None]:
    """Why an answer to the question `forecast` is invalid (or ""), and the forecast."""
    content = _content(text)
    if content is None:
        return "no_answer", None
    if _is_scalar(content):
        return "scalar", None
    # commas inside brackets become semicolons, so that commas separate labels only
    outside = re.sub(r"\[[^\[\]]*\]", lambda match: match[0].replace(",", ";"), content)
    pairs = [_pair(item, "=") for item in outside.split(",")]
    values = {pair[0]: _values(pair[1]) for pair in pairs if pair}
    if None in pairs or None in values.values() or len(values) < len(pairs):
        return "malformed", None
    known = {name: numbers for name, numbers in values.items() if numbers is not None}
    reason = _forecast_reason(known, resources)
    if reason:
        return reason, None
    return "", (
        known["finish"][0],
        known["success"][0],
        {name: known[name] for name in resources},
    )


def _forecast_reason(known: dict[str, list[float]], resources: Sequence[str]) -> str:
    """The first thing that is wrong with the labels, the numbers or their order."""
    chances = {"finish", "success"}
    wrong_sizes = any(len(known[name]) != (1 if name in chances else 5) for name in known)
    numbers = [number for values in known.values() for number in values]
    checks = (
        ("unknown_resource", lambda: not set(known) <= {*chances, *resources}),
        ("malformed", lambda: wrong_sizes or not chances <= set(known)),
        ("missing_resource", lambda: not set(resources) <= set(known)),
        ("not_finite", lambda: not all(map(math.isfinite, numbers))),
        ("incoherent", lambda: not known["finish"][0] <= known["success"][0] <= 1),
        ("unordered", lambda: any(sorted(known[name]) != known[name] for name in resources)),
    )
    return next((reason for reason, is_wrong in checks if is_wrong()), "")


def _finite(numbers: dict[str, float]) -> tuple[str, str, dict[str, float]]:
    if not all(map(math.isfinite, numbers.values())):
        return "invalid", "not_finite", {}
    return "feasible", "", numbers


def _pair(item: str, sign: str) -> tuple[str, str] | None:
    label, separator, rest = item.strip(WHITESPACE).partition(sign)
    label = label.strip(WHITESPACE)
    is_label = re.fullmatch("[a-z][a-z0-9_]*", label) is not None
    return (label, rest.strip(WHITESPACE)) if separator and is_label else None


def _values(text: str) -> list[float] | None:
    """Return one number without brackets, or five within them; None for any other text."""
    if not text.startswith("["):
        number = _number(text)
        return None if number is None else [number]
    if not text.endswith("]"):
        return None
    numbers = [_number(part.strip(WHITESPACE)) for part in text[1:-1].split(";")]
    known = [number for number in numbers if number is not None]
    return known if len(known) == len(numbers) == 5 else None


def _number(text: str) -> float | None:
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return float(text)
    if re.fullmatch("[+-]?(inf|infinity|nan)", text, re.IGNORECASE | re.ASCII):
        return math.inf
    return None


def _is_scalar(content: str) -> bool:
    label, separator, rest = content.partition(":")
    if separator and re.fullmatch("[A-Za-z][A-Za-z0-9_]*", label.rstrip(WHITESPACE)):
        content = rest.lstrip(WHITESPACE)
    if content.startswith("[") and content.endswith("]"):
        content = content[1:-1].strip(WHITESPACE)
    return _number(content) is not None
