"""Intervals over seeds and instances, retention, and scores of one resource alone."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from bagen_data.errors import InputError
from bagen_data.scoring.measure import Measured
from bagen_data.scoring.resampling import percentile_interval
from train.measured_rows import MeasuredAnswers
from train.sweeps.seed_intervals import over_seeds, retained, row_over_seeds

INSTANCES = 40
RNG = np.random.default_rng(0)
WEIGHTS = RNG.multinomial(INSTANCES, [1 / INSTANCES] * INSTANCES, 4000) / INSTANCES


def measured(by_instance: Any) -> Measured:
    """The mean of one number an instance, resampled by instance."""
    values = np.concatenate([[by_instance.mean()], WEIGHTS @ by_instance])
    return Measured(values, INSTANCES, np.ones(INSTANCES, bool))


def test_seeds_that_agree_have_the_interval_of_instances() -> None:
    one = measured(RNG.normal(0, 1, INSTANCES))
    low, high = percentile_interval(one.values[1:], INSTANCES) or (0, 0)
    score = over_seeds([one, one, one], "row").score()
    assert score.value == pytest.approx(one.values[0])
    assert [score.low, score.high] == pytest.approx([low, high], abs=0.03)


def test_instances_that_agree_have_the_interval_of_seeds() -> None:
    """Student's: mean +- t s / sqrt(3), t = 4.303 for two degrees of freedom."""
    seeds = [0.2, 0.5, 0.4]
    score = over_seeds([measured(np.full(INSTANCES, each)) for each in seeds], "row").score()
    half = 4.303 * np.std(seeds, ddof=1) / math.sqrt(3)
    assert score.value == pytest.approx(np.mean(seeds))
    assert (score.high or 0) - (score.low or 0) == pytest.approx(2 * half, rel=0.15)


def test_few_seeds_or_instances_have_no_interval() -> None:
    one, other = (measured(RNG.normal(0, 1, INSTANCES)) for _ in range(2))
    assert over_seeds([one, other], "row").score().low is None
    assert over_seeds([one], "row").score().low is not None
    few = Measured(one.values, 9, np.ones(9, bool))
    assert over_seeds([few] * 3, "row").score().low is None
    nothing = one.without_values()
    assert over_seeds([nothing] * 3, "row").score().value is None
    partly = over_seeds([one, nothing, nothing], "row").score()
    assert partly.value == pytest.approx(one.values[0])
    assert partly.low is None


def test_retention_is_paired() -> None:
    """A model that earns half of the other's on every instance retains half, for certain."""
    own = measured(RNG.uniform(0.1, 1, INSTANCES))
    half = Measured(own.values / 2, own.n, own.contributes)
    score = retained(over_seeds([half], "a"), over_seeds([own], "b"))
    assert [score.value, score.low, score.high] == pytest.approx([0.5] * 3)


def test_retention_of_what_may_be_nothing_has_no_interval() -> None:
    """The other estimator earns something on two instances of 40, which 13% of resamples lack."""
    rare = np.zeros(INSTANCES)
    rare[:2] = 1.0
    own, moved = over_seeds([measured(rare)], "a"), over_seeds([measured(rare / 2)], "b")
    assert (own.draws[1:] <= 0).mean() > 0.1
    score = retained(moved, own)
    assert (score.value, score.low, score.high) == (0.5, None, None)
    nothing = over_seeds([measured(np.zeros(INSTANCES))], "c")
    assert retained(own, nothing).value is None
    assert retained(nothing, own).value == 0
    missing = over_seeds([measured(rare).without_values()], "d")
    assert retained(own, missing).value is None
    assert retained(missing, own).value is None


@pytest.mark.parametrize(
    ("name", "seeds", "bound"),
    [("rl_reward_balanced", [0.0, 0.02, 0.3], 0), ("hit_rate", [0.99, 1, 0.7], 1)],
)
def test_intervals_stay_within_what_a_score_can_be(
    name: str, seeds: list[float], bound: int
) -> None:
    runs = [{name: measured(np.full(INSTANCES, each))} for each in seeds]
    score = row_over_seeds(runs, [name], "row")[name].score()
    assert bound in (score.low, score.high)


def amount(name: str, remaining: float) -> dict[str, Any]:
    return {"resource": name, "budget": 90.0, "used": 10.0, "remaining": remaining}


def test_one_resource_of_several_is_scored() -> None:
    """Both costs are covered, and one of two times: the sample is feasible by both budgets."""
    samples = pa.Table.from_pylist(
        [
            {
                "sample_id": f"shop/m/{place}/1",
                "feasible": True,
                "resources": [amount("time", 20.0), amount("cost", 40.0)],
            }
            for place in range(2)
        ]
    )
    texts = [f"<answer>time:[{low}, 30], cost:[40, 40]</answer>" for low in (10, 25)]
    rows = [
        {"sample_id": f"shop/m/{place}/1", "response": text} for place, text in enumerate(texts)
    ]

    def hit_rate(resource: str | None) -> float:
        scores = MeasuredAnswers.of(samples, rows, "interval", resource).measured(0)
        return float(scores["hit_rate"].values[0])

    assert [hit_rate(each) for each in (None, "time", "cost")] == [0.5, 0.5, 1.0]
    kept = list(MeasuredAnswers.of(samples, rows, "interval", "cost").sample_scores())
    assert [row["covered"] for row in kept] == [True, True]
    assert [row["reward"] for row in kept] == [1.0, 1.0]
    with pytest.raises(InputError, match="shop does not spend money; expected one of: time, cost"):
        hit_rate("money")
