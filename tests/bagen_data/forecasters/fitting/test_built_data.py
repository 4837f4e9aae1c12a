"""Probes that a config of a built dataset teaches."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.forecasters.fitting.built_data import built_data
from bagen_data.forecasters.fitting.teaching_data import check_teaching
from bagen_data.hub import load_samples
from bagen_data.schema import Budget
from tests.bagen_data.forecasters.fitting.taught import examples_of, taught, usage, write_family
from tests.making import SAMPLE, build, chat, write_lines, write_trajectories


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("sample") / "built"
    assert build(SAMPLE, out) == 0
    return str(out)


@pytest.mark.parametrize("task", ["sokoban", "searchr1", "swebench", "warehouse"])
def test_a_training_config_teaches_all_parts_but_the_held_out_one(task: str, sample: str) -> None:
    config = f"{task}_train"
    data = built_data(sample, config)
    parts = {
        part: set(load_samples(sample, config, part).table["sample_id"].to_pylist())
        for part in ("sft", "rl", "heldout")
    }
    taught = {each.sample_id for each in data.examples}
    assert taught < parts["sft"] | parts["rl"]
    assert {each.sample_id for each in data.heldout} < parts["heldout"]
    assert not {each.instance_id for each in data.heldout} & set(data.instance_ids)
    for each in (*data.examples, *data.heldout):
        assert 0 < len(each.probe.turns) < each.total_turns
        assert any(each.target.remaining.values())
    assert data.source.splits == ("sft", "rl")
    assert data.source.dataset is None
    units = {each["resource"]: each["unit"] for each in _resources(sample, config)}
    assert {each.name: each.unit for each in data.resources} == units


def _resources(sample: str, config: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = load_samples(sample, config, "sft").table["resources"][0].as_py()
    return rows


def test_a_benchmark_config_teaches_the_family_that_is_chosen(tmp_path: Path) -> None:
    for model in ("one", "two"):
        write_family(tmp_path / "origin", f"sokoban-origin-{model}", ["a", "b", "c"])
    assert build(tmp_path / "origin", tmp_path / "built") == 0
    dataset = str(tmp_path / "built")
    data = built_data(dataset, "sokoban", "two")
    assert {each.family for each in data.examples} == {"sokoban/two"}
    assert len(data.examples) == 9
    with pytest.raises(WrongUsageError, match=r"families of one, two; choose .*--rollout-model"):
        built_data(dataset, "sokoban")
    with pytest.raises(WrongUsageError, match=r"three: .*expected one of one, two"):
        built_data(dataset, "sokoban", "three")


def test_a_training_config_teaches_all_its_families_or_one(tmp_path: Path) -> None:
    firsts = [f"level {number}" for number in range(20)]
    for model in ("one", "two"):
        write_family(tmp_path / "origin", f"sokoban-train-{model}", firsts)
    assert build(tmp_path / "origin", tmp_path / "built") == 0
    dataset = str(tmp_path / "built")
    both, one = built_data(dataset, "sokoban_train"), built_data(dataset, "sokoban_train", "one")
    assert both.rollout_models == ("one", "two")
    assert both.instance_ids == one.instance_ids
    assert len(both.instance_ids) == 18
    assert len(both.rollouts) == 36
    assert {each.family for each in (*one.examples, *one.heldout)} == {"sokoban/one"}
    assert len({each.instance_id for each in both.heldout}) == 2


def test_rollouts_of_one_turn_are_counted(tmp_path: Path) -> None:
    write_family(tmp_path / "origin", "sokoban-train-m", ["a", "b", "c", "d", "e", "f"])
    rows = [chat(["x", "go"], True, per_turn_api_tokens=usage(1, 9)) for _ in range(1)]
    more = tmp_path / "origin" / "sokoban-train-m" / "more.jsonl"
    write_lines(more, [*rows, chat(["y", "go"], True, per_turn_api_tokens=usage(1, 9))])
    assert build(tmp_path / "origin", tmp_path / "built") == 0
    data = built_data(str(tmp_path / "built"), "sokoban_train")
    single = 8 - len(data.rollouts) - len({each.rollout for each in data.heldout})
    assert single
    assert "of one turn taught nothing" in "".join(data.notes)


@pytest.mark.parametrize(
    ("config", "kind", "words"),
    [
        ("nothing", InputError, "no config nothing"),
        ("rollouts", WrongUsageError, "--config rollouts: has no probes of one task"),
        ("sokoban_start", WrongUsageError, "expected a task, such as swebench"),
        ("default", WrongUsageError, "has no probes of one task"),
        ("swebench_train", InputError, "no config swebench_train"),
        ("swebench", InputError, "1 rollout of one instance only; expected 2 instances or more"),
    ],
)
def test_what_cannot_teach_says_why(
    tmp_path: Path, config: str, kind: type[Exception], words: str
) -> None:
    write_trajectories(tmp_path / "origin" / "swebench-origin-m", ["a__a-1"], ["a__a-1"])
    assert build(tmp_path / "origin", tmp_path / "built") == 0
    with pytest.raises(kind, match=words):
        built_data(str(tmp_path / "built"), config)


def test_families_that_spend_different_resources_are_not_mixed() -> None:
    tokens, both = examples_of(3), examples_of(3, 1)
    both = [
        replace(each, probe=replace(each.probe, budget=Budget({"tokens": 9, "turns": 9})))
        for each in both
    ]
    with pytest.raises(InputError, match="different resources: tokens; tokens, turns; expected"):
        check_teaching(taught([*tokens, *both]), "here")


def test_a_family_of_one_turn_rollouts_teaches_nothing(tmp_path: Path) -> None:
    write_family(tmp_path / "origin", "sokoban-train-m", [f"l{n}" for n in range(10)], turns=1)
    assert build(tmp_path / "origin", tmp_path / "built") == 0
    with pytest.raises(InputError, match="no rollout of two turns or more"):
        built_data(str(tmp_path / "built"), "sokoban_train")


def test_an_instance_that_taught_is_not_held_out(sample: str, tmp_path: Path) -> None:
    """Splits of a dataset that somebody else made may share instances."""
    copied = tmp_path / "copied"
    shutil.copytree(sample, copied)
    folder = copied / "data" / "sokoban_train"
    shutil.copy(folder / "sft-scripted.parquet", folder / "heldout-scripted.parquet")
    manifest = (copied / "manifest.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in manifest.splitlines()]
    sizes = {each["path"]: each for each in lines}
    sft = sizes["data/sokoban_train/sft-scripted.parquet"]
    own = sizes["data/sokoban_train/heldout-scripted.parquet"]
    own.update({name: value for name, value in sft.items() if name not in ("path", "split")})
    write_lines(copied / "manifest.jsonl", lines)
    data = built_data(str(copied), "sokoban_train")
    assert not data.heldout
    assert "left out: their instances" in "".join(data.notes)
