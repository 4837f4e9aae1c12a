"""Datasets in memory read as those of `load_dataset`, whichever way they are read."""

import os
import pickle
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import datasets
import fsspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset, DatasetDict, concatenate_datasets, load_from_disk
from huggingface_hub import close_session
from torch.utils.data import DataLoader

import bagen_data
from bagen_data.encoded_arrays import (
    compacted,
    decoded,
    decoded_bytes,
    merged,
    split_by_size,
)
from bagen_data.encoded_table import EncodedTable
from bagen_data.errors import InputError, MissingExtraError, WrongUsageError
from bagen_data.scoring import score
from bagen_data.tables import MANIFEST
from tests.loopback_hub import loopback_hub
from tests.making import SAMPLE, build

CONFIGS = ("default", "sokoban", "warehouse", "swebench_start", "sokoban_train", "rollouts")


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The bundled rollouts, built."""
    folder = tmp_path_factory.mktemp("in_memory")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("datasets.config.HF_DATASETS_CACHE", folder / "cache")
        assert build(SAMPLE, folder / "out") == 0
        yield folder / "out"


@pytest.fixture(scope="module")
def held(out: Path) -> Dataset:
    """The benchmark of all four tasks, in memory."""
    return bagen_data.load(out, split="test", in_memory=True)


@pytest.fixture(scope="module")
def cached(out: Path) -> Dataset:
    """The same from the cache on disk."""
    return bagen_data.load(out, split="test")


def prompt_length(row: dict[str, Any]) -> dict[str, int]:
    return {"length": sum(len(message["content"]) for message in row["prompt"])}


WAYS: dict[str, Callable[[Dataset], Any]] = {
    "a row": lambda dataset: dataset[7],
    "the last row": lambda dataset: dataset[-1],
    "a slice": lambda dataset: dataset[90:110],
    "a slice with steps": lambda dataset: dataset[100:3:-7],
    "an empty slice": lambda dataset: dataset[5:5],
    "rows in any order, some twice": lambda dataset: dataset[[200, 3, 3, 150, 0]],
    "many rows in any order": lambda dataset: dataset.select(
        [number * 7 % len(dataset) for number in range(2_500)]
    )[:],
    "all": lambda dataset: dataset[:],
    "a column": lambda dataset: list(dataset["prompt"]),
    "rows of a column": lambda dataset: dataset["prompt"][5:9],
    "an iteration": list,
    "an iteration in batches": lambda dataset: list(dataset.iter(batch_size=37)),
    "columns": lambda dataset: dataset.select_columns(["prompt", "feasible"])[:3],
    "without a column": lambda dataset: dataset.remove_columns("prompt")[3],
    "a renamed column": lambda dataset: dataset.rename_column("prompt", "messages")[3],
    "chosen rows": lambda dataset: dataset.select([9, 2, 170])[:],
    "consecutive rows": lambda dataset: dataset.select(range(100, 120))[:],
    "shuffled": lambda dataset: dataset.shuffle(seed=3)[:20],
    "sorted": lambda dataset: dataset.sort("sample_id")[:20],
    "sharded": lambda dataset: dataset.shard(3, 1)[:],
    "filtered": lambda dataset: dataset.filter(lambda row: row["feasible"])[:],
    "split": lambda dataset: dataset.train_test_split(0.2, seed=1)["test"][:],
    "flat": lambda dataset: dataset.flatten()[4],
    "mapped": lambda dataset: dataset.map(prompt_length)[:],
    "mapped in two processes": lambda dataset: dataset.map(prompt_length, num_proc=2)[:],
    "mapped without the rest": lambda dataset: dataset.map(
        prompt_length, remove_columns=dataset.column_names
    )[:],
    "concatenated": lambda dataset: concatenate_datasets([dataset, dataset])[150:200],
    "a column more": lambda dataset: dataset.add_column("number", list(range(len(dataset))))[8],
    "a cast": lambda dataset: dataset.cast_column("feasible", datasets.Value("int8"))[8],
    "distinct values": lambda dataset: dataset.unique("task"),
    "a list": lambda dataset: dataset.to_list(),
    "a dict": lambda dataset: dataset.to_dict(),
    "pandas": lambda dataset: dataset.to_pandas().to_json(),
    "pandas, a column": lambda dataset: dataset.with_format("pandas")["task"].to_list(),
    "pandas in batches": lambda dataset: [
        each.to_json() for each in dataset.to_pandas(batch_size=50, batched=True)
    ],
    "polars": lambda dataset: dataset.to_polars().to_dicts(),
    "arrow": lambda dataset: dataset.with_format("arrow")[3:9],
    "arrow, a column": lambda dataset: dataset.with_format("arrow")["prompt"].to_pylist(),
    "torch": lambda dataset: dataset.with_format("torch")[5]["completed_turns"].item(),
    "a transform": lambda dataset: dataset.with_transform(
        lambda batch: {"first": [prompt[0]["content"] for prompt in batch["prompt"]]}
    )[3:6],
    "a stream": lambda dataset: list(dataset.to_iterable_dataset(num_shards=3)),
    "a loader": lambda dataset: [
        batch[0]["sample_id"]
        for batch in DataLoader(dataset, batch_size=9, num_workers=1, collate_fn=list)
    ],
    "pickled": lambda dataset: pickle.loads(pickle.dumps(dataset))[:],  # noqa: S301
    "a pickled slice": lambda dataset: pickle.loads(  # noqa: S301
        pickle.dumps(dataset.select(range(9)))
    )[:],
    "the schema": lambda dataset: dataset.data.schema.remove_metadata(),
    "the features": lambda dataset: dataset.features,
    "the shape": lambda dataset: (len(dataset), dataset.shape, dataset.column_names),
    "the split": lambda dataset: str(dataset.split),
}


@pytest.mark.filterwarnings("ignore:Specifying null_placement:FutureWarning")  # of Dataset.sort
@pytest.mark.parametrize("way", WAYS)
def test_each_way_of_reading_gives_what_a_cache_gives(
    held: Dataset, cached: Dataset, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", os.environ)  # a map in processes puts a copy in its place
    assert isinstance(held.data, EncodedTable)
    assert WAYS[way](held) == WAYS[way](cached)


def test_numpy_gives_the_same_arrays(held: Dataset, cached: Dataset) -> None:
    ours, theirs = (each.with_format("numpy")[:20] for each in (held, cached))
    assert ours.keys() == theirs.keys()
    np.testing.assert_array_equal(ours["completed_turns"], theirs["completed_turns"])
    np.testing.assert_array_equal(ours["sample_id"], theirs["sample_id"])
    assert str(ours["prompt"]) == str(theirs["prompt"])


@pytest.mark.parametrize("config", CONFIGS)
def test_every_config_has_its_splits(out: Path, config: str) -> None:
    ours = bagen_data.load(out, config, in_memory=True)
    theirs = bagen_data.load(out, config)
    assert isinstance(ours, DatasetDict)
    assert list(ours) == list(theirs)
    for split, dataset in theirs.items():
        assert ours[split].features == dataset.features
        assert ours[split][:] == dataset[:]


@pytest.mark.parametrize(
    "split",
    ["sft", "sft[:10]", "sft[-7:]", "rl[10%:50%]+heldout", "all", "sft[5:2]", ["rl", "sft[:3]"]],
)
def test_slices_and_sums_of_splits(out: Path, split: Any) -> None:
    ours = bagen_data.load(out, "sokoban_train", split, in_memory=True)
    theirs = bagen_data.load(out, "sokoban_train", split)
    for one, other in zip(
        *(each if isinstance(each, list) else [each] for each in (ours, theirs)), strict=True
    ):
        assert (one[:], str(one.split)) == (other[:], str(other.split))


def test_chosen_columns_alone_are_read(out: Path) -> None:
    columns = ["feasible", "prompt"]
    ours = bagen_data.load(out, "sokoban", "test", in_memory=True, columns=columns)
    theirs = bagen_data.load(out, "sokoban", "test", columns=columns)
    assert ours.column_names == theirs.column_names == ["prompt", "feasible"]
    assert ours[:] == theirs[:]


def test_saved_and_written_datasets_are_plain(
    held: Dataset, cached: Dataset, tmp_path: Path
) -> None:
    held.save_to_disk(tmp_path / "saved", num_shards=3)
    assert load_from_disk(str(tmp_path / "saved"))[:] == cached[:]
    held.to_parquet(tmp_path / "written.parquet")
    assert pq.read_table(tmp_path / "written.parquet").to_pylist() == cached.to_list()
    held.to_json(tmp_path / "written.jsonl")
    cached.to_json(tmp_path / "cached.jsonl")
    assert (tmp_path / "written.jsonl").read_bytes() == (tmp_path / "cached.jsonl").read_bytes()


def test_messages_are_held_once_and_nothing_is_cached(out: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path)
        dataset = bagen_data.load(out, "swebench", "test", in_memory=True)
        assert not list(tmp_path.rglob("*"))
    assert not dataset.cache_files
    assert dataset.data.held_bytes < dataset.data.nbytes / 2
    kinds = {field.name: field.type for field in dataset.data.encoded[0].schema}
    assert pa.types.is_dictionary(kinds["prompt"].value_type.field("content").type)
    assert kinds["sample_id"] == pa.string()
    part = len(pickle.dumps(dataset.select(range(3))))
    assert part < len(pickle.dumps(dataset)) / 2


def test_it_scores_as_the_cached_one(held: Dataset, cached: Dataset) -> None:
    answers = [
        {"sample_id": name, "response": "<answer>[9, 999]</answer>"} for name in held["sample_id"]
    ]
    assert score(held, answers, resamples=0) == score(cached, answers, resamples=0)


def test_the_fingerprint_is_of_the_files_and_of_what_is_read(out: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(out, tmp_path / "copy")
    loads = [
        {},
        {"split": "test[:9]"},
        {"config": "sokoban_start"},
        {"columns": ["sample_id"]},
    ]
    prints = [
        bagen_data.load(
            **{"path": path, "config": "sokoban", "split": "test"} | load, in_memory=True
        )
        for load in loads
        for path in (out, copy)
    ]
    names = [dataset._fingerprint for dataset in prints]
    assert names[::2] == names[1::2]
    assert len(set(names)) == len(loads)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"streaming": True}, WrongUsageError, "streaming=True and in_memory=True: .* one of the"),
        ({"num_proc": 2}, WrongUsageError, "num_proc=2: does not apply with in_memory=True"),
        ({"data_files": ["x"]}, WrongUsageError, r"data_files=\['x'\]: does not apply"),
        ({"cache_dir": "x"}, WrongUsageError, "cache_dir='x': does not apply"),
        ({"columns": ["prompts"]}, WrongUsageError, "column 'prompts': is missing in .* prompt,"),
        ({"split": "train"}, InputError, 'no split train: Unknown split "train".* it has: test'),
        ({"split": "test[:"}, InputError, r"no split test\[:: Unrecognized instruction"),
        (
            {"config": "chess"},
            InputError,
            "has no config chess .* it has: .*sokoban",
        ),
    ],
)
def test_what_cannot_be_loaded_is_named(
    out: Path, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    arguments = {"path": out, "config": "sokoban", "split": "test"} | options
    with pytest.raises(error, match=message):
        bagen_data.load(**arguments, in_memory=True)


def test_options_that_change_nothing_are_taken(out: Path) -> None:
    options = {"streaming": False, "keep_in_memory": True, "num_proc": None}
    assert len(bagen_data.load(out, "sokoban", "test", in_memory=True, **options)) > 0


def test_a_changed_file_is_refused(out: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(out, tmp_path / "copy")
    path = next(copy.glob("data/sokoban/*.parquet"))
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(InputError, match=f"was changed: another sha256 than in {MANIFEST}"):
        bagen_data.load(copy, "sokoban", "test", in_memory=True)


def test_a_folder_without_a_dataset_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no manifest\.jsonl"):
        bagen_data.load(tmp_path, in_memory=True)


def test_a_url_of_a_store_is_read(out: Path, cached: Dataset) -> None:
    store = fsspec.filesystem("memory")
    store.put(str(out), "/in-memory/data", recursive=True)
    dataset = bagen_data.load("memory://in-memory/data", split="test", in_memory=True)
    assert dataset[:] == cached[:]


def test_a_commit_on_the_hub_is_read(
    out: Path, held: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home")
        commit = hub.upload("ORG/NAME", out)
        hub.commit("ORG/NAME", {"README.md": b"A line."})
        by_name = bagen_data.load(f"ORG/NAME@{commit[:8]}", split="test", in_memory=True)
        by_default = bagen_data.load("ORG/NAME", "sokoban", "test[:5]", in_memory=True)
        with pytest.raises(InputError, match="has no revision 'v9'"):
            bagen_data.load("ORG/NAME", in_memory=True, revision="v9")
        close_session()
    assert by_name[:] == held[:]
    assert by_name._fingerprint == held._fingerprint
    assert by_default[:] == bagen_data.load(out, "sokoban", "test[:5]", in_memory=True)[:]
    assert by_name.info.dataset_name == "NAME"


def test_the_missing_package_is_named(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'bagen-data\[load\]'"):
        bagen_data.load(out, in_memory=True)


MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
ENCODED = pa.list_(
    pa.struct([("role", pa.string()), ("content", pa.dictionary(pa.int32(), pa.string()))])
)


def batch_of(*prompts: list[str] | None) -> pa.RecordBatch:
    rows = [prompt and [{"role": "user", "content": text} for text in prompt] for prompt in prompts]
    return pa.RecordBatch.from_arrays([pa.array(rows, ENCODED)], ["prompt"])


def test_merged_batches_have_one_dictionary() -> None:
    batches = [batch_of(["a", "b"], None, ["a"]), batch_of(), batch_of(["b", "c"]), batch_of([])]
    batches.append(batch_of(["d"], ["e", "f"]).slice(1))
    [batch] = merged(batches, 1_000)
    batch.validate(full=True)
    assert decoded(batch["prompt"], MESSAGES).to_pylist() == [
        row for each in batches for row in each["prompt"].to_pylist()
    ]
    assert len(list(merged(batches, 1))) > 1


def test_a_compacted_slice_holds_its_own_strings_alone() -> None:
    column = batch_of(["a", "b"], None, ["c", "c", "a"], ["d"])["prompt"].slice(1, 2)
    compact = compacted(column)
    assert compact.to_pylist() == column.to_pylist()
    assert compact.type == column.type
    assert sorted(compact.values.field("content").dictionary.to_pylist()) == ["a", "c"]


def test_large_batches_are_split_and_nothing_but_a_slice_is_written_out() -> None:
    batch = batch_of(["x" * 1_000] * 3, None, ["x" * 1_000], ["y"])
    parts = list(split_by_size(batch, 1_500))
    assert [len(part) for part in parts] == [1, 1, 2]
    assert sum(decoded_bytes(part["prompt"]) for part in parts) == decoded_bytes(batch["prompt"])
    last = decoded(batch["prompt"].slice(1), MESSAGES)
    assert last.to_pylist() == batch["prompt"].to_pylist()[1:]
    assert last.nbytes < 1_200
