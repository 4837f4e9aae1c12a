"""Origins and datasets in a store: the same bytes as in folders."""

import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bagen_data import store_locks, stores
from bagen_data.cli import main as bagen
from bagen_data.errors import (
    BuildChangedError,
    InputError,
    OutputError,
    StoreError,
    WrongUsageError,
)
from bagen_data.executors import parse_executor
from bagen_data.executors.job_executor import ThisProcess
from bagen_data.hub import build_record, load_reference, load_rollouts, load_samples, splits
from bagen_data.locations import Location, StoreUrl, parse_location
from bagen_data.logs.turn_readers import Counting
from bagen_data.reading import rollout_spool
from bagen_data.reading.family_reading import read_in_shards
from bagen_data.reading.family_source import family_source
from bagen_data.reading.lost_entries import lost_entries
from bagen_data.reading.origin import find_families, ignored_folders
from bagen_data.reading.reading_options import ReadingOptions, ShardSizes
from bagen_data.reading.workplace import Workplace
from bagen_data.replaced_store import own_names, replaced_store
from bagen_data.stores import list_files, read_bytes, remove, remove_folder, write_bytes
from bagen_data.tables import MANIFEST
from builders.build import build
from builders.build_output import shared_spool_folder
from builders.build_record import BuildOptions
from builders.cli import main
from builders.hidden.hidden_build import HiddenOptions, build_hidden
from builders.verify import verify
from tests.bagen_data.store_writer import METADATA
from tests.faulty_store import SharedStore, shared_store
from tests.making import REPO, contents, exit_code

SAMPLE = REPO / "sample" / "origin"
KILLED_AT = (40, 81, 120)
"""Moments of a build to a store, in half requests, at which it is killed."""


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SharedStore:
    monkeypatch.setattr(stores, "_PAUSES", (0.001,) * 7)
    monkeypatch.setattr(store_locks, "_SETTLE", 0)
    return shared_store(tmp_path, monkeypatch)


def put(folder: Path, store: SharedStore, name: str) -> Location:
    """Copy a folder into the store."""
    shutil.copytree(folder, store.path(store.url / name))
    return store.url / name


def seen(origin: Location) -> tuple[list[object], ...]:
    """The findings of a build in an origin, without where it lies."""
    families = find_families(origin)
    return (
        [(family.name, family.task, family.role) for family in families],
        ignored_folders(origin, families),
        lost_entries(origin, families, None),
        [family_source(family.folder).listing() for family in families],
    )


def test_the_families_of_a_store_are_those_of_the_folder(
    store: SharedStore, tmp_path: Path
) -> None:
    origin = tmp_path / "origin"
    shutil.copytree(SAMPLE, origin)
    family = next(origin.iterdir())
    for name in (".hidden/a.json", "notes.txt", ".b.json", "below/c.json", "LICENSE"):
        (family / name).parent.mkdir(exist_ok=True)
        (family / name).write_text("{}")
    for name in ("lost.json", "other/a.json", ".sokoban-origin-x/a.json", "sokoban-origin-y"):
        (origin / name).parent.mkdir(exist_ok=True)
        (origin / name).write_text("{}")
    store.set(fails=0.2)
    assert seen(put(origin, store, "origin")) == seen(origin)


def test_one_family_of_a_store_is_an_origin(store: SharedStore) -> None:
    folder = next(SAMPLE.iterdir())
    assert seen(put(folder, store, folder.name)) == seen(folder)


def test_an_origin_that_is_absent_or_a_file_is_refused(store: SharedStore) -> None:
    put(SAMPLE, store, "origin")
    with pytest.raises(InputError, match="--origin faulty://bucket/o: does not exist"):
        find_families(store.url / "o")
    file = next(path for path in SAMPLE.rglob("*.json"))
    with pytest.raises(InputError, match=r"is not a folder; expected a folder of logs"):
        find_families(store.url / "origin" / file.relative_to(SAMPLE).as_posix())


def test_a_file_is_held_as_it_was_listed(store: SharedStore, tmp_path: Path) -> None:
    folder = tmp_path / "sokoban-origin-m"
    folder.mkdir()
    data = bytes(range(256)) * 400
    (folder / "a.json").write_bytes(data)
    sources = [family_source(folder), family_source(put(folder, store, folder.name))]
    store.set(fails=0.2)
    for memory in (1, 1 << 20):
        held = [source.held("a.json", memory=memory, scratch=tmp_path) for source in sources]
        assert [each.read() for each in held] == [data, data]
        assert held[0].digest.sha256 == held[1].digest.sha256
        assert held[1].digest.mark == sources[1].mark("a.json")
        with sources[1].opened("a.json") as file:
            assert file.stream.read() == data
        with (tmp_path / "copy").open("wb") as target:
            assert sources[1].copied("a.json", target).bytes == len(data)
        assert (tmp_path / "copy").read_bytes() == data


