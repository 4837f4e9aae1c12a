"""`verify` of a dataset on the Hub, and of copies that were downloaded from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import close_session, snapshot_download

from tests.loopback_hub import LoopbackHub, loopback_hub
from tests.making import build_record, run

NAME = "ORG/NAME"
OF_THE_HUB = {"eval.yaml": b"name: BAGEN", ".gitattributes": b"*.parquet filter=lfs"}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home")
        yield hub
        close_session()


def test_a_dataset_on_the_hub_is_checked_where_it_lies(
    hub: LoopbackHub, built: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = hub.upload(NAME, built)
    second = hub.commit(NAME, OF_THE_HUB)
    revision = build_record(built)["revision"]
    for dataset in (NAME, f"{NAME}@{first[:7]}", f"{NAME}@{revision[:12]}"):
        assert run("verify", dataset) == 0
    assert run("verify", NAME, "--revision", second) == 0
    assert f"{NAME}@{second[:12]}: 36 data files" in capsys.readouterr().out
    hub.commit(NAME, {"notes.txt": b"mine", "data/sokoban/test-older.parquet": b"PAR1"})
    changed = (built / "README.md").read_bytes() + b"A line.\n"
    hub.commit(NAME, {"README.md": changed}, ["data/swebench/test-scripted.parquet"])
    assert run("verify", NAME) == 1
    said = capsys.readouterr().err
    for problem in (
        "README.md: is missing or was changed",
        "data/sokoban/test-older.parquet: is not in manifest.jsonl",
        "data/swebench/test-scripted.parquet: is missing",
        "notes.txt: is not in manifest.jsonl",
        "4 problem(s)",
    ):
        assert problem in said


@pytest.mark.parametrize("kind", ["cache", "folder"])
def test_a_downloaded_copy_is_checked_as_it_is(
    kind: str, hub: LoopbackHub, built: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.upload(NAME, built)
    hub.commit(NAME, OF_THE_HUB)
    where = {} if kind == "cache" else {"local_dir": tmp_path / "copy"}
    copy = Path(snapshot_download(NAME, repo_type="dataset", **where))
    assert (copy / "eval.yaml").is_file()
    assert (copy / ".cache").is_dir() == (kind == "folder")
    assert run("verify", copy) == 0
    (copy / ".git").mkdir()
    (copy / ".git" / "HEAD").write_text("ref: refs/heads/main")
    assert run("verify", copy) == 0
    (copy / "data" / "eval.yaml").write_text("mine")
    (copy / "notes.txt").write_text("mine")
    capsys.readouterr()
    assert run("verify", copy) == 1
    said = capsys.readouterr().err
    assert "data/eval.yaml: is not in manifest.jsonl" in said
    assert "notes.txt: is not in manifest.jsonl" in said
    assert "2 problem(s)" in said


def test_one_failing_request_of_five_is_no_problem(hub: LoopbackHub, built: Path) -> None:
    hub.upload(NAME, built)
    hub.fail_every(5, (500, 503), ("before",))
    assert run("verify", NAME) == 0
    assert hub.gone_wrong


def test_a_repository_that_is_no_dataset_is_refused(
    hub: LoopbackHub, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.commit(NAME, {"README.md": b"Something else."})
    for dataset, line in ((NAME, "holds no manifest.jsonl"), ("ORG/OTHER", "no such dataset")):
        assert run("verify", dataset) == 1
        said = capsys.readouterr().err
        assert line in said
        assert len(said.splitlines()) == 1
    assert run("verify", f"{NAME}@v1") == 1
