import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.array_types import Floats
from bagen_data.live.policies import weight_needed
from bagen_data.policies.calibration import Calibration, WatchedRuns, calibrated, why_never
from tests.bagen_data.policies.simulated_runs import (
    FORECASTERS,
    FalseAborts,
    Forecaster,
    SimulatedAgent,
    by_face_value,
    by_policy,
    by_pooled_quantile,
)

SHARE = 0.05
CHANCES = st.lists(st.floats(0, 1), min_size=1, max_size=5).map(np.array)


@pytest.mark.parametrize("turns", [(2, 8), (300, 600)], ids=["short", "very long"])
@pytest.mark.parametrize("forecaster", FORECASTERS)
def test_at_most_a_twentieth_of_successes_is_stopped(
    forecaster: Forecaster, turns: tuple[int, int]
) -> None:
    calibrations = 250 if turns[0] < 100 else 120
    agent = SimulatedAgent(success=0.4, turns=turns, evidence=1.5, forecaster=forecaster)
    aborts = FalseAborts.of(
        agent, lambda runs: by_policy(calibrated(runs, SHARE)), 120, calibrations, seed=0
    )
    assert aborts.error < 0.005
    assert aborts.share <= SHARE + 3 * aborts.error
    assert aborts.share >= SHARE / 3  # about 48 successes: it does stop, and near to what it may


@pytest.mark.parametrize("spread", [0.2, 0.9], ids=["alike", "unlike"])
def test_at_most_a_twentieth_is_stopped_with_several_rollouts_an_instance(spread: float) -> None:
    agent = SimulatedAgent(
        success=0.3, turns=(2, 8), evidence=1.5, forecaster="calibrated", runs=(1, 6), spread=spread
    )
    aborts = FalseAborts.of(
        agent, lambda runs: by_policy(calibrated(runs, SHARE)), 150, 120, seed=1
    )
    assert aborts.error < 0.008
    assert aborts.share <= SHARE + 3 * aborts.error


def test_naive_thresholds_stop_more_than_that() -> None:
    agent = SimulatedAgent(success=0.4, turns=(300, 600), evidence=1.5, forecaster="overconfident")
    at_face_value = FalseAborts.of(agent, lambda _: by_face_value(SHARE), 10, 30, seed=0)
    pooled = FalseAborts.of(agent, lambda runs: by_pooled_quantile(runs, SHARE), 120, 30, seed=0)
    for aborts in (at_face_value, pooled):
        assert aborts.share - 3 * aborts.error > 2 * SHARE


def test_ville_holds_for_exact_probabilities_without_a_calibration() -> None:
    agent = SimulatedAgent(success=0.5, turns=(300, 600), evidence=1.5, forecaster="calibrated")
    rng = np.random.default_rng(0)
    successes = agent.new_successes(4_000, rng)
    evidence = np.array([((1 - own) / own).max() for own in successes])
    for share in (0.05, 0.2):
        error = math.sqrt(share * (1 - share) / len(successes))
        assert (evidence >= 1 / share).mean() <= share + 3 * error


def _runs(chances: list[Floats], outcome: list[bool], instance: list[int]) -> WatchedRuns:
    return WatchedRuns(chances, np.array(outcome, bool), instance)


@given(
    lowest=st.lists(st.floats(0.001, 0.999), min_size=1, max_size=60, unique=True),
    share=st.sampled_from([0.02, 0.05, 0.1, 0.25, 0.5, 0.9]),
)
def test_with_one_run_an_instance_it_is_the_conformal_quantile(
    lowest: list[float], share: float
) -> None:
    count = len(lowest)
    runs = _runs([np.array([1.0, low]) for low in lowest], [True] * count, list(range(count)))
    policy = calibrated(runs, share)
    place = math.ceil((count + 1) * (1 - share) - 1e-9)
    if place > count:
        assert policy.threshold is None
        assert count < weight_needed(share)
        assert f"needs {weight_needed(share)} instances" in str(why_never(policy))
        return
    assert why_never(policy) is None
    threshold = sorted(lowest, reverse=True)[place - 1]
    stopped = [low for low in lowest if policy.stops([low], [low])]
    assert stopped == [low for low in lowest if low < threshold]
    assert policy.stop_below == pytest.approx(threshold)


@given(
    chances=st.lists(CHANCES, min_size=1, max_size=12),
    seed=st.integers(0, 2**16),
    first_turn=st.integers(1, 4),
)
def test_the_stopped_successes_weigh_no_more_than_is_allowed(
    chances: list[Floats], seed: int, first_turn: int
) -> None:
    rng = np.random.default_rng(seed)
    outcome, instance = rng.random(len(chances)) < 0.6, rng.integers(0, 4, len(chances))
    runs = _runs(chances, outcome.tolist(), instance.tolist())
    for share in (0.1, 0.3, 0.6):
        policy = calibrated(runs, share, first_turn=first_turn)
        had = [policy.stops(own, own) is not None for own in chances] & outcome
        weights = runs.weights
        allowed = weights[outcome].sum() - (1 - share) * (weights[outcome].sum() + 1)
        assert weights[had].sum() <= max(allowed, 0) + 1e-6


def test_failed_runs_do_not_move_the_threshold_where_each_has_an_instance_of_its_own() -> None:
    successes = [np.array([0.3 + 0.01 * number]) for number in range(30)]
    alone = _runs(successes, [True] * 30, list(range(30)))
    failures = [np.array([0.001])] * 50
    beside = _runs([*successes, *failures], [True] * 30 + [False] * 50, list(range(80)))
    assert calibrated(alone, SHARE).stop_below == pytest.approx(
        calibrated(beside, SHARE).stop_below
    )


def test_no_runs_and_unknown_probabilities_calibrate_a_test_that_never_stops() -> None:
    assert calibrated(_runs([], [], []), SHARE).threshold is None
    unknown = _runs([np.array([math.nan, math.nan])] * 30, [True] * 30, list(range(30)))
    policy = calibrated(unknown, SHARE)
    assert policy.stops([math.nan, 0.99], [math.nan, 0.99]) == 2
    assert policy.stops([math.nan], [math.nan]) is None


def test_a_probability_of_0_of_a_success_leaves_a_test_that_stops_nothing() -> None:
    runs = _runs([np.array([0.0])] * 30, [True] * 30, list(range(30)))
    policy = calibrated(runs, SHARE)
    assert policy.threshold is not None
    assert policy.stops([0.0], [0.0]) is None


def test_turns_before_the_first_are_not_watched() -> None:
    runs = _runs([np.array([0.01, 0.5])] * 30, [True] * 30, list(range(30)))
    assert calibrated(runs, SHARE, first_turn=2).stop_below == pytest.approx(0.5)
    assert Calibration.of(runs, 3).evidence.max() == 0


def test_an_instance_weighs_one_however_many_runs_it_has() -> None:
    chances = [np.array([each]) for each in (0.1, 0.1, 0.1, 0.9, 0.9, 0.9, 0.9)]
    runs = WatchedRuns(chances, np.ones(7, bool), "aaabcde")
    test = calibrated(runs, 0.34)
    assert test.calibrated_on == 5
    assert test.threshold == test.evidence(0.9)
