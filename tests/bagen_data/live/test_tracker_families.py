"""The tracker's forecast at turn k is a kept forecaster's of that probe, to the bit.

Forecasters learn from half of the instances, and run beside rollouts of the others.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from bagen_data.forecasters import find_forecaster
from bagen_data.forecasters.kept import KeptForecaster, keep
from bagen_data.forecasters.learning.examples import Example, load_examples
from bagen_data.live import BudgetTracker
from bagen_data.schema import Probe
from tests.bagen_data.forecasters.few_trees import few_trees
from tests.making import SAMPLE, SHARED, build, make_tokenizer, needs_shared

TASKS = ("sokoban", "searchr1", "swebench", "warehouse")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "built"
    assert build(SAMPLE, out) == 0
    return out


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    tokenizer = make_tokenizer(folder / "tokenizer")
    assert build(SHARED, folder / "built", "--tokenizer", tokenizer) == 0
    return folder / "built"


def halves(dataset: Path, task: str) -> tuple[list[Example], list[Example]]:
    """Examples of half of the instances, and of the others."""
    examples = load_examples(str(dataset), task).examples
    instances = sorted({example.instance_id for example in examples})
    learned = set(instances[::2])
    return (
        [example for example in examples if example.instance_id in learned],
        [example for example in examples if example.instance_id not in learned],
    )


def fitted(kind: str, examples: Sequence[Example]) -> KeptForecaster:
    fit = find_forecaster(kind).fit
    assert fit is not None
    with few_trees():
        return keep(kind, fit(examples, 0), examples)


def longest(examples: Sequence[Example]) -> Iterator[list[Probe]]:
    """Yield the probes of each rollout, in order."""
    rollouts: dict[str, list[Probe]] = {}
    for example in examples:
        rollouts.setdefault(example.rollout, []).append(example.probe)
    for probes in rollouts.values():
        yield sorted(probes, key=lambda probe: len(probe.turns))


def assert_the_same(kept: KeptForecaster, examples: Sequence[Example]) -> None:
    probes = [example.probe for example in examples]
    together = dict(zip(map(id, probes), kept.forecast(probes), strict=True))
    compared = 0
    for own in longest(examples):
        last = own[-1]
        budget = last.budget
        tracker = BudgetTracker(budget, kept, task=kept.task)
        wanted = {len(probe.turns): probe for probe in own}
        for number, turn in enumerate(last.turns, 1):
            tracker.observe_turn(turn)
            if number in wanted:
                probe = wanted[number]
                assert tracker.forecast() == together[id(probe)] == kept.forecast([probe])[0]
                assert tracker.used == {name: probe.used[name] for name in budget.limits}
                compared += 1
        assert len(tracker.history) == len(last.turns)
        assert not tracker.problems
    assert compared == len(examples)


@pytest.mark.parametrize("kind", ["forest", "conformal"])
@pytest.mark.parametrize("task", TASKS)
def test_of_the_sample(sample: Path, task: str, kind: str) -> None:
    learned, others = halves(sample, task)
    assert_the_same(fitted(kind, learned), others)


@needs_shared
@pytest.mark.parametrize("task", ["sokoban", "searchr1", "swebench"])
def test_of_the_recorded_families(recorded: Path, task: str) -> None:
    learned, others = halves(recorded, task)
    assert_the_same(fitted("forest", learned), others)


@needs_shared
def test_of_the_responses_of_recorded_trajectories(recorded: Path) -> None:
    """Messages and usage objects, observed one by one as a loop has them."""
    learned, others = halves(recorded, "swebench")
    kept = fitted("forest", learned)
    budgets = {example.instance_id: example.probe.budget for example in others}
    forecasts = dict(
        zip(
            ((each.instance_id, len(each.probe.turns)) for each in others),
            kept.forecast([each.probe for each in others]),
            strict=True,
        )
    )
    compared = 0
    for path in sorted(SHARED.glob("swebench-origin-gpt5.2-instant/**/*.traj.json")):
        text = path.read_text("utf-8")
        instance = path.name.removesuffix(".traj.json")
        if instance not in budgets or not text:
            continue
        record = json.loads(text)
        tracker = BudgetTracker(budgets[instance], kept)
        for heard, said in exchanges(record):
            tracker.observe(user=heard, assistant=said, usage=said["extra"]["response"]["usage"])
            key = (instance, tracker.turns)
            if key in forecasts:
                assert tracker.forecast() == forecasts[key]
                compared += 1
        assert not tracker.problems
    assert compared == len(others)


def exchanges(record: dict[str, Any]) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """Yield each response of a trajectory, and the messages since the one before."""
    heard: list[Any] = []
    for message in record["messages"]:
        if message["role"] == "assistant":
            yield heard, message
            heard = []
        elif message["role"] != "system":
            heard.append(message)
