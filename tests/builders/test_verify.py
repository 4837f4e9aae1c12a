"""`verify`: names what changed, and what readers cannot rely on."""

import shutil
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from bagen_data.tables import read_jsonl, seal, sha256_of, to_json, write_jsonl
from tests.making import build_record, run
from tests.reading_threads import WatchedFiles


def test_verify_accepts_and_names_every_change(built: Path, tmp_path: Path, capsys: Any) -> None:
    assert run("verify", built) == 0
    changes = {
        "data/sokoban/test-scripted.parquet": lambda data: data[:-9] + b"x" + data[-8:],
        "data/warehouse_train/rl-scripted.parquet": lambda data: data + b"x",
        "README.md": lambda data: data.replace(b"MIT", b"GPL"),
        "build.json": lambda data: data.replace(b'"seeds"', b'"seed"'),
        "manifest.jsonl": lambda data: data.replace(b"hf://", b"hg://"),
    }
    for name, change in changes.items():
        copy = tmp_path / "copy"
        shutil.copytree(built, copy)
        (copy / name).write_bytes(change((copy / name).read_bytes()))
        assert run("verify", copy) == 1
        assert name in capsys.readouterr().err
        shutil.rmtree(copy)
    shutil.copytree(built, tmp_path / "copy")
    (tmp_path / "copy/data/swebench/test-scripted.parquet").unlink()
    (tmp_path / "copy/data/notes.txt").write_text("mine")
    assert run("verify", tmp_path / "copy") == 1
    said = capsys.readouterr().err
    assert "data/swebench/test-scripted.parquet: is missing" in said
    assert "data/notes.txt" in said


def test_verify_checks_what_readers_rely_on(built: Path, tmp_path: Path, capsys: Any) -> None:
    """Rows that break a promise are named even where every hash is right."""
    name = "data/sokoban/test-scripted.parquet"
    table = pq.read_table(built / name)
    flipped = table.set_column(
        table.schema.get_field_index("feasible"),
        table.schema.field("feasible"),
        pc.invert(table["feasible"]),
    )
    place = table.schema.get_field_index("verdict")
    marked = table.set_column(place, table.schema.field(place), pa.array(["["] * len(table)))
    twice = pa.concat_tables([table.slice(0, 1), table.slice(0, len(table) - 1)])
    rows = table.to_pylist()
    rows[1]["prompt"] = rows[1]["prompt"][:-1]
    cut = pa.Table.from_pylist(rows, table.schema)
    rows[1]["prompt"] = [*rows[0]["prompt"][1:], {"role": "user", "content": "x" * 2_000_001}]
    grown = pa.Table.from_pylist(rows, table.schema)
    for changed, problem in (
        (flipped, "label that does not follow"),
        (marked, "verdict that does not follow"),
        (twice, "sample_id twice"),
        (cut, "does not end with a question"),
        (grown, "does not begin with a system message"),
        (grown, "more than 2,000,000 bytes"),
    ):
        shutil.copytree(built, tmp_path / "copy")
        pq.write_table(changed, tmp_path / "copy" / name, store_schema=False)
        reseal(tmp_path / "copy")
        assert run("verify", tmp_path / "copy") == 1
        assert problem in capsys.readouterr().err
        shutil.rmtree(tmp_path / "copy")


def reseal(out: Path) -> None:
    """Make every hash of a build right again."""
    rows = read_jsonl(out / "manifest.jsonl")
    for row in rows:
        row |= {"bytes": (out / row["path"]).stat().st_size, "sha256": sha256_of(out / row["path"])}
    write_jsonl(out / "manifest.jsonl", rows)
    record = build_record(out)
    record["files"]["manifest.jsonl"] = sha256_of(out / "manifest.jsonl")
    (out / "build.json").write_text(to_json(seal(record), indent=1) + "\n", encoding="utf-8")


def test_no_other_thread_reads_a_file(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread that is still at a file when Python exits would abort the process."""
    watched = WatchedFiles()
    for module in ("builders.verify", "bagen_data.stores"):
        monkeypatch.setattr(f"{module}.steady_file", watched)
    assert run("verify", built) == 0
    assert watched.threads == {threading.get_ident()}
