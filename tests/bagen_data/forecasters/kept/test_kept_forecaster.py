"""Forecasters that were saved and loaded say what they said before, one probe as many."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.errors import InputError, OutputError
from bagen_data.forecasters import find_forecaster
from bagen_data.forecasters.kept import (
    AmountForecast,
    KeptForecaster,
    LearnedFrom,
    instance_hash,
    keep,
    learned_of,
    load_forecaster,
)
from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.forecasters.learning.examples import Example
from bagen_data.scoring.forecast_formulas import chance_within
from tests.bagen_data.forecasters.kept_cases import (
    KINDS,
    SEVERAL,
    fitted,
    fitted_on_amounts,
    probes,
)
from tests.bagen_data.forecasters.simulated_examples import family
from tests.making import REPO


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("resources", [("tokens",), SEVERAL])
@pytest.mark.parametrize("made", [fitted, fitted_on_amounts])
def test_a_probe_s_forecast_is_the_same_alone_and_among_others(
    kind: str, resources: tuple[str, ...], made: object
) -> None:
    kept = made(kind, resources)  # type: ignore[operator]
    asked = probes(resources)
    together = kept.forecast(asked)
    assert [kept.forecast([one])[0] for one in asked] == together


@given(data=st.data())
def test_neither_the_batch_nor_its_order_matters(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(KINDS))
    asked = probes()
    order = data.draw(st.lists(st.integers(0, len(asked) - 1), min_size=1, max_size=70))
    together = fitted(kind).forecast(asked)
    made = fitted(kind).forecast([asked[row] for row in order])
    assert made == [together[row] for row in order]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("resources", [("tokens",), SEVERAL])
@pytest.mark.parametrize("made", [fitted, fitted_on_amounts])
def test_what_is_loaded_says_the_same_to_the_bit(
    kind: str, resources: tuple[str, ...], made: object, tmp_path: Path
) -> None:
    kept: KeptForecaster = made(kind, resources)  # type: ignore[operator]
    kept = replace(
        kept, card="# Nice\n\n\u221a \U0001f600\n", skill={"scores": {"finish": [0.1, 2]}}
    )
    kept.save(tmp_path / "kept")
    loaded = load_forecaster(tmp_path / "kept")
    assert loaded.sha256 == kept.sha256
    names = "kind task units budgets conditions learned_from skill card knows_success resources"
    for fact in (*names.split(), "package_version"):
        assert getattr(loaded, fact) == getattr(kept, fact)
    asked = AskedColumns.of(probes(resources))
    before, after = kept.foretell(asked), loaded.foretell(asked)
    for name in ("finish", "success", "quantiles"):
        np.testing.assert_array_equal(getattr(before, name), getattr(after, name))


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_kept_says_what_the_baseline_says(kind: str) -> None:
    examples, asked = family(25, 0, budget=600), probes()
    learn = find_forecaster(kind).learn_forecasts
    assert learn is not None
    estimates = learn(examples, 0)(asked)
    assert [one.forecast for one in estimates] == fitted(kind).forecast(asked)


def test_what_is_loaded_needs_no_scikit_learn(tmp_path: Path) -> None:
    for kind in KINDS:
        fitted(kind).save(tmp_path / kind)
    program = """
import sys
for name in ("sklearn", "scipy", "pandas", "torch"):
    sys.modules[name] = None
from bagen_data.forecasters.kept import load_forecaster
from bagen_data.schema import Budget, Probe, Turn
turn = Turn("look", "go", {"tokens": 40.0})
probe = Probe("chess", "", (turn,), "", {"tokens": 40.0}, {}, Budget({"tokens": 600}))
for folder in sys.argv[1:]:
    (forecast,) = load_forecaster(folder).forecast([probe])
    print(repr(forecast.finish))
