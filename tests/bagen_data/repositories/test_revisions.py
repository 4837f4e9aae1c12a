"""Revisions of a dataset on the Hub, and the commits that they name."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import HfApi, close_session, constants

from bagen_data.errors import InputError, StoreError
from bagen_data.locations import HubPath
from bagen_data.repositories.dataset_places import locate, pinned
from bagen_data.repositories.revisions import commit_of, contents_of, names_content
from bagen_data.repositories.snapshots import local_file
from tests.loopback_hub import LoopbackHub, loopback_hub

NAME = "ORG/NAME"


def files(revision: str) -> dict[str, bytes]:
    return {"build.json": json.dumps({"revision": revision}).encode(), "manifest.jsonl": b""}


class RevisedDataset:
    """A dataset with two content revisions, the second of which has two commits."""

    def __init__(self, hub: LoopbackHub) -> None:
        self.empty = hub.commit(NAME, {"README.md": b"soon"})
        self.first = hub.commit(NAME, files("a" * 64))
        HfApi(endpoint=hub.endpoint, token="hf_write").create_tag(
            NAME, tag="v1.0", repo_type="dataset"
        )
        self.second = hub.commit(NAME, files("b" * 64))
        self.last = hub.commit(NAME, {"README.md": b"a line"})
        number = hub.pull_request(NAME, files("c" * 64))
        self.request = hub.repositories["dataset", NAME].refs[f"refs/pr/{number}"]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home")
        yield hub
        close_session()


@pytest.fixture
def published(hub: LoopbackHub) -> RevisedDataset:
    return RevisedDataset(hub)


def test_a_revision_names_a_commit(published: RevisedDataset) -> None:
    expected = {
        None: published.last,
        "main": published.last,
        "v1.0": published.first,
        published.second: published.second,
        published.second[:7]: published.second,
        "a" * 64: published.first,
        "b" * 7: published.last,  # the newest that has these rows
        "refs/pr/1": published.request,
    }
    assert {name: commit_of(NAME, name) for name in expected} == expected
    assert pinned(f"{NAME}@v1.0") == f"{NAME}@{published.first}"
    assert locate(f"{NAME}@v1.0") == HubPath(NAME, published.first)


def test_a_revision_that_is_not_there_is_named(published: RevisedDataset) -> None:
    for name in ("v3", "c" * 64, "0" * 7, published.second[:6]):
        with pytest.raises(InputError, match=f"{NAME}: has no revision '{name}'; expected a br"):
            commit_of(NAME, name)
    with pytest.raises(InputError, match=f"{NAME}: has no revision '{'0' * 40}'"):
        local_file(locate(f"{NAME}@{'0' * 40}") / "build.json")
    with pytest.raises(InputError, match="ORG/OTHER: the Hub has no such dataset, or it is priv"):
        commit_of("ORG/OTHER", None)


def test_commits_of_main_and_tags_are_the_datasets_own(
    hub: LoopbackHub, published: RevisedDataset
) -> None:
    names = ["v1.0", published.second, published.last[:7], published.last[:6], "main", "refs/pr/1"]
    names += [published.empty, published.request, published.request[:7], "0" * 40, "", "latest"]
    assert contents_of(NAME, names) == {
        "v1.0": "a" * 64,
        published.second: "b" * 64,
        published.last[:7]: "b" * 64,
    }
    asked = len(hub.requests)
    assert names_content("b" * 7, "b" * 64, NAME)
    assert len(hub.requests) == asked  # the content revision is known without the Hub
    assert names_content(published.second, "b" * 64, NAME)
    assert not names_content(published.second, "a" * 64, NAME)
    assert not names_content(published.second, "b" * 64, None)


def test_an_older_build_is_known_by_its_seal(hub: LoopbackHub) -> None:
    sealed = hub.commit(NAME, files("") | {"build.json": json.dumps({"seal": "e" * 64}).encode()})
    broken = hub.commit(NAME, {"build.json": b"{"})
    other = hub.commit(NAME, {"build.json": b'{"revision": 7}'})
    assert contents_of(NAME, [sealed, broken, other]) == {sealed: "e" * 64}
    assert commit_of(NAME, "e" * 8) == sealed


def test_one_failing_request_of_five_changes_nothing(
    hub: LoopbackHub, published: RevisedDataset
) -> None:
    hub.fail_every(5, (500, 503, 429), ("before",))
    names = ["v1.0", published.second, published.last[:7], published.request]
    for _ in range(3):
        assert list(contents_of(NAME, names)) == names[:3]
        assert commit_of(NAME, "main") == published.last
        assert commit_of(NAME, "a" * 10) == published.first
    assert hub.gone_wrong


def test_a_hub_that_fails_is_not_another_revision(
    hub: LoopbackHub, published: RevisedDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bagen_data.repositories.hub_requests._FIRST_PAUSE", 0.001)
    hub.fail_every(1)
    with pytest.raises(StoreError, match="the Hub does not answer after 6 tries"):
        contents_of(NAME, [published.second])
    with pytest.raises(StoreError, match="the Hub does not answer after 6 tries"):
        commit_of(NAME, "main")


def test_what_was_seen_is_known_without_the_hub(
    hub: LoopbackHub, published: RevisedDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("main", "v1.0"):
        local_file(locate(f"{NAME}@{name}") / "build.json")
    moved = hub.commit(NAME, files("d" * 64))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    asked = len(hub.requests)
    expected = {
        None: published.last,
        "v1.0": published.first,
        published.last: published.last,
        published.last[:7]: published.last,
        "a" * 64: published.first,
    }
    assert {name: commit_of(NAME, name) for name in expected} == expected
    for name in (moved[:7], "d" * 64, "v2.0"):
        with pytest.raises(StoreError, match="HF_HUB_OFFLINE is set, and the cache"):
            commit_of(NAME, name)
    with pytest.raises(StoreError, match="HF_HUB_OFFLINE is set"):
        local_file(HubPath(NAME, moved, "build.json"))
    with pytest.raises(StoreError, match="HF_HUB_OFFLINE is set"):
        commit_of("ORG/OTHER", None)
    assert len(hub.requests) == asked


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "", "a//b", "a\\b", "a/"])
def test_a_name_that_leads_out_of_a_repository_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="is not the name of a file in a repository"):
        local_file(HubPath(NAME, "0" * 40, name))
