"""A dataset on the Hub is read as its folder is, by the code that reads the folder."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from huggingface_hub import HfApi, close_session, constants

from bagen_data.cli import main
from bagen_data.errors import InputError
from bagen_data.hub import (
    build_record,
    is_hidden,
    load_reference,
    load_rollouts,
    load_samples,
    splits,
)
from bagen_data.loading import load
from bagen_data.sample_files import FiledSamples, open_samples
from bagen_data.submissions import read_metadata
from tests.loopback_hub import LoopbackHub, loopback_hub
from tests.making import SAMPLE, build, exit_code

NAME = "ORG/NAME"
README = {"README.md": b"A line."}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("reading") / "out"
    assert build(SAMPLE, out) == 0
    return out


@pytest.fixture(scope="module")
def answers(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("answers") / "out"
    assert bagen("predict", "baseline", "climatology", "--dataset", built, "--out", out, CROSS) == 0
    return out


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home")
        yield hub
        close_session()


CROSS = "--cross-validate"


def bagen(*arguments: object) -> int:
    return exit_code(main, *arguments)


def tag(hub: LoopbackHub, name: str, commit: str) -> None:
    api = HfApi(endpoint=hub.endpoint, token="hf_write")
    api.create_tag(NAME, tag=name, revision=commit, repo_type="dataset")


def scores(answers: Path, dataset: object, out: Path, *more: object) -> dict[str, Any]:
    flags = ("--dataset", dataset, "--json", out, "--resamples", 20, *more)
    assert bagen("score", answers, *flags) == 0
    report: dict[str, Any] = json.loads(out.read_text())
    return report


def test_scores_are_those_of_the_folder(
    hub: LoopbackHub, built: Path, answers: Path, tmp_path: Path
) -> None:
    first = hub.upload(NAME, built)
    tag(hub, "v1.0", first)
    hub.commit(NAME, README)
    here = scores(answers, built, tmp_path / "here.json")
    source = here.pop("dataset")
    by_name = (NAME, f"{NAME}@v1.0", f"{NAME}@{first[:7]}", f"{NAME}@{source['revision'][:9]}")
    for number, dataset in enumerate(by_name):
        there = scores(answers, dataset, tmp_path / f"{number}.json")
        expected = {"path": NAME, "commit": hub.head(NAME) if number in {0, 3} else first}
        assert there.pop("dataset") == {**source, **expected}
        assert there == here
    there = scores(answers, NAME, tmp_path / "more.json", "--revision", "v1.0")
    assert there.pop("dataset")["commit"] == first


def test_every_table_is_that_of_the_folder(hub: LoopbackHub, built: Path) -> None:
    hub.upload(NAME, built)
    here = str(built)
    assert load_rollouts(NAME, "train") == load_rollouts(here, "train")
    assert load_reference(NAME, "sokoban") == load_reference(here, "sokoban")
    assert splits(NAME, "sokoban_train") == splits(here, "sokoban_train")
    assert build_record(NAME) == build_record(here)
    assert not is_hidden(NAME)
    also = ("prompt",)
    there = load_samples(NAME, "sokoban_train", "sft", also=also, revision="main")
    assert there.table == load_samples(here, "sokoban_train", "sft", also=also).table
    assert there.dataset == f"{NAME}@{hub.head(NAME)}"


def test_a_large_dataset_is_read_part_by_part(hub: LoopbackHub, built: Path) -> None:
    hub.upload(NAME, built)
    opened, folder = (open_samples(name, "sokoban", part_rows=1) for name in (NAME, str(built)))
    assert isinstance(opened.samples, FiledSamples)
    assert isinstance(folder.samples, FiledSamples)
    assert opened.samples.part_sizes == folder.samples.part_sizes
    assert opened.samples.reference_sizes == folder.samples.reference_sizes
    assert opened.source == {**folder.source, "path": NAME, "commit": hub.head(NAME)}
    for ids, own in zip(opened.samples.ids(), folder.samples.ids(), strict=True):
        assert ids.equals(own)


def test_stale_files_are_never_read(hub: LoopbackHub, built: Path) -> None:
    """A renamed family of an older build, which the globs of a card would load too."""
    hub.upload(NAME, built)
    stale = (built / "data/sokoban/test-scripted.parquet").read_bytes()
    hub.commit(NAME, {"data/sokoban/test-older.parquet": stale})
    here = load_samples(str(built)).table
    assert load_samples(NAME).table == here
    assert len(open_samples(NAME).samples) == len(here)
    loaded, expected = (load(name, "sokoban", split="test") for name in (NAME, built))
    assert list(loaded) == list(expected)
    assert set(load(NAME, "sokoban_train")) == {"sft", "rl", "heldout"}
    with pytest.raises(InputError, match="has no config chess; it has: reference"):
        load(NAME, "chess")


def test_one_failing_request_of_five_loses_nothing(
    hub: LoopbackHub, built: Path, answers: Path, tmp_path: Path
) -> None:
    hub.upload(NAME, built)
    hub.fail_every(5, (500, 502, 503, 429), ("before",))
    here = scores(answers, built, tmp_path / "here.json")
    there = scores(answers, NAME, tmp_path / "there.json")
    assert hub.gone_wrong
    assert there["overall"] == here["overall"]


def test_the_hub_is_not_needed_for_what_was_read_before(
    hub: LoopbackHub,
    built: Path,
    answers: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commit = hub.upload(NAME, built)
    online = scores(answers, NAME, tmp_path / "online.json")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    asked = len(hub.requests)
    assert scores(answers, NAME, tmp_path / "main.json") == online
    assert scores(answers, f"{NAME}@{commit}", tmp_path / "commit.json") == online
    assert len(hub.requests) == asked


def test_what_cannot_be_read_is_one_line(
    hub: LoopbackHub,
    built: Path,
    answers: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    whole = hub.upload(NAME, built)
    changed = tmp_path / "changed"
    shutil.copytree(built, changed)
    file = changed / "data/sokoban/test-scripted.parquet"
    table = pq.read_table(file)
    pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), file, store_schema=False)
    hub.upload("ORG/CHANGED", changed)
    hub.commit("ORG/PLAIN", {"README.md": b"Something else."})
    hub.commit("ORG/BARE", {"manifest.jsonl": (built / "manifest.jsonl").read_bytes()})
    hub.repository("ORG/PRIVATE", "dataset").private = True
    lines = {
        f"{NAME}@v9": f"{NAME}: has no revision 'v9'; expected a branch",
        f"{NAME}@{'0' * 40}": f"{NAME}: has no revision '{'0' * 40}'; expected a branch",
        "ORG/OTHER": "ORG/OTHER: the Hub has no such dataset, or it is private",
        "ORG/PRIVATE": "ORG/PRIVATE: the Hub has no such dataset, or it is private",
        "ORG/PLAIN": "holds no manifest.jsonl, so it is not a dataset",
        "ORG/BARE": "build.json: cannot be read: the commit has no such file",
        "ORG/CHANGED": "test-scripted.parquet: was changed: another sha256 than in manifest.jsonl",
    }
    for dataset, line in lines.items():
        capsys.readouterr()
        assert bagen("score", answers, "--dataset", dataset) == 1
        said = capsys.readouterr().err
        assert line in said
        assert len(said.splitlines()) == 1
    for in_memory in (False, True):
        with pytest.raises(InputError, match=r"holds no manifest\.jsonl"):
            load("ORG/PLAIN", "sokoban", split="test", in_memory=in_memory)
    for more in (("--dataset", built, "--revision", whole), ("--dataset", f"{NAME}@", CROSS)):
        assert bagen("predict", "baseline", "climatology", *more, "--out", tmp_path / "x") == 2
        assert "Traceback" not in capsys.readouterr().err


def test_predictions_name_the_content_revision(
    hub: LoopbackHub, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit = hub.upload(NAME, built)
    hub.commit(NAME, README)
    flags = ("--dataset", NAME, "--revision", commit[:10], "--out", tmp_path / "out", CROSS)
    assert bagen("predict", "baseline", "climatology", *flags) == 0
    revision = build_record(str(built))["revision"]
    metadata = tmp_path / "out" / "metadata.yaml"
    assert read_metadata(metadata).dataset_revision == revision
    for declared, is_noted in ((commit[:7], False), ("0" * 40, True), ("main", True)):
        metadata.write_text(metadata.read_text().replace(revision, f"'{declared}'"))
        capsys.readouterr()
        assert bagen("validate", tmp_path / "out", "--dataset", NAME) == 0
        assert ("are not ranked together" in capsys.readouterr().err) == is_noted
        metadata.write_text(metadata.read_text().replace(f"'{declared}'", revision))


def test_a_sample_of_the_hub_is_shown(
    hub: LoopbackHub, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    commit = hub.upload(NAME, built)
    sample = load_samples(str(built), "sokoban").table["sample_id"][0].as_py()
    assert bagen("show", sample, "--dataset", NAME, "--revision", commit[:8]) == 0
    there = capsys.readouterr().out
    assert bagen("show", sample, "--dataset", built) == 0
    assert there == capsys.readouterr().out
