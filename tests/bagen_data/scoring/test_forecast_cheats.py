"""Forecasts that were made to earn something, and do not. Each test is named after its cheat.

A thousand rollouts of one family: half of them are easy to foresee. The honest forecaster knows the
distribution each rollout was drawn from, and the reference only that of all.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from bagen_data.scoring import Report, score
from bagen_data.scoring.scores import forecasts

ROLLOUTS = 1_000
BUDGET = 2_000.0
LEVELS = np.array([-1.2816, -0.6745, 0, 0.6745, 1.2816])
"""Standard normal quantiles of a forecast."""
SKILLS = ("brier_skill", "wis_skill", "curve_skill")
ERRORS = ("brier", "log_score", "success_brier", "curve_brier")


def rollouts() -> list[dict[str, Any]]:
    """Return a sample for each rollout, with what an honest forecaster knows of it."""
    rng = np.random.default_rng(0)
    cases = []
    for number in range(ROLLOUTS):
        is_easy = number % 2 == 0
        center, spread = rng.normal(7, 0.8), 0.1 if is_easy else 0.7
        success = rng.choice([0.97, 0.03]) if is_easy else rng.uniform(0.3, 0.7)
        remaining = float(np.expm1(max(0, rng.normal(center, spread))))
        is_success = bool(rng.random() < success)
        draws = np.expm1(rng.normal(center, spread, 2_000))
        finish = float(success * (draws <= BUDGET - 100).mean())
        cases.append(
            {
                "is_easy": is_easy,
                "finish": finish,
                "success": float(success),
                "quantiles": np.expm1(np.maximum(center + spread * LEVELS, 0)).tolist(),
                "sample": {
                    "sample_id": f"t/m/r{number:04}/1",
                    "feasible": is_success and 100 + remaining <= BUDGET,
                    "rollout_success": is_success,
                    "total_turns": 2,
                    "resources": [
                        {
                            "resource": "tokens",
                            "budget": BUDGET,
                            "used": 100.0,
                            "remaining": remaining,
                        }
                    ],
                },
            }
        )
    return cases


CASES = rollouts()
REFERENCE = [
    {
        "sample_id": case["sample"]["sample_id"],
        "finish": 0.4,
        "success": 0.5,
        "resources": [{"resource": "tokens", "quantiles": np.expm1(7 + 0.95 * LEVELS).tolist()}],
    }
    for case in CASES
]


def said(finish: float, success: float, quantiles: list[float]) -> str:
    numbers = ", ".join(f"{quantile:.6f}" for quantile in quantiles)
    return f"<answer>finish={finish:.6f}, success={success:.6f}, tokens=[{numbers}]</answer>"


def honest(case: dict[str, Any]) -> str:
    return said(case["finish"], case["success"], case["quantiles"])


def honest_except(left_out: set[str], case: dict[str, Any]) -> str:
    return "" if case["sample"]["sample_id"] in left_out else honest(case)


def scored(answer: Callable[[dict[str, Any]], str]) -> Report:
    samples = [case["sample"] for case in CASES]
    answers = [
        {"sample_id": case["sample"]["sample_id"], "response": answer(case)} for case in CASES
    ]
    return score(samples, answers, reference=REFERENCE, question="forecast", resamples=20)


HONEST = scored(honest).overall


def assert_worse(answer: Callable[[dict[str, Any]], str], *, than_nothing: bool = False) -> None:
    """Every proper score is worse than the honest forecast's, by much, and finite."""
    scores = scored(answer).overall
    for name in (*SKILLS, *ERRORS, "wis"):
        own, others = scores[name].value, HONEST[name].value
        assert own is not None, name
        assert others is not None, name
        assert np.isfinite(own), name
        assert scores[name].n == HONEST[name].n, name
        gain = own - others if name in SKILLS else others - own
        assert gain <= 1e-9, name
    if than_nothing:
        assert all((scores[name].value or 0) < 0 for name in SKILLS)


