"""The truth of a sample, and the worth of an answer to it, in words."""

from collections.abc import Mapping
from typing import Any

from bagen_data.schema import Estimate

_INVALID: Mapping[str, str] = {
    "no_answer": "no answer given",
    "malformed": "has another form",
    "scalar": "one number alone",
    "reversed": "low is above high",
    "not_finite": "an amount is endless",
    "missing_resource": "a resource is missing",
    "unknown_resource": "an unknown resource",
    "incoherent": "finish is above success",
    "unordered": "quantiles fall",
}
"""The fault of an answer, by the reason why it is invalid."""


def outcome_words(sample: Mapping[str, Any]) -> str:
    """Say how the run of a sample ended.

    Args:
        sample: a row of the dataset, with `feasible`; `rollout_success` and `resources` tell
            more of a run that did not finish within the budget.

    >>> part = {"resource": "tokens", "used": 90, "remaining": 20, "budget": 100}
    >>> outcome_words({"rollout_success": True, "feasible": False, "resources": [part]})
    'the agent succeeded above the budget'
    >>> outcome_words({"rollout_success": False, "feasible": False, "resources": [part]})
    'the agent failed, above the budget too'
    """
    if sample["feasible"]:
        return "the agent succeeded within the budget"
    if sample.get("rollout_success") is None:
        return "the agent failed, or finished above the budget"
    if sample["rollout_success"]:
        return "the agent succeeded above the budget"
    is_above = any(
        part["used"] + part["remaining"] > part["budget"] for part in sample.get("resources", ())
    )
    return "the agent failed, above the budget too" if is_above else "the agent failed"


def verdict_words(sample: Mapping[str, Any], estimate: Estimate | None, part: Any) -> str:
    """Say how an answer fared, about one resource.

    Args:
        sample: a row of the dataset.
        estimate: the answer; None if there is none.
        part: the resource, an element of the sample's `resources`.

    >>> part = {"resource": "tokens", "used": 90, "remaining": 20, "budget": 200}
    >>> from bagen_data.schema import Interval
    >>> sample = {"rollout_success": True, "feasible": True, "resources": [part]}
    >>> verdict_words(sample, Estimate("feasible", {"tokens": Interval(10, 15)}), part)
    'too low: it used more'
    >>> verdict_words(sample, Estimate("infeasible"), part)
    'wrong: it finished within the budget'
    """
    if estimate is None:
        return "no answer"
    if estimate.verdict == "invalid":
        return f"wrong: {_INVALID[estimate.reason]}"
    says_feasible = estimate.verdict == "feasible"
    if not (says_feasible and sample["feasible"]):
        is_right = says_feasible == sample["feasible"]
        return f"{'right' if is_right else 'wrong'}: {_end_words(sample)}"
    interval = estimate.intervals[part["resource"]]
    if interval.high < part["remaining"]:
        return "too low: it used more"
    if interval.low > part["remaining"]:
        return "too high: it used less"
    return "right: covers the amount"


def _end_words(sample: Mapping[str, Any]) -> str:
    if sample["feasible"]:
        return "it finished within the budget"
    if sample.get("rollout_success") is None:
        return "it failed, or finished above the budget"
    return "it finished above the budget" if sample["rollout_success"] else "the agent failed"
