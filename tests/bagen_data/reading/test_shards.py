"""Reading in shards: the index of a family is the same for any shards and any number of workers."""

import hashlib
import io
import pickle
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagen_data.errors import InputError
from bagen_data.logs.turn_readers import Counting
from bagen_data.reading.family_header import (
    loaded_header,
    read_header,
    remove_header,
    stored_header,
)
from bagen_data.reading.family_reading import ShardJob, read_shard
from bagen_data.reading.line_ranges import FilePart, cut_lines
from bagen_data.reading.merging import Merge
from bagen_data.reading.origin import find_families
from bagen_data.reading.reading_options import ReadingOptions, ShardSizes
from bagen_data.reading.shards import FamilyShard
from bagen_data.steady_files import FileMark
from tests.bagen_data.reading.any_families import (
    COUNTS,
    AnyFamily,
    any_families,
    facts,
    openhands_run,
    read_with,
    session,
)
from tests.making import chat, write_json, write_lines

WHOLE = ShardSizes(10**9, 10**9)
SIZES = st.builds(ShardSizes, st.sampled_from([1, 300, 1_500]), st.sampled_from([1, 600, 10**9]))
MARK = FileMark(1, 2, 3, 4, 5)


@given(any_families(), SIZES)
@settings(max_examples=80)
def test_the_sizes_of_shards_change_nothing(family: AnyFamily, sizes: ShardSizes) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name) / "logs"
        folder.mkdir()
        family.write(folder)
        whole = family.read(folder, Path(name) / "whole", WHOLE)
        assert family.read(folder, Path(name) / "cut", sizes) == whole


def rich_family(folder: Path) -> None:
    """Write a family with something for every rule, in several files."""
    many = [chat([f"look {n}", "go"], n % 2 == 0, per_turn_api_tokens=[[9, 1]]) for n in range(40)]
    for n, record in enumerate(many):
        record["custom_id"] = f"c{n}"
    write_lines(folder / "a.jsonl", [*many, many[3], {"custom_id": "odd"}])
    write_json(folder / "b.json", [many[0], many[7] | {"metadata": {"success": True}}])
    write_lines(folder / "c.jsonl", [chat(["look c", "go"], None, per_turn_api_tokens=[[9, 1]])])
    (folder / "d.json").write_text("{")
    labels = [{"rollout": "c.jsonl", "success": True}, {"rollout": "nobody", "success": True}]
    write_lines(folder / "labels.jsonl", labels)


def read_rich(tmp_path: Path, sizes: ShardSizes, workers: int, **options: Any) -> Any:
    spools = tmp_path / f"spools-{workers}"
    spools.mkdir(exist_ok=True)
    families = find_families(tmp_path / "logs", ["support"], rollout_model="m")
    reading = replace(ReadingOptions(Counting(), sizes=sizes), **options)
    (index,) = read_with(workers, families, spools, reading)
    return facts(index)


@pytest.mark.parametrize("limit", [None, 12])
def test_the_number_of_workers_changes_nothing(tmp_path: Path, limit: int | None) -> None:
    rich_family(tmp_path / "logs")
    whole = read_rich(tmp_path, WHOLE, 1, limit=limit)
    assert read_rich(tmp_path, ShardSizes(700, 900), 3, limit=limit) == whole
    assert len(whole["entries"]) == (limit or 42)


def test_a_second_reading_as_turns_is_shared_too(tmp_path: Path) -> None:
    for name in "abcd":
        record = chat(["look", name, "in", "x"], True, per_turn_api_tokens=COUNTS["turn"])
        write_lines(tmp_path / "logs" / f"{name}.jsonl", [record | {"custom_id": name}])
    whole = read_rich(tmp_path, WHOLE, 1)
    assert whole["usage_sources"] == {"turn": 4}
    assert read_rich(tmp_path, ShardSizes(1, 1), 2) == whole


def test_the_first_error_in_the_order_of_families_wins(tmp_path: Path) -> None:
    """The first family is read twice, and its error shows at the end only."""
    for name, model in (("a", "x"), ("b", "y")):
        record = chat(["look", name, "in", "x"], True, per_turn_api_tokens=COUNTS["turn"])
        record["metadata"]["model"] = model
        write_lines(tmp_path / "one" / f"{name}.jsonl", [record | {"model": model}])
    write_lines(tmp_path / "two" / "a.jsonl", [chat(["look", name], True) for name in "ab"])
    write_lines(tmp_path / "two" / "labels.jsonl", [{"rollout": "a.jsonl", "success": True}])
    families = [find_families(tmp_path / name, ["support"])[0] for name in ("one", "two")]
    options = ReadingOptions(Counting())
    with pytest.raises(InputError, match="names two rollouts"):
        read_with(1, families[1:], tmp_path, options)
    with pytest.raises(InputError, match="one: no one model"):
        read_with(1, families, tmp_path, options)


