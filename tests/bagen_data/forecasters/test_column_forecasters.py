"""The rules that every baseline of forecasts keeps, and the model of each."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bagen_data.answers import parse, render
from bagen_data.cli import main
from bagen_data.climatology import climatology
from bagen_data.errors import WrongUsageError
from bagen_data.forecasters import Learn, find_forecaster, known_forecasters
from bagen_data.forecasters.aft import fit
from bagen_data.forecasters.learning.calibrated import level_moves
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.predictions import ForecastRequest, predict
from bagen_data.hub import load_samples
from bagen_data.schema import Budget, Estimate, Forecast, Rollout
from bagen_data.scoring.sample_table import SampleTable
from bagen_data.submissions import METADATA, read_metadata
from tests.bagen_data.forecasters.simulated_examples import examples_of, family
from tests.making import SAMPLE, build, exit_code, recorded_for, token_turn

NAMES = ("climatology", "forest", "aft", "conformal")
LEARNED = NAMES[1:]
SEVERAL = ("time_weeks", "cumulative_cost_usd")


def learner(name: str) -> Learn:
    learn = find_forecaster(name).learner("forecast")
    assert learn is not None
    return learn


def forecasts(name: str, known: Sequence[Example], asked: Sequence[Example]) -> list[Forecast]:
    made = [one.forecast for one in answered(name, known, asked)]
    return [one for one in made if one is not None]


def answered(name: str, known: Sequence[Example], asked: Sequence[Example]) -> list[Estimate]:
    return learner(name)(known, 0)([example.probe for example in asked])


def started(examples: Sequence[Example]) -> list[Example]:
    """The same before their first turn."""
    return [
        replace(
            one,
            probe=replace(
                one.probe, turns=(), opening="look", used=dict.fromkeys(one.probe.used, 1)
            ),
        )
        for one in examples
    ]


def test_these_forecast_and_the_others_say_intervals() -> None:
    forecasting = {name for name in known_forecasters() if find_forecaster(name).learn_forecasts}
    assert forecasting == set(NAMES)
    assert {find_forecaster(name).question for name in NAMES} == {"forecast"}
    assert find_forecaster("quantiles").question == "interval"
    with pytest.raises(WrongUsageError, match="quantiles answers with intervals only"):
        predict(ForecastRequest("anywhere", None, "test", "quantiles", question="forecast"))


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("resources", [("tokens",), SEVERAL])
def test_forecasts_are_coherent_and_the_same_each_time(
    name: str, resources: tuple[str, ...]
) -> None:
    known, asked = family(20, 0, resources, 500), family(8, 1, resources, 500)
    asked = [*asked, *started(asked[:2])]
    estimates = answered(name, known, asked)
    assert answered(name, known, asked) == estimates
    assert len(estimates) == len(asked)
    for one, example in zip(estimates, asked, strict=True):
        assert parse(render(one, "forecast"), resources, "forecast") == one
        assert one.forecast is not None
        over = any(example.probe.used[each] > 500 for each in resources)
        assert (one.forecast.finish == 0) == over
        if name in LEARNED:
            assert 0 < one.forecast.success < 1
            assert one.forecast.finish < 1


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("name", NAMES)
def test_quantiles_are_of_what_is_needed_and_intervals_of_what_is_left(name: str) -> None:
    known = [one for one in family(30, 0) if one.target.feasible]
    recorded = Rollout("chess", "m", "r", "i", "", (token_turn(50, 60),) * 3, True)
    asked = examples_of(recorded, Budget({"tokens": 121}), "r", range(1, 2))
    (forecast,) = forecasts(name, known, asked)
    assert forecast.quantiles["tokens"][2] > 11
    (interval,) = find_forecaster(name).learn(known, 0)([asked[0].probe])
    assert all(each.high <= 11 for each in interval.intervals.values())


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("task", ["sokoban", "warehouse"])
@pytest.mark.parametrize("outcomes", ["1", "00", "10", "10110"])
def test_a_handful_of_rollouts_is_enough(name: str, task: str, outcomes: str) -> None:
    known = []
    for number, success in enumerate(outcomes):
        recorded, budget = recorded_for(task, 4 + number % 2)
        recorded = replace(recorded, success=success == "1", instance_id=f"{number}")
        known += examples_of(recorded, budget, f"{number}", range(5 + number % 2))
    assert len(forecasts(name, known, known)) == len(known)


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("name", NAMES)
def test_a_probe_s_own_instance_teaches_nothing_of_it(name: str) -> None:
    """Cross-validated, an answer is the same whatever became of the instance."""
    from bagen_data.forecasters.learning.predictions import cross_validated

    examples = [
        replace(one, instance_id=f"{int(one.instance_id.split('-')[1]) // 2}")
        for one in family(12, 0)
    ]

    def turned(one: Example) -> Example:
        if one.instance_id != "3":
            return one
        target = replace(
            one.target,
            feasible=not one.target.feasible,
            remaining={each: 7 * amount + 99 for each, amount in one.target.remaining.items()},
        )
        return replace(one, success=not one.success, target=target)

    folds = find_forecaster(name).folds
    before, after = (
        cross_validated(learner(name), known, 0, folds)
        for known in (examples, [turned(one) for one in examples])
    )
    own = [one.sample_id for one in examples if one.instance_id == "3"]
    assert own
    assert [before[each] for each in own] == [after[each] for each in own]
    assert before != after


@pytest.mark.parametrize("name", LEARNED)
def test_what_gives_failure_away_is_seen(name: str) -> None:
    known, asked = (
        [*(_loud(one) if not one.success else one for one in family(60, seed))] for seed in (0, 1)
    )
    said = np.array([one.success for one in forecasts(name, known, asked)])
    actual = np.array([one.success for one in asked])
    assert (said[actual][:, np.newaxis] > said[~actual]).mean() > 0.95


def _loud(example: Example) -> Example:
    first, *others = example.probe.turns
    turns = (replace(first, user="!" * 500), *others)
    return replace(example, probe=replace(example.probe, turns=turns))


@pytest.mark.parametrize("name", LEARNED)
def test_forecasts_are_calibrated(name: str) -> None:
    known, asked = family(200, 0, budget=600), family(400, 1, budget=600)
    made = forecasts(name, known, asked)
    remaining = np.array([one.target.remaining["tokens"] for one in asked])
    success = np.array([one.success for one in asked])
    quantiles = np.array([one.quantiles["tokens"] for one in made]).T
    below = (remaining <= quantiles)[:, success].mean(axis=1)
    np.testing.assert_allclose(below, [0.1, 0.25, 0.5, 0.75, 0.9], atol=0.08)
    is_open = np.array([one.probe.used["tokens"] <= 600 for one in asked])
    feasible = np.array([one.target.feasible for one in asked])[is_open]
    finish = np.array([one.finish for one in made])[is_open]
    order = np.argsort(finish)
    for part in np.array_split(order, 4):
        assert finish[part].mean() == pytest.approx(feasible[part].mean(), abs=0.15)
    usual = feasible.mean() * (1 - feasible.mean())
    assert np.mean((finish - feasible) ** 2) < 0.88 * usual


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("sample") / "built"
    assert build(SAMPLE, out) == 0
    return str(out)


@pytest.mark.parametrize("task", ["swebench", "warehouse"])
def test_climatology_is_the_reference_to_the_last_digit(sample: str, task: str) -> None:
    request = ForecastRequest(sample, task, "test", "climatology", cross_validate=True)
    predicted = predict(request)
    assert predicted.question == "forecast"
    assert predicted.settings["cross_validated_folds"] == "one per instance"
    table = SampleTable.of(load_samples(sample, task).table)
    (family_columns,) = table.families
    reference = climatology(family_columns)
    assert reference is not None
    responses = {row["sample_id"]: row["response"] for row in predicted.rows}
    ids = table.sample_id.take(np.arange(len(table))[family_columns.rows]).to_pylist()
    made = [parse(responses[each], family_columns.resources, "forecast").forecast for each in ids]
    own = [one for one in made if one is not None]
    assert [one.finish for one in own] == reference.finish.tolist()
    assert [one.success for one in own] == np.maximum(reference.success, reference.finish).tolist()
    for row, name in enumerate(family_columns.resources):
        assert [list(one.quantiles[name]) for one in own] == reference.quantiles[row].T.tolist()


def test_climatology_learns_from_the_same_turn_of_training_rollouts(sample: str) -> None:
    known = family(30, 0)
    for turn in (1, 3):
        (asked,) = [one for one in family(20, 1) if len(one.probe.turns) == turn][:1]
        (made,) = forecasts("climatology", known, [asked])
        there = [one for one in known if len(one.probe.turns) == turn and one.success]
        amounts = [one.target.remaining["tokens"] for one in there]
        expected = np.quantile(amounts, [0.1, 0.25, 0.5, 0.75, 0.9])
        np.testing.assert_allclose(made.quantiles["tokens"], expected)
    outcomes = {one.rollout: one.success for one in known}
    assert made.success == np.mean(list(outcomes.values()))
    assert predict(ForecastRequest(sample, "sokoban", "test", "climatology")).trained_on == "train"


def test_the_failure_time_model_names_its_weights() -> None:
    weights = fit(family(60, 0, SEVERAL), 0).weights()
    assert list(weights) == ["success", *SEVERAL]
    for resource in SEVERAL:
        assert weights[resource]["turns"] < 0  # the later, the less remains


def test_the_failure_time_model_knows_any_budget() -> None:
    known = family(60, 0)
    model = fit(known, 0)
    values = np.zeros((3, len(model.names)))
    shares = model.within(values, np.array([[10.0, 200.0, 1e9]]))
    assert 0 <= shares[0] < shares[1] < shares[2] == 1


def test_a_level_is_moved_to_have_its_share_below_it() -> None:
    residuals = np.broadcast_to(np.arange(101.0), (5, 1, 101))
    assert level_moves(residuals)[:, 0, 0].tolist() == [10, 25, 50, 75, 90]


def test_start_probes_are_learned_about_from_start_probes(sample: str) -> None:
    """Start probes are as many as the rollouts, and each knows the first message only."""
    from bagen_data.forecasters.learning import predictions
    from bagen_data.forecasters.learning.examples import load_examples

    request = ForecastRequest(sample, "sokoban", "test", "forest")
    ordinary = load_examples(sample, "sokoban").examples
    for asked, has_turns in ((ordinary, True), (started(ordinary), False)):
        known = predictions._training(request, asked, load_examples)
        assert known
        assert {bool(one.probe.turns) for one in known} == {has_turns}


@pytest.mark.parametrize(
    ("flags", "variant"), [((), "forecast_no_think"), (("--question", "interval"), "none")]
)
def test_the_metadata_say_what_was_answered(
    sample: str, tmp_path: Path, flags: tuple[str, ...], variant: str
) -> None:
    out = ("--config", "sokoban", "--out", str(tmp_path / "out"))
    flags = ("--dataset", sample, *out, *flags)
    assert exit_code(main, "predict", "baseline", "climatology", *flags) == 0
    metadata = read_metadata(tmp_path / "out" / METADATA)
    assert metadata.prompt_variant == variant
