"""Error bars: rollouts are drawn, and the bars hold what they promise."""

import random
from statistics import fmean
from typing import Any

import numpy as np
import pytest

from bagen_data.scoring import Score, score
from bagen_data.scoring.resampling import Resampling, percentile_interval, resampled_quantiles
from bagen_data.scoring.sample_table import SampleTable
from tests.bagen_data.scoring.scoring_cases import predictions, sample

ROLLOUTS, TURNS, STUDIES = 60, 8, 300
RATE = 0.6
"""Share of samples that an estimator gets right in truth."""


def study(rng: random.Random) -> tuple[list[dict[str, Any]], list[str]]:
    """Rollouts of which an estimator understands some well, and others not at all.

    What it says is right with a probability of the rollout's own, whose mean is RATE.
    """
    rows, responses = [], []
    for rollout in range(ROLLOUTS):
        feasible = rng.random() < 0.5
        skill = rng.betavariate(0.6, 0.4)
        for k in range(1, TURNS + 1):
            rows.append(sample(f"t/m/r{rollout}/{k}", feasible=feasible))
            says_feasible = feasible == (rng.random() < skill)
            responses.append(
                "<answer>[1, 2]</answer>" if says_feasible else "<answer>impossible</answer>"
            )
    return rows, responses


def share_covered(studies: int, rowwise: bool) -> float:
    """Of studies, the share whose 95% interval of the accuracy covers RATE."""
    rng = random.Random(0)
    covered = 0
    for number in range(studies):
        rows, responses = study(rng)
        if rowwise:  # as if every sample were a rollout of its own
            rows = [row | {"sample_id": f"t/m/s{position}/1"} for position, row in enumerate(rows)]
        found = score(rows, predictions(rows, responses), resamples=300, seed=number)
        covered += covers(found.overall["accuracy"], RATE)
    return covered / studies


def covers(score: Score, truth: float) -> bool:
    assert score.low is not None
    assert score.high is not None
    return score.low <= truth <= score.high


def test_intervals_of_correlated_rollouts_cover_as_often_as_they_say() -> None:
    assert 0.92 <= share_covered(STUDIES, rowwise=False) <= 0.98


def test_intervals_that_draw_rows_do_not() -> None:
    assert share_covered(STUDIES // 3, rowwise=True) < 0.85


def estimates(rng: random.Random) -> tuple[list[dict[str, Any]], list[str]]:
    """Three families of two tasks, as many rollouts as the paper's, each with a bias of its own."""
    rows, responses = [], []
    for name in ("a/m", "a/n", "b/m"):
        for rollout in range(ROLLOUTS):
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
    rng = random.Random(1)
    names = ("fail_f1", "hit_rate", "reward", "mre_p50", "saved_rate")
    # What the scores come to with so many more rollouts that their error is small.
    many = [score(*_predicted(estimates(rng)), resamples=0).overall for _ in range(200)]
    truth = {name: fmean(each[name].value or 0 for each in many) for name in names}
    covered = dict.fromkeys(names, 0)
    for number in range(STUDIES // 2):
        found = score(*_predicted(estimates(rng)), resamples=300, seed=number).overall
        for name in names:
            covered[name] += covers(found[name], truth[name])
    for name in names:
        assert 0.9 <= covered[name] / (STUDIES // 2) <= 0.99, name


def _predicted(
    made: tuple[list[dict[str, Any]], list[str]],
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    return made[0], predictions(*made)


def test_bundles_are_put_together_at_random() -> None:
    """Rollouts that are alike have ids that are alike, and must not be drawn together."""
    [family] = SampleTable.of([sample(f"t/m/r{number:04}/1") for number in range(1000)]).families
    cluster_of = Resampling().clusters(family)
    assert (np.diff(cluster_of) == 0).mean() < 0.02


def test_a_percentile_interval_holds_95_percent() -> None:
    low, high = percentile_interval(np.arange(10_001.0)) or (0, 0)
    assert (round(low), round(high)) == (250, 9750)
    assert percentile_interval(np.array([np.nan, np.nan])) is None


def test_a_resample_without_a_class_says_nothing_about_its_f1() -> None:
    """One of four rollouts is infeasible and found: a third of resamples lack it."""
    rows = [sample(f"t/m/r{number}/1", feasible=number > 0) for number in range(4)]
    texts = ["<answer>impossible</answer>"] + ["<answer>[400, 400]</answer>"] * 3
    found = score(rows, predictions(rows, texts)).overall["fail_f1"]
    assert (found.value, found.low, found.high) == (1, 1, 1)


@pytest.mark.parametrize("rollouts", [3, 256, 257, 1000])
def test_each_resample_draws_as_many_clusters_as_there_are(rollouts: int) -> None:
    [family] = SampleTable.of([sample(f"t/m/r{number}/1") for number in range(rollouts)]).families
    cluster_of = Resampling().clusters(family)
    clusters = cluster_of.max() + 1
    assert clusters == min(256, rollouts)
    sizes = np.bincount(cluster_of)
    assert sizes.max() - sizes.min() <= 1
    weights = Resampling(resamples=50).weights(family, clusters)
    assert weights.shape == (50, clusters)
    assert (weights.sum(axis=1) == clusters).all()
    assert 0.5 < weights.var() < 1.5  # of a multinomial: 1 - 1 / clusters


def test_the_same_seed_draws_the_same_and_families_draw_their_own() -> None:
    rows = [sample(f"t/{model}/r{number}/1") for model in "mn" for number in range(9)]
    one, other = SampleTable.of(rows).families
    weights = Resampling(20, seed=1).weights(one, 9)
    assert (weights == Resampling(20, seed=1).weights(one, 9)).all()
    assert (weights != Resampling(20, seed=2).weights(one, 9)).any()
    assert (weights != Resampling(20, seed=1).weights(other, 9)).any()


@pytest.mark.parametrize("values", [1, 2, 30, 64, 65, 3_000])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_resampled_quantiles_are_those_of_the_resamples(values: int, share: float) -> None:
    generator = np.random.default_rng(values)
    found = generator.lognormal(size=values)
    cluster = generator.integers(0, 40, values)
    weights = generator.multinomial(40, np.full(40, 1 / 40), 200).astype(float)
    [quick] = resampled_quantiles(found, cluster, weights, [share])
    exact = np.array(
        [
            np.quantile(np.repeat(found, drawn), share) if drawn.any() else np.nan
            for drawn in weights[:, cluster].astype(int)
        ]
    )
    if values <= 64:
        assert np.allclose(quick, exact, equal_nan=True)
    else:
        assert np.sqrt(((quick - exact) ** 2).mean()) < 0.08 * exact.std()
        assert quick.std() == pytest.approx(exact.std(), rel=0.01)
