"""Every score of spec 8 again, one row at a time in plain Python: the oracle of the scoring tests.

It shares no code with `bagen_data`. A score is `(value, n)`; its value is None where n is 0.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

Row = Mapping[str, Any]
"""A sample: sample_id, feasible, rollout_success, completed_turns, total_turns, ..., resources."""
Responses = Mapping[str, str]
"""The raw answer of every sample, by sample_id."""
Score = tuple[float | None, int]
Ends = dict[str, tuple[float, float]]
"""`(low, high)` by resource."""

ALPHA = 0.2
WHITESPACE = " \t\n\r\f\v"
NUMBER = r"(?:[0-9]+(?:\.[0-9]+)?|(?i:inf|infinity|nan))"
LABEL = r"[a-z][a-z0-9_]*"
INTERVAL = rf"\[\s*({NUMBER})\s*,\s*({NUMBER})\s*\]"
LABELLED = rf"({LABEL})\s*:\s*{INTERVAL}"


# --- reading an answer (spec 6) ---------------------------------------------------------------


def read(text: str, resources: Sequence[str]) -> tuple[str, str, Ends]:
    """The verdict of an answer, why it is invalid (or ""), and its intervals (or none)."""
    content = _content(text)
    if content is None:
        return "invalid", "no_answer", {}
    if content.lower() == "impossible":
        return "infeasible", "", {}
    if _matches(INTERVAL, content):
        return _read_bare(content, resources)
    if _matches(rf"(?:{LABEL}\s*:\s*)?{NUMBER}", content) or _matches(
        rf"\[\s*{NUMBER}\s*\]", content
    ):
        return "invalid", "scalar", {}
    return _read_labelled(content, resources)


def _content(text: str) -> str | None:
    """The text within the last answer tag that is closed, after the last `</think>`."""
    after = re.split("</think>", text, flags=re.IGNORECASE | re.ASCII)[-1]
    flags = re.IGNORECASE | re.ASCII | re.DOTALL
    starts = [tag.end() for tag in re.finditer("<answer>", after, flags)]
    for start in reversed(starts):
        enclosed = re.match("(.*?)</answer>", after[start:], flags)
        if enclosed:
            return enclosed[1].strip(WHITESPACE)
    return None


def _matches(pattern: str, content: str) -> bool:
    """Whether a pattern matches the whole content."""
    return re.fullmatch(pattern, content, re.ASCII) is not None


def _read_bare(content: str, resources: Sequence[str]) -> tuple[str, str, Ends]:
    """An answer that is one interval without a label."""
    if len(resources) > 1:
        return "invalid", "missing_resource", {}
    bounds = re.findall(INTERVAL, content, re.ASCII)
    low, high = bounds[0]
    return _checked({resources[0]: (float(low), float(high))})


def _read_labelled(content: str, resources: Sequence[str]) -> tuple[str, str, Ends]:
    """An answer that ought to be a comma separated list of labelled intervals."""
    if not _matches(rf"{LABELLED}(?:\s*,\s*{LABELLED})*", content):
        return "invalid", "malformed", {}
    labelled = re.findall(LABELLED, content, re.ASCII)
    ends = {label: (float(low), float(high)) for label, low, high in labelled}
    if len(ends) < len(labelled):
        return "invalid", "malformed", {}
    if not set(ends) <= set(resources):
        return "invalid", "unknown_resource", {}
    if len(resources) == 1:
        return "invalid", "malformed", {}
    if set(ends) != set(resources):
        return "invalid", "missing_resource", {}
    return _checked({name: ends[name] for name in resources})


def _checked(ends: Ends) -> tuple[str, str, Ends]:
    """Intervals whose ends are finite and in order, or the reason why not."""
    if not all(math.isfinite(end) for pair in ends.values() for end in pair):
        return "invalid", "not_finite", {}
    if any(low > high for low, high in ends.values()):
        return "invalid", "reversed", {}
    return "feasible", "", ends


# --- samples with their answers ---------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """A row and its answer."""

    row: Row
    verdict: str
    ends: Ends

    @property
    def truth(self) -> str:
        """The right verdict."""
        return "feasible" if self.row["feasible"] else "infeasible"

    @property
    def triples(self) -> list[tuple[float, float, float]]:
        """`(low, high, R)` of every resource; only where there is an interval."""
        return [(*self.ends[each["resource"]], each["remaining"]) for each in self.row["resources"]]

    @property
    def rollout(self) -> tuple[str, str]:
        """The rollout's family and id: an id may be another rollout's in another family."""
        rollout_id = self.row["rollout_id"]
        return self.row["sample_id"].rpartition(f"/{rollout_id}/")[0], rollout_id


def _samples(rows: Iterable[Row], responses: Responses) -> list[Sample]:
    """Every row with its answer read."""
    samples = []
    for row in rows:
        names = [each["resource"] for each in row["resources"]]
        verdict, _, ends = read(responses[row["sample_id"]], names)
        samples.append(Sample(row, verdict, ends))
    return samples


def _rollouts(samples: Iterable[Sample]) -> list[list[Sample]]:
    """The samples of each rollout, short prefix first."""
    groups: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.rollout, []).append(sample)
    return [
        sorted(group, key=lambda each: each.row["completed_turns"]) for group in groups.values()
    ]


def _answered(samples: Iterable[Sample]) -> list[Sample]:
    """The feasible samples with an interval."""
    return [each for each in samples if each.row["feasible"] and each.verdict == "feasible"]


def _first_alarm(rollout: Iterable[Sample]) -> Sample | None:
    """The first sample of a rollout that is answered `impossible`."""
    for sample in rollout:
        if sample.verdict == "infeasible":
            return sample
    return None


# --- arithmetic -------------------------------------------------------------------------------


def mean(values: Iterable[float]) -> Score:
    """The mean of some values and how many they are; None of none."""
    values = list(values)
    return (fmean(values), len(values)) if values else (None, 0)


def interpolated(values: Iterable[float], q: float) -> float:
    """A quantile of at least one value by linear interpolation, numpy's default."""
    ordered = sorted(values)
    place = q * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def known_over(value: float | None, n: int) -> Score:
    """A value and what it is taken over: nothing, where there is no value."""
    return value, 0 if value is None else n


