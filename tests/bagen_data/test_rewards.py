"""Training rewards: one definition with the scores, and no constant answer pays."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.answers import render
from bagen_data.errors import InputError
from bagen_data.forecasters.learning.predictions import ForecastRequest, predict
from bagen_data.hub import load_samples, splits
from bagen_data.rewards import DENSE, FORECAST_PARTS, PAPER, PARTS, judge
from bagen_data.schema import Estimate, Interval
from bagen_data.scoring import score
from tests.making import SAMPLE, SHARED, build, make_tokenizer, needs_shared

TOKENS = [{"resource": "tokens", "unit": "tokens", "budget": 9e2, "used": 1.0, "remaining": 400.0}]
STATES = ("time_weeks", "warehouse_item_weeks", "cumulative_cost_usd")
Row = Mapping[str, Any]


def test_the_mean_reward_is_the_score_of_that_name() -> None:
    texts = ["[360, 440]", "[1, 2]", "impossible", "impossible", "[380, 900]", "400"]
    labels = [True, True, True, False, False, True]
    samples = [
        {"sample_id": f"t/m/{row}/1", "feasible": label, "resources": TOKENS}
        for row, label in enumerate(labels)
    ]
    answers = [f"<answer>{text}</answer>" for text in texts]
    rows = [
        {"sample_id": sample["sample_id"], "response": answer}
        for sample, answer in zip(samples, answers, strict=True)
    ]
    judged = judge(answers, labels, [TOKENS] * 6)
    scores = score(samples, rows, resamples=0).overall
    assert judged.reward(PAPER).mean() == pytest.approx(scores["rl_reward"].value)
    rates = judged.rates()
    assert rates["valid_rate"] == scores["valid_rate"].value
    assert rates["coverage"] == scores["coverage"].value
    assert rates["impossible_rate"] == pytest.approx(2 / 6)
    assert rates["relative_width"] == pytest.approx((80 / 400 + 1 / 400) / 2)
    assert judged.parts["feasibility"].tolist() == [1, 1, 0, 1, 0, 0]
    assert judged.parts["format"].tolist() == [1, 1, 1, 1, 1, 0]


def test_closeness_is_the_interval_score() -> None:
    """The logarithm, alpha and mean are those of the score; one of the two intervals misses."""
    answers = ["<answer>[360, 440]</answer>", "<answer>[300, 310]</answer>"]
    samples = [
        {"sample_id": f"t/m/{row}/1", "feasible": True, "resources": TOKENS} for row in range(2)
    ]
    rows = [
        {"sample_id": sample["sample_id"], "response": answer}
        for sample, answer in zip(samples, answers, strict=True)
    ]
    parts = judge(answers, [True, True], [TOKENS, TOKENS]).parts["closeness"]
    shown = score(samples, rows, resamples=0).overall["interval_score"].value
    assert 10 * np.log(900) * (1 - parts.mean()) == pytest.approx(shown)


def test_closeness_by_hand() -> None:
    """An interval scores its width, and a miss 10 times its distance; log(900) is left."""
    low, high, missed = np.log(361), np.log(441), np.log(401) - np.log(301)
    parts = judge(
        [f"<answer>{text}</answer>" for text in ("[360, 440]", "[300, 300]", "[900, 900]")]
        + ["<answer>[900000000000, 900000000000]</answer>"],
        [True] * 4,
        [TOKENS] * 4,
    ).parts["closeness"]
    greatest = 10 * np.log(900)  # 899 tokens are left
    above = 1 - 10 * np.log(901 / 401) / greatest
    assert parts == pytest.approx(
        [1 - (high - low) / greatest, 1 - 10 * missed / greatest, above, 0]
    )


@given(st.integers(1, 10**6), st.data())
def test_no_interval_within_the_budget_earns_nothing(left: int, data: st.DataObject) -> None:
    """The worst answer is [0, 0] where everything that is left is spent."""
    remaining = data.draw(st.integers(1, left))
    low = data.draw(st.integers(0, left))
    high = data.draw(st.integers(low, left))
    amounts = [{"resource": "tokens", "budget": left + 5.0, "used": 5.0, "remaining": remaining}]
    part = judge([f"<answer>[{low}, {high}]</answer>"], [True], [amounts]).parts["closeness"][0]
    is_worst = (low, high, remaining) == (0, 0, left)
    assert (part < 1e-12) == is_worst


def test_tasks_of_different_resources_in_one_batch() -> None:
    several = [
        {"resource": name, "unit": "x", "budget": 9.0, "used": 1.0, "remaining": float(n)}
        for n, name in enumerate(STATES, 1)
    ]
    gold = Estimate("feasible", {name: Interval(n, n) for n, name in enumerate(STATES, 1)})
    answers = ["<answer>[400, 400]</answer>", render(gold), "<answer>[1, 2]</answer>"]
    judged = judge(answers, [True, True, True], [TOKENS, several, several])
    assert judged.reward(PAPER).tolist() == [1.8, 1.8, 0.0]
    assert judged.reward(DENSE).tolist() == [2.0, 2.0, 0.0]
    assert judged.is_covered.tolist() == [True, True, False]


def test_of_nothing_there_are_no_rates() -> None:
    assert all(np.isnan(rate) for rate in judge([], [], []).rates().values())


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ({}, "reward of none"),
        ({"intervall": 1.0}, "reward of intervall; expected weights of: format, feasibility"),
        ({"interval": "1"}, "the weight of interval is '1'"),
        ({"interval": True}, "the weight of interval is True"),
        ({"interval": float("nan")}, "expected a finite number"),
    ],
)
def test_weights_that_make_no_reward(weights: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        judge([], [], []).reward(weights)


def test_lengths_that_differ() -> None:
    with pytest.raises(ValueError, match="1 responses, 0 labels, 1 resources and 1 questions"):
        judge([""], [], [TOKENS])


def test_every_part_is_between_0_and_1() -> None:
    texts = ["", "<answer>[0, 1000000000000]</answer>", "<answer>impossible</answer>"]
    for feasible in (True, False):
        judged = judge(texts, [feasible] * 3, [TOKENS] * 3)
        assert judged.parts.keys() == PARTS.keys()
        assert all(((part >= 0) & (part <= 1)).all() for part in judged.parts.values())
        assert all(not judged.parts[name].any() for name in FORECAST_PARTS)


# A reward that a constant answer could win would teach the constant.


def constants(rows: Sequence[Row], learned: Sequence[Row]) -> dict[str, list[str]]:
    """Answers that know nothing of a sample but its budget."""

    def intervals(ends: Mapping[str, tuple[float, float]]) -> str:
        return render(Estimate("feasible", {name: Interval(*end) for name, end in ends.items()}))

    names = [amount["resource"] for amount in rows[0]["resources"]]
    left = [{a["resource"]: a["remaining"] for a in row["resources"]} for row in learned]
    median = {name: float(np.median([each[name] for each in left])) for name in names}
    return {
        "impossible": ["<answer>impossible</answer>"] * len(rows),
        "median": [intervals({name: (median[name],) * 2 for name in names})] * len(rows),
        "to the budget": [
            intervals({a["resource"]: (0, a["budget"]) for a in row["resources"]}) for row in rows
        ],
    }


def with_something_remaining(path: str, config: str, split: str) -> list[Row]:
    rows = load_samples(path, config, split).table.to_pylist()
    return [row for row in rows if any(amount["remaining"] for amount in row["resources"])]


def earned(rows: Sequence[Row], answers: Sequence[str], weights: Mapping[str, float]) -> float:
    """The mean over as many feasible as infeasible samples, as training has them."""
    feasible = np.array([row["feasible"] for row in rows])
    rewards = judge(answers, feasible.tolist(), [row["resources"] for row in rows]).reward(weights)
    return float(np.mean([rewards[mask].mean() for mask in (feasible, ~feasible) if mask.any()]))


@cache
def asked(path: str, task: str, baseline: str) -> tuple[list[Row], dict[str, list[str]]]:
    """A task's benchmark, and what the constants and a baseline answer to it."""
    rows = with_something_remaining(path, task, "test")
    parts = [part for part in ("sft", "rl") if part in splits(path, f"{task}_train")]
    learned = [
        row
        for part in parts
        for row in with_something_remaining(path, f"{task}_train", part)
        if row["feasible"]
    ] or [row for row in rows if row["feasible"]]
    request = ForecastRequest(path, task, "test", baseline, cross_validate=not parts)
    said = {row["sample_id"]: row["response"] for row in predict(request).rows}
    policies = constants(rows, learned)
    policies[baseline] = [said[row["sample_id"]] for row in rows]
    return rows, policies


