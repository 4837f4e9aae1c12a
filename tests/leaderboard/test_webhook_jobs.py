"""Jobs that a webhook starts: which command an event leads to."""

import json
import subprocess
import sys
from typing import Any

import pytest

from leaderboard.jobs import on_webhook
from leaderboard.jobs.on_webhook import commands_of, read_payload

NAME = "ORG/bagen-submissions"
REVIEW = ["review", "--repo", NAME, "--dataset", "ORG/BAGEN"]
UPDATE = ["update", "--repo", NAME, "--to", "ORG/bagen-leaderboard"]


def event(*refs: str, name: str = NAME, kind: str = "dataset", **more: Any) -> dict[str, Any]:
    moved = [{"ref": ref, "oldSha": None, "newSha": "0" * 40} for ref in refs]
    return {
        "event": {"action": "update", "scope": "repo.content"},
        "repo": {"type": kind, "name": name},
        "updatedRefs": moved,
        **more,
    }


def test_a_pull_request_is_reviewed_by_its_number() -> None:
    assert commands_of(REVIEW, event("refs/pr/7"), NAME) == [[*REVIEW, "--pr", "7"]]
    assert commands_of(UPDATE, event("refs/pr/7"), NAME) == []
    several = commands_of(REVIEW, event("refs/pr/12", "refs/pr/3", "refs/pr/12"), NAME)
    assert [command[-1] for command in several] == ["3", "12"]
    flood = event(*(f"refs/pr/{number}" for number in range(1, 500)))
    assert len(commands_of(REVIEW, flood, NAME)) == 10


def test_main_has_the_site_built_anew() -> None:
    assert commands_of(UPDATE, event("refs/heads/main"), NAME) == [UPDATE]
    assert commands_of(REVIEW, event("refs/heads/main"), NAME) == []


@pytest.mark.parametrize(
    "payload",
    [
        {},
        event("refs/pr/7", name="EVIL/bagen-submissions"),
        event("refs/pr/7", kind="model"),
        event("refs/pr/7; curl evil", "refs/pr/-1", "refs/pr/0", "refs/pr/", "refs/pr/٣"),
        event() | {"updatedRefs": [{"ref": "refs/pr/7", "newSha": None}]},
        event() | {"updatedRefs": [7, None, {"ref": ["refs/pr/7"], "newSha": "0"}]},
        event() | {"updatedRefs": {"ref": "refs/pr/7"}},
        event() | {"repo": [NAME]},
    ],
)
def test_any_other_event_runs_nothing(payload: dict[str, Any]) -> None:
    assert commands_of(REVIEW, payload, NAME) == []
    assert commands_of(UPDATE, payload, NAME) == []


@pytest.mark.parametrize("text", ["", "[]", "7", "{", "\N{SNOWMAN}", "[" * 100_000])
def test_what_is_no_event_is_an_empty_one(text: str) -> None:
    assert read_payload(text) == {}


def test_a_command_that_fails_fails_the_job(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = []

    def run(command: list[str], *, check: bool) -> subprocess.CompletedProcess[bytes]:
        ran.append((command, check))
        return subprocess.CompletedProcess(command, -9 if len(ran) == 1 else 0)

    monkeypatch.setattr(on_webhook.subprocess, "run", run)
    monkeypatch.setenv("WEBHOOK_PAYLOAD", json.dumps(event("refs/pr/7", "refs/pr/8")))
    assert on_webhook.main(REVIEW) == -9
    assert [command[1:4] + command[-1:] for command, _ in ran] == [
        ["-m", "leaderboard", "review", "7"],
        ["-m", "leaderboard", "review", "8"],
    ]
    assert on_webhook.main(UPDATE) == 0
    assert "asks for no update" in capsys.readouterr().out
    assert len(ran) == 2


def test_wrong_usage_says_what_is_expected() -> None:
    for arguments in ([], ["publish", "--repo", NAME], ["review"], ["review", "--repo"]):
        done = subprocess.run(
            [sys.executable, "-m", "leaderboard.jobs.on_webhook", *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert "expected 'review' or 'update'" in done.stderr