def test_files_that_follow_are_asked_for_before_their_turn(
    store: SharedStore, tmp_path: Path
) -> None:
    folder = tmp_path / "sokoban-origin-m"
    folder.mkdir()
    names = [f"{number:02}.json" for number in range(30)]
    for name in names:
        (folder / name).write_text(name)
    source = family_source(put(folder, store, folder.name))
    assert source.listing().files == names
    store.set(fails=0.2)
    for number, name in enumerate(names):
        assert source.held(name, memory=99, scratch=None).read() == name.encode()
        if number == 10:
            source = pickle.loads(pickle.dumps(source))  # noqa: S301  our own
    (store.path(store.url / folder.name) / "02.json").write_text("other")
    source.held("01.json", memory=99, scratch=None)
    with pytest.raises(OSError, match="it was changed while it was read"):
        source.held("02.json", memory=99, scratch=None)


@pytest.mark.parametrize("text", ["[1]", "{}", None])
def test_a_file_that_changed_since_it_was_listed_is_refused(
    store: SharedStore, tmp_path: Path, text: str | None
) -> None:
    folder = tmp_path / "sokoban-origin-m"
    folder.mkdir()
    (folder / "a.json").write_text("{}")
    source = family_source(put(folder, store, folder.name))
    source.listing()
    path = store.path(store.url / folder.name / "a.json")
    path.unlink()
    if text is None:
        with pytest.raises(FileNotFoundError, match="No such file"):
            source.held("a.json", memory=99, scratch=None)
        return
    path.write_text(text)
    with pytest.raises(OSError, match="it was changed while it was read; run again"):
        source.held("a.json", memory=99, scratch=None)


def test_a_store_that_always_fails_stops_the_reading(store: SharedStore) -> None:
    folder = next(SAMPLE.iterdir())
    source = family_source(put(folder, store, folder.name))
    names = source.listing().files
    store.set(fails=1)
    with pytest.raises(StoreError, match="8 requests in a row failed"):
        source.held(names[0], memory=99, scratch=None)


def built(origin: Location, out: Location, **options: Any) -> dict[str, bytes]:
    """Build a dataset, and return its files."""
    build(BuildOptions(origin=origin, out=out, **options))
    return files_of(out)


