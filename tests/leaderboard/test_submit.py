"""`bagen submit`, against a Hub on this machine."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bagen_data.cli import main
from bagen_data.published import HUB_ID
from bagen_data.repositories import hub_requests
from bagen_data.submissions import METADATA, read_metadata
from tests.leaderboard.made_submissions import (
    budget_left,
    samples_of,
    submit,
    write_metadata,
    write_rows,
)
from tests.loopback_hub import CLIENT_WARNING, LoopbackHub, loopback_hub
from tests.making import exit_code

REPOSITORY = "ORG/bagen-submissions"
TOKEN = "hf_submit"
pytestmark = pytest.mark.filterwarnings(CLIENT_WARNING)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    with loopback_hub() as running:
        running.repository(REPOSITORY)
        running.patch(monkeypatch, tmp_path / "home", TOKEN)
        yield running


@pytest.fixture
def folder(dataset: Path, tmp_path: Path) -> Path:
    return submit(tmp_path / "mine", dataset, budget_left)


def run(folder: Path, dataset: Path, *flags: object) -> int:
    return exit_code(main, "submit", folder, "--dataset", dataset, "--to", REPOSITORY, *flags)


def added(hub: LoopbackHub, number: int = 1) -> dict[str, bytes]:
    """The files that a pull request adds or changes."""
    before = hub.files(REPOSITORY)
    asked = hub.files(REPOSITORY, f"refs/pr/{number}")
    return {path: data for path, data in asked.items() if before.get(path) != data}


def pull_requests(hub: LoopbackHub) -> list[Any]:
    return hub.repository(REPOSITORY).discussions


def test_a_pull_request_adds_the_files_of_the_layout_and_nothing_else(
    hub: LoopbackHub, folder: Path, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "hidden.jsonl").write_bytes((folder / "predictions.jsonl").read_bytes())
    for name in ("notes.txt", "log.json", ".env", "README.md"):
        (folder / name).write_text("private")
    assert run(folder, dataset) == 0
    said = capsys.readouterr().out
    assert "hidden.jsonl is handed in as it is" in said
    address = said.splitlines()[-1]
    assert address == f"{hub.endpoint}/datasets/{REPOSITORY}/discussions/1"
    expected = {
        f"submissions/mine/{name}": (folder / name).read_bytes()
        for name in ("metadata.yaml", "predictions.jsonl", "hidden.jsonl")
    }
    assert added(hub) == expected
    assert set(hub.files(REPOSITORY)) == {".gitattributes"}


def one_a_config(folder: Path, dataset: Path, *configs: str) -> None:
    """Write a file for each config instead of one for all."""
    (folder / "predictions.jsonl").unlink()
    for config in configs:
        rows = [
            {"sample_id": sample["sample_id"], "response": budget_left(sample)}
            for sample in samples_of(dataset, config)
        ]
        write_rows(folder / f"{config}.jsonl", rows)


def test_a_file_for_each_config_is_handed_in(
    hub: LoopbackHub, folder: Path, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    configs = ("sokoban", "sokoban_start", "swebench", "swebench_start")
    one_a_config(folder, dataset, *configs)
    assert run(folder, dataset) == 0
    assert "answers to sokoban, swebench, sokoban_start, swebench_start" in capsys.readouterr().out
    names = {path.removeprefix("submissions/mine/") for path in added(hub)}
    assert names == {"metadata.yaml", *(f"{config}.jsonl" for config in configs)}


@pytest.mark.parametrize("config", ["sokoban", "sokoban_start"])
def test_a_config_that_is_answered_in_part_is_refused(
    config: str, hub: LoopbackHub, folder: Path, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one_a_config(folder, dataset, "sokoban", "sokoban_start")
    shorten(folder / f"{config}.jsonl")
    assert run(folder, dataset) == 1
    assert "1 sample without" in capsys.readouterr().err
    assert not pull_requests(hub)


def test_it_is_opened_once(hub: LoopbackHub, folder: Path, dataset: Path) -> None:
    assert run(folder, dataset) == 0
    assert run(folder, dataset) == 0
    assert len(pull_requests(hub)) == 1


@pytest.mark.parametrize(
    ("statuses", "drops", "tries"), [((), ("after",), 1), ((), ("before",), 2), ((500,), (), 2)]
)
def test_a_lost_answer_opens_no_second_one(
    statuses: tuple[int, ...],
    drops: tuple[str, ...],
    tries: int,
    hub: LoopbackHub,
    folder: Path,
    dataset: Path,
) -> None:
    commit = "POST .*/commit/"
    hub.before(commit, lambda: hub.fail_every(1, statuses, drops, only=commit))
    hub.before(commit, lambda: hub.fail_every(0))
    assert run(folder, dataset) == 0
    assert len(hub.asked(commit)) == tries
    assert len(pull_requests(hub)) == 1


def test_one_request_in_five_may_fail(hub: LoopbackHub, folder: Path, dataset: Path) -> None:
    hub.fail_every(5, (500, 503), ("before", "after"))
    assert run(folder, dataset) == 0
    assert len(pull_requests(hub)) == 1
    assert len(added(hub)) == 2


def test_a_dry_run_needs_no_token_and_asks_nothing(
    hub: LoopbackHub,
    folder: Path,
    dataset: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HF_TOKEN", "")
    assert run(folder, dataset, "--dry-run", "--name", "Other.name") == 0
    out = capsys.readouterr().out
    assert "submissions/Other.name/metadata.yaml\n" in out
    assert f"predictions.jsonl, {(folder / 'predictions.jsonl').stat().st_size:,} bytes" in out
    assert not hub.requests
    assert run(folder, dataset) == 1
    assert "hf auth login" in capsys.readouterr().err


@pytest.mark.usefixtures("hub")
def test_a_dry_run_of_a_folder_that_is_missing_says_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, Path("bagen-demo/dataset"), "--dry-run") == 1
    assert "no folder bagen-demo/dataset exists here either" in capsys.readouterr().err


def test_a_dry_run_without_a_network_names_the_option_that_needs_none(
    hub: LoopbackHub,
    folder: Path,
    dataset: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A dry run used to wait for the Hub in silence, and then said nothing of --dataset."""
    monkeypatch.setattr(hub_requests, "_FIRST_PAUSE", 0)
    hub.fail_every(1, (503,))
    assert exit_code(main, "submit", folder, "--dry-run") == 1
    first, error = capsys.readouterr().err.splitlines()
    assert first == f"asking the Hub for {HUB_ID}; with --dataset FOLDER a dry run needs no network"
    assert f"{HUB_ID}: the Hub does not answer after 6 tries" in error
    revision = read_metadata(folder / METADATA).dataset_revision
    assert error.endswith(
        "a dry run of mine needs no Hub with --dataset FOLDER, the dataset that it answers, whose "
        f"build.json has the revision {revision}"
    )
    assert run(folder, dataset, "--dry-run") == 0
    asked = len(hub.requests)
    (folder / METADATA).unlink()
    assert exit_code(main, "submit", folder, "--dry-run") == 1
    assert "metadata.yaml: is missing" in capsys.readouterr().err
    assert len(hub.requests) == asked