def test_the_honest_forecaster_is_better_than_the_reference() -> None:
    assert all((HONEST[name].value or 0) > 0.1 for name in SKILLS)
    assert HONEST["coverage_80"].value == pytest.approx(0.8, abs=0.05)
    assert HONEST["coverage_50"].value == pytest.approx(0.5, abs=0.06)


def test_abstaining_by_invalid_answers() -> None:
    """Whoever leaves a question open scores the worst there is, and twice the reference's error."""
    assert_worse(lambda _: "", than_nothing=True)
    scores = scored(lambda _: "").overall
    assert scores["wis_skill"].value == pytest.approx(1 - forecasts.WORST_WIS)
    assert (
        scores["brier"].value == scores["success_brier"].value == scores["curve_brier"].value == 1
    )
    assert scores["log_score"].value == pytest.approx(-np.log(0.001))
    assert scores["coverage_80"].value == scores["coverage_50"].value == 0


def test_answering_only_easy_probes() -> None:
    assert_worse(lambda case: honest(case) if case["is_easy"] else "")
    assert_worse(lambda case: honest(case) if case["is_easy"] else "<answer>impossible</answer>")


def test_leaving_some_probes_out() -> None:
    """An invalid answer costs something wherever the reference errs."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        left_out = set(rng.choice(ROLLOUTS, 50, replace=False).tolist())
        names = {CASES[number]["sample"]["sample_id"] for number in left_out}
        assert_worse(partial(honest_except, names))


def test_quantiles_from_0_to_the_largest_number() -> None:
    widest = [0.0, 0.0, 1000.0, 1e308, 1e308]
    assert_worse(lambda case: said(case["finish"], case["success"], widest))
    assert_worse(lambda case: said(case["finish"], case["success"], [0.0] * 5))
    assert_worse(lambda case: said(case["finish"], case["success"], [1e308] * 5))
    scores = scored(lambda case: said(case["finish"], case["success"], widest)).overall
    assert scores["coverage_80"].value == 1
    assert (scores["wis_skill"].value or 0) < -10


def test_one_half_everywhere() -> None:
    """A forecast of one half says nothing, and earns what saying nothing is worth."""
    assert_worse(lambda case: said(0.5, 0.5, case["quantiles"]))
    scores = scored(lambda case: said(0.5, 0.5, case["quantiles"])).overall
    assert scores["brier"].value == 0.25
    assert scores["success_brier"].value == 0.25
    assert scores["log_score"].value == pytest.approx(np.log(2))


@pytest.mark.parametrize("chance", [0, 1])
def test_always_sure(chance: float) -> None:
    assert_worse(lambda case: said(chance, chance, case["quantiles"]))


def test_sure_of_what_is_likely() -> None:
    def sure(case: dict[str, Any]) -> str:
        return said(round(case["finish"]), 1.0, case["quantiles"])

    assert_worse(sure)


def test_quantiles_that_are_all_the_same() -> None:
    assert_worse(lambda case: said(case["finish"], case["success"], [case["quantiles"][2]] * 5))
    report = scored(lambda case: said(case["finish"], case["success"], [case["quantiles"][2]] * 5))
    assert (report.overall["coverage_80"].value or 0) < 0.01


def test_intervals_have_no_share_in_the_scores_of_amounts() -> None:
    """Whoever answers the paper's question is compared by yes and no only."""
    samples = [case["sample"] for case in CASES]
    answers = [
        {"sample_id": row["sample_id"], "response": "<answer>[1, 2]</answer>"} for row in samples
    ]
    scores = score(samples, answers, reference=REFERENCE, resamples=0).overall
    assert scores["brier"].value is not None
    assert scores["brier_skill"].value is not None
    assert (scores["brier_skill"].value or 0) < (HONEST["brier_skill"].value or 0)
    unknown = ("log_score", "success_brier", "wis", "coverage_80", "coverage_50", "curve_brier")
    for name in (*unknown, "wis_skill", "curve_skill"):
        assert (scores[name].value, scores[name].n) == (None, 0), name
