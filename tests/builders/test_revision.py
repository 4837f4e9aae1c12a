"""A dataset's revision: of what was built, not of what built it."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from bagen_data.hub import load_samples
from bagen_data.reading.family_index import Unused
from bagen_data.tables import seal, to_json
from tests.making import SAMPLE, build, build_record, chat, dialogue, run, write_json, write_lines

FLAGS = ("--task", "sokoban")


def test_other_versions_give_the_same_revision(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builders.build_record.platform.python_version", lambda: "3.99.0")
    for name in ("np", "pa"):
        monkeypatch.setattr(f"builders.build_record.{name}.__version__", "99.0.0")
    monkeypatch.setattr("builders.build_record.__version__", "99.0.0")
    for writer in ("rollout_writer", "sample_writer"):
        monkeypatch.setattr(f"builders.tables.{writer}._LEVEL", 1)
    assert build(SAMPLE, tmp_path / "out") == 0
    ours, theirs = build_record(built), build_record(tmp_path / "out")
    for name in ("versions", "files"):
        assert not ours[name].items() & theirs[name].items()
    assert ours["seal"] != theirs["seal"]
    assert ours["revision"] == theirs["revision"]


@pytest.mark.parametrize(
    "flags",
    [
        ("--limit", 3),
        ("--limit", 1_000),
        ("--budget", "sokoban=median"),
        ("--budget", "sokoban=2500"),
        ("--prompt", "interval_no_think"),
        ("--usage", "request"),
    ],
)
def test_other_options_give_another_revision(tmp_path: Path, flags: tuple[Any, ...]) -> None:
    assert build(SAMPLE, tmp_path / "a", *FLAGS) == 0
    assert build(SAMPLE, tmp_path / "b", *FLAGS, *flags) == 0
    assert build_record(tmp_path / "a")["revision"] != build_record(tmp_path / "b")["revision"]


def test_other_rollouts_give_another_revision(origin: Path, built: Path, tmp_path: Path) -> None:
    revisions = {build_record(built)["revision"]}
    for number in range(2):
        assert build(origin, tmp_path / "out") == 0
        revisions.add(build_record(tmp_path / "out")["revision"])
        write_json(origin / "sokoban-origin-m" / "good.json", [dialogue(name=f"{number}")])
    assert len(revisions) == 3


def test_other_benchmark_versions_give_another_revision(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builders.build_record.BENCHMARK_VERSION", "99.0")
    assert build(SAMPLE, tmp_path / "out") == 0
    assert build_record(tmp_path / "out")["revision"] != build_record(built)["revision"]


def test_a_tokenizer_counts_by_what_it_does_and_not_by_its_folder(tmp_path: Path) -> None:
    write_lines(
        tmp_path / "origin" / "sokoban-origin-m" / "a.jsonl", [chat(["a a", "a", "a a", "a"])]
    )
    records = []
    for folder, splits in (("one", True), ("moved", True), ("other", False)):
        tokenizer = Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
        if splits:
            tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        (tmp_path / folder).mkdir()
        tokenizer.save(str(tmp_path / folder / "tokenizer.json"))
        out = tmp_path / f"out-{folder}"
        assert build(tmp_path / "origin", out, "--tokenizer", tmp_path / folder) == 0
        records.append(build_record(out))
    names = [record["families"][0]["tokenizer"]["name"] for record in records]
    assert names == ["one", "moved", "other"]
    one, moved, other = (record["revision"] for record in records)
    assert one == moved != other


def test_the_wording_of_a_refusal_is_no_part_of_it(
    origin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (origin / "sokoban-origin-m" / "cut.json").write_text("[{")
    assert build(origin, tmp_path / "a") == 0
    monkeypatch.setattr(
        "bagen_data.reading.merging.Unused", lambda where, _: Unused(where, "is broken")
    )
    assert build(origin, tmp_path / "b") == 0
    ours, theirs = build_record(tmp_path / "a"), build_record(tmp_path / "b")
    assert ours["families"][0]["refused"] != theirs["families"][0]["refused"]
    assert ours["revision"] == theirs["revision"]


def test_verify_notices_another_revision(built: Path, tmp_path: Path, capsys: Any) -> None:
    assert run("verify", built) == 0
    shutil.copytree(built, tmp_path / "copy")
    record = build_record(built) | {"revision": "0" * 64}
    (tmp_path / "copy" / "build.json").write_text(to_json(record, indent=1) + "\n")
    assert run("verify", tmp_path / "copy") == 1
    assert "build.json: is missing or was changed" in capsys.readouterr().err


def test_a_build_from_before_revisions_goes_by_its_seal(built: Path, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(built, old)
    record = build_record(built)
    assert load_samples(str(built)).source["revision"] == record.pop("revision")
    (old / "build.json").write_text(to_json(seal(record), indent=1) + "\n", encoding="utf-8")
    assert run("verify", old) == 0
    assert load_samples(str(old)).source["revision"] == build_record(old)["seal"]
