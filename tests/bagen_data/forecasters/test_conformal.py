import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from bagen_data.array_types import Floats
from bagen_data.forecasters import Learn, find_forecaster
from bagen_data.forecasters.conformal import widenings
from bagen_data.forecasters.learning import cross_fitting
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.learners import QUANTILES
from bagen_data.forecasters.reward_optimal import best_factors
from bagen_data.schema import Budget, Estimate, Interval, Rollout
from bagen_data.scoring.interval_formulas import covered, interval_reward
from tests.bagen_data.forecasters.simulated_examples import examples_of, family
from tests.making import REPO, recorded_for, token_turn

conformal = find_forecaster("conformal").learn
reward_optimal = find_forecaster("reward_optimal").learn
LEARNERS: tuple[Learn, ...] = (conformal, reward_optimal)


def ask(answerer: Learn, known: Sequence[Example], asked: Sequence[Example]) -> list[Estimate]:
    return answerer(known, 0)([example.probe for example in asked])


def outcome(said: Sequence[Estimate], asked: Sequence[Example]) -> tuple[Floats, Floats, Floats]:
    """Bounds and truth, (r, n), of the feasible probes that are answered with an interval."""
    pairs = [
        (one, example.target.remaining)
        for one, example in zip(said, asked, strict=True)
        if example.target.feasible and one.intervals
    ]
    table = [
        [
            (one.intervals[name].low, one.intervals[name].high, amount)
            for name, amount in truth.items()
        ]
        for one, truth in pairs
    ]
    low, high, remaining = np.array(table, np.float64).T
    return low, high, remaining


@pytest.mark.parametrize(
    ("resources", "seeds"), [(("tokens",), 2), (("time_weeks", "cumulative_cost_usd"), 1)]
)
def test_conformal_is_honest(resources: Sequence[str], seeds: int) -> None:
    hits = []
    for seed in range(seeds):
        known, asked = family(240, seed, resources), family(400, 100 + seed, resources)
        bounds = outcome(ask(conformal, known, asked), asked)
        hits.append(covered(*bounds).all(axis=0))
    assert min(map(len, hits)) > 500
    assert np.concatenate(hits).mean() == pytest.approx(0.8, abs=0.05)


def test_reward_optimal_earns_more_and_covers_less() -> None:
    known, asked = family(240, 0), family(400, 1)
    wide = outcome(ask(conformal, known, asked), asked)
    tight = outcome(ask(reward_optimal, known, asked), asked)
    assert interval_reward(*tight).mean() > interval_reward(*wide).mean() + 0.03
    assert covered(*tight).mean() < covered(*wide).mean() - 0.2


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("learn", LEARNERS)
def test_the_same_seed_teaches_the_same(learn: Learn, monkeypatch: pytest.MonkeyPatch) -> None:
    known, asked = family(12, 0), family(10, 1)
    once = ask(learn, known, asked)
    monkeypatch.setattr(cross_fitting, "_LEARNED", {})
    assert ask(learn, known, asked) == once


@pytest.mark.usefixtures("few_trees")
def test_what_is_remembered_is_what_was_learned_from_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    memory: dict[object, object] = {}
    monkeypatch.setattr(cross_fitting, "_LEARNED", memory)
    known, asked = family(12, 0), family(10, 1)
    first = ask(conformal, known, asked)
    ask(reward_optimal, known, asked)
    assert len(memory) == 1
    assert ask(conformal, known, asked) == first
    tighter = [
        replace(
            example,
            target=replace(
                example.target,
                remaining={name: amount + 1 for name, amount in example.target.remaining.items()},
            ),
        )
        for example in known
    ]
    ask(conformal, tighter, asked)
    conformal(known, 1)
    assert len(memory) == 3


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("learn", LEARNERS)
@pytest.mark.parametrize("task", ["sokoban", "warehouse"])
@pytest.mark.parametrize("outcomes", ["1", "00", "10", "1000", "10110"])
def test_a_handful_of_rollouts_is_enough(learn: Learn, task: str, outcomes: str) -> None:
    examples = []
    for number, success in enumerate(outcomes):
        recorded, budget = recorded_for(task, 4 + number % 2)
        recorded = replace(recorded, success=success == "1", instance_id=f"{number}")
        examples += examples_of(recorded, budget, f"{number}", range(5 + number % 2))
    said = ask(learn, examples, examples)
    assert len(said) == len(examples)
    assert not any(one.intervals for one in said) or "1" in outcomes


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("learn", LEARNERS)
def test_of_one_class_there_is_no_doubt(learn: Learn) -> None:
    known = family(30, 0)
    for feasible, verdict in ((True, "feasible"), (False, "infeasible")):
        own = [example for example in known if example.target.feasible == feasible]
        assert {one.verdict for one in ask(learn, own, known)} == {verdict}


@pytest.mark.parametrize("learn", LEARNERS)
def test_what_gives_failure_away_is_seen(learn: Learn) -> None:
    """The judgment of feasibility is all that can tell within the budget."""
    known, asked = (
        [*(reading(one, "!" * 500) if not one.target.feasible else one for one in family(60, seed))]
        for seed in (0, 1)
    )
    for example, said in zip(asked, ask(learn, known, asked), strict=True):
        assert bool(said.intervals) == example.target.feasible


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("instances", [1, 2, 3])
def test_a_few_instances_however_often_recorded_are_few(instances: int) -> None:
    """The likeness of an instance's runs must not be taken for that of other instances."""
    known = [
        replace(one, instance_id=f"{number % instances}")
        for number, one in enumerate(one for one in family(60, 0) if one.target.feasible)
    ]
    (asked,) = [one for one in family(40, 1) if one.target.feasible][:1]
    (said,) = ask(conformal, known, [asked])
    left = asked.probe.budget.limits["tokens"] - asked.probe.used["tokens"]
    assert said.intervals["tokens"] == Interval(0, left)


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("learn", LEARNERS)
def test_over_budget_is_impossible(learn: Learn) -> None:
    known = family(10, 0)
    recorded = Rollout("chess", "m", "r", "i", "", (token_turn(50, 60),) * 3, True)
    over = examples_of(recorded, Budget({"tokens": 100}), "r")
    assert {one.verdict for one in ask(learn, known, over)} == {"infeasible"}


