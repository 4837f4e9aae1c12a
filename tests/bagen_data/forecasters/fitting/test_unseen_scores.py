"""Scores on instances not seen: those of `bagen score`, and of nothing that was learned from."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bagen_data.forecasters import Answer, Forecaster, find_forecaster
from bagen_data.forecasters.fitting.built_data import built_data
from bagen_data.forecasters.fitting.unseen_scores import (
    SCORES,
    cross_fitted_scores,
    heldout_scores,
)
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.predictions import ForecastRequest, predict
from bagen_data.hub import load_reference, load_samples
from bagen_data.schema import Estimate, Forecast, Probe
from bagen_data.scoring import score
from tests.bagen_data.forecasters.fitting.taught import examples_of, with_outcomes, write_family
from tests.making import SAMPLE, build


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("sample") / "built"
    assert build(SAMPLE, out) == 0
    return str(out)


def crossed(name: str, examples: Sequence[Example], seed: int = 0):  # type: ignore[no-untyped-def]
    forecaster = find_forecaster(name)
    assert forecaster.learn_forecasts
    return cross_fitted_scores(forecaster, forecaster.learn_forecasts, examples, seed)


@pytest.mark.parametrize("task", ["sokoban", "swebench", "warehouse"])
@pytest.mark.parametrize("name", ["climatology", "aft"])
def test_of_a_benchmark_s_family_they_are_those_of_bagen_score(
    name: str, task: str, sample: str
) -> None:
    request = ForecastRequest(sample, task, "test", name, seed=3, cross_validate=True)
    report = score(
        load_samples(sample, task).table,
        predict(request).rows,
        reference=load_reference(sample, task),
        question="forecast",
    )
    own = crossed(name, built_data(sample, task).examples, seed=3)
    assert own.scores == {each: report.overall[each] for each in SCORES}
    assert (own.rollouts, own.instances) == (8, 8)


def test_many_instances_have_intervals_as_bagen_score_has_them(tmp_path: Path) -> None:
    from tests.predicting import make  # a family of twelve instances

    dataset = str(make(tmp_path))
    request = ForecastRequest(dataset, "swebench", "test", "aft", cross_validate=True)
    report = score(
        load_samples(dataset, "swebench").table,
        predict(request).rows,
        reference=load_reference(dataset, "swebench"),
        question="forecast",
    )
    own = crossed("aft", built_data(dataset, "swebench").examples)
    assert own.scores == {each: report.overall[each] for each in SCORES}
    assert own.scores["brier"].low is not None


def test_one_of_two_families_has_the_scores_that_bagen_score_has_of_it(tmp_path: Path) -> None:
    """The intervals too, as both families are of the same instances."""
    firsts = [f"level {number}" for number in range(12)]
    for model in ("one", "two"):
        write_family(tmp_path / "origin", f"sokoban-origin-{model}", firsts)
    assert build(tmp_path / "origin", tmp_path / "built") == 0
    dataset = str(tmp_path / "built")
    request = ForecastRequest(dataset, "sokoban", "test", "aft", cross_validate=True)
    report = score(
        load_samples(dataset, "sokoban").table,
        predict(request).rows,
        reference=load_reference(dataset, "sokoban"),
        question="forecast",
    )
    own = crossed("aft", built_data(dataset, "sokoban", "two").examples)
    assert own.scores == {each: report.families["sokoban/two"][each] for each in SCORES}
    assert own.scores["brier"].low is not None


def test_climatology_of_each_instance_alone_has_no_skill() -> None:
    scores = crossed("climatology", examples_of(20)).scores
    assert scores["brier_skill"].value == pytest.approx(0)
    assert scores["wis_skill"].value == pytest.approx(0)


def test_an_instance_is_left_out_with_its_rollouts_of_every_family() -> None:
    """Another model's run on the same instance would give its outcome away."""

    def seen(examples: Sequence[Example], _: int) -> Answer:
        known = {each.instance_id for each in examples}
        instance = {id(each.probe): each.instance_id for each in both}

        def answer(probes: Sequence[Probe]) -> list[Estimate]:
            assert not known & {instance[id(probe)] for probe in probes}
            said = Forecast(0.5, 0.5, {"tokens": (1, 2, 3, 4, 5)})
            return [said.estimate() for _ in probes]

        return answer

    both = [*examples_of(12, 0, "a"), *examples_of(12, 1, "b")]
    assert len({each.instance_id for each in both}) == 12
    own = cross_fitted_scores(Forecaster(seen, learn_forecasts=seen), seen, both, 0)
    assert (own.rollouts, own.instances) == (24, 12)


def test_held_out_instances_are_scored_beside_what_their_family_taught() -> None:
    forecaster = find_forecaster("climatology")
    assert forecaster.learn_forecasts
    known, asked = (
        examples_of(30),
        [replace(each, instance_id=f"other {each.instance_id}") for each in examples_of(12, 5)],
    )
    own = heldout_scores(forecaster.learn_forecasts, known, asked, 0)
    assert own.scores["brier_skill"].value == pytest.approx(0)
    assert own.scores["wis_skill"].value == pytest.approx(0)
    assert own.scores["brier"].low is not None


def test_held_out_rollouts_of_a_model_that_taught_nothing_have_no_skill() -> None:
    forecaster = find_forecaster("climatology")
    assert forecaster.learn_forecasts
    own = heldout_scores(forecaster.learn_forecasts, examples_of(9), examples_of(9, 1, "other"), 0)
    assert own.scores["brier"].value is not None
    assert own.scores["brier_skill"].value is None
    assert own.scores["brier_skill"].n == 0


def test_a_score_of_nothing_has_no_value() -> None:
    scores = crossed("aft", with_outcomes(examples_of(8), success=False, feasible=False)).scores
    for name in ("wis", "wis_skill", "coverage_80", "coverage_50"):
        assert (scores[name].value, scores[name].n) == (None, 0)
    assert scores["brier"].n
    assert scores["brier"].low is None  # fewer than ten instances


def test_reliability_counts_the_probes_of_the_brier_score() -> None:
    own = crossed("aft", examples_of(20))
    assert sum(int(each["n"] or 0) for each in own.reliability) == own.scores["brier"].n
    happened = sum((each["happened"] or 0) * (each["n"] or 0) for each in own.reliability)
    feasible = np.mean([each.target.feasible for each in examples_of(20)])
    assert happened / own.probes == pytest.approx(feasible)  # no budget is exceeded there
    assert [each["low"] for each in own.reliability][:2] == [0, 0.1]