def test_a_limit_ends_within_a_record_of_several_rollouts(tmp_path: Path) -> None:
    sessions = [session(f"s{n}", f"m{n}") for n in range(3)]
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "all.jsonl").write_text("".join(sessions))
    labels = [{"rollout": f"s{n}", "success": True} for n in range(3)]
    write_lines(tmp_path / "logs" / "labels.jsonl", labels)
    index = read_rich(tmp_path, WHOLE, 1, limit=2)
    assert len(index["entries"]) == 2


def test_a_copy_names_the_same_rollout_in_every_process(tmp_path: Path) -> None:
    """The responses of a rollout are a set, whose order differs between processes."""
    records = [openhands_run(f"i{n}", [f"r{n}"], True) for n in range(8)]
    records.append(openhands_run("copy", [f"r{n}" for n in range(8)], True))
    write_lines(tmp_path / "logs" / "a.jsonl", records)
    index = read_rich(tmp_path, WHOLE, 1)
    assert "repeats responses of a.jsonl:1 (i0)," in index["refused"][0].reason


def test_a_shard_that_is_read_again_gives_the_same(tmp_path: Path) -> None:
    rich_family(tmp_path / "logs")
    family = find_families(tmp_path / "logs", ["support"], rollout_model="m")[0]
    header = read_header(family, tmp_path, ReadingOptions(Counting()))
    stored = stored_header(header, tmp_path)
    shard = FamilyShard(1, tuple(header.files.cut("a.jsonl", 900)))
    job = ShardJob("logs", stored, shard, "auto", tmp_path / "spool")
    one, other = read_shard(job), read_shard(job)
    assert one.events == other.events
    assert one.spool == other.spool
    assert one.looks == other.looks
    assert one.looks.marks
    assert pickle.loads(pickle.dumps(one)).events == one.events  # noqa: S301  our own
    assert loaded_header(stored) is loaded_header(stored)
    remove_header(stored)
    assert not stored.exists()


@pytest.mark.parametrize("change", ["between", "twice"])
def test_a_file_that_changes_between_shards_stops_the_family(tmp_path: Path, change: str) -> None:
    rich_family(tmp_path / "logs")
    family = find_families(tmp_path / "logs", ["support"], rollout_model="m")[0]
    header = read_header(family, tmp_path, ReadingOptions(Counting()))
    first, *others = header.files.cut("a.jsonl", 900)
    shards = [FamilyShard(0, (first,)), FamilyShard(1, tuple(others))]
    merge = Merge(header, header.looks)
    for number, shard in enumerate(shards):
        if number == (1 if change == "between" else 0):
            lines = (tmp_path / "logs" / "a.jsonl").read_bytes()
            (tmp_path / "logs" / "a.jsonl").write_bytes(lines.replace(b"look 39", b"look 38"))
        stored = stored_header(header, tmp_path)
        merge.take_shard(read_shard(ShardJob("", stored, shard, "auto", tmp_path / "spool")))
    index = merge.finish()
    assert not index.entries
    assert "a.jsonl was changed while the family was read" in index.refused[-1].reason


@given(st.binary(max_size=60).map(lambda data: data.replace(b"\x01", b"\n")), st.integers(1, 20))
def test_line_ranges_are_whole_lines_of_the_whole_file(data: bytes, most: int) -> None:
    ranges = cut_lines(io.BytesIO(data), most, MARK)
    pieces = [data[each.start : each.stop] for each in ranges]
    assert b"".join(pieces) == data
    assert all(piece.endswith(b"\n") for piece in pieces[:-1])
    assert all(pieces)
    assert [each.number for each in ranges] == [
        data.count(b"\n", 0, each.start) + 1 for each in ranges
    ]
    assert [each.sha256 for each in ranges] == [hashlib.sha256(p).hexdigest() for p in pieces]
    digests = [each.source for each in ranges if each.source]
    assert [(each.bytes, each.sha256) for each in digests] == (
        [(len(data), hashlib.sha256(data).hexdigest())] if data else []
    )
    assert not ranges or ranges[0].source


@pytest.mark.parametrize("content", ["session", "none is JSON", "empty", "value"])
def test_what_is_no_rollout_a_line_is_not_cut(tmp_path: Path, content: str) -> None:
    texts = {
        "session": session("s1", "m1"),
        "none is JSON": "{\n[\n",
        "empty": "\n\n",
        "value": "{}",
    }
    name = "a.json" if content == "value" else "a.jsonl"
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / name).write_text(texts[content])
    family = find_families(tmp_path / "logs", ["support"], rollout_model="m")[0]
    header = read_header(family, tmp_path, ReadingOptions(Counting()))
    assert header.files.cut(name, 1) == (FilePart(name),)
