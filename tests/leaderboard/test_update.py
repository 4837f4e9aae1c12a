"""Submit, review, merge, update: the whole way, against a Hub on this machine."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bagen_data.cli import main as bagen
from tests.leaderboard.made_submissions import (
    budget_left,
    gold,
    leaderboard,
    results,
    submit,
    write_metadata,
)
from tests.loopback_hub import CLIENT_WARNING, LoopbackHub, loopback_hub
from tests.making import exit_code
from tests.publish_commands import FORKS

REPOSITORY = "ORG/bagen-submissions"
SPACE = "ORG/bagen-leaderboard"
pytestmark = pytest.mark.filterwarnings(CLIENT_WARNING)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with loopback_hub() as running:
        running.repository(REPOSITORY)
        running.patch(monkeypatch, tmp_path / "home", "hf_write")
        yield running


@pytest.fixture
def mine(dataset: Path, tmp_path: Path) -> Path:
    return submit(tmp_path / "mine", dataset, budget_left)


def update(dataset: Path, out: Path, *flags: object) -> int:
    return leaderboard(
        *("update", "--repo", REPOSITORY, "--dataset", dataset, "--out", out, "--to", SPACE),
        *("--workers", 1, "--resamples", 50, *flags),
    )


def put(hub: LoopbackHub, folder: Path, name: str | None = None) -> str:
    """Merge the files of a folder."""
    start = f"submissions/{name or folder.name}/"
    files = {start + path.name: path.read_bytes() for path in folder.iterdir()}
    return hub.commit(REPOSITORY, files)


def other_ids(kind: bytes, data: bytes) -> str:
    return hashlib.sha1(kind + data, usedforsecurity=False).hexdigest()


def published(hub: LoopbackHub) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(hub.files(SPACE, repo_type="space")["results.json"])
    return content


@pytest.mark.parametrize("ids", ["of git", "of its own"])
def test_submit_review_merge_update(
    ids: str,
    hub: LoopbackHub,
    mine: Path,
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if ids == "of its own":
        monkeypatch.setattr("tests.hub_repositories.git_id", other_ids)
    monkeypatch.setenv("HF_TOKEN", "hf_submit")
    to = ("--to", REPOSITORY, "--dataset", dataset)
    assert exit_code(bagen, "submit", mine, *to) == 0
    monkeypatch.setenv("HF_TOKEN", "hf_comment")
    assert leaderboard("review", "--repo", REPOSITORY, "--dataset", dataset) == 0
    repository = hub.repository(REPOSITORY)
    assert "would take it" in repository.discussion(1).comments[-1]
    repository.merged(repository.discussion(1), "maintainer")
    monkeypatch.setenv("HF_TOKEN", "hf_write")
    assert update(dataset, tmp_path / "site") == 0
    [row] = published(hub)["submissions"]
    assert row["folder"] == "mine"
    page = hub.files(SPACE, repo_type="space")["submissions/mine.html"].decode()
    url = f"{hub.endpoint}/datasets/{REPOSITORY}/resolve/{hub.head(REPOSITORY)}/submissions/mine/"
    assert url in page
    assert not any(path.startswith("files/") for path in hub.files(SPACE, repo_type="space"))


def test_the_whole_way_in_processes_of_their_own_shows_no_token(
    hub: LoopbackHub, mine: Path, dataset: Path, tmp_path: Path
) -> None:
    said = ""

    def run(token: str, *arguments: object) -> None:
        nonlocal said
        environment = {
            **hub.environment(tmp_path / token, token),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
        }
        done = FORKS.run(["-m", *arguments], environment, tmp_path)
        said += done.stdout + done.stderr
        assert done.returncode == 0, done.stderr

    to = ("--dataset", dataset)
    hub.fail_every(5, (500, 503), ("before", "after"))
    run("hf_submit", "bagen_data", "submit", mine, "--to", REPOSITORY, *to)
    run("hf_comment", "leaderboard", "review", "--repo", REPOSITORY, *to)
    repository = hub.repository(REPOSITORY)
    repository.merged(repository.discussion(1), "maintainer")
    few = ("--resamples", 50, "--workers", 1)
    run("hf_write", "leaderboard", "update", "--repo", REPOSITORY, *to, "--to", SPACE, *few)
    assert len(repository.discussions) == 1
    assert len(repository.discussion(1).comments) == 2
    assert [row["folder"] for row in published(hub)["submissions"]] == ["mine"]
    texts = said + "".join(
        path.read_text(errors="replace")
        for path in (tmp_path / "site").rglob("*")
        if path.is_file()
    )
    assert not [token for token in ("hf_submit", "hf_comment", "hf_write") if token in texts]


def test_nothing_changed_publishes_nothing(
    hub: LoopbackHub, mine: Path, dataset: Path, tmp_path: Path
) -> None:
    put(hub, mine)
    assert update(dataset, tmp_path / "site") == 0
    head = hub.head(SPACE, "space")
    assert update(dataset, tmp_path / "site") == 0
    hub.commit(REPOSITORY, {"README.md": b"another card\n"})
    assert update(dataset, tmp_path / "elsewhere") == 0
    assert hub.head(SPACE, "space") == head
    put(hub, submit(tmp_path / "other", dataset, gold, estimator="other"))
    assert update(dataset, tmp_path / "site") == 0
    assert hub.head(SPACE, "space") != head
    assert len(published(hub)["submissions"]) == 2


def test_a_merged_submission_that_is_bad_is_listed_and_stops_no_other(
    hub: LoopbackHub,
    mine: Path,
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put(hub, mine)
    put(hub, mine, "con")
    put(hub, mine, "<img src=x>")
    hub.commit(REPOSITORY, {"submissions/empty/README.md": b"x", "submissions/file.txt": b"x"})
    broken = submit(tmp_path / "broken", dataset, budget_left, estimator="broken")
    (broken / "predictions.jsonl").write_text("{}\n")
    put(hub, broken)
    large = submit(tmp_path / "large", dataset, budget_left, estimator="large")
    (large / "predictions.jsonl").write_text(
        (large / "predictions.jsonl").read_text() + " " * 1_000_000
    )
    put(hub, large)
    extra = submit(tmp_path / "extra", dataset, budget_left, estimator="extra")
    (extra / "setup.py").write_text("raise SystemExit")
    (extra / ".hidden").write_text("x")
    put(hub, extra)
    monkeypatch.setattr("leaderboard.handed_in.proposals.LARGEST", 900_000)
    assert update(dataset, tmp_path / "site", "--no-publish") == 0
    board = results(tmp_path / "site")
    assert [row["folder"] for row in board["submissions"]] == ["extra", "mine"]
    refused = {row["folder"]: " ".join(row["reasons"]) for row in board["refused"]}
    assert set(refused) == {"con", "<img src=x>", "empty", "broken", "large"}
    assert "expected at most 900,000" in refused["large"]
    asked = [each.path for each in hub.requests if "/resolve/" in each.path]
    assert not [path for path in asked if "large/predictions" in path or "setup.py" in path]
    assert ("space", SPACE) not in hub.repositories


@pytest.mark.parametrize("end", [b" ", b"", b" \n"])
def test_a_file_that_arrives_with_another_content_stops_the_update(
    end: bytes,
    hub: LoopbackHub,
    mine: Path,
    dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    put(hub, mine)
    repository = hub.repository(REPOSITORY)
    commit = repository.commits[hub.head(REPOSITORY)]
    kept = commit.files["submissions/mine/predictions.jsonl"]

    def change() -> None:
        object.__setattr__(kept, "data", kept.data[:-1] + end)

    hub.before("GET .*/resolve/.*predictions", change)
    assert update(dataset, tmp_path / "site") == 1
    assert "arrived with another content" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_one_request_in_five_may_fail(
    hub: LoopbackHub, mine: Path, dataset: Path, tmp_path: Path
) -> None:
    put(hub, mine)
    hub.fail_every(5, (500, 503), ("before", "after"))
    assert update(dataset, tmp_path / "site") == 0
    assert [row["folder"] for row in published(hub)["submissions"]] == ["mine"]


def test_a_repository_without_submissions_is_named(
    hub: LoopbackHub, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert update(dataset, tmp_path / "site") == 1
    error = " ".join(capsys.readouterr().err.split())
    assert "holds no submission" in error
    assert "--allow-empty" in error
    assert ("space", SPACE) not in hub.repositories
    assert update(dataset, tmp_path / "site", "--allow-empty") == 0
    assert published(hub)["submissions"] == []


def test_a_board_on_which_nothing_is_ranked_is_not_published(
    hub: LoopbackHub, mine: Path, dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put(hub, mine)
    assert update(dataset, tmp_path / "site") == 0
    hub.commit(REPOSITORY, {"submissions/mine/predictions.jsonl": b"{}\n"})
    for out in ("site", "elsewhere"):
        assert update(dataset, tmp_path / out) == 1
        assert "no submission is ranked" in " ".join(capsys.readouterr().err.split())
    assert [row["folder"] for row in published(hub)["submissions"]] == ["mine"]
    assert [row["folder"] for row in results(tmp_path / "site")["submissions"]] == ["mine"]
    assert results(tmp_path / "elsewhere")["submissions"] == []


def test_a_dry_run_needs_no_token_and_publishes_nothing(
    hub: LoopbackHub,
    mine: Path,
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HF_TOKEN", "")
    put(hub, mine)
    assert update(dataset, tmp_path / "site") == 1
    assert "publishing needs a token" in capsys.readouterr().err
    assert update(dataset, tmp_path / "site", "--dry-run") == 0
    assert "dry run, nothing was sent" in capsys.readouterr().out
    assert ("space", SPACE) not in hub.repositories


def test_a_commit_of_a_card_changes_no_rank(
    hub: LoopbackHub, mine: Path, dataset: Path, tmp_path: Path
) -> None:
    hub.repository("ORG/BAGEN")
    first = hub.upload("ORG/BAGEN", dataset)
    write_metadata(mine, dataset, dataset_revision=first)
    put(hub, mine)
    assert update(Path("ORG/BAGEN"), tmp_path / "site") == 0
    before = published(hub)["submissions"]
    hub.commit("ORG/BAGEN", {"README.md": b"---\nlicense: mit\n---\n"})
    assert update(Path("ORG/BAGEN"), tmp_path / "site") == 0
    assert published(hub)["submissions"] == before
    assert len(before) == 1
