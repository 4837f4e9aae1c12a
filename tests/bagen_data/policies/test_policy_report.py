"""Policies chosen on the sample and on small made rollouts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bagen_data.answers import parse
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.forecasters import find_forecaster
from bagen_data.forecasters.kept import keep
from bagen_data.forecasters.learning.examples import Example, load_examples
from bagen_data.forecasters.learning.predictions import (
    ForecastRequest,
    parts_of_instances,
    predict,
)
from bagen_data.hub import load_samples
from bagen_data.live.policies import SequentialPolicy, ThresholdPolicy
from bagen_data.policies.calibration import calibrated
from bagen_data.policies.foretold_rollouts import (
    RecordedRollout,
    Said,
    foretold_families,
)
from bagen_data.policies.measured_policies import Rollouts
from bagen_data.policies.policy_choice import (
    THRESHOLDS,
    choose_sequential,
    choose_threshold,
    watched_runs,
)
from bagen_data.policies.policy_report import PolicyRequest, evaluate
from bagen_data.policies.stopped_runs import StoppedRuns, by_policy
from bagen_data.policies.unseen_forecasts import RecordedConfig, cross_fitted, load_recorded
from bagen_data.schema import Budget
from bagen_data.scoring import score
from bagen_data.scoring.resampling import Resampling
from tests.making import SAMPLE, build, rollout

NOW = ThresholdPolicy(first_turn=1)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("sample") / "built"
    assert build(SAMPLE, out) == 0
    return str(out)


def made(seed: int, count: int = 40, instances: int = 20) -> Rollouts:
    """Rollouts whose forecasts know something of their outcome, of two models."""
    rng = np.random.default_rng(seed)
    recorded, said = [], {}
    for number in range(count):
        turns = int(rng.integers(1, 9))
        success = bool(rng.random() < 0.5)
        own = rollout([(10, int(rng.integers(1, 40))) for _ in range(turns)], success=success)
        own = replace(
            own,
            rollout_id=f"r{number:03d}",
            rollout_model="ab"[number % 2],
            instance_id=f"i{number % instances}",
        )
        each = RecordedRollout(own, Budget({"tokens": 150}))
        recorded.append(each)
        mean = 0.65 if success else 0.35
        chances = np.clip(rng.normal(mean, 0.2, turns - 1), 0, 1)
        said[each.name] = Said(chances * 0.9, chances)
    return Rollouts.of(foretold_families(recorded, said), Resampling(200, 0))


def test_forecasts_after_sampled_turns_are_those_of_cross_validation(sample: str) -> None:
    said = cross_fitted(load_recorded(sample, "swebench"), "climatology", 3)
    request = ForecastRequest(sample, "swebench", "test", "climatology", 3, cross_validate=True)
    rows = predict(request).rows
    assert len(rows) > 50
    for row in rows:
        name, _, k = row["sample_id"].rpartition("/")
        forecast = parse(row["response"], ["tokens"], "forecast").forecast
        assert forecast is not None
        probabilities = said[name].finish[int(k) - 1], said[name].success[int(k) - 1]
        assert probabilities == (forecast.finish, forecast.success)


class WithoutSamples(RecordedConfig):
    """A config of which one instance has no samples, as where very many rollouts share 512."""

    def examples(self) -> list[Example]:
        left_out = self.rollouts[0].instance_id
        return [each for each in super().examples() if each.instance_id != left_out]


def test_an_instance_without_samples_is_forecast_by_what_all_samples_teach(sample: str) -> None:
    recorded = WithoutSamples(**vars(load_recorded(sample, "swebench")))
    first = recorded.rollouts[0]
    said = cross_fitted(recorded, "aft", 0)[first.name]
    learn = find_forecaster("aft").learn_forecasts
    assert learn is not None
    taught = learn(recorded.examples(), 0)(first.probes())
    assert said.finish.tolist() == [one.forecast.finish for one in taught if one.forecast]
    assert len(said.success) == len(first.rollout.turns) - 1 > 1


@pytest.mark.parametrize("config", ["swebench", "warehouse"])
def test_stopping_below_a_half_scores_as_early_stop_does(config: str, sample: str) -> None:
    rows = predict(ForecastRequest(sample, config, "test", "aft", cross_validate=True)).rows
    samples = load_samples(sample, config)
    overall = score(samples.table, rows, question="forecast").overall
    recorded = load_recorded(sample, config)
    families = foretold_families(recorded.rollouts, cross_fitted(recorded, "aft", 0))
    rollouts = Rollouts.of(families, Resampling(10, 0))
    runs = StoppedRuns.of(families, by_policy(replace(NOW, stop_below=0.5)))
    scores = rollouts.scores(runs, 2.0)
    assert scores.net_benefit.value == pytest.approx(overall["net_benefit"].value)
    assert runs.lost.mean() == pytest.approx(overall["success_drop"].value)
    assert runs.lost_success.mean() == pytest.approx(overall["any_success_drop"].value)
    assert scores.failures_stopped.value == pytest.approx(overall["stopped_failed"].value)


@pytest.mark.parametrize("worth", [0.25, 2.0, 16.0])
def test_the_best_threshold_has_the_greatest_net_benefit(worth: float) -> None:
    rollouts = made(0)
    choice = choose_threshold(rollouts, NOW, worth, seed=0)
    values = [point.scores.net_benefit.value or 0.0 for point in choice.curve]
    assert [point.policy.stop_below for point in choice.curve] == list(THRESHOLDS)
    best = next(
        point.policy
        for point, value in zip(choice.curve, values, strict=True)
        if value >= max(values) - 1e-9
    )
    assert choice.policy == best
    assert choice.seen.net_benefit.value == pytest.approx(max(values))


def test_a_dearer_success_is_lost_less_often() -> None:
    rollouts = made(1)
    lost = [
        choose_threshold(rollouts, NOW, worth, 0).seen.successes_lost.value or 0.0
        for worth in (0.1, 1.0, 100.0)
    ]
    assert lost == sorted(lost, reverse=True)
    assert lost[-1] == 0


def test_each_part_is_stopped_by_what_is_best_on_the_others() -> None:
    rollouts = made(2)
    choice = choose_threshold(rollouts, NOW, 2.0, seed=7)
    benefits = {
        threshold: StoppedRuns.of(
            rollouts.families, by_policy(replace(NOW, stop_below=threshold))
        ).net_benefit(2.0)
        for threshold in THRESHOLDS
    }
    part_of = parts_of_instances(rollouts.instance_ids, 10, 7)
    part = np.array([part_of[name] for name in rollouts.instance_ids])
    total = 0.0
    for number, chosen in enumerate(choice.others):
        sums = [benefit[part != number].sum() for benefit in benefits.values()]
        assert benefits[chosen.stop_below][part != number].sum() == pytest.approx(max(sums))
        total += benefits[chosen.stop_below][part == number].sum()
    assert choice.unseen.net_benefit.value == pytest.approx(total / len(rollouts))


def test_each_part_is_stopped_by_a_test_calibrated_on_the_others() -> None:
    rollouts = made(3, count=80, instances=40)
    choice = choose_sequential(rollouts, SequentialPolicy(0.2), 2.0, seed=5)
    watched = watched_runs(rollouts, "success")
    assert choice.policy.stop_below == calibrated(watched, 0.2).stop_below
    assert len({test.threshold for test in choice.others}) > 1
    point = next(point for point in choice.curve if point.policy.max_false_abort == 0.2)
    assert point.scores == choice.unseen
    assert choice.seen.false_aborts.value is not None
    assert choice.seen.false_aborts.value <= 0.2


def test_a_test_that_some_part_cannot_do_without_is_not_tried_on_the_others() -> None:
    rollouts = made(8, count=20, instances=20)
    successes = int(rollouts.is_success.sum())
    share = 1 / (successes + 1)  # needs every success
    choice = choose_sequential(rollouts, SequentialPolicy(share + 1e-6), 2.0, seed=0)
    assert choice.policy.threshold is not None
    assert all(test.threshold is None for test in choice.others)
    assert choice.unseen.cost_saved.value == 0


def test_a_test_of_finishing_watches_what_succeeds_within_the_budgets() -> None:
    rollouts = made(4)
    finish, success = (watched_runs(rollouts, each) for each in ("finish", "success"))
    assert finish.outcome.sum() < success.outcome.sum()
    assert np.array_equal(finish.outcome, rollouts.is_feasible)
    assert all((a <= b).all() for a, b in zip(finish.chances, success.chances, strict=True))


def test_rollouts_of_an_instance_are_drawn_together() -> None:
    rollouts = made(5)
    clusters: dict[str, set[int]] = {}
    for name, cluster in zip(rollouts.instance_ids, rollouts.cluster.tolist(), strict=True):
        clusters.setdefault(name, set()).add(cluster)
    assert all(len(own) == 1 for own in clusters.values())
    assert rollouts.draws.shape == (201, 20)


def test_shares_of_none_and_of_all_have_no_interval() -> None:
    rollouts = made(6)
    always = StoppedRuns.of(rollouts.families, by_policy(replace(NOW, stop_below=1.0)))
    never = StoppedRuns.of(rollouts.families, by_policy(replace(NOW, stop_below=0.0)))
    for runs in (always, never):
        failures = rollouts.scores(runs, 2.0).failures_stopped
        assert failures.value is not None
        assert (failures.low is None) == (failures.value in {0, 1})
    assert rollouts.scores(never, 2.0).cost_saved.value == 0


def _kept(sample: str, folder: Path, *splits: str) -> str:
    examples = [
        one for split in splits for one in load_examples(sample, "sokoban_train", split).examples
    ]
    fit = find_forecaster("climatology").fit
    assert fit is not None
    keep("climatology", fit(examples, 0), examples).save(folder)
    return str(folder)


def test_a_kept_forecaster_is_tried_on_instances_it_did_not_learn_from(
    sample: str, tmp_path: Path
) -> None:
    name = _kept(sample, tmp_path / "kept", "sft", "rl")
    on_test = evaluate(PolicyRequest(name, sample, "sokoban", NOW, resamples=10))
    assert on_test.counts["rollouts"] == 8
    assert on_test.learned == "the forecaster learned from none of these instances"
    of_sft = _kept(sample, tmp_path / "sft", "sft")
    on_train = evaluate(PolicyRequest(of_sft, sample, "sokoban_train", NOW, resamples=10))
    assert 0 < on_train.counts["rollouts"] < 10
    assert "of others left out" in on_train.learned
    assert not on_train.is_cross_fitted


def test_a_forecaster_that_learned_from_every_instance_is_refused(
    sample: str, tmp_path: Path
) -> None:
    name = _kept(sample, tmp_path / "kept", "sft", "rl", "heldout")
    with pytest.raises(InputError, match="learned from every instance of --config sokoban_train"):
        evaluate(PolicyRequest(name, sample, "sokoban_train", NOW))
    with pytest.raises(InputError, match="forecasts sokoban, and --config swebench is of swebench"):
        evaluate(PolicyRequest(name, sample, "swebench", NOW))
    with pytest.raises(InputError, match="'bagen fit --task swebench' makes one of logs"):
        evaluate(PolicyRequest(name, sample, "swebench", NOW))


def test_one_instance_to_choose_on_is_refused(sample: str, tmp_path: Path) -> None:
    examples = [
        one
        for split in ("sft", "rl", "heldout")
        for one in load_examples(sample, "sokoban_train", split).examples
    ]
    left_out = examples[0].instance_id
    fit = find_forecaster("climatology").fit
    assert fit is not None
    known = [one for one in examples if one.instance_id != left_out]
    keep("climatology", fit(known, 0), known).save(tmp_path / "kept")
    with pytest.raises(InputError, match="sokoban_train has 1 instance to choose a policy on"):
        evaluate(PolicyRequest(str(tmp_path / "kept"), sample, "sokoban_train", NOW))


def test_a_forecaster_of_amounts_alone_is_refused(sample: str, tmp_path: Path) -> None:
    examples = load_examples(sample, "sokoban_train", "sft").examples
    fit = find_forecaster("climatology").fit_amounts
    assert fit is not None
    keep("climatology", fit(examples, 0), examples).save(tmp_path / "kept")
    with pytest.raises(InputError, match="whose outcome is not known"):
        evaluate(PolicyRequest(str(tmp_path / "kept"), sample, "sokoban", NOW))


@pytest.mark.parametrize(
    ("forecaster", "config", "error", "problem"),
    [
        ("over_budget", "sokoban", WrongUsageError, "answers with intervals"),
        ("quantiles", "sokoban", WrongUsageError, "answers with intervals"),
        ("climatology", "sokoban_start", WrongUsageError, "the rollouts of one task"),
        ("climatology", "default", WrongUsageError, "the rollouts of one task"),
        (
            "climatology",
            "chess",
            InputError,
            "has no config chess; expected one of .*, sokoban, sokoban_train, ",
        ),
        ("frest", "sokoban", InputError, "frest: is not a forecaster .*climatology, aft, forest"),
        ("./frest", "sokoban", InputError, "no such folder"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(
    forecaster: str, config: str, error: type[Exception], problem: str, sample: str
) -> None:
    with pytest.raises(error, match=problem):
        evaluate(PolicyRequest(forecaster, sample, config, NOW))


def test_the_same_seed_gives_the_same_report(sample: str) -> None:
    request = PolicyRequest("climatology", sample, "searchr1_train", NOW, resamples=50)
    assert evaluate(request).to_dict() == evaluate(request).to_dict()
