"""The watched forecast at turn k is the forecaster's of that probe, to the bit."""

import json
from pathlib import Path
from typing import Any

import pytest

from bagen_data.cli import main
from bagen_data.forecasters.kept import KeptForecaster
from bagen_data.live.watching.watch_setup import WatchOptions, WatchSetup
from bagen_data.live.watching.watcher import Watcher
from bagen_data.logs.turn_readers import Counting
from bagen_data.reading.plain_rollouts import PlainOptions, read_plain_rollouts
from bagen_data.schema import Budget, Forecast
from bagen_data.tokenizer import HubTokenizer
from tests.bagen_data.live.watching.fitting import budgets_of, examples_of, fitted, probes_of
from tests.making import SAMPLE, SHARED, exit_code, make_tokenizer, needs_shared

TASKS = ("searchr1", "sokoban", "swebench", "warehouse")


def learned(task: str) -> KeptForecaster:
    plain = read_plain_rollouts(SAMPLE / f"{task}-train-scripted")
    return fitted(examples_of(plain.rollouts, budgets_of(plain)))


def watched(
    path: Path, options: WatchOptions, forecaster: KeptForecaster, budget: Budget
) -> Watcher:
    budgets = {**budget.limits, **budget.conditions}
    watcher = Watcher(path, WatchSetup(options, forecaster, None, budgets, ()))
    watcher.look()
    return watcher


def file_of(where: str) -> str:
    return where.partition("[")[0].partition(":")[0]


@pytest.mark.parametrize("task", TASKS)
def test_the_turns_and_forecasts_are_those_of_a_build(task: str) -> None:
    family = SAMPLE / f"{task}-origin-scripted"
    plain, forecaster = read_plain_rollouts(family), learned(task)
    for each, budget in zip(plain.rollouts, budgets_of(plain), strict=True):
        options = WatchOptions(rollout=each.where)
        turns = watched(family / file_of(each.where), options, forecaster, budget).state.turns
        probes = probes_of(each, budget)
        assert [turn.forecast for turn in turns] == forecaster.forecast(probes)
        assert [turn.used for turn in turns] == [probe.used for probe in probes]


@pytest.mark.parametrize("task", ["swebench", "warehouse"])
def test_the_json_has_the_same_numbers(
    task: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    family = SAMPLE / f"{task}-origin-scripted"
    each = read_plain_rollouts(family).rollouts[-1]
    forecaster = learned(task)
    forecaster.save(tmp_path / "kept")
    options = ("--forecaster", tmp_path / "kept", "--rollout", each.where, "--once", "--json")
    assert exit_code(main, "watch", family / file_of(each.where), *options) == 0
    said = json.loads(capsys.readouterr().out)
    budget = Budget(forecaster.budgets, forecaster.conditions)
    expected = forecaster.forecast(probes_of(each, budget))
    assert [as_forecast(turn["forecast"]) for turn in said["turns"]] == expected
    assert said["state"]["forecast"] == said["turns"][-1]["forecast"]
    assert said["rollout"] == each.rollout.rollout_id
    assert said["budgets"] == {**forecaster.budgets, **forecaster.conditions}
    assert "the forecaster's usual budget is taken" in said["notes"][0]


def as_forecast(said: dict[str, Any]) -> Forecast:
    quantiles = {name: tuple(own) for name, own in said["quantiles"].items()}
    return Forecast(said["finish"], said["success"], quantiles)


@needs_shared
@pytest.mark.parametrize("name", ["swebench-origin-gpt5.2-instant", "sokoban-origin-llama3.1-8b"])
def test_recorded_rollouts_by_leaving_instances_out(name: str, tmp_path: Path) -> None:
    family = SHARED / name
    counting = Counting()
    if name.startswith("sokoban"):
        counting = Counting(tokenizer=HubTokenizer(str(make_tokenizer(tmp_path / "tokenizer"))))
    plain = read_plain_rollouts(family, PlainOptions(counting=counting))
    pairs = list(zip(plain.rollouts, budgets_of(plain), strict=True))
    instances = sorted({each.rollout.instance_id for each, _ in pairs})
    for left_out in (set(instances[::11]), set(instances[1::13])):
        others = [pair for pair in pairs if pair[0].rollout.instance_id not in left_out]
        forecaster = fitted(examples_of(*zip(*others, strict=True)))
        for each, budget in pairs:
            if each.rollout.instance_id in left_out:
                options = WatchOptions(rollout=each.where, counting=counting)
                state = watched(family / file_of(each.where), options, forecaster, budget).state
                expected = forecaster.forecast(probes_of(each, budget))
                assert [turn.forecast for turn in state.turns] == expected
