"""Readers of a build: datasets, pandas, Polars, DuckDB."""

from pathlib import Path

import duckdb
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

import bagen_data
from tests.making import SAMPLE, build, dialogue, rows_of, write_json

TASKS = ["searchr1", "sokoban", "swebench", "warehouse"]


def test_load_dataset(built: Path) -> None:
    everything = load_dataset(str(built))
    assert list(everything) == ["test"]
    assert set(everything["test"].unique("task")) == set(TASKS)
    swebench = load_dataset(str(built), "swebench", split="test")
    assert len(swebench) == len(rows_of(built, "swebench"))
    assert swebench.features == everything["test"].features
    assert list(load_dataset(str(built), "sokoban_train")) == ["sft", "rl", "heldout"]
    assert list(load_dataset(str(built), "rollouts")) == ["test", "train"]
    assert swebench[0]["prompt"][0]["role"] == "system"


def test_load_dataset_streams_and_filters(built: Path) -> None:
    stream = load_dataset(str(built), "warehouse", split="test", streaming=True)
    assert next(iter(stream))["conditions"][0]["name"] == "target_cash_usd"
    columns = ["sample_id", "feasible"]
    narrow = load_dataset(str(built), "warehouse", split="test", columns=columns)
    assert narrow.column_names == columns
    kept = load_dataset(
        str(built),
        "warehouse",
        split="test",
        filters=[("feasible", "==", True)],
        verification_mode="no_checks",
    )
    assert len(kept) == 40
    ours = bagen_data.load(
        built, "warehouse", split="test", filters=[("feasible", "==", True)], columns=columns
    )
    assert ours["sample_id"][:] == kept["sample_id"][:]


def test_bagen_data_load_is_load_dataset(built: Path) -> None:
    ours = bagen_data.load(built, "sokoban", split="test")
    assert ours[:] == load_dataset(str(built), "sokoban", split="test")[:]
    with pytest.raises(bagen_data.BagenError, match=r"holds no manifest\.jsonl"):
        bagen_data.load(built.parent, "sokoban")


def test_the_folder_around_a_dataset_is_refused_with_the_name_of_the_dataset(
    tmp_path: Path,
) -> None:
    """`bagen demo` writes bagen-demo/dataset, and bagen-demo is what people try first."""
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "manifest.jsonl").touch()
    with pytest.raises(bagen_data.BagenError) as caught:
        bagen_data.load(tmp_path, "sokoban")
    assert f"give a dataset inside it: {tmp_path / 'dataset'}" in str(caught.value)


def test_a_folder_that_is_built_again_loads_anew(tmp_path: Path) -> None:
    for variant in ("interval_think", "interval_no_think"):
        assert build(SAMPLE, tmp_path / "out", "--prompt", variant) == 0
        assert load_dataset(str(tmp_path / "out"))["test"].unique("prompt_variant") == [variant]


def test_pandas_polars_and_duckdb_read_it(built: Path) -> None:
    path = built / "data/swebench/test-scripted.parquet"
    expected = pq.read_table(path).to_pylist()
    assert pd.read_parquet(path)["prompt"][0][1]["content"] == expected[0]["prompt"][1]["content"]
    assert pl.read_parquet(path).to_dicts() == expected
    used = duckdb.sql(f"select sum(resources[1].used) from '{path}'").fetchall()
    assert used == [(sum(row["resources"][0]["used"] for row in expected),)]


def test_a_models_name_may_hold_a_splits_name(tmp_path: Path) -> None:
    write_json(tmp_path / "origin/sokoban-origin-x-train-y/a.json", [dialogue(name="x")])
    write_json(tmp_path / "origin/sokoban-train-z-test-q/a.json", [dialogue(name="y")] * 2)
    assert build(tmp_path / "origin", tmp_path / "out") == 0
    loaded = load_dataset(str(tmp_path / "out"), "rollouts")
    models = {split: rows["rollout_model"] for split, rows in loaded.items()}
    assert {split: list(names) for split, names in models.items()} == {
        "test": ["x-train-y"],
        "train": ["z-test-q"],
    }


def test_every_printable_character_may_stand_in_a_model_s_name(tmp_path: Path) -> None:
    """`m[1]` and `m*` were taken for globs, which lost rollouts or gave them twice."""
    single = [f"m{mark}x" for mark in map(chr, range(33, 127)) if mark != "/"]
    models = [*single, "m1", "m[1]", "m*", "m?", "[!a]b", "a**b", "m{1,2}", "mx"]
    for model in models:
        write_json(tmp_path / f"o/sokoban-origin-{model}" / "a.json", [dialogue(name=model)])
    assert build(tmp_path / "o", tmp_path / "out") == 0
    for config, rows in (("sokoban", 2), ("rollouts", 1)):
        dataset = load_dataset(str(tmp_path / "out"), config, split="test")
        assert sorted(dataset["rollout_model"]) == sorted(models * rows)
