"""The best possible answer to a sample, for logs and for people."""

from collections.abc import Mapping
from typing import Any

from bagen_data.answers import render
from bagen_data.replay import gold_estimate
from bagen_data.schema import QUANTILE_LEVELS, Estimate, Forecast, Question, Target


def gold_answer(row: Mapping[str, Any], question: Question = "interval") -> str:
    """Return the best possible answer to the question about a sample.

    Args:
        row: a row of the dataset, with `feasible` and `resources`; a forecast takes the run's
            success from `rollout_success`, or from `feasible` where that is missing.
        question: interval, point or forecast.

    >>> row = {"feasible": True, "resources": [{"resource": "tokens", "remaining": 40.0}]}
    >>> gold_answer(row, "point")
    '<answer>40</answer>'
    >>> gold_answer(row, "forecast")
    '<answer>finish=1, success=1, tokens=[40, 40, 40, 40, 40]</answer>'
    """
    remaining = {part["resource"]: part["remaining"] for part in row["resources"]}
    if question == "forecast":
        return render(_gold_forecast(row, remaining), question)
    return render(gold_estimate(Target(row["feasible"], remaining)), question)


def _gold_forecast(row: Mapping[str, Any], remaining: Mapping[str, float]) -> Estimate:
    is_success = row["feasible"] or bool(row.get("rollout_success"))
    quantiles = {name: (amount,) * len(QUANTILE_LEVELS) for name, amount in remaining.items()}
    return Forecast(int(row["feasible"]), int(is_success), quantiles).estimate()