assert "pyarrow.compute" not in sys.modules  # which takes as long to import as all else
"""
    folders = [str(tmp_path / kind) for kind in KINDS]
    command = [sys.executable, "-c", program, *folders]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True)
    assert len(done.stdout.split()) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("resources", [("tokens",), SEVERAL])
def test_without_outcomes_there_are_amounts_and_no_success(
    kind: str, resources: tuple[str, ...]
) -> None:
    kept = fitted_on_amounts(kind, resources)
    assert not kept.knows_success
    asked = AskedColumns.of(probes(resources))
    columns = kept.foretell(asked)
    assert np.isnan(columns.finish).all()
    assert np.isnan(columns.success).all()
    for row, one in enumerate(kept.forecasts(asked)):
        assert isinstance(one, AmountForecast)
        assert (one.finish, one.success) == (None, None)
        left = asked.amounts.left[:, row]
        each = [
            float(chance_within(own[:, [row]], left[[place]].clip(0))[0])
            for place, own in enumerate(columns.quantiles)
        ]
        assert one.within_budget == (min(each) if (left >= 0).all() else 0.0)


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("kind", KINDS)
def test_outcomes_that_are_not_known_are_not_read(kind: str) -> None:
    fit_amounts = find_forecaster(kind).fit_amounts
    assert fit_amounts is not None

    def turned(one: Example) -> Example:
        target = replace(one.target, feasible=not one.target.feasible)
        return replace(one, target=target, success=not one.success)

    examples = [turned(one) for one in family(25, 0, budget=600)]
    other = keep(kind, fit_amounts(examples, 0), examples)
    assert fitted_on_amounts(kind).forecast(probes()) == other.forecast(probes())


def test_probes_of_other_tasks_and_resources_are_refused() -> None:
    kept, (probe, *_) = fitted("forest"), probes()
    assert kept.forecast([]) == []
    with pytest.raises(InputError, match=r"probes\[1\]: is of task go, and the forest"):
        kept.forecast([probe, replace(probe, task="go")])
    with pytest.raises(InputError, match=r"probes\[0\]: its budget has the resources time_weeks,"):
        kept.forecast(probes(SEVERAL))
    conditional = replace(probe, budget=replace(probe.budget, conditions={"target_cash_usd": 1}))
    with pytest.raises(InputError, match=r"has the conditions target_cash_usd, and .* from none"):
        kept.forecast([conditional])
    with pytest.raises(InputError, match="forecasts tokens, and is asked about time_weeks, cumul"):
        kept.foretell(AskedColumns.of(probes(SEVERAL)))


def test_it_says_what_it_learned_from() -> None:
    kept = fitted("forest", SEVERAL)
    examples = family(25, 0, SEVERAL, 600)
    known = kept.learned_from
    assert (known.rollouts, known.instances, known.probes) == (25, 25, len(examples))
    assert instance_hash("chess", examples[0].instance_id) in known.instance_sha256
    assert dict(kept.units) == {"time_weeks": "weeks", "cumulative_cost_usd": "USD"}
    assert dict(kept.budgets) == dict.fromkeys(SEVERAL, 600)
    other = learned_of(examples, dataset="ORG/NAME", splits=("sft", "rl"))
    assert other == replace(known, dataset="ORG/NAME", splits=("sft", "rl"))


def test_usual_budgets_and_conditions_are_medians_of_rollouts() -> None:
    examples = family(3, 0, budget=600)
    targets = {example.rollout: 10.0**number for number, example in enumerate(examples)}

    def conditional(one: Example) -> Example:
        target = targets[one.rollout]
        conditions = {"target_cash_usd": target, f"target_{target:.0f}": 1.0}
        budget = replace(one.probe.budget, limits={"tokens": target}, conditions=conditions)
        return replace(one, probe=replace(one.probe, budget=budget))

    known = [conditional(one) for one in examples]
    fit = find_forecaster("climatology").fit
    assert fit is not None
    kept = keep("climatology", fit(known, 0), known)
    middle = sorted(targets.values())[1]
    assert dict(kept.budgets) == {"tokens": middle}
    assert dict(kept.conditions) == {"target_cash_usd": middle}  # all budgets have this one


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"mine\.txt"):
        fitted("aft").save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_earlier_forecaster_is_replaced(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    for kind in ("forest", "climatology"):
        fitted(kind).save(folder)
    assert load_forecaster(folder).kind == "climatology"
    assert sorted(path.name for path in folder.iterdir()) == [
        "README.md",
        "forecaster.json",
        "forecaster.safetensors",
    ]


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        ({"kind": "quantiles"}, "is of kind 'quantiles', and bagen-data .* knows conformal, cl"),
        ({"kind": "aft"}, "holds a Forest; expected a FailureTimeModel"),
        ({"skill": {"a": float("nan")}}, "skill.a is nan"),
        ({"card": "x" * 2_000_000}, "README.md has 2,000,000 bytes; at most"),
        ({"budgets": {}}, "has budgets that are not one from 0 on for each resource"),
        ({"learned_from": LearnedFrom(instance_sha256=("x",))}, "is not named by its SHA-256"),
    ],
)
def test_what_could_not_be_loaded_is_not_saved(
    part: dict[str, object], problem: str, tmp_path: Path
) -> None:
    kept = replace(fitted("forest"), **part)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=problem):
        kept.save(tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
