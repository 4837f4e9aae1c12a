"""The leaderboard of a dataset on the Hub: a dataset is its rows, and a commit a place of them."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import HfApi, close_session, constants

from tests.leaderboard.made_submissions import (
    budget_left,
    build_site,
    leaderboard,
    results,
    submit,
    write_metadata,
)
from tests.loopback_hub import LoopbackHub, loopback_hub
from tests.making import SAMPLE, build
from tests.publish_commands import FORKS

NAME = "MLL-Lab/BAGEN"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home")
        yield hub
        close_session()


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The benchmark of fewer rollouts: other rows."""
    out = tmp_path_factory.mktemp("other") / "built"
    assert build(SAMPLE, out, "--limit", 6) == 0
    return out


@pytest.fixture(scope="module")
def answered(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A submission whose metadata a test writes anew."""
    folder = tmp_path_factory.mktemp("answered") / "mine"
    return submit(folder, dataset, budget_left)


def tag(hub: LoopbackHub, name: str, commit: str) -> None:
    api = HfApi(endpoint=hub.endpoint, token="hf_write")
    api.create_tag(NAME, tag=name, revision=commit, repo_type="dataset")


def submissions(answered: Path, dataset: Path, folder: Path, **revisions: str) -> Path:
    """A folder of the same answers, each of which names the dataset in its own way."""
    for name, revision in revisions.items():
        shutil.copytree(answered, folder / name)
        write_metadata(folder / name, dataset, dataset_revision=revision, estimator=f"model {name}")
    return folder


def names(board: dict[str, Any], standing: str = "submissions") -> list[str]:
    return sorted(each["folder"] for each in board[standing])


def pages(site: Path) -> dict[str, bytes]:
    """The files of a site but for `results.json`, which names the commit."""
    paths = [path for path in sorted(site.rglob("*")) if path.is_file()]
    files = {path.relative_to(site).as_posix(): path.read_bytes() for path in paths}
    return {name: data for name, data in files.items() if name != "results.json"}


def test_a_commit_that_changes_no_rows_changes_no_rank_and_no_page(
    hub: LoopbackHub, dataset: Path, answered: Path, tmp_path: Path
) -> None:
    revision = json.loads((dataset / "build.json").read_text())["revision"]
    first = hub.upload(NAME, dataset)
    tag(hub, "v2.0", first)
    made = submissions(
        answered,
        dataset,
        tmp_path / "in",
        content=revision,
        short=revision[:7],
        commit=first,
        begun=first[:7],
        tagged="v2.0",
        stranger="0" * 40,
    )
    before = build_site(made, Path(NAME), tmp_path / "before")
    assert names(before) == ["begun", "commit", "content", "short", "tagged"]
    assert names(before, "apart") == ["stranger"]
    assert {each["dataset_revision"] for each in before["submissions"]} == {revision}
    assert (before["dataset"]["id"], before["dataset"]["revision"]) == (NAME, revision)
    second = hub.commit(NAME, {"README.md": b"A line.", "eval.yaml": b"name: BAGEN"})
    after = build_site(made, Path(NAME), tmp_path / "after")
    assert (before["dataset"].pop("commit"), after["dataset"].pop("commit")) == (first, second)
    assert after == before
    assert pages(tmp_path / "after") == pages(tmp_path / "before")
    by_tag = build_site(made, Path(NAME), tmp_path / "by_tag", "--revision", "v2.0")
    assert by_tag["dataset"].pop("commit") == first
    assert by_tag == before


def test_other_rows_and_pull_requests_are_apart(
    hub: LoopbackHub, dataset: Path, other: Path, answered: Path, tmp_path: Path
) -> None:
    older = hub.upload(NAME, other)
    newer = hub.upload(NAME, dataset)
    copy = (dataset / "build.json").read_bytes()
    number = hub.pull_request(NAME, {"build.json": copy, "notes.txt": b"a change"})
    request = hub.repositories["dataset", NAME].refs[f"refs/pr/{number}"]
    made = submissions(
        answered,
        dataset,
        tmp_path / "in",
        newer=newer,
        older=older,
        request=request,
        ref=f"refs/pr/{number}",
        main="main",
    )
    board = build_site(made, Path(NAME), tmp_path / "site")
    assert names(board) == ["newer"]
    assert names(board, "apart") == ["main", "older", "ref", "request"]
    (why,) = next(each["why"] for each in board["apart"] if each["folder"] == "older")
    assert why.startswith(f"made of dataset revision {older}; this is ")
    hub.repository("ORG/EMPTY", "dataset")
    assert leaderboard("validate", made / "newer", "--dataset", "ORG/EMPTY") == 1


def test_a_folder_is_a_copy_of_a_dataset_whose_commits_may_be_named(
    hub: LoopbackHub,
    dataset: Path,
    answered: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    commit = hub.upload(NAME, dataset)
    made = submissions(answered, dataset, tmp_path / "in", mine=commit)
    apart = build_site(made, dataset, tmp_path / "apart", code=1)
    assert (names(apart), names(apart, "apart")) == ([], ["mine"])
    more = ("--dataset-id", NAME)
    ranked = build_site(made, dataset, tmp_path / "ranked", *more)
    assert names(ranked) == ["mine"]
    assert (ranked["dataset"]["id"], ranked["dataset"]["commit"]) == (NAME, None)
    said = {}
    for flags in ((dataset,), (dataset, *more), (NAME,), (f"{NAME}@{commit[:7]}",)):
        capsys.readouterr()
        assert leaderboard("validate", made / "mine", "--dataset", *flags) == 0
        said[flags] = "it would be shown as a baseline" in capsys.readouterr().out
    assert list(said.values()) == [False, True, True, True]


def test_a_hub_that_fails_sets_nobody_apart(
    hub: LoopbackHub,
    dataset: Path,
    answered: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commit = hub.upload(NAME, dataset)
    made = submissions(answered, dataset, tmp_path / "in", mine=commit)
    hub.fail_every(5, (500, 503), ("before",))
    assert names(build_site(made, Path(NAME), tmp_path / "site")) == ["mine"]
    assert hub.gone_wrong
    monkeypatch.setattr("bagen_data.repositories.hub_requests._FIRST_PAUSE", 0.001)
    hub.fail_every(1, only="/refs")
    flags = ("--submissions", made, "--dataset", NAME, "--out", tmp_path / "none", "--no-cache")
    assert leaderboard("build", *flags) == 1
    assert "the Hub does not answer" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()
    hub.fail_every(0)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert leaderboard("build", *flags) == 1
    assert "HF_HUB_OFFLINE is set" in capsys.readouterr().err
    write_metadata(made / "mine", dataset)  # which needs no Hub to be known
    assert leaderboard("build", *flags) == 0


def test_baselines_are_written_by_processes_of_their_own(
    hub: LoopbackHub, dataset: Path, tmp_path: Path
) -> None:
    commit = hub.upload(NAME, dataset)
    hub.commit(NAME, {"manifest.jsonl": b""})  # nothing of it is left on main
    hub.fail_every(5, (500, 503), ("before",))
    flags = ("--dataset", NAME, "--revision", commit[:7], "--out", tmp_path / "out")
    command = ["-m", "leaderboard", "baselines", *flags, "--workers", "2"]
    done = FORKS.run([*command, "--forecaster", "climatology"], hub.environment(tmp_path / "home"))
    assert done.returncode == 0, done.stderr
    assert hub.gone_wrong
    written = yaml.safe_load((tmp_path / "out" / "climatology" / "metadata.yaml").read_text())
    expected = json.loads((dataset / "build.json").read_text())["revision"]
    assert written["dataset_revision"] == expected
    flags = ("--out", tmp_path / "here", "--forecaster", "climatology")
    assert leaderboard("baselines", "--dataset", dataset, *flags) == 0
    for path in (tmp_path / "here" / "climatology").glob("*.jsonl"):
        there = tmp_path / "out" / "climatology" / path.name
        assert there.read_bytes() == path.read_bytes()


def test_exports_name_the_commit(
    hub: LoopbackHub, dataset: Path, answered: Path, tmp_path: Path
) -> None:
    commit = hub.upload(NAME, dataset)
    made = submissions(answered, dataset, tmp_path / "in", mine=commit)
    write_metadata(made / "mine", dataset, provider="vllm", model_id="ORG/MODEL", weights="open")
    build_site(made, Path(NAME), tmp_path / "site")
    assert leaderboard("export", tmp_path / "site", "--format", "hub") == 0
    out = tmp_path / "site-hub"
    assert "inspect-ai" in (out / "eval.yaml").read_text()
    rows = yaml.safe_load((out / "mine" / ".eval_results" / "bagen.yaml").read_text())
    assert {row["dataset"]["id"] for row in rows} == {NAME}
    assert {row["dataset"]["revision"] for row in rows} == {commit}


def test_earlier_results_that_name_a_commit_are_read(
    hub: LoopbackHub,
    dataset: Path,
    other: Path,
    answered: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The revision of a dataset on the Hub was its commit in results of older code."""
    older, newer = hub.upload(NAME, other), hub.upload(NAME, dataset)
    made = submissions(answered, dataset, tmp_path / "in", mine=newer)
    build_site(made, Path(NAME), tmp_path / "site")
    for commit in (older, newer):
        board = results(tmp_path / "site")
        board["dataset"] |= {"revision": commit}
        del board["dataset"]["commit"]
        for each in board["submissions"]:
            each["dataset_revision"] = commit
        (tmp_path / f"{commit}.json").write_text(json.dumps(board))
    flags = ("--submissions", made, "--dataset", NAME, "--out", tmp_path / "next", "--no-cache")
    assert leaderboard("build", *flags, "--earlier", tmp_path / f"{older}.json") == 0
    (apart,) = results(tmp_path / "next")["apart"]
    assert apart["dataset_revision"] == older
    assert leaderboard("build", *flags, "--earlier", tmp_path / f"{newer}.json") == 1
    assert "as these are; leave them out" in capsys.readouterr().err