def quantile(values: Sequence[float], q: float) -> Score:
    """A quantile and of how many values; None of none."""
    return (interpolated(values, q), len(values)) if values else (None, 0)


def share(true: Iterable[bool]) -> Score:
    """The share of true ones."""
    return mean(1.0 if each else 0.0 for each in true)


def covers(low: float, high: float, remaining: float) -> bool:
    """Whether an interval covers R, both ends inclusive."""
    return low <= remaining <= high


def tightness(low: float, high: float, remaining: float) -> float:
    """`max(0, 1 - (high - low) / R)`; at R = 0 it is 1 for [0, 0], else 0."""
    if remaining == 0:
        return 1.0 if low == high == 0 else 0.0
    return max(0.0, 1 - (high - low) / remaining)


def interval_score(low: float, high: float, value: float, alpha: float = ALPHA) -> float:
    """The interval (Winkler) score of one interval at the nominal level 1 - alpha."""
    return high - low + 2 / alpha * max(0, low - value) + 2 / alpha * max(0, value - high)


# --- the scores of one family (spec 8) --------------------------------------------------------


def scores(rows: Sequence[Row], responses: Responses) -> dict[str, Score]:
    """Every score of one family, but those of forecasts and at the start."""
    return scores_of(_samples(rows, responses))


def scores_of(samples: list[Sample]) -> dict[str, Score]:
    """The same of samples whose answers are read."""
    return {
        **_judgment_scores(samples),
        **_interval_scores(samples),
        **_paper_scores(samples),
        **_proper_scores(samples),
        **early_stop_of(samples),
        "first_alarm": _alarm_position(samples),
        "extrapolation_mre_p50": _extrapolation(samples),
    }


def macro(families: Sequence[Mapping[str, Score]]) -> dict[str, Score]:
    """The mean of every score over the families that have a value, and the sum of their n."""
    names = list(dict.fromkeys(name for family in families for name in family))
    result: dict[str, Score] = {}
    for name in names:
        pairs = [family[name] for family in families if name in family]
        value, _ = mean(value for value, _ in pairs if value is not None)
        result[name] = value, sum(n for _, n in pairs)
    return result


def _f1(samples: Sequence[Sample], label: str) -> float:
    """F1 of one class, 0 where it is neither true nor predicted."""
    hits = sum(each.truth == label and each.verdict == label for each in samples)
    true = sum(each.truth == label for each in samples)
    predicted = sum(each.verdict == label for each in samples)
    return 2 * hits / (true + predicted) if true + predicted else 0.0


def _fail_f1(samples: Sequence[Sample]) -> Score:
    """F1 of class infeasible."""
    return (_f1(samples, "infeasible"), len(samples)) if samples else (None, 0)


