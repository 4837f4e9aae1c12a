"""Parquet in a stream of Python is read by no other thread than the one that asks."""

import io
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bagen_data.hub import load_samples
from bagen_data.parquet_streams import ParquetStream
from bagen_data.prediction_files import prediction_reader
from bagen_data.steady_files import HeldFile
from tests.making import SAMPLE, build
from tests.reading_threads import WatchedFiles, WatchedStream

HERE = {threading.get_ident()}
TABLE = pa.table({name: range(100) for name in "abc"} | {"text": ["yes", "no"] * 50})


def written(table: pa.Table) -> bytes:
    file = io.BytesIO()
    pq.write_table(table, file, row_group_size=30)
    return file.getvalue()


def test_every_reading_is_of_the_calling_thread() -> None:
    threads: set[int] = set()
    with ParquetStream(WatchedStream(written(TABLE), threads)) as file:
        assert file.schema.equals(TABLE.schema)
        assert (file.rows, file.row_groups) == (100, 4)
        assert file.read().equals(TABLE)
        assert file.read(["text", "a"]).equals(TABLE.select(["text", "a"]))
        assert file.read_row_group(1, ["b"]).equals(TABLE.select(["b"]).slice(30, 30))
        assert pa.Table.from_batches(file.batches(7)).equals(TABLE)
        assert pa.Table.from_batches(file.batches(50, ["c"])).equals(TABLE.select(["c"]))
    assert threads == HERE


def test_columns_are_read_as_dictionaries_and_none_is_left_out() -> None:
    file = ParquetStream(io.BytesIO(written(TABLE)), ["text", "other.list"])
    assert file.read(["text"]).schema.field("text").type == pa.dictionary(pa.int32(), pa.string())
    with pytest.raises(ValueError, match="column d is missing"):
        file.read(["a", "d"])


def test_nested_dictionaries_of_many_row_groups() -> None:
    table = pa.table({"names": [["a", "b"], ["a"], []] * 40})
    file = ParquetStream(io.BytesIO(written(table)), ["names.list.element"])
    assert file.row_groups == 4
    assert file.read().to_pylist() == table.to_pylist()


def test_a_file_without_rows() -> None:
    file = ParquetStream(io.BytesIO(written(TABLE.slice(0, 0))))
    assert file.read(["text", "a"]).equals(TABLE.slice(0, 0).select(["text", "a"]))


def test_samples_are_read_by_the_calling_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert build(SAMPLE, tmp_path / "built") == 0
    watched = WatchedFiles()
    monkeypatch.setattr("bagen_data.stores.steady_file", watched)
    assert len(load_samples(str(tmp_path / "built"), "sokoban").table)
    assert watched.threads == HERE


def test_predictions_are_read_by_the_calling_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"sample_id": f"t/m/r/{n}", "response": "<answer>[1, 2]</answer>"} for n in range(100)]
    path = tmp_path / "predictions.parquet"
    path.write_bytes(written(pa.Table.from_pylist(rows)))
    threads: set[int] = set()

    def watched(file: HeldFile) -> Any:
        return WatchedStream(file.read(), threads)

    monkeypatch.setattr(HeldFile, "open", watched)
    assert sum(map(len, prediction_reader(path)())) == 100
    assert threads == HERE
