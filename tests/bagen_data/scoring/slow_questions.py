"""The scores of all three questions in plain Python, from sections 6 and 8 of the specification.

It adds to `slow` what forecasts and start probes have, sample by sample, and shares no code with
`bagen_data`.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

from tests.bagen_data.scoring import slow
from tests.bagen_data.scoring.slow import (
    Responses,
    Row,
    Score,
    covers,
    interval_score,
    known_over,
    mean,
    share,
)
from tests.bagen_data.scoring.slow_forecasts import Forecast, read_forecast, read_point

Reference = Mapping[str, Forecast]
"""The reference's forecast by sample_id."""
LEVELS = [0.1, 0.25, 0.5, 0.75, 0.9]
BUDGETS = [0.5, 0.75, 1, 1.5, 2, math.inf]


@dataclass(frozen=True)
class AnsweredRow:
    """A row, its answer to a question, and what the reference says of it."""

    sample: slow.Sample
    question: str
    forecast: Forecast | None
    said: dict[str, float] | None
    """The number that was said of each resource: a median, a midpoint, or the point itself."""
    reference: Forecast | None

    @property
    def row(self) -> Row:
        return self.sample.row


def scores(
    rows: Sequence[Row],
    responses: Responses,
    question: str = "interval",
    reference: Reference | None = None,
) -> dict[str, Score]:
    """Every score of one family."""
    answers = [
        _asked(row, responses[row["sample_id"]], question, (reference or {}).get(row["sample_id"]))
        for row in rows
    ]
    return {
        **slow.scores_of([each.sample for each in answers]),
        **_kinds_of_infeasible(answers),
        **_ending_scores(answers),
        **_amount_scores(answers),
        **_curve_scores(answers),
        "start_correlation": _start_correlation(answers),
    }


def early_stop(rows: Sequence[Row], responses: Responses, question: str) -> dict[str, Score]:
    """The scores of stopping, whose counts are summed over all the rows."""
    answers = [_asked(row, responses[row["sample_id"]], question, None) for row in rows]
    return slow.early_stop_of([each.sample for each in answers])


# --- reading ----------------------------------------------------------------------------------


def _asked(row: Row, text: str, question: str, reference: Forecast | None) -> AnsweredRow:
    names = [each["resource"] for each in row["resources"]]
    if question == "forecast":
        return _forecast(row, read_forecast(text, names)[1], reference)
    if question == "point":
        verdict, _, numbers = read_point(text, names)
        return _point(row, verdict, numbers, reference)
    verdict, _, ends = slow.read(text, names)
    said = {name: low / 2 + high / 2 for name, (low, high) in ends.items()} or None
    return AnsweredRow(slow.Sample(row, verdict, ends), question, None, said, reference)


def _forecast(row: Row, forecast: Forecast | None, reference: Forecast | None) -> AnsweredRow:
    if forecast is None:
        return AnsweredRow(slow.Sample(row, "invalid", {}), "forecast", None, None, reference)
    finish, _, quantiles = forecast
    ends = {name: (values[0], values[-1]) for name, values in quantiles.items()}
    sample = slow.Sample(row, "infeasible", {})
    if finish >= 0.5:
        sample = slow.Sample(row, "feasible", ends)
    said = {name: values[2] for name, values in quantiles.items()}
    return AnsweredRow(sample, "forecast", forecast, said, reference)


def _point(
    row: Row, verdict: str, numbers: dict[str, float], reference: Forecast | None
) -> AnsweredRow:
    ends = {name: (number, number) for name, number in numbers.items()}
    for each in row["resources"]:
        if numbers and each["used"] + numbers[each["resource"]] > each["budget"]:
            verdict, ends = "infeasible", {}
    return AnsweredRow(slow.Sample(row, verdict, ends), "point", None, numbers or None, reference)


# --- samples ----------------------------------------------------------------------------------


def _is_open(asked: AnsweredRow) -> bool:
    return all(each["used"] <= each["budget"] for each in asked.row["resources"])


def _has_outcome(asked: AnsweredRow) -> bool:
    return "rollout_success" in asked.row


def _succeeded(answers: Iterable[AnsweredRow]) -> list[AnsweredRow]:
    return [each for each in answers if each.row.get("rollout_success")]


