"""E-valuator (arXiv 2512.03109) as an oracle of the evidence and of Ville's threshold.

Its evidence is made of a probability that a classifier learns from the scores of each step. Given
that probability as our forecast, both tests are the same.
"""

import warnings
from typing import Any

import numpy as np
import pytest

from bagen_data.array_types import Floats
from bagen_data.live.policies import SequentialPolicy, evidence_against
from bagen_data.policies.calibration import Calibration, WatchedRuns
from tests.bagen_data.policies.simulated_runs import SimulatedAgent

evaluator = pytest.importorskip("evaluator", reason="e-valuator is not installed")
pd = pytest.importorskip("pandas")

AGENT = SimulatedAgent(success=0.5, turns=(3, 6), evidence=2.5, forecaster="calibrated")


def table(runs: WatchedRuns) -> Any:
    """Return runs as e-valuator takes them, a row a turn."""
    rows = [
        (f"p{number}", turn + 1, chances[: turn + 1].tolist(), int(had))
        for number, (chances, had) in enumerate(zip(runs.chances, runs.outcome, strict=True))
        for turn in range(len(chances))
    ]
    names = ("uq_problem_idx", "num_steps", "judge_probability_series", "solved")
    return pd.DataFrame(rows, columns=names)


def fitted(variant: str, alphas: list[float]) -> tuple[Any, WatchedRuns]:
    runs = AGENT.instances(300, np.random.default_rng(0))
    oracle = evaluator.EValuator(mt_variant=variant, alphas=alphas)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        oracle.fit(table(runs))
    return oracle, runs


def paths(column: str, rows: Any) -> list[Floats]:
    return [own[column].to_numpy(float) for _, own in rows.groupby("uq_problem_idx", sort=False)]


def test_the_evidence_is_the_same_for_the_same_probability() -> None:
    oracle, _ = fitted("Ville", [0.05])
    runs = AGENT.instances(60, np.random.default_rng(1))
    judged = oracle.apply(table(runs))
    base_rate = oracle.base_probs_anytime["p1"]
    compared = 0
    for chances, said in zip(runs.chances, paths("Ville_e_val", judged), strict=True):
        for turn in range(1, min(len(chances), oracle.max_trained_step_anytime) + 1):
            model, scaler = oracle.step_models_anytime[turn], oracle.step_scalers_anytime[turn]
            known = scaler.transform(chances[np.newaxis, :turn])
            chance = model.predict_proba(known)[0, list(model.classes_).index(1)]
            base = oracle.step_base_probs_anytime[turn]["p1"]
            assert evidence_against(chance, base) == pytest.approx(said[turn - 1], rel=1e-6)
            compared += 1
    assert compared > 200
    assert 0 < base_rate < 1


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_the_test_stops_where_villes_does(share: float) -> None:
    oracle, _ = fitted("Ville", [share])
    runs = AGENT.instances(60, np.random.default_rng(2))
    judged = oracle.apply(table(runs))
    column = f"reject_Ville_alpha_{str(share).replace('.', '_')}"
    policy = SequentialPolicy(share, threshold=1 / share, base_rate=0.5)
    stops = 0
    for evidence, rejected in zip(paths("Ville_e_val", judged), paths(column, judged), strict=True):
        chance = 1 / (1 + evidence)  # the probability that has this evidence
        first = np.flatnonzero(rejected)
        assert policy.stops(chance, chance) == (int(first[0]) + 1 if len(first) else None)
        stops += len(first) > 0
    assert 0 < stops < 60


def test_its_threshold_is_one_of_the_successes_and_not_below_the_conformal_one() -> None:
    share = 0.2
    oracle, runs = fitted("PAC", [share])
    judged = oracle.apply(table(runs))
    highest = np.array([own.max() for own in paths("PAC_e_val", judged)])
    threshold = oracle.thresholds[share]
    assert np.isclose(highest[runs.outcome], threshold).any()
    chances = [np.array([1 / (1 + each)]) for each in highest]
    same = WatchedRuns(chances, runs.outcome, runs.instance)
    ours = Calibration.of(same)
    relative = ours.base_rate / (1 - ours.base_rate)
    conformal = ours.threshold(share)
    assert conformal is not None
    assert conformal / relative < threshold
