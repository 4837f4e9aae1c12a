"""Forecasts to teach are those of a forecaster that has not seen the instance."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from transformers import AutoTokenizer

from bagen_data import load, parse
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.forecasters import find_forecaster
from bagen_data.forecasters.learning.examples import Example, load_examples
from bagen_data.schema import Estimate, Forecast, Target
from train.data import DataOptions, sft_rows
from train.distilled_forecasts import distilled_forecasts, taught, unseen_forecasts

CONFIG = "sokoban_train"
FORECASTERS = ("climatology", "aft")
Estimates = dict[str, Estimate]


@pytest.fixture(scope="module")
def known(dataset: str) -> list[Example]:
    return [
        each for part in ("sft", "rl") for each in load_examples(dataset, CONFIG, part).examples
    ]


@pytest.fixture(scope="module")
def heldout(dataset: str) -> list[Example]:
    return load_examples(dataset, CONFIG, "heldout").examples


def with_labels(examples: list[Example], instance: str, change: Callable[[Target], Target]) -> Any:
    """The same examples, with other labels of one instance."""
    return [
        replace(each, target=change(each.target), success=not each.success)
        if each.instance_id == instance
        else each
        for each in examples
    ]


def otherwise(target: Target) -> Target:
    """The same rollout with another end."""
    remaining = {name: 7 * amount + 11 for name, amount in target.remaining.items()}
    return Target(not target.feasible, remaining if any(remaining.values()) else target.remaining)


@pytest.mark.parametrize("name", FORECASTERS)
def test_no_instance_teaches_its_own_forecasts(known: list[Example], name: str) -> None:
    """Whatever its labels are, to the bit; and they teach the others."""
    forecaster = find_forecaster(name)
    left = [each for each in known if any(each.target.remaining.values())]
    before = unseen_forecasts(forecaster, left, left, 0, "here")
    assert before.keys() == {each.sample_id for each in left}
    for instance in sorted({each.instance_id for each in left})[:3]:
        changed = with_labels(left, instance, otherwise)
        after = unseen_forecasts(forecaster, changed, changed, 0, "here")
        own = {each.sample_id for each in left if each.instance_id == instance}
        assert {name: after[name] for name in own} == {name: before[name] for name in own}
        assert any(after[name] != before[name] for name in after.keys() - own)


def test_held_out_examples_teach_nothing(known: list[Example], heldout: list[Example]) -> None:
    """Neither by their own labels, nor by other rollouts of their instances in training."""
    forecaster = find_forecaster("climatology")
    before = unseen_forecasts(forecaster, known, heldout, 0, "here")
    instance = heldout[0].instance_id
    changed = with_labels(heldout, instance, otherwise)
    after = unseen_forecasts(forecaster, known, changed, 0, "here")
    assert {name: after[name] for name in before} == before
    twin = [
        replace(each, sample_id=f"{each.sample_id}0", rollout=f"{each.rollout}0")
        for each in with_labels(heldout, instance, otherwise)
    ]
    assert unseen_forecasts(forecaster, [*known, *twin], heldout, 0, "here") == before


def test_samples_before_the_first_turn_are_learned_from_such(known: list[Example]) -> None:
    forecaster = find_forecaster("climatology")
    starts = [each for each in known if not each.probe.turns]
    alone = unseen_forecasts(forecaster, starts, starts, 0, "here")
    together = unseen_forecasts(forecaster, known, known, 0, "here")
    assert {name: together[name] for name in alone} == alone


def test_one_instance_teaches_no_forecasts(known: list[Example]) -> None:
    own = [each for each in known if each.instance_id == known[0].instance_id]
    with pytest.raises(
        InputError, match=r"here: parts sft and rl have 1 instances to learn foreca"
    ):
        unseen_forecasts(find_forecaster("climatology"), own, own, 0, "here")


@pytest.mark.parametrize("variant", ["forecast_think", "forecast_no_think"])
def test_rows_teach_valid_forecasts(dataset: str, tiny: str, variant: str) -> None:
    """Rows are as many as with intervals, and have thoughts where the variant asks for them."""
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    options = DataOptions(
        dataset=dataset, max_prompt_tokens=50_000, variant=variant, target="climatology"
    )
    loaded = sft_rows(options, tokenizer, {})
    intervals = replace(options, variant=variant.replace("forecast", "interval"), target="pct30")
    assert [len(loaded.rows)] == [len(sft_rows(intervals, tokenizer, {}).rows)]
    said = set()
    for row in loaded.rows:
        (message,) = row["completion"]
        forecast = parse(message["content"], ["tokens"], "forecast").forecast
        assert forecast is not None
        assert message["content"].startswith("<think>") == (variant == "forecast_think")
        assert "finish=" in row["prompt"][-1]["content"]
        said.add(forecast.finish)
    assert len(said) > 1
    distilled = distilled_forecasts(dataset, CONFIG, "sft", "climatology")
    left = [
        row["sample_id"]
        for row in load(dataset, CONFIG, split="sft")
        if any(part["remaining"] for part in row["resources"])
    ]
    assert distilled.keys() == set(left)


def test_rows_of_a_held_out_part_are_taught_too(dataset: str, tiny: str) -> None:
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    options = DataOptions(
        dataset=dataset,
        evaluate_on=["warehouse_train"],
        max_prompt_tokens=50_000,
        variant="forecast_no_think",
        target="climatology",
    )
    rows = sft_rows(options, tokenizer, {}, "heldout").rows
    names = ["time_weeks", "warehouse_item_weeks", "cumulative_cost_usd"]
    for row in rows:
        assert parse(row["completion"][0]["content"], names, "forecast").forecast is not None
    assert len(rows)


def test_digits_of_what_is_taught() -> None:
    """Two each; only what is certain is 0 or 1, and the order stays."""
    forecast = taught(Forecast(0.0004, 0.9999, {"usd": (0.000123, 0.00456, 0.7891, 1.0, 12_345.6)}))
    assert (forecast.finish, forecast.success) == (0.01, 0.99)
    assert list(forecast.quantiles["usd"]) == [0.00012, 0.0046, 0.79, 1, 12_000]
    certain = taught(Forecast(0, 1, {"tokens": (999, 999, 1000, 1049, 1051)}))
    assert (certain.finish, certain.success) == (0, 1)
    assert list(certain.quantiles["tokens"]) == [1000, 1000, 1000, 1000, 1100]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("quantiles", "target 'quantiles': does not forecast; expected a forecaster that does"),
        (
            "aftt",
            r"target 'aftt': expected pct10, .* or for a forecast variant the forecaster whose",
        ),
    ],
)
def test_targets_without_forecasts(target: str, message: str) -> None:
    with pytest.raises(WrongUsageError, match=message):
        DataOptions(target=target)