def rewards_of(
    path: str, task: str, weights: Mapping[str, float], baseline: str = "quantiles"
) -> dict[str, float]:
    """Return the rewards of constants and a baseline on a task's benchmark."""
    rows, policies = asked(path, task, baseline)
    return {name: earned(rows, answers, weights) for name, answers in policies.items()}


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("rewards")
    assert build(SHARED, folder / "out", "--tokenizer", make_tokenizer(folder / "tokenizer")) == 0
    return str(folder / "out")


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("rewards") / "out"
    assert build(SAMPLE, out) == 0
    return str(out)


@pytest.mark.parametrize(
    ("task", "baseline"), [("sokoban", "reward_optimal"), ("searchr1", "quantiles")]
)
def test_no_constant_beats_a_baseline_on_the_sample(bundled: str, task: str, baseline: str) -> None:
    earned_by = rewards_of(bundled, task, DENSE, baseline)
    assert max(earned_by, key=earned_by.__getitem__) == baseline


@needs_shared
@pytest.mark.parametrize("task", ["sokoban", "searchr1", "swebench"])
def test_no_constant_beats_quantiles(recorded: str, task: str) -> None:
    earned_by = rewards_of(recorded, task, DENSE)
    assert max(earned_by, key=earned_by.__getitem__) == "quantiles"
    under_paper = rewards_of(recorded, task, PAPER)
    assert under_paper["quantiles"] >= max(under_paper["median"], under_paper["to the budget"])


def test_an_interval_that_misses_pays_where_most_samples_are_feasible() -> None:
    """The paper's reward never pays it; with 1.8 before `closeness` it pays from a tenth on."""

    def gain(weights: Mapping[str, float], feasible: int) -> float:
        """Return the lead of `[500, 800]` over `impossible` in 100 samples with 400 left."""
        labels = [row < feasible for row in range(100)]
        intervals, stops = (
            judge([f"<answer>{text}</answer>"] * 100, labels, [TOKENS] * 100).reward(weights)
            for text in ("[500, 800]", "impossible")
        )
        return float(intervals.mean() - stops.mean())

    assert gain(DENSE, 50) < 0 < gain(DENSE, 55)
    assert gain(PAPER, 99) < 0
    weights = {"closeness": PAPER["interval"], "impossible": PAPER["impossible"]}
    assert gain(weights, 8) < 0 < gain(weights, 13)


@needs_shared
def test_the_papers_reward_prefers_impossible_to_honest_intervals(recorded: str) -> None:
    """Why RL without SFT collapses, and why there is a dense reward: on Sokoban a central 80%
    interval is so wide that it earns less than `impossible`, said of everything."""
    earned_by = rewards_of(recorded, "sokoban", PAPER)
    assert earned_by["impossible"] == pytest.approx(0.1)
    assert earned_by["quantiles"] < earned_by["impossible"]
