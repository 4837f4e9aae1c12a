"""The answers that are taught: an interval around what remains, `impossible`, or a forecast."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from bagen_data.answers import render
from bagen_data.errors import WrongUsageError
from bagen_data.number_texts import plain
from bagen_data.prompt_variants import Variant, question_of, thinks
from bagen_data.schema import Estimate, Interval
from bagen_data.wording import numbered

IntervalRule = Callable[[float], Interval]
"""A rule from what is remaining, above 0, to the interval that is taught."""

_PCT, _FIX = re.compile(r"pct([1-9][0-9]?)"), re.compile(r"fix([1-9][0-9]*)")


def interval_rule(name: str) -> IntervalRule:
    """Return the rule of this name (spec of the paper's targets: appendix E).

    `pct10`, `pct30`, `pct50`, or any percentage w from 1 to 99: `[max(1, floor(R(1-w))),
    floor(R(1+w))]`. `fix100`, `fix500`, `fix1000`, or any whole d: `[max(1, R-d), R+d]`. `point`:
    `[R, R]`. Where R is a fraction, an end that rounding would take past R is R.

    Raises:
        WrongUsageError: the rule is unknown.

    >>> interval_rule("pct30")(70), interval_rule("fix100")(70), interval_rule("point")(70)
    (Interval(low=49, high=91), Interval(low=1, high=170), Interval(low=70, high=70))
    """
    if name == "point":
        return lambda remaining: Interval(_whole(remaining), _whole(remaining))
    if match := _PCT.fullmatch(str(name)):  # a number, where a YAML file says `target: 30`
        percent = int(match[1])
        return lambda remaining: _around(
            remaining,
            math.floor(remaining * (100 - percent) / 100),
            math.floor(remaining * (100 + percent) / 100),
        )
    if match := _FIX.fullmatch(str(name)):
        distance = int(match[1])
        return lambda remaining: _around(remaining, remaining - distance, remaining + distance)
    raise WrongUsageError(
        f"target {name!r}: expected pct10, pct30, pct50 or another percentage, fix100, fix500, "
        "fix1000 or another amount, or point; or for a forecast variant the forecaster whose "
        "forecasts are taught, such as aft, forest or climatology"
    )


def completion(
    row: Mapping[str, Any], rule: IntervalRule, variant: Variant
) -> list[dict[str, str]]:
    """Return the assistant message that a row of the dataset is to be answered with.

    A variant with a thought begins with a short one of our own: the recorded rollouts hold none. It
    says what the prompt says: what was used, in how many turns, and what is left of the budget.

    Args:
        row: with `feasible`, `resources` and `completed_turns`.
        rule: of the interval; `point` where the variant asks for one number.
        variant: of the row's prompt, which asks for an interval or a point.
    """
    return _message(row, _estimate(row, rule), variant)


def forecast_completion(
    row: Mapping[str, Any], forecast: Estimate, variant: Variant
) -> list[dict[str, str]]:
    """Return the assistant message with a forecast; its thought is as that of `completion`.

    Args:
        row: with `resources` and `completed_turns`.
        forecast: what is taught, an estimate of a forecast.
        variant: of the row's prompt, which asks for a forecast.
    """
    return _message(row, forecast, variant)


def _message(row: Mapping[str, Any], estimate: Estimate, variant: Variant) -> list[dict[str, str]]:
    answer = render(estimate, question_of(variant))
    text = f"<think>{_thought(row)}</think> {answer}" if thinks(variant) else answer
    return [{"role": "assistant", "content": text}]


def _estimate(row: Mapping[str, Any], rule: IntervalRule) -> Estimate:
    if not row["feasible"]:
        return Estimate("infeasible")
    intervals = {part["resource"]: rule(part["remaining"]) for part in row["resources"]}
    return Estimate("feasible", intervals)


def _thought(row: Mapping[str, Any]) -> str:
    turns = row["completed_turns"]
    parts = []
    for part in row["resources"]:
        used, left = part["used"], part["budget"] - part["used"]
        rate = f", {plain(round(used / turns))} a turn" if turns else ""
        rest = (
            f"{plain(left)} left of the budget" if left >= 0 else f"{plain(-left)} over the budget"
        )
        parts.append(f"{plain(used)} {part['unit']} used{rate}; {rest}.")
    return f"{numbered(turns, 'turn')}: " + " ".join(parts)


def _around(remaining: float, low: float, high: float) -> Interval:
    return Interval(_whole(min(max(1, low), remaining)), _whole(max(high, remaining)))


def _whole(amount: float) -> float:
    """Return the same number, without a point where it needs none."""
    return int(amount) if amount == int(amount) else amount
