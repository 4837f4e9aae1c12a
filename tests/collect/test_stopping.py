"""A scripted agent that minds its budget, and a kept forecaster that stops what is hopeless.

A test of the plumbing: the agent does by rule what one hopes that a model would do, and nothing
about models follows from it.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from bagen_data.forecasters import find_forecaster
from bagen_data.forecasters.kept import KeptForecaster, keep, load_forecaster
from bagen_data.forecasters.learning.examples import load_examples
from bagen_data.live import BudgetTracker, ThresholdPolicy
from bagen_data.logs.prices import ModelPrice, PriceTable
from bagen_data.scoring.resampling import Resampling
from bagen_data.usage import words_and_marks
from collect.comparison.paired_comparison import FamilyRow, compare
from collect.comparison.priced_family import Prices, read_priced
from collect.counted_turns import counted_turns
from collect.run_budget import spending_reader
from tests.making import build, collect

BUDGET = 2_500
PRICES = Prices(PriceTable({"scripted": ModelPrice(1, 10, 1, 1)}), {"search": 0.001})


def record(folder: Path, name: str, rollouts: int, seed: int, *more: object) -> Path:
    out = folder / f"searchr1-origin-{name}"
    agent = ("--agent", "scripted/budgeted", "--rollouts", rollouts, "--seed", seed)
    assert collect("searchr1", *agent, "--out", out, *more) == 0
    return out


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a family, a dataset of it, and a forecaster that learned from it."""
    folder = tmp_path_factory.mktemp("learned")
    record(folder / "origin", "free", 132, 7)
    assert build(folder / "origin", folder / "built", "--budget", f"searchr1={BUDGET}") == 0
    examples = load_examples(str(folder / "built"), "searchr1").examples
    fit = find_forecaster("forest").fit
    assert fit is not None
    keep("forest", fit(examples, 0), examples).save(folder / "forecaster")
    ThresholdPolicy(stop_below=0.1, patience=2).save(folder / "forecaster" / "policy.json")
    return folder


@pytest.fixture(scope="module")
def families(learned: Path) -> dict[str, Path]:
    """The same rollouts with a cap alone, told of it, stopped, and both."""
    stop = ("--stop-with", learned / "forecaster")
    ways: dict[str, tuple[object, ...]] = {
        "capped": (),
        "told": ("--tracker",),
        "stopped": stop,
        "both": ("--tracker", *stop),
    }
    budget = ("--budget", f"tokens={BUDGET},search=20")
    return {name: record(learned, name, 66, 3, *budget, *more) for name, more in ways.items()}


def rows(families: dict[str, Path]) -> dict[str, FamilyRow]:
    priced = [read_priced(family, PRICES) for family in families.values()]
    compared = compare(priced, Resampling())
    return dict(zip(families, compared.rows, strict=True))


def rollouts_of(out: Path) -> list[dict[str, Any]]:
    rollouts: list[dict[str, Any]] = json.loads(
        (out / "searchr1_eval_estimation_dialogues.json").read_bytes()
    )
    return rollouts


def test_an_agent_that_sees_its_budget_succeeds_more_often_and_costs_less(
    families: dict[str, Path],
) -> None:
    informed = rows(families)["told"]
    low, _ = informed.differences["success"].interval or (0, 0)
    _, high = informed.differences["cost_usd"].interval or (0, 0)
    assert low > 0.05
    assert high < 0
    assert informed.stopped == 0


def test_a_stopper_saves_what_is_hopeless_and_loses_no_success(families: dict[str, Path]) -> None:
    stopped = rows(families)["stopped"]
    assert stopped.differences["success"].value == 0
    _, high = stopped.differences["cost_usd"].interval or (0, 0)
    capped = rows(families)["capped"].means["cost_usd"].value
    assert high < -0.2 * capped
    kinds = {rollout["stopped_by"] for rollout in rollouts_of(families["stopped"])}
    assert kinds == {None, "budget", "forecaster"}
    both = rows(families)["both"]
    low, _ = both.differences["success"].interval or (0, 0)
    assert low > 0
    assert both.is_on_front


def test_a_stopped_rollout_says_why_and_goes_on_as_the_others_until_then(
    families: dict[str, Path],
) -> None:
    capped = {each["env_id"]: each for each in rollouts_of(families["capped"])}
    for rollout in rollouts_of(families["stopped"]):
        whole = capped[rollout["env_id"]]
        turns = len(rollout["turns"])
        assert rollout["turns"] == whole["turns"][:turns]
        if rollout["stopped_by"] == "forecaster":
            assert not rollout["rollout_success"]
            assert not whole["rollout_success"]
            assert "the chance to succeed within the budgets is" in rollout["stopped_because"]
            assert turns >= 3