def _macro_f1(samples: Sequence[Sample]) -> Score:
    """The mean F1 of the two classes."""
    if not samples:
        return None, 0
    return (_f1(samples, "feasible") + _f1(samples, "infeasible")) / 2, len(samples)


def _accuracy(samples: Iterable[Sample]) -> Score:
    """The share judged right."""
    return share(each.verdict == each.truth for each in samples)


def _is_open(sample: Sample) -> bool:
    """Whether no resource's budget is overrun already."""
    return not any(each["used"] > each["budget"] for each in sample.row["resources"])


def _judgment_scores(samples: list[Sample]) -> dict[str, Score]:
    """Validity and the feasibility judgment."""
    first = [each for each in samples if each.row["completed_turns"] == 1]
    still_open = [each for each in samples if _is_open(each)]
    feasible = [each for each in samples if each.row["feasible"]]
    infeasible = [each for each in samples if not each.row["feasible"]]
    return {
        "valid_rate": share(each.verdict != "invalid" for each in samples),
        "macro_f1": _macro_f1(samples),
        "macro_f1_first_turn": _macro_f1(first),
        "fail_f1": _fail_f1(samples),
        "accuracy": _accuracy(samples),
        "recall_feasible": _accuracy(feasible),
        "recall_infeasible": _accuracy(infeasible),
        "macro_f1_open": _macro_f1(still_open),
        "fail_f1_open": _fail_f1(still_open),
        "accuracy_open": _accuracy(still_open),
    }


def _covered(sample: Sample) -> bool:
    """Whether the sample has intervals and they cover every resource."""
    return sample.verdict == "feasible" and all(covers(*each) for each in sample.triples)


def _covered_tightness(sample: Sample) -> float:
    """The mean over resources of coverage x tightness; 0 without an interval."""
    if sample.verdict != "feasible":
        return 0.0
    return fmean(tightness(*each) if covers(*each) else 0.0 for each in sample.triples)


def _rl_reward(sample: Sample) -> float:
    """The reward of reinforcement learning."""
    if sample.row["feasible"]:
        return 1.8 * _covered_tightness(sample)
    return 0.2 if sample.verdict == "infeasible" else 0.0


def _has_no_zero(sample: Sample) -> bool:
    """Whether something of every resource remains, so that errors relative to it exist."""
    return all(each["remaining"] != 0 for each in sample.row["resources"])


def _relative_error(sample: Sample) -> float:
    """The mean over resources of abs(midpoint - R) / R."""
    return fmean(abs((low + high) / 2 - rest) / rest for low, high, rest in sample.triples)


def _is_optimistic(sample: Sample) -> bool:
    """Whether an interval lies below R."""
    return any(high < rest for _, high, rest in sample.triples)


def _is_conservative(sample: Sample) -> bool:
    """Whether an interval lies above R."""
    return any(low > rest for low, _, rest in sample.triples)


def _interval_scores(samples: list[Sample]) -> dict[str, Score]:
    """The scores of the intervals, beside the proper ones."""
    feasible = [each for each in samples if each.row["feasible"]]
    answered = _answered(samples)
    errors = [_relative_error(each) for each in answered if _has_no_zero(each)]
    return {
        "hit_rate": share(_covered(each) for each in feasible),
        "coverage": share(_covered(each) for each in answered),
        "reward": mean(_covered_tightness(each) for each in feasible),
        "mre_p50": quantile(errors, 0.5),
        "mre_p90": quantile(errors, 0.9),
        "optimistic": share(_is_optimistic(each) for each in answered),
        "conservative": share(_is_conservative(each) for each in answered),
        "rl_reward": mean(_rl_reward(each) for each in samples),
    }


def _paper_reward(sample: Sample) -> float:
    """The reward of the paper's tables."""
    right = 1.0 if sample.verdict == sample.truth else 0.0
    if len(sample.row["resources"]) == 1:
        return _covered_tightness(sample) if sample.row["feasible"] else right
    if sample.row["feasible"] and sample.verdict == "feasible":
        return fmean([right, *(1.0 if covers(*each) else 0.0 for each in sample.triples)])
    return right


def _paper_scores(samples: list[Sample]) -> dict[str, Score]:
    """The scores over the samples of rollouts that succeeded."""
    succeeded = [each for each in samples if each.row["rollout_success"]]
    return {
        "paper_hit_rate": share(_covered(each) for each in succeeded),
        "paper_reward": mean(_paper_reward(each) for each in succeeded),
        "accuracy_balanced": _balanced(samples, lambda each: each.verdict == each.truth),
        "rl_reward_balanced": _balanced(samples, _rl_reward),
    }


