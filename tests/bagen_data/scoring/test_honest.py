"""Properties that hold for any samples and any answers."""

import json
import math
import random

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bagen_data.scoring import SCORES, score
from bagen_data.scoring.interval_formulas import interval_reward
from bagen_data.scoring.sample_table import SampleTable
from bagen_data.versions import BENCHMARK_VERSION
from tests.bagen_data.scoring.scoring_cases import SEVERAL, TOKENS, family, predictions, sample

AMOUNTS = st.floats(0, 1e308)
TRUTHS = st.floats(0, 1e150)
ERRORS = ("brier", "log_score", "success_brier", "curve_brier")
"""Scores of forecasts that count an invalid answer, and are lower where answers are better."""


def two_tasks(seed: int = 0) -> tuple[list[dict[str, object]], list[str]]:
    rng = random.Random(seed)
    rows, responses = family(rng, TOKENS, task="a")
    more, answers = family(rng, SEVERAL, task="b")
    return rows + more, responses + answers


def test_order_of_rows_changes_nothing() -> None:
    rows, responses = two_tasks()
    expected = score(rows, predictions(rows, responses), resamples=50).to_dict()
    rng = random.Random(1)
    for _ in range(3):
        shuffled = rng.sample(rows, len(rows))
        answers = predictions(rows, responses)
        rng.shuffle(answers)
        assert score(shuffled, answers, resamples=50).to_dict() == expected
        assert score(rows, answers, resamples=50).to_dict() == expected


def test_order_changes_nothing_where_rollouts_are_bundled() -> None:
    rng = random.Random(0)
    rows, responses = family(rng, TOKENS, 400)
    expected = score(rows, predictions(rows, responses), resamples=20).to_dict()
    answers = predictions(rows, responses)
    rng.shuffle(rows)
    assert score(rows, answers, resamples=20).to_dict() == expected


def test_values_do_not_depend_on_resampling() -> None:
    rows, responses = two_tasks()
    answers = predictions(rows, responses)
    some, others = score(rows, answers, resamples=0), score(rows, answers, resamples=30, seed=5)
    assert {name: each.value for name, each in some.overall.items()} == {
        name: each.value for name, each in others.overall.items()
    }
    assert all(each.low is None for each in some.overall.values())


def test_nothing_to_take_a_score_over_is_none() -> None:
    rows = [sample(f"t/m/r{n}/2", feasible=False, total_turns=3) for n in range(4)]
    overall = score(rows, predictions(rows, ["<answer>[1, 2]</answer>"] * 4)).overall
    empty = {name for name, each in overall.items() if each.n == 0}
    assert {name for name, each in overall.items() if each.value is None} == empty
    assert {"macro_f1_first_turn", "recall_feasible", "hit_rate", "coverage", "reward"} <= empty
    assert overall["recall_infeasible"].value == 0
    assert overall["first_alarm"].n == 0


@pytest.mark.parametrize("seed", range(40))
def test_an_invalid_answer_that_is_added_raises_no_score(seed: int) -> None:
    rng = random.Random(seed)
    rows, responses = family(rng, [TOKENS, SEVERAL][seed % 2], rng.randint(2, 12))
    for position in rng.sample(range(len(rows)), min(8, len(rows))):
        rest = [n for n in range(len(rows)) if n != position]
        before = score(
            [rows[n] for n in rest],
            predictions([rows[n] for n in rest], [responses[n] for n in rest]),
            resamples=0,
        )
        answers = [*responses[:position], "no answer", *responses[position + 1 :]]
        after = score(rows, predictions(rows, answers), resamples=0)
        for name, earlier in before.overall.items():
            if name == "extrapolation_mre_p50":  # no score of answers, but of what there is beside
                continue
            if SCORES[name].better == "neither":
                continue
            value = after.overall[name].value
            if name in ERRORS and earlier.value is not None and value is not None:
                assert value >= earlier.value - 1e-12, name
            elif earlier.value is not None and value is not None:
                # who never stops has a net benefit of 0, which is better than a negative one
                most = max(earlier.value, 0) if name == "net_benefit" else earlier.value
                assert value <= most + 1e-12, name


@given(low=AMOUNTS, high=AMOUNTS, remaining=AMOUNTS, more=st.tuples(AMOUNTS, AMOUNTS))
def test_widening_a_covering_interval_never_raises_the_reward(
    low: float, high: float, remaining: float, more: tuple[float, float]
) -> None:
    low, remaining, high = sorted((low, remaining, high))
    wider = max(0.0, low - more[0]), min(1.7e308, high + min(more[1], 1.7e308 - high))

    def reward(low: float, high: float) -> float:
        columns = (np.array([[value]]) for value in (low, high, remaining))
        return float(interval_reward(*columns)[0])

    assert 0 <= reward(*wider) <= reward(low, high) <= 1


@settings(max_examples=50)
@example([(0.0, 0.0, 5e-324, True), (0.0, 1.0, 0.0, True)])
@given(st.lists(st.tuples(AMOUNTS, AMOUNTS, TRUTHS, st.booleans()), min_size=1, max_size=6))
def test_any_finite_amounts_give_scores_that_json_can_hold(
    cases: list[tuple[float, float, float, bool]],
) -> None:
    rows, responses = [], []
    for number, (one, other, remaining, feasible) in enumerate(cases):
        low, high = sorted((one, other))
        rows.append(
            sample(f"t/m/r{number}/1", feasible=feasible, remaining=remaining, total_turns=3)
        )
        responses.append(f"<answer>[{low:f}, {high:f}]</answer>")
    report = score(rows, predictions(rows, responses), resamples=10)
    json.dumps(report.to_dict(), allow_nan=False)


