"""Two estimators on the same samples."""

import itertools
import json
import random

import numpy as np
import pytest

from bagen_data.errors import InputError
from bagen_data.scoring import compare, score
from tests.bagen_data.scoring.scoring_cases import (
    SEVERAL,
    TOKENS,
    family,
    predictions,
    response,
    sample,
)


def test_the_reports_are_those_of_each() -> None:
    rng = random.Random(0)
    rows, one = family(rng, SEVERAL)
    other = [response(rng, row["resources"]) for row in rows]
    comparison = compare(rows, predictions(rows, one), predictions(rows, other), resamples=50)
    assert comparison.first == score(rows, predictions(rows, one), resamples=50)
    assert comparison.second == score(rows, predictions(rows, other), resamples=50)
    for name, difference in comparison.overall.items():
        if difference.first is not None and difference.second is not None:
            assert difference.difference == difference.first - difference.second, name
            if difference.low is not None and difference.high is not None:
                assert difference.low <= difference.high
    assert comparison.overall["accuracy"].low is not None
    json.dumps(comparison.to_dict(), allow_nan=False)


def test_an_estimator_does_not_differ_from_itself() -> None:
    rows, answers = family(random.Random(1))
    comparison = compare(
        rows, predictions(rows, answers), predictions(rows, answers), resamples=100
    )
    for difference in comparison.overall.values():
        if difference.difference is not None:
            assert difference.difference == 0
            assert (difference.low, difference.high, difference.p) in (
                (0, 0, 1),
                (None, None, None),
            )
    assert comparison.overall["accuracy"].p == 1


def test_pairing_by_sample_sees_a_small_difference() -> None:
    """Both fail on the same hard rollouts; one is better by a little everywhere."""
    rng = random.Random(2)
    rows, one, other = [], [], []
    for rollout in range(100):
        width = rng.uniform(0, 300)
        for k in range(1, 4):
            rows.append(sample(f"t/m/r{rollout}/{k}"))
            one.append(f"<answer>[{400 - width / 2:f}, {400 + width / 2:f}]</answer>")
            other.append(f"<answer>[{399 - width / 2:f}, {401 + width / 2:f}]</answer>")
    comparison = compare(rows, predictions(rows, one), predictions(rows, other))
    difference = comparison.overall["reward"]
    assert difference.difference == pytest.approx(2 / 400)
    assert difference.low == pytest.approx(2 / 400)
    assert difference.p is not None
    assert difference.p < 0.01
    alone = comparison.first.overall["reward"]
    assert alone.high is not None
    assert alone.low is not None
    assert alone.high - alone.low > 10 * (2 / 400)


def test_interval_scores_are_compared_where_both_answered() -> None:
    rows = [sample(f"t/m/r{number}/1", remaining=100 * (number + 1)) for number in range(6)]
    exact = [f"<answer>[{100 * (n + 1)}, {100 * (n + 1)}]</answer>" for n in range(6)]
    careful = [*exact[:3], *["<answer>impossible</answer>"] * 3]
    bold = [*exact[:2], *["<answer>[0, 9000]</answer>"] * 4]
    comparison = compare(rows, predictions(rows, careful), predictions(rows, bold), resamples=20)
    shared = comparison.overall["interval_score_shared"]
    assert (shared.n_first, shared.n_second) == (3, 3)
    coverage = comparison.overall["coverage"]
    assert (coverage.n_first, coverage.n_second) == (3, 6)
    assert shared.first == 0
    assert shared.second == pytest.approx(np.log1p(9000) / 3)
    assert comparison.overall["interval_score"].second == pytest.approx(4 * np.log1p(9000) / 6)
    assert "interval_score_shared" not in comparison.first.overall


def test_predictions_in_any_order() -> None:
    rng = random.Random(3)
    rows, one = family(rng, TOKENS)
    other = [response(rng, row["resources"]) for row in rows]
    expected = compare(rows, predictions(rows, one), predictions(rows, other), resamples=20)
    first, second = predictions(rows, one), predictions(rows, other)
    rng.shuffle(second)
    assert compare(rows, first, second, resamples=20) == expected
    rng.shuffle(first)
    assert compare(rows, first, second, resamples=20) == expected


def test_errors_say_which_predictions() -> None:
    rows = [sample()]
    with pytest.raises(InputError, match=r"^second: no column 'response'"):
        compare(rows, predictions(rows, [""]), [{"sample_id": "t/m/r/1"}])