@pytest.mark.usefixtures("few_trees")
def test_with_too_few_rollouts_anything_may_happen() -> None:
    known = [example for example in family(3, 3) if example.target.feasible]
    for example, said in zip(known, ask(conformal, known, known), strict=True):
        left = example.probe.budget.limits["tokens"] - example.probe.used["tokens"]
        assert (said.intervals["tokens"].low, said.intervals["tokens"].high) == (0, left)


@pytest.mark.usefixtures("few_trees")
def test_prefixes_that_are_never_asked_teach_nothing() -> None:
    known, asked = family(20, 0), family(5, 1)
    last = next(example for example in known if example.target.feasible)
    turns = last.probe.turns
    done = replace(
        last, total_turns=len(turns), target=replace(last.target, remaining={"tokens": 0})
    )
    assert ask(conformal, [*known, done], asked) == ask(conformal, known, asked)


def reading(example: Example, text: str) -> Example:
    """The same with another first user message."""
    first, *others = example.probe.turns
    probe = replace(example.probe, turns=(replace(first, user=text), *others))
    return replace(example, probe=probe)


def test_a_column_that_hardly_varies_moves_no_answer_far() -> None:
    known = family(30, 0)
    known[0] = reading(known[0], "look!")
    most = max(example.target.remaining["tokens"] for example in known)
    for learn in LEARNERS:
        quiet, loud = ask(
            learn, known, [reading(known[1], text) for text in ("look!", "x" * 10**6)]
        )
        assert quiet.verdict == loud.verdict == "feasible"
        assert loud.intervals["tokens"].high < 3 * most


@pytest.mark.parametrize("size", [9, 40, 200])
@pytest.mark.parametrize("width", [0.1, 1.0, 5.0])
def test_one_probe_a_cluster_is_mapie_s_split(size: int, width: float) -> None:
    regression = pytest.importorskip("mapie.regression")
    rng = np.random.default_rng(size)
    inputs = rng.normal(size=(size, 1))
    truth = inputs[:, 0] + rng.normal(size=size)
    lines = [_Line(-width), _Line(width), _Line(0.0)]
    theirs = regression.ConformalizedQuantileRegressor(lines, confidence_level=0.8, prefit=True)
    _, bounds = theirs.conformalize(inputs, truth).predict_interval(
        inputs, symmetric_correction=True
    )
    said = np.stack([line.predict(inputs)[np.newaxis] for line in (lines[0], lines[2], lines[1])])
    added = widenings(said, truth[np.newaxis], np.arange(size), 0.2)
    ours = np.column_stack([said[0, 0] - added[0], said[2, 0] + added[0]])
    np.testing.assert_allclose(ours, bounds[:, :, 0], atol=1e-9)


def test_one_resource_is_not_widened_for_another() -> None:
    rng = np.random.default_rng(0)
    spent = rng.normal(size=(2, 500)) * [[0.01], [1.0]]
    said = np.zeros((3, 2, 500))
    easy, hard = widenings(said, spent, np.arange(500), 0.2)[:, 0]
    assert 50 < hard / easy < 200
    assert np.mean((np.abs(spent) <= [[easy], [hard]]).all(axis=0)) == pytest.approx(0.8, abs=0.01)


def test_the_best_factors_are_the_best_of_all_pairs() -> None:
    residuals = np.random.default_rng(0).normal(0, 0.4, 30)
    remaining = np.exp(residuals)[np.newaxis]

    def earned(low: float, high: float) -> float:
        bounds = np.full((2, *remaining.shape), [[[low]], [[high]]])
        return float(interval_reward(bounds[0], bounds[1], remaining).mean())

    edges = np.exp(np.quantile(residuals, np.linspace(0, 1, 41)))
    best = max(earned(low, high) for low in edges for high in edges if low <= high)
    assert earned(*best_factors(residuals)) == pytest.approx(best)


def test_quantiles_are_those_of_the_nominal_coverage() -> None:
    assert tuple(map(round, QUANTILES, [9] * 3)) == (0.1, 0.5, 0.9)
    assert find_forecaster("conformal").settings == {"nominal_coverage": 0.8}


def test_a_missing_extra_is_named() -> None:
    code = (
        "import sys; sys.modules['sklearn.ensemble'] = None\n"
        "from tests.bagen_data.forecasters.test_conformal import *\n"
        "known = family(8, 0)\n"
        "try: ask(conformal, known, known)\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == (
        "MissingExtraError scikit-learn is not installed; "
        "install it with: pip install 'bagen-data[baselines]'"
    )


class _Line:
    """A fitted regressor of slope 1."""

    def __init__(self, intercept: float) -> None:
        self.intercept = intercept
        self.is_fitted = True

    def fit(self, *_: object) -> "_Line":
        return self

    def predict(self, inputs: Floats) -> Floats:
        return inputs[:, 0] + self.intercept
