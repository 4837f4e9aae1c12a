"""Curves for pictures, against loops over samples."""

import json
import random
from collections.abc import Sequence
from itertools import pairwise
from statistics import fmean
from typing import Any

import pytest

from bagen_data.scoring import score
from bagen_data.scoring.curves import BINS, curves_by_task
from bagen_data.scoring.match_predictions import match_predictions, reader_in_memory
from bagen_data.scoring.sample_table import SampleTable
from tests.bagen_data.scoring.scoring_cases import (
    SEVERAL,
    TOKENS,
    answers,
    family,
    predictions,
    sample,
)
from tests.bagen_data.scoring.slow_forecasts import read_forecast


def curves(rows: list[dict[str, Any]], responses: Sequence[str], question: Any) -> Any:
    answered = reader_in_memory(predictions(rows, responses))
    matched = match_predictions(SampleTable.of(rows), answered, "predictions", question)
    return curves_by_task(matched)


def test_reliability_and_quantiles_are_those_of_a_loop() -> None:
    rng = random.Random(0)
    rows = family(rng, TOKENS, 200)[0]
    responses = answers(rng, rows, "forecast")
    by_group = curves(rows, responses, "forecast")
    assert by_group["overall"] == by_group["t"]
    bins: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    below: list[list[bool]] = [[] for _ in range(5)]
    for row, response in zip(rows, responses, strict=True):
        [tokens] = row["resources"]
        _, forecast = read_forecast(response, ["tokens"])
        if forecast is None:
            continue
        if tokens["used"] <= tokens["budget"]:
            bins[min(int(forecast[0] * BINS), BINS - 1)].append((forecast[0], row["feasible"]))
        for level, quantile in enumerate(forecast[2]["tokens"]):
            if row["rollout_success"]:
                below[level].append(tokens["remaining"] <= quantile)
    for part, own in zip(by_group["t"]["finish"], bins, strict=True):
        assert part["n"] == len(own)
        assert part["said"] == pytest.approx(fmean(said for said, _ in own))
        assert part["happened"] == pytest.approx(fmean(happened for _, happened in own))
    for level, shares in zip(by_group["t"]["quantiles"], below, strict=True):
        assert (level["n"], level["below"]) == (len(shares), pytest.approx(fmean(shares)))
    json.dumps(by_group, allow_nan=False)


def test_the_budget_curve() -> None:
    """900 tokens in all, 200 of them used, 400 to come: said to be 100 to 500."""
    rows = [sample(rollout_success=True)]
    text = "<answer>finish=0.7, success=0.8, tokens=[100, 200, 300, 400, 500]</answer>"
    points = curves(rows, [text], "forecast")["t"]["budget"]
    assert [each["budget"] for each in points] == [0.5, 0.75, 1, 1.5, 2, None]
    assert [each["happened"] for each in points] == [0, 1, 1, 1, 1, 1]
    assert points[-1]["said"] == points[-2]["said"] == 0.8
    assert 0.25 * 0.8 < points[0]["said"] < 0.5 * 0.8  # 250 are left
    assert all(one["said"] <= other["said"] for one, other in pairwise(points))


@pytest.mark.parametrize("resources", [TOKENS, SEVERAL])
def test_the_net_benefit_is_the_score_at_its_worth(resources: Sequence[str]) -> None:
    rng = random.Random(1)
    rows, responses = family(rng, resources)
    report = score(rows, predictions(rows, responses), resamples=0).overall
    points = curves(rows, responses, "interval")["t"]["net_benefit"]
    value, drop = report["net_benefit"].value or 0, report["success_drop"].value or 0
    assert points[0]["worth"] == 0.25
    assert points[-1]["worth"] == pytest.approx(32)
    for point in points:
        assert point["estimator"] == pytest.approx(value + (2 - point["worth"]) * drop)
        assert point["cap"] == 0


def test_lines_to_compare_with() -> None:
    """A rollout that succeeds 0.5 budgets beyond the budget, and one that fails within it."""
    late = sample("t/m/a/1", feasible=False, rollout_success=True, used=200, remaining=1150)
    failed = sample("t/m/b/1", feasible=False, rollout_success=False, used=90, remaining=450)
    point = curves([late, failed], ["", ""], "interval")["t"]["net_benefit"][0]
    assert point["estimator"] == 0
    assert point["never"] == pytest.approx((0.25 - 0.5) / 2)
    assert point["foresight"] == pytest.approx((700 / 900 + 450 / 900) / 2)


def test_perfect_foresight_stops_at_the_first_sampled_probe() -> None:
    rows = [
        sample(f"t/m/a/{k}", feasible=False, rollout_success=False, used=90 * k, remaining=800)
        for k in (7, 4)
    ]
    point = curves(rows, ["", ""], "interval")["t"]["net_benefit"][0]
    assert point["foresight"] == pytest.approx((900 - 360) / 900)


def test_never_stopping_is_unknown_where_the_outcome_is() -> None:
    point = curves([sample(feasible=False)], [""], "interval")["t"]["net_benefit"][0]
    assert point["never"] is None
    assert point["cap"] == 0