def test_a_tracker_in_a_rollout_says_what_the_forecaster_says_of_its_probes(learned: Path) -> None:
    """The turns are those of a build, to the bit, and so are the forecasts."""
    kept = load_forecaster(learned / "forecaster")
    examples = load_examples(str(learned / "built"), "searchr1").examples
    expected: dict[str, list[float]] = {}
    for example, forecast in zip(
        examples, kept.forecast([example.probe for example in examples]), strict=True
    ):
        assert forecast.finish is not None
        expected.setdefault(example.rollout, []).append(forecast.finish)
    limits = {"tokens": BUDGET, "search": 20}
    reader = spending_reader("searchr1", tuple(limits))
    said = []
    for rollout in rollouts_of(learned / "origin" / "searchr1-origin-free"):
        tracker = BudgetTracker(limits, kept, task="searchr1")
        for turn in counted_turns(rollout, reader, words_and_marks):
            tracker.observe_turn(turn)
            tracker.forecast()
        assert not tracker.problems
        said.append([each.finish for each in tracker.history][:-1])
    recorded = [finishes for finishes in said if finishes]
    for finishes in expected.values():
        assert finishes in recorded


def test_the_forecaster_is_recorded_by_its_content(
    learned: Path, families: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = yaml.safe_load((families["stopped"] / "collection.yaml").read_text())["told"]
    hashes = settings["budget"]["forecaster"]["sha256"]
    assert sorted(hashes) == ["forecaster.json", "forecaster.safetensors", "policy.json"]
    moved = tmp_path / "elsewhere" / "forecaster"
    shutil.copytree(learned / "forecaster", moved)
    again = tmp_path / families["stopped"].name
    shutil.copytree(families["stopped"], again)
    options = ("searchr1", "--agent", "scripted/budgeted", "--rollouts", 66, "--seed", 3)
    budget = ("--budget", f"tokens={BUDGET},search=20", "--stop-with", moved)
    assert collect(*options, "--out", again, "--resume", *budget) == 0
    ThresholdPolicy(stop_below=0.9).save(moved / "policy.json")
    assert collect(*options, "--out", again, "--resume", *budget) == 2
    assert "was begun with" in " ".join(capsys.readouterr().err.split())


def test_processes_stop_as_one_does(learned: Path, families: dict[str, Path]) -> None:
    more = ("--budget", f"tokens={BUDGET},search=20", "--stop-with", learned / "forecaster")
    out = record(learned / "two", "stopped", 66, 3, *more, "--workers", 2)
    assert rollouts_of(out) == rollouts_of(families["stopped"])


@pytest.mark.parametrize(
    ("task", "budget", "words"),
    [
        ("searchr1", "search=9", "has no tokens; give a limit of each"),
        ("sokoban", "tokens=900", "expected a forecaster of sokoban"),
    ],
)
def test_a_forecaster_that_does_not_fit_is_refused(
    learned: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    task: str,
    budget: str,
    words: str,
) -> None:
    out = tmp_path / f"{task}-origin-scripted"
    options = ("--rollouts", 1, "--out", out, "--budget", budget)
    stop = ("--stop-with", learned / "forecaster")
    assert collect(task, "--agent", "scripted", *options, *stop) == 2
    assert words in " ".join(capsys.readouterr().err.split())


def test_a_forecaster_without_outcomes_or_of_strangers_is_refused(
    learned: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    examples = load_examples(str(learned / "built"), "searchr1").examples
    fit = find_forecaster("climatology").fit_amounts
    assert fit is not None
    amounts: KeptForecaster = keep("climatology", fit(examples, 0), examples)
    amounts.save(tmp_path / "amounts")
    shutil.copytree(learned / "forecaster", tmp_path / "broken")
    (tmp_path / "broken" / "policy.json").write_text('{"kind": "astrology"}')
    out = tmp_path / "searchr1-origin-scripted"
    options = ("--agent", "scripted", "--rollouts", 1, "--out", out, "--budget", "tokens=900")
    for folder, words in (
        ("amounts", "does not know success"),
        ("broken", "policy.json"),
        ("nothing", "expected a folder that 'bagen fit' wrote"),
    ):
        assert collect("searchr1", *options, "--stop-with", tmp_path / folder) in (1, 2)
        said = " ".join(capsys.readouterr().err.split())
        assert words in said
        assert "Traceback" not in said
        assert not out.exists()
