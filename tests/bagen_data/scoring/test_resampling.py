"""Error bars: instances are drawn, and the bars hold what they promise."""

import random
from typing import Any

import numpy as np
import pytest
from scipy import stats

from bagen_data.scoring import Score, score
from bagen_data.scoring.resampling import (
    Resampling,
    expanded_p,
    percentile_interval,
    resampled_quantiles,
)
from bagen_data.scoring.sample_table import SampleTable
from tests.bagen_data.scoring.scoring_cases import predictions, sample

ROLLOUTS, TURNS = 60, 8
RATE = 0.6
"""Share of samples that an estimator gets right in truth."""


def study(rng: random.Random, task: str) -> tuple[list[dict[str, Any]], list[str]]:
    """Rollouts of which an estimator understands some well, and others not at all.

    What it says is right with a probability of the rollout's own, whose mean is RATE.
    """
    rows, responses = [], []
    for rollout in range(ROLLOUTS):
        feasible = rng.random() < 0.5
        skill = rng.betavariate(0.6, 0.4)
        for k in range(1, TURNS + 1):
            rows.append(sample(f"{task}/m/r{rollout}/{k}", feasible=feasible))
            says_feasible = feasible == (rng.random() < skill)
            responses.append(
                "<answer>[1, 2]</answer>" if says_feasible else "<answer>impossible</answer>"
            )
    return rows, responses