def _forecasts(answers: Iterable[AnsweredRow]) -> list[AnsweredRow]:
    """The samples that were asked for a forecast, whatever the answer."""
    return [each for each in answers if each.question == "forecast"]


def _ratio(own: Sequence[float], reference: Sequence[float]) -> Score:
    """`1 - own / reference`; None where the reference is perfect."""
    if not own:
        return None, 0
    whole = math.fsum(reference)
    return (1 - math.fsum(own) / whole, len(own)) if whole > 0 else (None, 0)


# --- the kinds of infeasible ------------------------------------------------------------------


def _kind(asked: AnsweredRow) -> str:
    row = asked.row
    if row["feasible"]:
        return "feasible"
    if all(each["used"] + each["remaining"] <= each["budget"] for each in row["resources"]):
        return "unknown" if row["rollout_success"] else "failed"
    return "over_budget" if row["rollout_success"] else "failed_over_budget"


def _kinds_of_infeasible(answers: Iterable[AnsweredRow]) -> dict[str, Score]:
    known = [each for each in answers if _has_outcome(each)]
    rates = {}
    for kind in ("failed", "over_budget", "failed_over_budget"):
        own = [each for each in known if _kind(each) == kind]
        rates[f"share_{kind}"] = share(_kind(each) == kind for each in known)
        rates[f"recall_{kind}"] = share(each.sample.verdict == "infeasible" for each in own)
    return rates


# --- how it ends ------------------------------------------------------------------------------


def _brier(asked: AnsweredRow) -> float:
    if asked.sample.verdict == "invalid":
        return 1.0
    finish = asked.forecast[0] if asked.forecast else float(asked.sample.verdict == "feasible")
    return (finish - (1 if asked.row["feasible"] else 0)) ** 2


def _log_score(asked: AnsweredRow) -> float:
    given = 0.0
    if asked.forecast:
        finish = asked.forecast[0]
        given = finish if asked.row["feasible"] else 1 - finish
    return -math.log(min(max(given, 0.001), 0.999))


def _success_brier(asked: AnsweredRow) -> float:
    if asked.forecast is None:
        return 1.0
    return (asked.forecast[1] - (1 if asked.row["rollout_success"] else 0)) ** 2


def _ending_scores(answers: Sequence[AnsweredRow]) -> dict[str, Score]:
    still_open = [each for each in answers if _is_open(each)]
    beside = [each for each in still_open if each.reference]
    known = [each for each in answers if _has_outcome(each)]
    expected = [
        (each.reference[0] - (1 if each.row["feasible"] else 0)) ** 2
        for each in beside
        if each.reference
    ]
    return {
        "brier": mean(map(_brier, still_open)),
        "brier_skill": _ratio([_brier(each) for each in beside], expected),
        "log_score": mean(map(_log_score, _forecasts(still_open))),
        "success_brier": mean(map(_success_brier, _forecasts(known))),
    }


# --- what it takes ----------------------------------------------------------------------------


def _wis_of(forecast: Forecast, row: Row) -> float:
    of_resources = []
    for each in row["resources"]:
        q10, q25, q50, q75, q90 = (math.log1p(value) for value in forecast[2][each["resource"]])
        rest = math.log1p(each["remaining"])
        outer, inner = interval_score(q10, q90, rest, 0.2), interval_score(q25, q75, rest, 0.5)
        of_resources.append((0.5 * abs(rest - q50) + 0.1 * outer + 0.25 * inner) / 2.5)
    return fmean(of_resources)


def _wis(asked: AnsweredRow) -> float | None:
    """Return the score; None for an invalid answer to a sample without a reference."""
    if asked.forecast:
        return _wis_of(asked.forecast, asked.row)
    return 2 * _wis_of(asked.reference, asked.row) if asked.reference else None


def _covers(asked: AnsweredRow, lowest: int, highest: int) -> float:
    if asked.forecast is None:
        return 0.0
    return fmean(
        float(
            covers(
                asked.forecast[2][each["resource"]][lowest],
                asked.forecast[2][each["resource"]][highest],
                each["remaining"],
            )
        )
        for each in asked.row["resources"]
    )