def _balanced(samples: list[Sample], worth: Callable[[Sample], float]) -> Score:
    """The mean of what feasible and what infeasible samples are worth on average."""
    feasible, _ = mean(worth(each) for each in samples if each.row["feasible"])
    infeasible, _ = mean(worth(each) for each in samples if not each.row["feasible"])
    if feasible is None or infeasible is None:
        return None, 0
    return (feasible + infeasible) / 2, len(samples)


# --- proper scores ----------------------------------------------------------------------------


def _log_interval_score(sample: Sample) -> float:
    """The mean over resources of the interval score on the log1p scale."""
    return fmean(
        interval_score(math.log1p(low), math.log1p(high), math.log1p(rest))
        for low, high, rest in sample.triples
    )


def _baseline(samples: Sequence[Sample]) -> float:
    """The mean interval score of the best constant interval per resource, in hindsight."""
    truths: dict[str, list[float]] = {}
    for sample in samples:
        for each in sample.row["resources"]:
            truths.setdefault(each["resource"], []).append(math.log1p(each["remaining"]))
    constant = {
        name: (interpolated(values, ALPHA / 2), interpolated(values, 1 - ALPHA / 2))
        for name, values in truths.items()
    }
    return fmean(
        fmean(
            interval_score(*constant[each["resource"]], math.log1p(each["remaining"]))
            for each in sample.row["resources"]
        )
        for sample in samples
    )


def _skill(samples: Sequence[Sample]) -> Score:
    """`1 - IS / IS_baseline`; None where the baseline is 0."""
    if not samples:
        return None, 0
    baseline = _baseline(samples)
    if baseline == 0:
        return None, 0
    return 1 - fmean(_log_interval_score(each) for each in samples) / baseline, len(samples)


def _is_within_2x(sample: Sample) -> bool:
    """Whether every midpoint is within a factor of 2 of R."""
    return all(rest / 2 <= (low + high) / 2 <= 2 * rest for low, high, rest in sample.triples)


def _proper_scores(samples: list[Sample]) -> dict[str, Score]:
    """The proper scores and those printed with them."""
    answered = _answered(samples)
    return {
        "interval_score": mean(_log_interval_score(each) for each in answered),
        "interval_skill": _skill(answered),
        "within_2x": share(_is_within_2x(each) for each in answered),
        "exceed_rate": mean(
            fmean(1.0 if rest > high else 0.0 for _, high, rest in each.triples)
            for each in answered
        ),
        "exceed_by": mean(
            (rest - high) / rest
            for each in answered
            for _, high, rest in each.triples
            if rest > high
        ),
    }


# --- early stop -------------------------------------------------------------------------------


def early_stop(rows: Sequence[Row], responses: Responses) -> dict[str, Score]:
    """Stopping every rollout at its first `impossible`; counts are summed over all the rows."""
    return early_stop_of(_samples(rows, responses))


def early_stop_of(samples: list[Sample]) -> dict[str, Score]:
    """The same of samples whose answers are read."""
    rollouts = _rollouts(samples)
    infeasible = [each for each in rollouts if not each[0].row["feasible"]]
    judged = [each for each in rollouts if "rollout_success" in each[0].row]
    failed = [each for each in judged if not each[0].row["rollout_success"]]
    return {
        "false_abort_rate": share(
            each.verdict == "infeasible" and each.row["feasible"] for each in samples
        ),
        "paper_stopped_failed": share(_first_alarm(each) is not None for each in failed),
        "paper_saved_rate": _saved_rate(failed, capped=False),
        "stopped_failed": share(_first_alarm(each) is not None for each in infeasible),
        "saved_rate": _saved_rate(infeasible, capped=False),
        "saved_below_cap": _saved_rate(infeasible, capped=True),
        "success_drop": share(
            each[0].row["feasible"] and _first_alarm(each) is not None for each in rollouts
        ),
        "any_success_drop": share(
            each[0].row["rollout_success"] and _first_alarm(each) is not None for each in judged
        ),
        "net_benefit": mean(map(_benefit, rollouts)),
    }


def _benefit(rollout: list[Sample]) -> float:
    """The worth of stopping a rollout beyond a hard cap, where a success is worth 2 budgets."""
    cap_successes = 1 if rollout[0].row["feasible"] else 0
    cap_spending = [
        min(each["used"] + each["remaining"], each["budget"])
        for each in rollout[0].row["resources"]
    ]
    successes, spending = cap_successes, cap_spending
    alarm = _first_alarm(rollout)
    if alarm:
        successes = 0
        spending = [min(each["used"], each["budget"]) for each in alarm.row["resources"]]
    budgets = [each["budget"] for each in rollout[0].row["resources"]]
    saved = [
        (capped - own) / budget if budget else 0.0
        for capped, own, budget in zip(cap_spending, spending, budgets, strict=True)
    ]
    return 2 * (successes - cap_successes) + fmean(saved)