def files_of(out: Location) -> dict[str, bytes]:
    if isinstance(out, Path):
        return contents(out)
    return {name: read_bytes(out / name) for name in list_files(out)}


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of the sample, built in a folder."""
    return built(SAMPLE, tmp_path_factory.mktemp("local") / "out")


def test_a_build_from_and_to_a_store_is_that_of_folders(
    store: SharedStore, local: dict[str, bytes]
) -> None:
    origin = put(SAMPLE, store, "origin")
    store.set(fails=0.2)
    assert built(origin, store.url / "out") == local


def test_a_store_in_memory_does_as_well(local: dict[str, bytes]) -> None:
    origin, out = StoreUrl("memory://test/origin"), StoreUrl("memory://test/out")
    for name, data in contents(SAMPLE).items():
        write_bytes(origin / name, data)
    try:
        assert built(origin, out) == local
        assert built(origin, out) == local
    finally:
        remove_folder(StoreUrl("memory://test"))


@pytest.mark.parametrize("executor", ["local:2", "ray", "dask:tcp://10.0.0.1:8786"])
def test_a_store_in_memory_is_refused_where_other_processes_work(executor: str) -> None:
    out = StoreUrl("memory://test/out")
    options = BuildOptions(origin=SAMPLE, out=out, executor=parse_executor(executor))
    with pytest.raises(WrongUsageError, match=r"--out memory://test/out: .* one process alone"):
        options.seen_by_workers()


def test_rollouts_may_wait_in_a_store(
    store: SharedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollout_spool, "MEMORY_BYTES", 0)
    families = find_families(SAMPLE, ["sokoban"])
    options = ReadingOptions(Counting("auto", None), sizes=ShardSizes(20_000, 30_000))
    store.set(fails=0.2)
    staging = store.url / ".building-0123456789abcdef"
    with shared_spool_folder(tmp_path) as local, shared_spool_folder(staging) as shared:
        places = [Workplace(ThisProcess(), spools) for spools in (local, shared)]
        indexes = [read_in_shards(families, place, options) for place in places]
        for here, there in zip(*indexes, strict=True):
            assert (here.entries, here.sources) == (there.entries, there.sources)
            assert list(here.rollouts) == list(there.rollouts)
        assert list_files(store.url)
    assert not list_files(store.url)


def test_what_a_worker_writes_late_is_never_of_the_dataset(store: SharedStore) -> None:
    out = store.url / "out"
    with replaced_store(out, ()) as staging:
        with shared_spool_folder(staging) as spools:
            assert isinstance(spools, StoreUrl)
            write_bytes(spools / "0-0", b"rollouts")
        write_bytes(spools / "0-1", b"late")
        for name in METADATA:
            write_bytes(staging / name, b"1")
    files = list_files(out)
    assert files.keys() - own_names(files) == set(METADATA)
    with replaced_store(out, METADATA) as staging:
        for name in METADATA:
            write_bytes(staging / name, b"2")
    assert list_files(out).keys() == set(METADATA)


def test_worker_processes_read_from_and_write_to_a_store(
    store: SharedStore, tmp_path: Path
) -> None:
    origin = put(SAMPLE, store, "origin")
    store.set(fails=0.2)
    local = built(SAMPLE, tmp_path / "out", tasks=["sokoban"])
    two = parse_executor("local:2")
    assert built(origin, store.url / "out", tasks=["sokoban"], executor=two) == local


def test_an_earlier_build_is_replaced_and_foreign_files_are_kept(
    store: SharedStore, local: dict[str, bytes]
) -> None:
    out = store.url / "out"
    family = next(SAMPLE.iterdir())
    assert built(family, out).keys() != local.keys()
    assert built(SAMPLE, out) == local
    write_bytes(out / "data/notes.txt", b"mine")
    with pytest.raises(OutputError, match=r"no build wrote \(data/notes\.txt\)"):
        built(family, out)
    assert files_of(out) == local | {"data/notes.txt": b"mine"}


def test_a_changed_build_is_foreign(store: SharedStore) -> None:
    out = store.url / "out"
    files = built(next(SAMPLE.iterdir()), out)
    write_bytes(out / MANIFEST, files[MANIFEST] + b"{}\n")
    with pytest.raises(OutputError, match="that no build wrote"):
        built(SAMPLE, out)


def test_a_build_into_a_family_of_a_store_is_refused(store: SharedStore) -> None:
    folder = next(SAMPLE.iterdir())
    origin = put(folder, store, folder.name)
    with pytest.raises(OutputError, match=rf"lies in {folder.name}, whose files are read"):
        built(origin, store.url / folder.name / "out")


def test_a_failed_build_leaves_nothing_in_the_store(store: SharedStore) -> None:
    (store.folder / "bucket/origin/mine").mkdir(parents=True)
    (store.folder / "bucket/origin/mine/a.json").write_text("[]")
    options = BuildOptions(origin=store.url / "origin/mine", out=store.url / "out", tasks=["mine"])
    with pytest.raises(InputError, match="no rollout can be used"):
        build(options)
    assert not list_files(store.url / "out")


def test_a_lost_family_leaves_the_earlier_build_in_the_store(store: SharedStore) -> None:
    family = next(SAMPLE.iterdir())
    origin = put(family, store, f"origin/{family.name}")
    options = BuildOptions(origin=store.url / "origin", out=store.url / "out")
    build(options)
    before = contents(store.path(store.url / "out"))
    assert before
    store.path(origin).parent.joinpath("swebench-train-m").mkdir()
    store.path(origin).parent.joinpath("swebench-train-m/a.json").write_text("[]")
    with pytest.raises(InputError, match="1 of 2 families has no rollout that can be used"):
        build(options)
    assert contents(store.path(store.url / "out")) == before


def test_a_hidden_split_is_not_written_to_a_store(store: SharedStore) -> None:
    options = BuildOptions(origin=SAMPLE, out=store.url / "out")
    with pytest.raises(WrongUsageError, match="a hidden split has a key"):
        build_hidden(HiddenOptions(options, 1))


def test_the_command_takes_urls(
    store: SharedStore, local: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    put(SAMPLE, store, "origin")
    arguments = ["--origin", "faulty://bucket/origin/", "--out", "faulty://bucket/out"]
    with pytest.raises(SystemExit, match="0"):
        main(["build", *arguments])
    assert "faulty://bucket/out" in capsys.readouterr().out
    assert files_of(store.url / "out") == local


def test_a_file_url_is_a_path(tmp_path: Path, local: dict[str, bytes]) -> None:
    arguments = ["--origin", SAMPLE.as_uri(), "--out", (tmp_path / "out").as_uri()]
    with pytest.raises(SystemExit, match="0"):
        main(["build", *arguments])
    assert contents(tmp_path / "out") == local


@pytest.mark.parametrize(
    ("out", "message"),
    [("nonsense://a/b", "is not a kind of store"), ("s3://a//b", "is not the URL of one folder")],
)
def test_a_wrong_url_is_wrong_usage(
    out: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["build", "--origin", str(SAMPLE), "--out", out])
    assert message in capsys.readouterr().err


def test_a_build_that_is_killed_leaves_the_old_one_the_new_one_or_none(
    store: SharedStore, tmp_path: Path
) -> None:
    out, family = store.url / "out", SAMPLE / "sokoban-origin-scripted"
    new = built(family, tmp_path / "out")
    old = built(SAMPLE / "sokoban-train-scripted", out)
    command = [*(sys.executable, "-m", "builders", "build"), *("--out", str(out), "--origin")]
    for moment in KILLED_AT:
        built(SAMPLE / "sokoban-train-scripted", out)
        environment = store.environment | {"STORE_KILL": str(moment)}
        killed = subprocess.run([*command, str(family)], env=environment, check=False)
        assert killed.returncode in {0, -signal.SIGKILL}
        left = files_of(out)
        if MANIFEST in left:
            expected = old if left[MANIFEST] == old[MANIFEST] else new
            assert left.items() >= expected.items()
        assert built(family, out) == new


def test_a_dataset_of_a_store_is_read_as_a_folder_is(store: SharedStore, tmp_path: Path) -> None:
    build(BuildOptions(origin=SAMPLE, out=tmp_path / "out"))
    out = str(put(tmp_path / "out", store, "out"))
    store.set(fails=0.2)
    there, here = load_samples(out), load_samples(str(tmp_path / "out"))
    assert there.table == here.table
    assert there.source == here.source | {"path": out}
    assert load_reference(out, "sokoban") == load_reference(str(tmp_path / "out"), "sokoban")
    assert load_rollouts(out, "train") == load_rollouts(str(tmp_path / "out"), "train")
    assert splits(out, "sokoban_train") == ["heldout", "rl", "sft"]
    assert build_record(out) == build_record(str(tmp_path / "out"))
    assert verify(store.url / "out") == verify(tmp_path / "out")


@pytest.mark.parametrize(
    "read",
    [load_samples, load_reference, build_record, lambda url: verify(parse_location(url))],
    ids=["samples", "reference", "record", "verify"],
)
def test_a_dataset_without_a_manifest_is_absent(
    store: SharedStore, read: Callable[[str], object]
) -> None:
    out = store.url / "out"
    built(SAMPLE / "sokoban-origin-scripted", out)
    remove(out / MANIFEST)
    with pytest.raises(InputError, match=r"out: holds no manifest.jsonl: nothing was committed"):
        read(str(out))


def test_a_changed_file_of_a_store_is_refused_by_name(store: SharedStore) -> None:
    out = store.url / "out"
    files = built(SAMPLE / "sokoban-origin-scripted", out)
    name = "data/sokoban/test-scripted.parquet"
    write_bytes(out / name, files[name][:-1] + b"!")
    with pytest.raises(InputError, match=rf"{out / name}: was changed: another sha256"):
        load_samples(str(out))
    with pytest.raises(BuildChangedError, match=rf"{out}: 1 problem.*\n{name}: was changed"):
        verify(out)


def test_a_file_that_no_build_wrote_is_named_by_verify(store: SharedStore) -> None:
    out = store.url / "out"
    built(SAMPLE / "sokoban-origin-scripted", out)
    write_bytes(out / f".building-{'0' * 16}/data/a", b"left by a killed build")
    verify(out)
    write_bytes(out / "notes.txt", b"mine")
    with pytest.raises(BuildChangedError, match=r"notes\.txt: is not in manifest"):
        verify(out)


def test_commands_take_the_url_of_a_dataset(
    store: SharedStore, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, predictions = str(store.url / "out"), str(tmp_path / "predictions")
    built(SAMPLE, store.url / "out")
    commands = [
        ["predict", "baseline", "median_22", "--dataset", out, "--out", predictions],
        ["validate", predictions, "--dataset", out],
        ["score", predictions, "--dataset", out, "--resamples", "10"],
        ["show", load_samples(out).table["sample_id"][0].as_py(), "--dataset", out],
    ]
    for command in commands:
        assert exit_code(bagen, *command) == 0, capsys.readouterr().err