def test_shared_samples_are_found_where_some_are_not_answered() -> None:
    rows = [sample(f"t/m/r{n}/1", feasible=n > 2, remaining=100 * (n + 1)) for n in range(8)]
    one = ["<answer>impossible</answer>"] * 5 + ["<answer>[0, 9000]</answer>"] * 3
    other = ["<answer>[0, 9000]</answer>"] * 6 + ["<answer>impossible</answer>"] * 2
    shared = compare(rows, predictions(rows, one), predictions(rows, other), resamples=9).overall[
        "interval_score_shared"
    ]
    assert (shared.n_first, shared.n_second) == (1, 1)
    assert shared.first == shared.second == pytest.approx(np.log1p(9000))


def test_means_are_compared_over_families_that_both_answered() -> None:
    rows = [sample(f"t/{model}/r{n}/1") for model in "ab" for n in range(10)]
    same = ["<answer>[400, 410]</answer>", "<answer>[500, 600]</answer>"] * 5
    first = ["<answer>impossible</answer>"] * 10 + same
    second = ["<answer>[500, 600]</answer>"] * 10 + same
    comparison = compare(rows, predictions(rows, first), predictions(rows, second), resamples=50)
    assert comparison.first.overall["coverage"].value == 0.5
    assert comparison.second.overall["coverage"].value == 0.25
    difference = comparison.overall["coverage"]
    assert (difference.first, difference.second, difference.difference) == (0.5, 0.5, 0)
    assert difference.p == 1
    assert comparison.overall["hit_rate"].difference == 0


def test_p_values_are_uniform_where_there_is_no_difference() -> None:
    """A share of 0.1 has a standard error of 0.02 over 240 studies.

    Each study is a task of its own, and draws its own instances; so 20 are compared at once.
    """
    rng = random.Random(0)
    p_values: list[float] = []
    for number in range(12):
        rows, answers = [], ([], [])
        for task, rollout in itertools.product(range(20), range(40)):
            feasible = rng.random() < 0.5
            skill = rng.random()
            for k in range(1, 5):
                rows.append(sample(f"t{task}/m/r{rollout}/{k}", feasible=feasible))
                for each in answers:
                    right = rng.random() < skill
                    says = "[1, 2]" if right == feasible else "impossible"
                    each.append(f"<answer>{says}</answer>")
        both = (predictions(rows, each) for each in answers)
        differences = compare(rows, *both, resamples=200, seed=number).tasks.values()
        p_values += [p for each in differences if (p := each["accuracy"].p) is not None]
    assert len(p_values) == 240
    assert 0.06 <= np.mean(np.array(p_values) <= 0.1) <= 0.15


def test_differences_of_fewer_than_ten_instances_have_no_interval_and_no_p() -> None:
    rows = [sample(f"t/m/r{n}/1", feasible=n < 9) for n in range(12)]
    first = ["<answer>[300, 500]</answer>", "<answer>impossible</answer>"] * 6
    second = ["<answer>[300, 500]</answer>"] * 12
    differences = compare(
        rows, predictions(rows, first), predictions(rows, second), resamples=50
    ).overall
    assert differences["accuracy"].low is not None
    assert differences["accuracy"].p is not None
    hit_rate = differences["hit_rate"]
    assert hit_rate.difference == pytest.approx(5 / 9 - 1)
    assert (hit_rate.low, hit_rate.high, hit_rate.p) == (None, None, None)


def test_p_agrees_with_the_interval() -> None:
    """An interval holds 0 if p is above 0.05; at few instances by Student's t."""
    rng = random.Random(4)
    rows, answers = [], ([], [])
    for number in range(40):
        skills = (0.6, rng.choice([0.6, 0.8]))
        own = [sample(f"t{number}/m/r{n}/1", feasible=rng.random() < 0.5) for n in range(14)]
        for each, skill in zip(answers, skills, strict=True):
            each += [
                "<answer>[1, 2]</answer>"
                if row["feasible"] == (rng.random() < skill)
                else "<answer>impossible</answer>"
                for row in own
            ]
        rows += own
    both = (predictions(rows, each) for each in answers)
    sure = 0
    for group in compare(rows, *both, resamples=999).tasks.values():
        difference = group["accuracy"]
        assert difference.low is not None
        assert difference.high is not None
        assert difference.p is not None
        if difference.p > 0.06:
            assert difference.low <= 0 <= difference.high
        if difference.p < 0.04:
            assert not difference.low < 0 < difference.high
            sure += 1
    assert 0 < sure < 40