def test_a_dry_run_without_a_network_takes_the_dataset_that_was_read_before(
    hub: LoopbackHub,
    folder: Path,
    dataset: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(hub_requests, "_FIRST_PAUSE", 0)
    hub.repository("ORG/BAGEN")
    hub.upload("ORG/BAGEN", dataset)
    assert run(folder, Path("ORG/BAGEN"), "--dry-run") == 0
    assert "asking the Hub for ORG/BAGEN" in capsys.readouterr().err
    hub.fail_every(1, (503,))
    assert run(folder, Path("ORG/BAGEN"), "--dry-run") == 1
    assert "with HF_HUB_OFFLINE=1, what was read before is read from" in capsys.readouterr().err
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert run(folder, Path("ORG/BAGEN"), "--dry-run") == 0
    said = capsys.readouterr()
    assert said.err == ""
    assert "a pull request to" in said.out


def test_a_name_that_is_taken_is_replaced_when_asked(
    hub: LoopbackHub, folder: Path, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    taken = {f"submissions/mine/{name}": b"x" for name in ("metadata.yaml", "sokoban.jsonl")}
    hub.commit(REPOSITORY, taken)
    assert run(folder, dataset) == 1
    assert "is there already, with other files; pass --replace" in capsys.readouterr().err
    assert run(folder, dataset, "--name", "Mine") == 1
    assert not pull_requests(hub)
    assert run(folder, dataset, "--replace") == 0
    asked = hub.files(REPOSITORY, "refs/pr/1")
    assert {path for path in asked if path.startswith("submissions/")} == {
        "submissions/mine/metadata.yaml",
        "submissions/mine/predictions.jsonl",
    }


def test_files_that_were_merged_are_not_handed_in_again(
    hub: LoopbackHub, folder: Path, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("metadata.yaml", "predictions.jsonl")
    hub.commit(REPOSITORY, {f"submissions/mine/{n}": (folder / n).read_bytes() for n in names})
    assert run(folder, dataset) == 0
    assert "/tree/main/submissions/mine" in capsys.readouterr().out
    assert not pull_requests(hub)


def test_an_open_pull_request_with_other_files_is_named(
    hub: LoopbackHub, folder: Path, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, dataset) == 0
    write_metadata(folder, dataset, estimator="another")
    assert run(folder, dataset) == 1
    assert len(pull_requests(hub)) == 1
    assert "/discussions/1: is your open pull request for mine" in capsys.readouterr().err


def test_somebody_elses_pull_request_of_that_name_is_not_ours(
    hub: LoopbackHub, folder: Path, dataset: Path
) -> None:
    names = ("metadata.yaml", "predictions.jsonl")
    files = {f"submissions/mine/{name}": (folder / name).read_bytes() for name in names}
    hub.pull_request(REPOSITORY, files, title="Submit mine")
    assert run(folder, dataset) == 0
    assert [each.author for each in pull_requests(hub)] == ["stranger", "submitter"]


SPOILED: dict[str, tuple[Callable[[Path, Path], object], str]] = {
    "a key in decoding": (
        lambda folder, dataset: write_metadata(folder, dataset, decoding={"api_key": "abcdefgh"}),
        "decoding holds what looks like a key",
    ),
    "a token in the link": (
        lambda folder, dataset: write_metadata(
            folder, dataset, link="https://example.org/?access_token=abcdefgh"
        ),
        "link holds what looks like a key",
    ),
    "another revision": (
        lambda folder, dataset: write_metadata(folder, dataset, dataset_revision="f" * 40),
        "it would never be ranked",
    ),
    "another version": (
        lambda folder, dataset: write_metadata(folder, dataset, benchmark_version="1.0"),
        "it would never be ranked",
    ),
    "an answer that is missing": (
        lambda folder, _: shorten(folder / "predictions.jsonl"),
        "1 sample without",
    ),
    "an unknown key": (
        lambda folder, _: write_text(folder / "metadata.yaml", lambda text: f"{text}more: 1\n"),
        "unknown key",
    ),
    "the token itself": (
        lambda folder, _: write_text(
            folder / "predictions.jsonl", lambda text: text.replace("[", f"{TOKEN} [", 1)
        ),
        "holds the token of the Hub",
    ),
}


def write_text(path: Path, change: Callable[[str], str]) -> None:
    path.write_text(change(path.read_text()))


def shorten(path: Path) -> None:
    write_text(path, lambda text: text[: text[:-1].rindex("\n") + 1])


@pytest.mark.parametrize("name", SPOILED)
def test_what_the_leaderboard_would_refuse_is_not_handed_in(
    name: str,
    hub: LoopbackHub,
    folder: Path,
    dataset: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    spoil, words = SPOILED[name]
    spoil(folder, dataset)
    assert run(folder, dataset) == 1
    said = capsys.readouterr()
    assert words in said.err
    assert "abcdefgh" not in said.err + said.out
    assert TOKEN not in said.err + said.out
    assert not pull_requests(hub)


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "con", "x" * 101, "eval.yaml"])
def test_a_name_that_cannot_be_is_refused(
    name: str, hub: LoopbackHub, folder: Path, dataset: Path
) -> None:
    assert run(folder, dataset, "--name", name) == 1
    assert not hub.requests


@pytest.mark.parametrize(
    ("token", "words"), [("hf_wrong", "401"), ("hf_read", "403"), ("", "needs a token")]
)
def test_a_token_that_may_not_is_told_so_and_never_shown(
    token: str,
    words: str,
    hub: LoopbackHub,
    folder: Path,
    dataset: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    assert run(folder, dataset) == 1
    said = capsys.readouterr()
    assert words in said.err
    assert not token or token not in said.err + said.out
    assert not pull_requests(hub)


def test_a_repository_that_is_not_there_is_named(
    hub: LoopbackHub, folder: Path, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("submit", folder, "--dataset", dataset, "--to", "ORG/nothing")
    assert exit_code(main, *arguments) == 1
    assert "ORG/nothing: is not on the Hub" in capsys.readouterr().err
    assert not pull_requests(hub)


def test_a_large_file_arrives_whole(hub: LoopbackHub, folder: Path, dataset: Path) -> None:
    path = folder / "predictions.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    rows[0]["response"] = "x" * (11 << 20) + rows[0]["response"]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert run(folder, dataset) == 0
    assert added(hub)["submissions/mine/predictions.jsonl"] == path.read_bytes()


def test_a_commit_of_the_dataset_is_accepted_as_its_revision(
    hub: LoopbackHub, folder: Path, dataset: Path
) -> None:
    hub.repository("ORG/BAGEN")
    commit = hub.upload("ORG/BAGEN", dataset)
    hub.commit("ORG/BAGEN", {"README.md": b"---\nlicense: mit\n---\n"})
    write_metadata(folder, dataset, dataset_revision=commit)
    assert run(folder, Path("ORG/BAGEN")) == 0
    assert run(folder, Path(f"ORG/BAGEN@{commit[:9]}"), "--name", "again") == 0
    assert len(pull_requests(hub)) == 2