def share_covered(studies: int, rowwise: bool) -> float:
    """The share of studies with a 95% interval of the accuracy that covers RATE.

    Each study is a task of its own, and draws its own instances; so 20 are scored at once.
    """
    rng = random.Random(0)
    covered = 0
    for _ in range(studies // 20):
        rows, responses = [], []
        for number in range(20):
            own_rows, own_responses = study(rng, f"t{number}")
            rows += own_rows
            responses += own_responses
        if rowwise:  # as if every sample were a rollout of its own
            rows = [
                row | {"sample_id": f"{row['sample_id'].split('/')[0]}/m/s{position}/1"}
                for position, row in enumerate(rows)
            ]
        report = score(rows, predictions(rows, responses), resamples=300, seed=rng.randrange(1000))
        covered += sum(covers(group["accuracy"], RATE) for group in report.tasks.values())
    return covered / studies


def covers(score: Score, truth: float) -> bool:
    assert score.low is not None
    assert score.high is not None
    return score.low <= truth <= score.high


def test_intervals_of_correlated_rollouts_cover_as_often_as_they_say() -> None:
    """The standard error of the share is 0.015."""
    assert 0.92 <= share_covered(200, rowwise=False) <= 0.98


def test_intervals_that_draw_rows_do_not() -> None:
    """The share is about 0.6, with a standard error of 0.06."""
    assert share_covered(60, rowwise=True) < 0.85


def estimates(
    rng: random.Random, rollouts: int = ROLLOUTS
) -> tuple[list[dict[str, Any]], list[str]]:
    """Three families of two tasks, as many rollouts as the paper's, each with a bias of its own."""
    rows, responses = [], []
    for name in ("a/m", "a/n", "b/m"):
        for rollout in range(rollouts):
            feasible, bias = rng.random() < 0.5, rng.lognormvariate(0, 0.3)
            gives_up = rng.random() * (0.4 if feasible else 1)
            for k in range(1, TURNS + 1):
                rows.append(sample(f"{name}/r{rollout}/{k}", feasible=feasible))
                middle = 400 * bias * rng.lognormvariate(0, 0.1)
                says = f"[{0.8 * middle:f}, {1.25 * middle:f}]"
                says = "impossible" if rng.random() < gives_up else says
                responses.append(f"<answer>{says}</answer>")
    return rows, responses


def test_intervals_of_other_scores_and_of_means_cover_too() -> None:
    """The standard error of a share is 0.02."""
    rng = random.Random(1)
    names = ("fail_f1", "hit_rate", "reward", "mre_p50", "saved_rate")
    # What the scores come to with so many more rollouts that their error is small.
    many = score(*_predicted(estimates(rng, 100 * ROLLOUTS)), resamples=0).overall
    truth = {name: many[name].value or 0 for name in names}
    covered = dict.fromkeys(names, 0)
    studies = 120
    for number in range(studies):
        scores = score(*_predicted(estimates(rng)), resamples=300, seed=number).overall
        for name in names:
            covered[name] += covers(scores[name], truth[name])
    for name in names:
        assert 0.9 <= covered[name] / studies <= 0.99, name


def _predicted(
    made: tuple[list[dict[str, Any]], list[str]],
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    return made[0], predictions(*made)


def test_bundles_are_put_together_at_random() -> None:
    """Rollouts that are alike have ids that are alike, and must not be drawn together."""
    [family] = SampleTable.of([sample(f"t/m/r{number:04}/1") for number in range(1000)]).families
    cluster_of = Resampling().draws([family])["t"].clusters_of(family.instance)
    assert (np.diff(cluster_of) == 0).mean() < 0.02


def test_a_percentile_interval_holds_95_percent() -> None:
    low, high = percentile_interval(np.arange(10_001.0), instances=20_000) or (0, 0)
    assert (round(low), round(high)) == (250, 9750)
    assert percentile_interval(np.array([np.nan, np.nan]), instances=20_000) is None


@pytest.mark.parametrize("instances", [10, 11, 16, 30, 257, 1000])
def test_percentiles_are_expanded_by_students_t(instances: int) -> None:
    replicates = np.random.default_rng(0).permutation(np.arange(1_000_001.0))
    low, high = percentile_interval(replicates, instances) or (0, 0)
    t = stats.t.ppf(0.975, instances - 1)
    expected = 1e6 * stats.norm.cdf(-((instances / (instances - 1)) ** 0.5) * t)
    assert low == pytest.approx(expected, rel=1e-9)
    assert high == pytest.approx(1e6 - expected, rel=1e-9)


def test_fewer_than_ten_instances_have_no_interval() -> None:
    replicates = np.arange(1000.0)
    assert percentile_interval(replicates, instances=9) is None
    assert percentile_interval(replicates, instances=10) is not None


@pytest.mark.parametrize("tail", [0.001, 0.01, 0.025, 0.2])
@pytest.mark.parametrize("instances", [10, 30, 500])
def test_p_is_that_of_the_interval_that_just_holds_0(tail: float, instances: int) -> None:
    t = -stats.norm.ppf(tail) * ((instances - 1) / instances) ** 0.5
    assert expanded_p(tail, instances) == pytest.approx(2 * stats.t.sf(t, instances - 1))


@pytest.mark.parametrize("instances", [9, 10])
def test_only_instances_that_a_score_is_taken_over_count(instances: int) -> None:
    """Two families each have some of the feasible instances, and many infeasible ones."""
    rows = [
        sample(f"t/{model}/r{number:02}/1", feasible=number < instances and number % 2 == half)
        for half, model in enumerate("mn")
        for number in range(40)
    ]
    report = score(rows, predictions(rows, ["<answer>[1, 2]</answer>"] * 80), resamples=20)
    assert report.tasks["t"]["accuracy"].low is not None
    assert report.families["t/m"]["hit_rate"].low is None
    assert (report.tasks["t"]["hit_rate"].low is None) == (instances < 10)
    assert (report.overall["hit_rate"].low is None) == (instances < 10)


def test_overall_the_instances_of_all_tasks_count() -> None:
    rows = [sample(f"{task}/m/r{number}/1") for task in "tu" for number in range(5)]
    report = score(rows, predictions(rows, ["<answer>[300, 900]</answer>"] * 10), resamples=20)
    for name in ("accuracy", "hit_rate", "success_drop"):
        assert report.tasks["t"][name].low is None
        assert report.overall[name].low is not None


def test_the_same_instances_run_by_five_models_are_no_more_instances() -> None:
    rows = [sample(f"t/{model}/r{number}/1") for model in "abcde" for number in range(9)]
    report = score(rows, predictions(rows, ["<answer>[300, 900]</answer>"] * 45), resamples=20)
    for name in ("accuracy", "mre_p50", "success_drop"):
        assert report.overall[name].value is not None
        assert report.overall[name].low is None


def test_families_of_a_task_are_drawn_together() -> None:
    """Models that are right about the same instances make a mean no surer than one of them."""
    rows = [sample(f"t/{model}/r{number:02}/1") for model in "abcd" for number in range(40)]
    is_right = ["<answer>[1, 2]</answer>", "<answer>impossible</answer>"] * 20
    report = score(rows, predictions(rows, is_right * 4))
    alone, together = report.families["t/a"]["accuracy"], report.tasks["t"]["accuracy"]
    assert alone == report.families["t/d"]["accuracy"]
    assert (together.low, together.high) == (alone.low, alone.high)


def test_neither_the_order_of_the_table_nor_other_tasks_matter() -> None:
    rng = random.Random(6)
    rows, responses = estimates(rng)
    expected = score(rows, predictions(rows, responses), resamples=50)
    both = list(zip(rows, responses, strict=True))
    rng.shuffle(both)
    shuffled = score(*_predicted(([row for row, _ in both], [r for _, r in both])), resamples=50)
    assert shuffled.overall == expected.overall
    assert shuffled.families == expected.families
    own = [(row, text) for row, text in both if row["sample_id"].startswith("b/")]
    alone = score(*_predicted(([row for row, _ in own], [r for _, r in own])), resamples=50)
    assert alone.tasks["b"] == expected.tasks["b"]


def test_a_resample_without_a_class_says_nothing_about_its_f1() -> None:
    """A single rollout of twelve is infeasible, and predicted so: a third of resamples lack it."""
    rows = [sample(f"t/m/r{number}/1", feasible=number > 0) for number in range(12)]
    texts = ["<answer>impossible</answer>"] + ["<answer>[400, 400]</answer>"] * 11
    fail_f1 = score(rows, predictions(rows, texts)).overall["fail_f1"]
    assert (fail_f1.value, fail_f1.low, fail_f1.high) == (1, 1, 1)


@pytest.mark.parametrize("instances", [3, 256, 257, 1000])
def test_each_resample_draws_as_many_clusters_as_there_are(instances: int) -> None:
    table = SampleTable.of(
        [
            sample(f"t/{model}/r{number}/1")
            for model in "mn"
            for number in range(instances)
            if (model, number) != ("n", 0)
        ]
    )
    draws = Resampling(resamples=50).draws(table.families)["t"]
    assert draws.clusters == min(256, instances)
    cluster_of, of_other = (draws.clusters_of(family.instance) for family in table.families)
    assert (cluster_of[1:] == of_other).all()
    sizes = np.bincount(cluster_of)
    assert len(sizes) == draws.clusters
    assert sizes.max() - sizes.min() <= 1
    assert draws.weights.shape == (50, draws.clusters)
    assert (draws.weights.sum(axis=1) == draws.clusters).all()
    assert 0.5 < draws.weights.var() < 1.5  # of a multinomial: 1 - 1 / clusters


def test_the_same_seed_draws_the_same_and_tasks_draw_their_own() -> None:
    rows = [sample(f"{task}/m/r{number}/1") for task in "tu" for number in range(9)]
    families = SampleTable.of(rows).families
    first, same, other = (Resampling(20, seed).draws(families) for seed in (1, 1, 2))
    assert (first["t"].weights == same["t"].weights).all()
    assert (first["t"].weights != other["t"].weights).any()
    assert (first["t"].weights != first["u"].weights).any()


@pytest.mark.parametrize("values", [1, 2, 30, 64, 65, 3_000])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_resampled_quantiles_are_those_of_the_resamples(values: int, share: float) -> None:
    generator = np.random.default_rng(values)
    amounts = generator.lognormal(size=values)
    cluster = generator.integers(0, 40, values)
    weights = generator.multinomial(40, np.full(40, 1 / 40), 200).astype(float)
    [quick] = resampled_quantiles(amounts, cluster, weights, [share])
    exact = np.array(
        [
            np.quantile(np.repeat(amounts, drawn), share) if drawn.any() else np.nan
            for drawn in weights[:, cluster].astype(int)
        ]
    )
    if values <= 64:
        assert np.allclose(quick, exact, equal_nan=True)
    else:
        assert np.sqrt(((quick - exact) ** 2).mean()) < 0.08 * exact.std()
        assert quick.std() == pytest.approx(exact.std(), rel=0.01)
