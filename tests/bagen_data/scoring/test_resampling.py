"""Error bars: rollouts are drawn, and the bars hold what they promise."""

import random
from typing import Any

import numpy as np
import pytest

from bagen_data.scoring import score
from bagen_data.scoring.quantiles import resampled_quantiles
from bagen_data.scoring.resampling import Resampling
from bagen_data.scoring.truth import Truth
from tests.bagen_data.scoring.making import predictions, sample

ROLLOUTS, TURNS, STUDIES = 60, 8, 400
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


def share_covered(rowwise: bool) -> float:
    """Of studies, the share whose 95% interval of the accuracy covers RATE."""
    rng = random.Random(0)
    covered = 0
    for number in range(STUDIES):
        rows, responses = study(rng)
        if rowwise:  # as if every sample were a rollout of its own
            rows = [row | {"sample_id": f"t/m/s{position}/1"} for position, row in enumerate(rows)]
        found = score(rows, predictions(rows, responses), resamples=300, seed=number)
        accuracy = found.overall["accuracy"]
        assert accuracy.low is not None
        assert accuracy.high is not None
        covered += accuracy.low <= RATE <= accuracy.high
    return covered / STUDIES


def test_intervals_of_correlated_rollouts_cover_as_often_as_they_say() -> None:
    assert 0.92 <= share_covered(rowwise=False) <= 0.98


def test_intervals_that_draw_rows_do_not() -> None:
    assert share_covered(rowwise=True) < 0.85


@pytest.mark.parametrize("rollouts", [3, 256, 257, 1000])
def test_each_resample_draws_as_many_clusters_as_there_are(rollouts: int) -> None:
    [family] = Truth.of([sample(f"t/m/r{number}/1") for number in range(rollouts)]).families
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
    one, other = Truth.of(rows).families
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