def test_a_report_says_its_version_and_every_score_with_its_n() -> None:
    rows, responses = two_tasks()
    record = score(rows, predictions(rows, responses), resamples=20).to_dict()
    assert record["benchmark_version"] == BENCHMARK_VERSION
    assert set(record["tasks"]) == {"a", "b"}
    assert set(record["families"]) == {"a/m", "b/m"}
    for group in (record["overall"], *record["tasks"].values(), *record["families"].values()):
        assert list(group) == list(SCORES)
        for entry in group.values():
            assert list(entry) == ["value", "n", "low", "high"]
    with_intervals = [each for each in record["overall"].values() if each["low"] is not None]
    assert len(with_intervals) > len(SCORES) / 2
    for entry in with_intervals:
        assert entry["low"] <= entry["value"] <= entry["high"]


def test_a_table_for_pandas() -> None:
    rows, responses = two_tasks()
    report = score(rows, predictions(rows, responses), resamples=0)
    frame = report.to_pandas().set_index(["level", "group", "score"])
    assert len(frame) == 5 * len(SCORES)
    value = frame.loc[("family", "a/m", "accuracy"), "value"]
    assert value == report.families["a/m"]["accuracy"].value
    empty = score([sample()], predictions([sample()], [""])).to_pandas()
    assert math.isnan(empty.set_index("score").loc["coverage", "value"].iloc[0])


def test_one_rollout_has_no_interval() -> None:
    rows = [sample("t/m/r/1"), sample("t/m/r/2")]
    report = score(rows, predictions(rows, ["<answer>[400, 410]</answer>"] * 2))
    assert report.overall["reward"].value == pytest.approx(0.975)
    assert report.overall["reward"].low is None


def test_ties_do_not_depend_on_the_order_of_rows() -> None:
    rows, responses = [], []
    for number in range(200):
        rows.append(sample(f"t/m/r{number:03}/1", remaining=100 * (1 + number % 3)))
        responses.append("<answer>[150, 150]</answer>")
    answers = predictions(rows, responses)
    expected = score(rows, answers, resamples=200).to_dict()
    rng = random.Random(0)
    for _ in range(5):
        rng.shuffle(rows)
        assert score(rows, answers, resamples=200).to_dict() == expected


def test_rollouts_in_the_order_of_a_file_are_read_as_they_come() -> None:
    """Ids are hashes: sorted by nothing, and each rollout's rows together."""
    rng = random.Random(4)
    rows, responses = family(rng, TOKENS, 60)
    by_rollout: dict[str, list[int]] = {}
    for position, row in enumerate(rows):
        by_rollout.setdefault(row["rollout_id"], []).append(position)
    shuffled = [position for each in rng.sample(list(by_rollout.values()), 60) for position in each]
    expected = score(rows, predictions(rows, responses), resamples=50).to_dict()
    some = [rows[n] for n in shuffled]
    answers = predictions(some, [responses[n] for n in shuffled])
    assert score(some, answers, resamples=50).to_dict() == expected
    [only_family] = SampleTable.of(some).families
    assert only_family.rows == slice(0, len(rows))


def test_a_family_of_which_little_is_known_makes_the_interval_wide() -> None:
    """Two of 64 rollouts are feasible in one family: one resample in eight has none of them.

    Such a resample has the mean of the other families, as simulations support.
    """
    rows, responses = [], []
    for model, feasible in (("a", 2), ("b", 64)):
        for number in range(64):
            rows.append(sample(f"t/{model}/r{number}/1", feasible=number < feasible))
            hit = model == "a" or number < 8
            responses.append(f"<answer>[{400 if hit else 500}, 500]</answer>")
    hit_rate = score(rows, predictions(rows, responses)).overall["hit_rate"]
    assert hit_rate.value == 0.5625
    assert hit_rate.low is not None
    assert hit_rate.high is not None
    assert 0 < hit_rate.low < 0.2
    assert 0.5625 < hit_rate.high < 0.65


def test_many_small_families_have_an_interval_all_the_same() -> None:
    """Sixty families with instances of their own: every resample leaves some without a value."""
    rows, responses = [], []
    for model in range(60):
        for number in range(2):
            rows.append(sample(f"t/m{model}/r{model}-{number}/1", feasible=number == 0))
            responses.append(f"<answer>[{400 if model % 3 else 500}, 500]</answer>")
    hit_rate = score(rows, predictions(rows, responses)).overall["hit_rate"]
    assert hit_rate.value == pytest.approx(2 / 3)
    assert hit_rate.low is not None
    assert hit_rate.high is not None
    assert 0.45 < hit_rate.low < 0.6
    assert 0.72 < hit_rate.high < 0.9


def test_what_one_rollout_saves_has_no_interval_even_beside_others() -> None:
    rows, responses = [], []
    for number in range(30):
        rows.append(sample(f"w/m/r{number}/1", feasible=False, remaining=[300, 300, 300]))
        responses.append("<answer>impossible</answer>" if number % 3 else "")
    rows.append(sample("t/m/r/1", feasible=False))
    responses.append("<answer>impossible</answer>")
    report = score(rows, predictions(rows, responses))
    warehouse, tokens = 0.6 * 2 / 3, 400 / 600
    assert report.tasks["w"]["saved_rate"].value == pytest.approx(warehouse)
    assert report.tasks["w"]["saved_rate"].low is not None
    assert report.overall["saved_rate"].value == pytest.approx((warehouse + tokens) / 2)
    assert report.overall["saved_rate"].low is None
    assert report.overall["stopped_failed"].low is None
    assert report.overall["hit_rate"].value is None
    assert report.overall["accuracy"].low is None