def _amount_scores(answers: Sequence[AnsweredRow]) -> dict[str, Score]:
    asked = _forecasts(_succeeded(answers))
    wis_values = [_wis(each) for each in asked]
    known = [value for value in wis_values if value is not None]
    own, expected = [], []
    for each in asked:
        value = _wis(each)
        if each.reference and value is not None:
            own.append(value)
            expected.append(_wis_of(each.reference, each.row))
    return {
        "wis": mean(known) if len(known) == len(wis_values) else (None, 0),
        "wis_skill": _ratio(own, expected),
        "coverage_80": mean(_covers(each, 0, 4) for each in asked),
        "coverage_50": mean(_covers(each, 1, 3) for each in asked),
    }


# --- the budget curve -------------------------------------------------------------------------


def chance_within(quantiles: Sequence[float], amount: float) -> float:
    """The distribution function at an amount, on the log1p scale."""
    points = list(zip(quantiles, LEVELS, strict=True))
    (first, _), (second, _) = points[:2]
    (fourth, _), (last, _) = points[3:]
    if amount < first:
        if first == second:
            return 0.0
        return max(0.0, 0.1 - 0.15 * _gap(amount, first) / _gap(first, second))
    if amount >= last:
        if fourth == last:
            return 1.0
        return min(1.0, 0.9 + 0.15 * _gap(last, amount) / _gap(fourth, last))
    chance = 0.0
    for (low, level), (high, next_level) in pairwise(points):
        if low <= amount < high:
            chance = level + (next_level - level) * _gap(low, amount) / _gap(low, high)
    return chance


def _gap(low: float, high: float) -> float:
    """`log1p(high) - log1p(low)`, which rounding would spoil where both are nearly the same."""
    return math.log1p((high - low) / (1 + low))


def _curve(forecast: Forecast | None, row: Row) -> list[float]:
    """The squared differences at the budgets that the sample is not yet over."""
    [tokens] = row["resources"]
    losses = []
    for times in BUDGETS:
        budget = math.inf if times == math.inf else times * tokens["budget"]
        if tokens["used"] > budget:
            continue
        total = tokens["used"] + tokens["remaining"]
        happened = 1 if row["rollout_success"] and total <= budget else 0
        if forecast is None:
            losses.append(1.0)
            continue
        chance = 1.0
        if budget < math.inf:
            chance = chance_within(forecast[2][tokens["resource"]], budget - tokens["used"])
        losses.append((forecast[1] * chance - happened) ** 2)
    return losses


def _curve_scores(answers: Sequence[AnsweredRow]) -> dict[str, Score]:
    asked = [
        each
        for each in _forecasts(answers)
        if _has_outcome(each) and len(each.row["resources"]) == 1
    ]
    own = [value for each in asked for value in _curve(each.forecast, each.row)]
    beside = [each for each in asked if each.reference]
    compared = [value for each in beside for value in _curve(each.forecast, each.row)]
    expected = [value for each in beside for value in _curve(each.reference, each.row)]
    return {
        "curve_brier": known_over(mean(own)[0], len(asked)),
        "curve_skill": known_over(_ratio(compared, expected)[0], len(beside)),
    }


# --- the start --------------------------------------------------------------------------------


def _start_correlation(answers: Iterable[AnsweredRow]) -> Score:
    said: dict[str, list[float]] = {}
    used: dict[str, list[float]] = {}
    number = 0
    for each in answers:
        if each.row["completed_turns"] or not each.said:
            continue
        number += 1
        for amount in each.row["resources"]:
            said.setdefault(amount["resource"], []).append(
                math.log1p(each.said[amount["resource"]])
            )
            used.setdefault(amount["resource"], []).append(math.log1p(amount["remaining"]))
    known = [r for name in said if (r := _pearson(said[name], used[name])) is not None]
    return known_over(mean(known)[0], number)


def _pearson(xs: Sequence[float], ys: Sequence[float]) -> float | None:
    """Pearson's correlation; None of fewer than 3, and where one of the two does not vary."""
    if len(xs) < 3 or min(xs) == max(xs) or min(ys) == max(ys):
        return None
    x_mean, y_mean = fmean(xs), fmean(ys)
    shared = math.fsum((x - x_mean) * (y - y_mean) for x, y in zip(xs, ys, strict=True))
    x_squares = math.fsum((x - x_mean) ** 2 for x in xs)
    y_squares = math.fsum((y - y_mean) ** 2 for y in ys)
    return shared / (math.sqrt(x_squares) * math.sqrt(y_squares))
