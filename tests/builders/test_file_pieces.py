"""A family of many rollouts becomes several files, which are read as one."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

from bagen_data.errors import BuildChangedError
from bagen_data.executors import ExecutorChoice
from bagen_data.hub import load_reference, load_rollouts, load_samples
from bagen_data.tables import read_jsonl, seal, sha256_of, to_json, write_jsonl
from builders.build import build as build_dataset
from builders.build_record import BuildOptions
from builders.verify import verify
from tests.making import SAMPLE, build, build_record, dialogue, read, write_json

FILE_BYTES = 2_000


def build_pieces(out: Path, file_bytes: int = FILE_BYTES, **more: Any) -> Path:
    build_dataset(BuildOptions(SAMPLE, out, file_bytes=file_bytes, **more))
    return out


@pytest.fixture(scope="session")
def pieces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_pieces(tmp_path_factory.mktemp("pieces") / "out")


def manifest_of(folder: Path) -> list[dict[str, Any]]:
    return read_jsonl(folder / "manifest.jsonl")


def table_of(folder: Path, config: str, split: str) -> pa.Table:
    return pa.concat_tables(
        pq.read_table(folder / row["path"])
        for row in manifest_of(folder)
        if (row["config"], row["split"]) == (config, split)
    )


def test_rows_are_those_of_one_file_each_in_their_order(built: Path, pieces: Path) -> None:
    places = Counter((row["config"], row["split"]) for row in manifest_of(built))
    cut = Counter((row["config"], row["split"]) for row in manifest_of(pieces))
    assert cut.keys() == places.keys()
    for config, split in places:
        assert table_of(pieces, config, split).equals(table_of(built, config, split))
    assert cut["rollouts", "test"] > 2 * places["rollouts", "test"]
    assert cut["warehouse", "test"] > 2
    assert cut["warehouse_train", "rl"] > 2
    assert all(row["rows"] for row in manifest_of(pieces))


def test_the_record_does_not_depend_on_the_files(built: Path, pieces: Path) -> None:
    one, several = build_record(built), build_record(pieces)
    assert several["revision"] == one["revision"]
    assert several["families"] == one["families"]


def test_files_are_numbered_as_the_hub_likes(pieces: Path) -> None:
    names = [
        row["path"]
        for row in manifest_of(pieces)
        if (row["config"], row["split"]) == ("warehouse", "test")
    ]
    count = len(names)
    assert names == [
        f"data/warehouse/test-scripted-{number:05}-of-{count:05}.parquet" for number in range(count)
    ]


def test_datasets_and_our_own_loaders_read_all_files(built: Path, pieces: Path) -> None:
    for config in dict.fromkeys(row["config"] for row in manifest_of(built)):
        one, several = load_dataset(str(built), config), load_dataset(str(pieces), config)
        assert list(several) == list(one)
        assert all(several[split].to_list() == one[split].to_list() for split in one)
    everything = load_dataset(str(pieces))["test"]
    assert everything["sample_id"] == load_dataset(str(built))["test"]["sample_id"]
    samples = load_samples(str(pieces)).table
    assert samples.to_pylist() == load_samples(str(built)).table.to_pylist()
    rollouts = load_rollouts(str(pieces), "train")
    assert rollouts.to_pylist() == load_rollouts(str(built), "train").to_pylist()
    one, several = (load_reference(str(folder)) for folder in (built, pieces))
    assert one is not None
    assert several is not None
    assert several.to_pylist() == one.to_pylist()


def test_pieces_verify_and_an_id_in_two_of_them_does_not(pieces: Path, tmp_path: Path) -> None:
    assert verify(pieces) == len(manifest_of(pieces))
    out = build_pieces(tmp_path / "out")
    rows = manifest_of(out)
    one, other = [row for row in rows if row["path"].startswith("data/warehouse_train/rl-")][:2]
    (out / other["path"]).write_bytes((out / one["path"]).read_bytes())
    other |= {name: one[name] for name in ("bytes", "sha256", "rows")}
    write_jsonl(out / "manifest.jsonl", rows)
    record = json.loads((out / "build.json").read_text())
    record["files"]["manifest.jsonl"] = sha256_of(out / "manifest.jsonl")
    (out / "build.json").write_text(to_json(seal(record), indent=1) + "\n")
    with pytest.raises(BuildChangedError, match="has a sample_id that another of"):
        verify(out)


def test_workers_change_no_byte_of_pieces(pieces: Path, tmp_path: Path) -> None:
    out = build_pieces(tmp_path / "out", executor=ExecutorChoice(workers=3))
    files = [path.relative_to(pieces) for path in pieces.rglob("*") if path.is_file()]
    assert all((out / name).read_bytes() == (pieces / name).read_bytes() for name in files)
    assert len([path for path in out.rglob("*") if path.is_file()]) == len(files)


def test_batches_of_the_spool_change_no_byte(
    pieces: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bagen_data.reading.rollout_spool.MEMORY_BYTES", 0)
    monkeypatch.setattr("bagen_data.reading.rollout_spool._BATCH_ROWS", 3)
    out = build_pieces(tmp_path / "out")
    assert (out / "manifest.jsonl").read_bytes() == (pieces / "manifest.jsonl").read_bytes()


def test_a_hidden_split_keeps_apart_from_pieces(pieces: Path, tmp_path: Path, capsys: Any) -> None:
    options = ("--hidden", 6, "--apart-from", pieces)
    assert build(SAMPLE, tmp_path / "split", *options) == 1
    assert "0 instances can give a sample" in capsys.readouterr().err


def test_models_are_in_the_order_of_their_files(tmp_path: Path) -> None:
    """The reference follows the samples where a model's name begins with another one's."""
    for model in ("m", "m+x"):
        records = [dialogue(name=f"{model}{number}") for number in range(3)]
        write_json(tmp_path / "origin" / f"sokoban-origin-{model}" / "a.json", records)
    out = tmp_path / "out"
    build_dataset(BuildOptions(tmp_path / "origin", out))
    verify(out)
    assert load_dataset(str(out), "sokoban")["test"]["sample_id"] == (
        load_samples(str(out), "sokoban").table["sample_id"].to_pylist()
    )


def test_text_sizes_are_in_the_index(tmp_path: Path) -> None:
    write_json(tmp_path / "sokoban-origin-m" / "a.json", [dialogue()])
    (entry,) = read(tmp_path / "sokoban-origin-m").entries
    assert entry.text_size == 3 * len("state a 1" + "move 1")


def pairs(amounts: Any) -> list[dict[str, Any]]:
    return [{"name": name, "value": value} for name, value in amounts.items()]


@pytest.mark.parametrize("family", ["sokoban", "searchr1", "swebench", "warehouse"])
def test_rows_of_rollouts_are_the_rollouts(built: Path, family: str) -> None:
    """The table, which is made of columns, says what the rollouts say that were read."""
    index = read(SAMPLE / f"{family}-origin-scripted")
    rows = [row for row in table_of(built, "rollouts", "test").to_pylist() if row["task"] == family]
    assert len(rows) == len(index.entries) > 1
    for row, rollout in zip(rows, index.rollouts, strict=True):
        (least,) = [pair["value"] for pair in row["conditions"]] or [None]
        final = rollout.turns[-1].state.get("cash_usd", 0)
        assert row["budget"]
        assert row == {
            "task": family,
            "rollout_model": "scripted",
            "rollout_id": rollout.rollout_id,
            "instance_id": rollout.instance_id,
            "rollout_success": rollout.success and (least is None or final >= least),
            "total_turns": len(rollout.turns),
            "dropped_turns": rollout.dropped_turns,
            "system": rollout.system,
            "turns": [
                {
                    "user": turn.user,
                    "assistant": turn.assistant,
                    "usage": pairs(turn.usage),
                    "state": pairs(turn.state),
                }
                for turn in rollout.turns
            ],
            "budget": row["budget"],
            "conditions": row["conditions"],
        }