def _saved_rate(rollouts: Sequence[list[Sample]], *, capped: bool) -> Score:
    """The mean of what is saved over groups of rollouts that count the same resources."""
    groups: dict[tuple[str, ...], list[list[Sample]]] = {}
    for rollout in rollouts:
        names = tuple(each["resource"] for each in rollout[0].row["resources"])
        groups.setdefault(names, []).append(rollout)
    rates = [
        rate
        for rate, _ in (_saved_of_group(group, capped=capped) for group in groups.values())
        if rate is not None
    ]
    return known_over(mean(rates)[0], len(rollouts))


def _saved_of_group(rollouts: Sequence[list[Sample]], *, capped: bool) -> Score:
    """Usage after the first `impossible` / total usage; the mean over resources with usage."""
    saved: dict[str, list[float]] = {}
    total: dict[str, list[float]] = {}
    for rollout in rollouts:
        alarm = _first_alarm(rollout)
        for place, each in enumerate(rollout[0].row["resources"]):
            most = each["budget"] if capped else math.inf
            spent = each["used"] + each["remaining"]
            total.setdefault(each["resource"], []).append(min(spent, most))
            if alarm:
                at_stop = alarm.row["resources"][place]["used"]
                after = min(spent, most) - min(at_stop, most)
                saved.setdefault(each["resource"], []).append(after)
    return mean(
        math.fsum(saved.get(name, [])) / math.fsum(used)
        for name, used in total.items()
        if math.fsum(used) > 0
    )


def _alarm_position(samples: Iterable[Sample]) -> Score:
    """The mean progress at the first `impossible` of infeasible rollouts that have one."""
    positions = []
    for rollout in _rollouts(samples):
        alarm = _first_alarm(rollout)
        if alarm and not alarm.row["feasible"]:
            positions.append(alarm.row["completed_turns"] / alarm.row["total_turns"])
    return mean(positions)


# --- analyses ---------------------------------------------------------------------------------


def _extrapolated(sample: Sample, first: Row | None) -> list[float] | None:
    """Return usage per turn so far times the turns to come, a resource each; None if unknown."""
    k, total = sample.row["completed_turns"], sample.row["total_turns"]
    used = [each["used"] for each in sample.row["resources"]]
    if len(used) > 1:
        return [each / k * (total - k) for each in used] if k >= 1 else None
    if k < 2 or first is None:
        return None
    return [(used[0] - first["resources"][0]["used"]) / (k - 1) * (total - k)]


def _extrapolation(samples: list[Sample]) -> Score:
    """The median relative error of linear extrapolation, where the estimator answers too."""
    first = {each.rollout: each.row for each in samples if each.row["completed_turns"] == 1}
    errors = []
    for sample in _answered(samples):
        guesses = _extrapolated(sample, first.get(sample.rollout))
        if guesses is not None and _has_no_zero(sample):
            rests = [each["remaining"] for each in sample.row["resources"]]
            errors.append(
                fmean(abs(guess - rest) / rest for guess, rest in zip(guesses, rests, strict=True))
            )
    return quantile(errors, 0.5)


def progress(rows: Sequence[Row], responses: Responses) -> list[dict[str, Score]]:
    """The analyses of each fifth of the rollouts' turns."""
    bins: list[list[Sample]] = [[] for _ in range(5)]
    for sample in _samples(rows, responses):
        k, total = sample.row["completed_turns"], sample.row["total_turns"]
        bins[min(4, 5 * k // total)].append(sample)
    return [_bin_scores(each) for each in bins]


def _bin_scores(samples: list[Sample]) -> dict[str, Score]:
    """The analyses of one progress bin."""
    answered = _answered(samples)
    return {
        "hit": share(_covered(each) for each in answered),
        "optimistic": share(_is_optimistic(each) for each in answered),
        "conservative": share(_is_conservative(each) for each in answered),
        "predicted_feasible_on_infeasible": share(
            each.verdict == "feasible" for each in samples if not each.row["feasible"]
        ),
        "relative_width": mean(
            fmean((high - low) / rest for low, high, rest in each.triples)
            for each in answered
            if _has_no_zero(each)
        ),
    }
