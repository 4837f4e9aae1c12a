"""Formulas of forecasts against scikit-learn, and at their edges."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss, mean_pinball_loss

from bagen_data.schema import QUANTILE_LEVELS
from bagen_data.scoring.forecast_formulas import (
    brier,
    chance_within,
    log_score,
    weighted_interval_score,
)

ROWS = 500


@pytest.mark.parametrize("seed", range(5))
def test_the_weighted_interval_score_is_twice_the_mean_pinball_loss(seed: int) -> None:
    rng = np.random.default_rng(seed)
    quantiles = np.sort(rng.lognormal(3, 1, (5, ROWS)), axis=0)
    value = rng.lognormal(3, 1, ROWS)
    value[:5] = quantiles[:, 0]
    losses = [
        mean_pinball_loss(value, quantile, alpha=level)
        for quantile, level in zip(quantiles, QUANTILE_LEVELS, strict=True)
    ]
    mean_score = weighted_interval_score(quantiles, value).mean()
    assert mean_score == pytest.approx(2 * np.mean(losses), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_probabilities_are_scored_as_scikit_learn_does(seed: int) -> None:
    rng = np.random.default_rng(seed)
    chance, happened = rng.uniform(0, 1, ROWS), rng.uniform(0, 1, ROWS) < 0.4
    assert brier(chance, happened).mean() == pytest.approx(
        brier_score_loss(happened, chance), abs=1e-12
    )
    clipped = np.clip(chance, 0.001, 0.999)
    assert log_score(chance, happened).mean() == pytest.approx(
        log_loss(happened, clipped), abs=1e-12
    )


def test_a_probability_of_0_or_1_has_a_finite_logarithm() -> None:
    log_scores = log_score(np.array([0.0, 1.0, 0.0, 1.0]), np.array([True, True, False, False]))
    assert log_scores == pytest.approx(-np.log([0.001, 0.999, 0.999, 0.001]))


@pytest.mark.parametrize(
    ("quantiles", "amount", "expected"),
    [
        ([5, 5, 5, 5, 5], 4.9999, 0),
        ([5, 5, 5, 5, 5], 5, 1),
        ([0, 0, 0, 0, 0], 0, 1),
        ([0, 0, 5, 6, 7], 0, 0.25),
        ([1, 2, 2, 2, 3], 2, 0.75),
        ([1, 2, 2, 3, 4], 2, 0.5),
        ([1, 2, 3, 7, 7], 6.999999999, 0.75),
        ([1, 2, 3, 7, 7], 7, 1),
        ([3, 3, 4, 5, 6], 3, 0.25),
        ([3, 3, 4, 5, 6], 2.99, 0),
        ([1, 3, 4, 5, 6], 0, 0),
        ([3, 15, 20, 30, 40], 1, 0.1 - 0.15 / 2),
        ([1, 2, 3, 3, 7], 15, 0.75 + 0.3),
        ([1, 2, 3, 4, 5], 1e308, 1),
        ([1, 2, 3, 4, 5], np.inf, 1),
        ([0, 0, 0, 0, 1e308], 5e-324, 0.75),
        ([0, 5e-324, 5e-324, 1e308, 1e308], 5e-324, 0.5),
        ([1e308] * 5, 0, 0),
    ],
)
def test_the_curve_at_its_edges(quantiles: list[float], amount: float, expected: float) -> None:
    with np.errstate(all="raise"):
        chances = chance_within(
            np.array(quantiles, float)[:, np.newaxis], np.array([amount], float)
        )
    assert chances[0] == pytest.approx(min(expected, 1), abs=1e-8)


def test_the_curve_never_falls() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        quantiles = np.sort(rng.choice([0, 1, 2, 50, 51, 1000], 5)).astype(float)
        amounts = np.append(np.linspace(0, 1200, 2401), quantiles)
        chances = chance_within(np.tile(quantiles[:, np.newaxis], len(amounts)), amounts)
        assert (np.diff(chances[np.argsort(amounts, kind="stable")]) >= -1e-15).all()
