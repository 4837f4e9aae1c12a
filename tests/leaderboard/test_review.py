"""`python -m leaderboard review`, against a Hub on this machine: good and hostile pull requests."""

import gzip
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import HfApi

from leaderboard.handed_in.comments import MARKER, quoted
from tests.leaderboard.made_submissions import budget_left, leaderboard, submit
from tests.loopback_hub import CLIENT_WARNING, LoopbackHub, loopback_hub

REPOSITORY = "ORG/bagen-submissions"
MINE = "submissions/mine/"
TOKEN = "hf_comment"
pytestmark = pytest.mark.filterwarnings(CLIENT_WARNING)
Files = dict[str, bytes]


@pytest.fixture
def hub(good: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A Hub whose repository holds one submission that was merged; nobody waits to ask it again."""
    monkeypatch.setattr("bagen_data.repositories.hub_requests._FIRST_PAUSE", 0.001)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with loopback_hub() as running:
        running.repository(REPOSITORY)
        running.commit(REPOSITORY, {"README.md": b"How to submit\n", **merged(good)})
        running.patch(monkeypatch, tmp_path / "home", TOKEN)
        yield running


@pytest.fixture(scope="module")
def good(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Files:
    """The files of a good submission, by path in the repository."""
    folder = submit(tmp_path_factory.mktemp("good") / "mine", dataset, budget_left)
    names = ("metadata.yaml", "predictions.jsonl")
    return {f"{MINE}{name}": (folder / name).read_bytes() for name in names}


def merged(good: Files) -> Files:
    """The submission of somebody else that is in the branch main."""
    theirs = {path.replace("mine", "theirs"): data for path, data in good.items()}
    return theirs | {"submissions/theirs/metadata.yaml": metadata(good, estimator="Theirs")}


def metadata(good: Files, **changes: Any) -> bytes:
    content = yaml.safe_load(good[f"{MINE}metadata.yaml"])
    return yaml.safe_dump({**content, **changes}, allow_unicode=True).encode()


def review(dataset: Path, *flags: object) -> int:
    return leaderboard("review", "--repo", REPOSITORY, "--dataset", dataset, *flags)


def comments(hub: LoopbackHub, number: int = 1) -> list[str]:
    """The comments of the reviewer."""
    events = hub.repository(REPOSITORY).discussion(number).events
    return [
        event["data"]["latest"]["raw"]
        for event in events
        if event["type"] == "comment" and event["author"]["name"] == "reviewer"
    ]


def outside_of_code(comment: str) -> str:
    """The text of a comment without its block of code, as CommonMark delimits it."""
    match = re.search(r"^(`{3,})text\n.*?^\1`*$", comment, re.DOTALL | re.MULTILINE)
    assert match, comment
    return comment[: match.start()] + comment[match.end() :]


def test_a_good_pull_request_is_accepted_in_one_comment(
    hub: LoopbackHub, good: Files, dataset: Path
) -> None:
    hub.pull_request(REPOSITORY, good)
    head = hub.repository(REPOSITORY).refs["refs/pr/1"]
    assert review(dataset) == 0
    [comment] = comments(hub)
    assert comment.startswith(f"{MARKER}\n**The leaderboard would take it**\n")
    assert f"commit `{head}`" in comment
    assert "it would be shown as a baseline" in comment
    asked = len(hub.requests)
    assert review(dataset) == 0
    assert comments(hub) == [comment]
    assert not [each for each in hub.requests[asked:] if each.method not in ("GET", "HEAD")]


def test_a_verdict_that_changes_is_edited(hub: LoopbackHub, good: Files, dataset: Path) -> None:
    hub.pull_request(REPOSITORY, good)
    assert review(dataset) == 0
    hub.commit(REPOSITORY, {f"{MINE}metadata.yaml": b"a: 1\n"}, ref="refs/pr/1")
    assert review(dataset) == 0
    [comment] = comments(hub)
    assert "would refuse it" in comment
    assert hub.repository(REPOSITORY).refs["refs/pr/1"] in comment


def test_two_comments_of_reviews_at_once_both_follow_the_verdict(
    hub: LoopbackHub, good: Files, dataset: Path
) -> None:
    hub.pull_request(REPOSITORY, good)
    assert review(dataset) == 0
    [comment] = comments(hub)
    HfApi(endpoint=hub.endpoint, token=TOKEN).comment_discussion(
        REPOSITORY, 1, comment=comment, repo_type="dataset"
    )
    hub.commit(REPOSITORY, {f"{MINE}metadata.yaml": b"a: 1\n"}, ref="refs/pr/1")
    assert review(dataset) == 0
    first, second = comments(hub)
    assert first == second
    assert "would refuse it" in first


def test_a_file_of_another_content_than_is_listed_is_refused(
    hub: LoopbackHub, good: Files, dataset: Path
) -> None:
    hub.pull_request(REPOSITORY, good)
    repository = hub.repository(REPOSITORY)
    kept = repository.commits[repository.refs["refs/pr/1"]].files[f"{MINE}predictions.jsonl"]

    def change() -> None:
        object.__setattr__(kept, "data", kept.data * 9)

    hub.before("GET .*/resolve/.*predictions", change)
    assert review(dataset) == 0
    [comment] = comments(hub)
    assert "would refuse it" in comment
    assert "arrived with another content" in comment


def test_nothing_but_comments_is_sent(hub: LoopbackHub, good: Files, dataset: Path) -> None:
    hub.pull_request(REPOSITORY, good)
    before = dict(hub.repository(REPOSITORY).refs)
    assert review(dataset) == 0
    posts = [each.path for each in hub.requests if each.method not in ("GET", "HEAD")]
    assert posts == [f"/api/datasets/{REPOSITORY}/discussions/1/comment"]
    assert dict(hub.repository(REPOSITORY).refs) == before
    assert hub.repository(REPOSITORY).discussion(1).status == "open"


def test_a_dry_run_needs_no_token_and_comments_nothing(
    hub: LoopbackHub,
    good: Files,
    dataset: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HF_TOKEN", "")
    hub.pull_request(REPOSITORY, good)
    assert review(dataset) == 1
    assert "commenting needs a token" in capsys.readouterr().err
    assert review(dataset, "--dry-run") == 0
    assert "pull request 1: The leaderboard would take it; commit" in capsys.readouterr().out
    assert not comments(hub)


def test_one_that_cannot_be_reviewed_does_not_stop_the_others(
    hub: LoopbackHub, good: Files, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(3):
        hub.pull_request(REPOSITORY, good)
    hub.fail_every(1, (500,), only="revision/refs%2Fpr%2F2")
    assert review(dataset) == 1
    assert "pull request 2: " in capsys.readouterr().err
    assert [len(comments(hub, number)) for number in (1, 2, 3)] == [1, 0, 1]


def test_one_request_in_five_may_fail(hub: LoopbackHub, good: Files, dataset: Path) -> None:
    hub.pull_request(REPOSITORY, good)
    hub.pull_request(REPOSITORY, {"README.md": b"mine"})
    hub.fail_every(5, (500, 503), ("before", "after"))
    assert review(dataset) == 0
    assert [len(comments(hub, number)) for number in (1, 2)] == [1, 1]


def test_a_lost_answer_writes_no_second_comment(
    hub: LoopbackHub, good: Files, dataset: Path
) -> None:
    hub.pull_request(REPOSITORY, good)
    post = "POST .*/comment"
    hub.before(post, lambda: hub.fail_every(1, (), ("after",), only=post))
    hub.before(post, lambda: hub.fail_every(0))
    assert review(dataset) == 0
    assert len(comments(hub)) == 1


def test_a_pull_request_is_judged_at_one_commit(
    hub: LoopbackHub, good: Files, dataset: Path
) -> None:
    """A push between the listing and the download does not change what is judged."""
    hub.pull_request(REPOSITORY, good)
    head = hub.repository(REPOSITORY).refs["refs/pr/1"]
    bad = {f"{MINE}predictions.jsonl": b"{}\n", "README.md": b"changed"}
    hub.before("GET .*/resolve/", lambda: hub.commit(REPOSITORY, bad, ref="refs/pr/1"))
    assert review(dataset) == 0
    [comment] = comments(hub)
    assert f"commit `{head}`" in comment
    assert "would take it" in comment


def test_other_branches_of_main_do_not_count_as_changes(
    hub: LoopbackHub, good: Files, dataset: Path
) -> None:
    hub.pull_request(REPOSITORY, good)
    hub.commit(REPOSITORY, {"README.md": b"newer\n", "submissions/b/metadata.yaml": b"x"})
    assert review(dataset) == 0
    assert "would take it" in comments(hub)[0]


def test_a_change_of_a_submission_in_main_is_said(
    hub: LoopbackHub, good: Files, dataset: Path
) -> None:
    text = metadata(good, estimator="Theirs", link="https://example.org/new")
    hub.pull_request(REPOSITORY, {"submissions/theirs/metadata.yaml": text})
    assert review(dataset) == 0
    assert "it changes a submission that is there" in comments(hub)[0]
    assert "merge it only if it comes from the same people" in comments(hub)[0]


def test_large_files_may_be_noted_by_the_hub(hub: LoopbackHub, good: Files, dataset: Path) -> None:
    before = hub.files(REPOSITORY)[".gitattributes"]
    note = f"{MINE}predictions.jsonl filter=lfs diff=lfs merge=lfs -text\n".encode()
    hub.pull_request(REPOSITORY, {**good, ".gitattributes": before + note})
    other = b"README.md filter=lfs diff=lfs merge=lfs -text\n"
    hub.pull_request(REPOSITORY, {**good, ".gitattributes": before + other})
    assert review(dataset) == 0
    assert "would take it" in comments(hub, 1)[0]
    assert "it changes '.gitattributes'" in comments(hub, 2)[0]


Make = Callable[[LoopbackHub, Files], int]
"""Opens a pull request, and returns its number."""


def adds(**files: bytes) -> Make:
    """Other files beside a good submission; `__` stands for a slash."""
    return plus({name.replace("__", "/"): data for name, data in files.items()})


def plus(files: Files) -> Make:
    return lambda hub, good: hub.pull_request(REPOSITORY, {**good, **files})


def instead(change: Callable[[Files], Files]) -> Make:
    return lambda hub, good: hub.pull_request(REPOSITORY, change(good))


def with_metadata(**changes: Any) -> Make:
    return instead(lambda good: {**good, f"{MINE}metadata.yaml": metadata(good, **changes)})


def raw_metadata(text: bytes) -> Make:
    return instead(
        lambda good: {**good, f"{MINE}metadata.yaml": good[f"{MINE}metadata.yaml"] + text}
    )


def renamed(name: str) -> Make:
    return instead(lambda good: {path.replace("mine", name): good[path] for path in good})


def deletes(*paths: str) -> Make:
    return lambda hub, good: without_paths(hub, good, paths)


def only_deletes(*paths: str) -> Make:
    return lambda hub, _: without_paths(hub, {}, paths)


def without_paths(hub: LoopbackHub, files: Files, paths: Sequence[str]) -> int:
    number = hub.pull_request(REPOSITORY, files)
    hub.commit(REPOSITORY, {}, paths, ref=f"refs/pr/{number}")
    return number


def of_another_history(hub: LoopbackHub, good: Files) -> int:
    number = hub.pull_request(REPOSITORY, good)
    repository = hub.repository(REPOSITORY)
    files = repository.commit_of(f"refs/pr/{number}").files
    repository.committed(files, f"refs/pr/{number}", (), ("A new beginning", ""), "stranger")
    return number


def bomb(good: Files) -> Files:
    """A file of a few kilobytes that unpacks to more than a gigabyte."""
    block = gzip.compress((b" " * ((1 << 20) - 1) + b"\n") * 64, 9)
    return {**without(good, "predictions.jsonl"), f"{MINE}predictions.jsonl.gz": block * 17}


def without(good: Files, name: str) -> Files:
    return {path: data for path, data in good.items() if not path.endswith(name)}


HOSTILE: dict[str, tuple[Make, str]] = {
    "a change of the README": (adds(**{"README.md": b"pwned"}), "it changes 'README.md'"),
    "a workflow": (
        plus({".github/workflows/x.yml": b"on: push"}),
        "it changes '.github/workflows/x.yml'",
    ),
    "a file beside the folders": (plus({"submissions/x.txt": b"x"}), "'submissions/x.txt'"),
    "a folder in other letters": (plus({"Submissions/mine/a.jsonl": b"x"}), "'Submissions/mine"),
    "two submissions": (
        instead(lambda good: {**good, "submissions/other/metadata.yaml": b"x"}),
        "it changes several submissions: 'mine', 'other'",
    ),
    "a change of somebody else's too": (
        plus({"submissions/theirs/metadata.yaml": b"x"}),
        "it changes several submissions: 'mine', 'theirs'",
    ),
    "the removal of somebody else's": (
        only_deletes("submissions/theirs/metadata.yaml", "submissions/theirs/predictions.jsonl"),
        "it removes the submission",
    ),
    "the removal of a file beside": (deletes("README.md"), "it changes 'README.md'"),
    "the removal of somebody's metadata": (
        only_deletes("submissions/theirs/metadata.yaml"),
        "metadata.yaml: is missing",
    ),
    "a history of its own": (of_another_history, "it comes after no commit of the branch main"),
    "nothing": (only_deletes(), "it changes no file"),
    "a path that climbs": (plus({f"{MINE}../../README.md": b"x"}), "expected files alone"),
    "a path from the root": (plus({"/etc/passwd": b"x"}), "it changes '/etc/passwd'"),
    "an empty part of a path": (plus({f"{MINE}/a.jsonl": b"x"}), "it changes"),
    "a path with a backslash": (
        plus({f"{MINE}..\\..\\a.jsonl": b"x"}),
        "is not named for a config",
    ),
    "a folder in the folder": (plus({f"{MINE}a/b.jsonl": b"x"}), "expected files alone"),
    "code": (plus({f"{MINE}setup.py": b"import os"}), "has an ending"),
    "a pickle": (plus({f"{MINE}model.pkl": b"\x80\x04."}), "has an ending"),
    "a notice": (plus({f"{MINE}README.md": b"x"}), "has an ending"),
    "a file named for no config": (plus({f"{MINE}other.jsonl": b"x"}), "is not named for a config"),
    "many files": (
        plus({f"{MINE}{number}.jsonl": b"x" for number in range(100)}),
        "the folder would hold 102 files",
    ),
    "thousands of files": (
        plus({f"{MINE}{number}.jsonl": b"x" for number in range(2_000)}),
        "it adds far more files than a submission has",
    ),
    "two files of all tasks": (
        plus({f"{MINE}predictions.parquet": b"x"}),
        "holds several files of predictions",
    ),
    "a name that a device has": (renamed("con"), "the folder's name is 'con'"),
    "a name that is hidden": (renamed(".mine"), "the folder's name is '.mine'"),
    "a name in another script": (renamed("m\u0456ne"), "the folder's name is"),
    "a name that is an attack on a page": (renamed("<img src=x>"), "the folder's name is"),
    "a name in other letters": (renamed("THEIRS"), "looks like that of the submission 'theirs'"),
    "an estimator that looks like another": (
        with_metadata(estimator="theirs"),
        "looks like that of the submission 'theirs'",
    ),
    "an earlier date than the one it looks like": (
        with_metadata(estimator="theirs", date="2024-01-01"),
        "looks like that of the submission 'theirs'",
    ),
    "a later date than the one it looks like": (
        with_metadata(estimator="theirs", date="2026-11-22"),
        "the estimator's name 'theirs' looks like 'Theirs'",
    ),
    "a tag of YAML": (raw_metadata(b"x: !!python/object/apply:os.system [id]\n"), "tags are not"),
    "an alias of YAML": (raw_metadata(b"x: &a [1]\ny: *a\n"), "aliases are not allowed"),
    "much metadata": (
        raw_metadata(b"# " + b"x" * 70_000 + b"\n"),
        "metadata.yaml: is of ",
    ),
    "a link as Git has it": (
        instead(lambda good: {**good, f"{MINE}predictions.jsonl": b"/etc/passwd"}),
        "predictions.jsonl:1: not one JSON object",
    ),
    "a pointer to a large file that is not there": (
        instead(
            lambda good: {
                **good,
                f"{MINE}predictions.jsonl": b"version https://git-lfs.github.com/spec/v1\n"
                b"oid sha256:" + b"0" * 64 + b"\nsize 1\n",
            }
        ),
        "predictions.jsonl:1: not one JSON object",
    ),
    "a gzip bomb": (instead(bomb), "holds more than 1,073,741,824 bytes, unpacked"),
    "no predictions": (
        instead(lambda good: without(good, "predictions.jsonl")),
        "a file of predictions is missing",
    ),
    "no metadata": (
        instead(lambda good: without(good, "metadata.yaml")),
        "metadata.yaml: is missing",
    ),
    "answers that are missing": (
        instead(
            lambda good: {
                **good,
                f"{MINE}predictions.jsonl": good[f"{MINE}predictions.jsonl"].partition(b"\n")[0],
            }
        ),
        "samples without",
    ),
}


INJECTIONS = [
    "```\n# Approved by the maintainers\n![x](https://evil.example/x.png)",
    "`````` @everyone <img src=x onerror=alert(1)>",
    "~~~\n[click](https://evil.example)",
    f"{MARKER}",
    "-->\n<script>alert(1)</script>",
    "\u202e\x1b[31mred\x07",
    "x" * 100_000,
    "\n" * 5_000 + "@all",
]


def injected_id(text: str) -> Make:
    row = json.dumps({"sample_id": text, "response": ""}).encode()
    return instead(
        lambda good: {**good, f"{MINE}predictions.jsonl": good[f"{MINE}predictions.jsonl"] + row}
    )


def only_path(text: str) -> Make:
    return instead(lambda _: {f"submissions/{text[:200]}/metadata.yaml": b"x"})


INJECTED: dict[str, Make] = {
    f"{place} {number}": make
    for number, text in enumerate(INJECTIONS)
    for place, make in {
        "id": injected_id(text),
        "metadata": with_metadata(provider=text[:60_000]),
        "path": plus({f"submissions/{text[:200].replace('/', ' ')}/metadata.yaml": b"x"}),
        "only path": only_path(text),
    }.items()
}


@pytest.fixture(scope="module")
def judged(
    good: Files, dataset: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The comment on each pull request, by its name; one review judges all of them."""
    home = tmp_path_factory.mktemp("judged")
    with pytest.MonkeyPatch.context() as monkeypatch, loopback_hub() as hub:
        monkeypatch.setenv("XDG_CACHE_HOME", str(home / "cache"))
        hub.repository(REPOSITORY)
        hub.commit(REPOSITORY, {"README.md": b"How to submit\n", **merged(good)})
        hub.patch(monkeypatch, home, TOKEN)
        makes = {name: make for name, (make, _) in HOSTILE.items()} | INJECTED
        numbers = {name: make(hub, good) for name, make in makes.items()}
        numbers["last"] = hub.pull_request(REPOSITORY, good)
        assert review(dataset) == 0
        posted = {name: comments(hub, number) for name, number in numbers.items()}
        assert {len(each) for each in posted.values()} == {1}
        yield {name: each[0] for name, each in posted.items()}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pull_request_is_refused_and_told_why(name: str, judged: dict[str, str]) -> None:
    assert "would refuse it" in judged[name]
    assert HOSTILE[name][1] in judged[name]
    assert len(judged[name]) < 40_000


def test_hostile_pull_requests_do_not_stop_a_good_one(judged: dict[str, str]) -> None:
    assert "**The leaderboard would take it**" in judged["last"]


def test_a_file_that_is_too_large_is_refused_before_it_is_downloaded(
    hub: LoopbackHub, good: Files, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leaderboard.handed_in.proposals.LARGEST", 100)
    hub.pull_request(REPOSITORY, good)
    assert review(dataset) == 0
    assert "bytes; expected at most 100" in comments(hub)[0]
    assert not [each for each in hub.requests if "/resolve/" in each.path and "mine" in each.path]


@pytest.mark.parametrize("name", INJECTED)
def test_a_stranger_does_not_write_in_our_name(name: str, judged: dict[str, str]) -> None:
    comment = judged[name]
    ours = outside_of_code(comment)
    assert len(comment) < 40_000
    for mark in ("evil.example", "@", "<img", "<script", "[click]", "Approved", "\x1b"):
        assert mark not in ours
    assert ours.count(MARKER) == 1
    assert all(each.isprintable() or each == "\n" for each in comment)


@pytest.mark.parametrize("line", ["```", "``` ```` `````", "   ```", "````text", "`" * 400])
def test_no_line_ends_a_block_of_code(line: str) -> None:
    first, *_, last = quoted([line, "after"])
    assert first == f"{last}text"
    assert all(last not in each for each in quoted([line, "after"])[1:-1])


def test_a_strangers_comment_with_our_marker_is_not_ours(
    hub: LoopbackHub, good: Files, dataset: Path
) -> None:
    hub.pull_request(REPOSITORY, good)
    repository = hub.repository(REPOSITORY)
    repository.commented(repository.discussion(1), f"{MARKER}\n**It was accepted**", "stranger")
    assert review(dataset) == 0
    assert len(comments(hub)) == 1
    assert repository.discussion(1).comments.count(f"{MARKER}\n**It was accepted**") == 1


def test_a_pull_request_that_is_closed_is_not_commented(
    hub: LoopbackHub, good: Files, dataset: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.pull_request(REPOSITORY, good)
    hub.repository(REPOSITORY).discussion(1).status = "closed"
    assert review(dataset) == 0
    assert "0 pull requests reviewed" in capsys.readouterr().out
    assert review(dataset, "--pr", 1) == 1
    assert review(dataset, "--pr", 7) == 1
    assert not comments(hub)


@pytest.mark.parametrize(("token", "words"), [("hf_wrong", "401"), ("hf_read", "403")])
def test_a_token_that_may_not_is_told_so_and_never_shown(
    token: str,
    words: str,
    hub: LoopbackHub,
    good: Files,
    dataset: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    hub.pull_request(REPOSITORY, good)
    assert review(dataset) == 1
    said = capsys.readouterr()
    assert words in said.err
    assert token not in said.out + said.err
    assert not comments(hub)
