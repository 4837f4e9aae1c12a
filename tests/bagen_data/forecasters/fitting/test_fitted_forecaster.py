"""A fitted forecaster: what is kept of it, and what its card tells a stranger."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from bagen_data.errors import OutputError, WrongUsageError
from bagen_data.forecasters import find_forecaster
from bagen_data.forecasters.fitting.fitted_forecaster import (
    FittedForecaster,
    fit,
    new_folder,
    number_of_fits,
)
from bagen_data.forecasters.fitting.teaching_data import TeachingSource
from bagen_data.forecasters.fitting.unseen_scores import SCORES, cross_fitted_scores
from bagen_data.forecasters.kept import AmountForecast, load_forecaster
from bagen_data.forecasters.learning.examples import Example
from bagen_data.schema import Budget, Forecast
from tests.bagen_data.forecasters.fitting.taught import examples_of, taught, with_outcomes

ON_HUB = TeachingSource("ORG/NAME", "c" * 64, "d" * 40, "chess_train", ("sft", "rl"))
FAST = ("aft", "climatology")


def written(fitted: FittedForecaster, out: Path) -> dict[str, bytes]:
    with new_folder(out) as save:
        save(fitted)
    return {path.name: path.read_bytes() for path in out.iterdir()}


def card_of(fitted: FittedForecaster) -> ModelCard:
    return ModelCard(fitted.kept.card)


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("name", ["forest", "aft", "conformal", "climatology"])
def test_what_is_kept_forecasts_as_what_was_fitted(name: str, tmp_path: Path) -> None:
    examples = examples_of(12)
    fitted = fit(name, taught(examples), 4)
    written(fitted, tmp_path / "out")
    loaded = load_forecaster(tmp_path / "out")
    probes = [each.probe for each in examples_of(5, 9)]
    learn = find_forecaster(name).learn_forecasts
    assert learn
    said = [each.forecast for each in learn(examples, 4)(probes)]
    assert loaded.forecast(probes) == fitted.kept.forecast(probes) == said


@pytest.mark.parametrize("name", FAST)
def test_the_same_rollouts_make_the_same_bytes(name: str, tmp_path: Path) -> None:
    data = taught(examples_of(12), source=ON_HUB)
    one, two = (written(fit(name, data, 0), tmp_path / each) for each in ("a", "b"))
    assert one == two
    assert set(one) == {"README.md", "forecaster.json", "forecaster.safetensors"}


def test_its_scores_are_kept_and_are_those_of_cross_fitting(tmp_path: Path) -> None:
    examples = examples_of(12)
    fitted = fit("aft", taught(examples, heldout=_others(examples_of(3, 5))), 0)
    record = json.loads(written(fitted, tmp_path / "out")["forecaster.json"])
    forecaster = find_forecaster("aft")
    assert forecaster.learn_forecasts
    own = cross_fitted_scores(forecaster, forecaster.learn_forecasts, examples, 0)
    assert fitted.cross_fitted == own
    assert record["skill"]["cross_fitted"] == own.to_dict()
    assert record["skill"]["heldout"]["instances"] == 3
    assert list(record["skill"]["heldout"]["scores"]) == list(SCORES)
    assert json.loads(json.dumps(fitted.to_dict()))["learned_from"]["instances"] == 12


def _others(examples: Sequence[Example]) -> list[Example]:
    return [replace(each, instance_id=f"other {each.instance_id}") for each in examples]


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("name", ["forest", "aft", "conformal", "climatology"])
def test_without_outcomes_it_gives_amounts_and_says_so(name: str, tmp_path: Path) -> None:
    examples = with_outcomes(examples_of(12), success=True, feasible=True)
    fitted = fit(name, taught(examples, knows_success=False), 0)
    record = json.loads(written(fitted, tmp_path / "out")["forecaster.json"])
    assert record["knows_success"] is False
    loaded = load_forecaster(tmp_path / "out")
    assert not loaded.knows_success
    (said,) = loaded.forecast([examples[0].probe])
    assert isinstance(said, AmountForecast)
    assert (said.finish, said.success) == (None, None)
    assert "does not know success" in fitted.summary
    assert "**It does not know success:**" in fitted.kept.card
    assert "`finish`" not in fitted.kept.card
    assert fitted.limits[0].startswith("It does not know success")
    assert fitted.cross_fitted.scores["brier"].value is not None
    assert fitted.cross_fitted.scores["wis"].n == len(examples)


def test_amounts_alone_do_not_depend_on_outcomes() -> None:
    """Known failures do not change what is learned."""
    examples = examples_of(12)
    counted = with_outcomes(examples, success=True, feasible=True)
    one, other = (
        fit("aft", taught(each, knows_success=False), 0).kept.forecast([examples[0].probe])
        for each in (counted, with_outcomes(examples, success=False, feasible=False))
    )
    assert one == other


def test_with_outcomes_it_gives_forecasts() -> None:
    examples = examples_of(12)
    (said,) = fit("aft", taught(examples), 0).kept.forecast([examples[0].probe])
    assert isinstance(said, Forecast)


@pytest.mark.parametrize(
    ("success", "feasible", "words"),
    [
        (False, False, "None of its rollouts succeeded: "),
        (True, True, "All of its rollouts succeeded: "),
        (True, False, "None of its rollouts succeeded within its budget"),
    ],
)
def test_one_kind_of_outcome_is_a_limit(success: bool, feasible: bool, words: str) -> None:
    fitted = fit("aft", taught(with_outcomes(examples_of(12), success, feasible)), 0)
    assert any(each.startswith(words) for each in fitted.limits)
    assert words in fitted.kept.card


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("name", ["forest", "aft", "conformal", "climatology"])
def test_where_every_probe_is_over_its_budget_no_probability_is_scored(name: str) -> None:
    spent = [
        replace(
            each,
            probe=replace(each.probe, budget=Budget({"tokens": 1})),
            target=replace(each.target, feasible=False),
        )
        for each in examples_of(12)
    ]
    fitted = fit(name, taught(spent), 0)
    brier = fitted.cross_fitted.scores["brier"]
    assert (brier.value, brier.n) == (None, 0)
    assert fitted.cross_fitted.scores["wis"].value is not None
    assert any("have no skill to show" in each for each in fitted.limits)
    assert "| `brier` | - |  | 0 |" in fitted.kept.card


def test_few_instances_and_the_benchmark_s_own_are_limits() -> None:
    benchmark = replace(ON_HUB, config="chess", splits=("test",))
    few = fit("aft", taught(examples_of(4), source=benchmark), 0).limits
    assert any("learned from 4 instances: with fewer than 10" in each for each in few)
    assert any("the benchmark's own rollouts (config chess)" in each for each in few)
    many = fit("aft", taught(examples_of(40), source=ON_HUB), 0).limits
    assert not any("instances:" in each or "benchmark" in each for each in many)


def test_a_forecaster_without_skill_says_so() -> None:
    limits = fit("climatology", taught(examples_of(12)), 0).limits
    assert any("no better than climatology" in each for each in limits)


def test_the_hub_reads_the_card_of_a_dataset_there() -> None:
    fitted = fit("aft", taught(examples_of(12), source=ON_HUB), 0)
    data = card_of(fitted).data
    assert data.library_name == "bagen-data"
    assert data.datasets == ["ORG/NAME"]
    assert data.model_name == "bagen-chess-aft"
    results = {each.metric_type: each for each in data.eval_results}
    assert results["brier_score"].metric_value == fitted.cross_fitted.scores["brier"].value
    assert results["wis_skill"].dataset_type == "ORG/NAME"
    assert results["wis_skill"].dataset_config == "chess_train"
    assert "cross-fitted" in results["wis_skill"].metric_name


def test_no_metric_is_claimed_of_data_that_nobody_can_fetch() -> None:
    for source in (TeachingSource(), replace(ON_HUB, dataset=None, commit=None)):
        fitted = fit("aft", taught(examples_of(12), source=source), 0)
        data = card_of(fitted).data.to_dict()
        assert "datasets" not in data
        assert "model-index" not in data
    assert "c" * 64 in fitted.kept.card


def test_the_card_holds_every_score_and_how_many_taught() -> None:
    fitted = fit("aft", taught(examples_of(12), source=ON_HUB, notes=("One was left.",)), 7)
    card = fitted.kept.card
    for name, score in fitted.cross_fitted.scores.items():
        (row,) = re.findall(rf"(?m)^\| `{name}` \| (.*)$", card)
        assert row.startswith(f"{score.value:.3f} | {score.low:.3f} to {score.high:.3f} | ")
    happened = sum(each.success for each in fitted.data.rollouts.values())
    assert f"| rollouts | 12, of which {happened} succeeded |" in card
    assert "One was left." in card
    assert "with seed 7 " in card
    assert all(limit in card for limit in fitted.limits)


def test_the_example_of_a_card_has_the_usual_budget_and_conditions() -> None:
    """A Warehouse forecaster would be asked another question without the target cash."""
    examples = examples_of(3)
    targets = dict(zip(sorted({each.rollout for each in examples}), (10, 30, 20), strict=True))
    aimed = [
        replace(
            each,
            probe=replace(
                each.probe,
                budget=Budget({"tokens": 9_999}, {"target_cash_usd": targets[each.rollout]}),
                state={"cash_usd": 5},
            ),
        )
        for each in examples
    ]
    card = fit("climatology", taught(aimed), 0).kept.card
    assert 'BudgetTracker({"tokens": 9999, "target_cash_usd": 20}, forecaster)' in card
    assert "usage=response.usage, state=...)" in card
    plain = fit("climatology", taught(examples), 0).kept.card
    assert 'BudgetTracker({"tokens": 9999}, forecaster)' in plain
    assert "state=" not in plain


@pytest.mark.parametrize("name", FAST)
def test_each_time_that_it_learns_is_told(name: str) -> None:
    data = taught(examples_of(12), heldout=_others(examples_of(3, 5)))
    calls = []
    fit(name, data, 0, lambda: calls.append(1))
    assert len(calls) == number_of_fits(name, data) == {"aft": 10, "climatology": 12}[name] + 2


def test_a_card_names_the_budgets_that_finish_was_learned_at() -> None:
    examples = examples_of(6)
    one = "about a budget of 9,999 `tokens`, the only one that it learned at;"
    assert one in fit("climatology", taught(examples), 0).kept.card
    other = replace(examples[0].probe, budget=Budget({"tokens": 500}))
    several = taught([replace(examples[0], probe=other), *examples[1:]])
    assert "budgets from 500 to 9,999 `tokens`;" in fit("climatology", several, 0).kept.card
    alone = taught(with_outcomes(examples, success=True, feasible=True), knows_success=False)
    assert "extrapolates" not in fit("climatology", alone, 0).kept.card


def test_names_of_others_stay_in_their_cells() -> None:
    odd = "a|b`c\n# d"
    fitted = fit("climatology", taught(examples_of(4), rollout_models=(odd,)), 0)
    assert "| rollout models | ``a\\|b`c # d`` |" in fitted.kept.card
    assert "learned from runs of `chess` by ``a|b`c # d``." in fitted.kept.card


@pytest.mark.parametrize("name", ["`<img src=x>", "<b>`", "`", "``<i>`<i>`", "x\\|`<u>"])
def test_no_name_is_read_as_html(name: str) -> None:
    card = fit("climatology", taught(examples_of(4), rollout_models=(name,)), 0).kept.card
    html = MarkdownIt("commonmark").enable("table").render(card.partition("\n---\n")[2])
    shown = escape(name, quote=False)
    assert f"<td>rollout models</td>\n<td><code>{shown}</code></td>" in html
    assert f"by <code>{shown}</code>. Another agent" in html


def test_two_families_are_told_apart_in_the_scores() -> None:
    both = [*examples_of(12, 0, "a"), *examples_of(12, 1, "b")]
    fitted = fit("aft", taught(both, rollout_models=("a", "b")), 0)
    assert "of 24 rollouts of 12 instances, the mean over rollout models" in fitted.kept.card


def test_a_folder_that_holds_something_else_is_refused_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match=r"notes\.txt"), new_folder(tmp_path):
        raise AssertionError("the work has begun")


def test_an_earlier_forecaster_is_replaced_whole_or_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = written(fit("climatology", taught(examples_of(4)), 0), out)
    with pytest.raises(KeyboardInterrupt):
        _interrupted(out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert written(fit("aft", taught(examples_of(6)), 0), out) != first


def _interrupted(out: Path) -> None:
    with new_folder(out) as save:
        save(fit("aft", taught(examples_of(6)), 0))
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("quantiles", "--forecaster quantiles: cannot be kept; expected one of "),
        ("over_budget", "expected one of .*climatology.*forest"),
        ("nothing", "--forecaster nothing: is not a forecaster; expected one of "),
    ],
)
def test_what_cannot_be_kept_is_refused(name: str, words: str) -> None:
    with pytest.raises(WrongUsageError, match=words):
        fit(name, taught(examples_of(4)), 0)
