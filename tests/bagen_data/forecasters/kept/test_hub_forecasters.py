"""Forecasters go to the Hub by one commit, and come back as they were."""

import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from huggingface_hub import HfApi, close_session, constants

from bagen_data.errors import InputError, StoreError, WrongUsageError
from bagen_data.forecasters.climatology import fit
from bagen_data.forecasters.kept import KeptForecaster, keep, load_forecaster
from bagen_data.forecasters.kept.forecaster_files import ARRAYS, CARD, FILES, LARGEST, RECORD
from tests.bagen_data.forecasters.simulated_examples import family
from tests.loopback_hub import CLIENT_WARNING, LoopbackHub, loopback_hub

pytestmark = pytest.mark.filterwarnings(CLIENT_WARNING)

NAME = "ORG/FORECASTER"


@cache
def kept() -> KeptForecaster:
    examples = family(12, 0, budget=600)
    return replace(keep("climatology", fit(examples, 0), examples), card="# Ours\n")


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home", "hf_write")
        yield hub
        close_session()


def model_files(hub: LoopbackHub) -> dict[str, bytes]:
    return hub.files(NAME, repo_type="model")


def test_it_goes_there_and_comes_back(hub: LoopbackHub, tmp_path: Path) -> None:
    address = kept().push_to_hub(NAME)
    assert address == f"{hub.endpoint}/{NAME}"
    kept().save(tmp_path / "kept")
    sent = {name: data for name, data in model_files(hub).items() if name in FILES}
    assert sent == {name: (tmp_path / "kept" / name).read_bytes() for name in FILES}
    for loaded in (load_forecaster(NAME), KeptForecaster.from_pretrained(NAME)):
        assert (loaded.sha256, loaded.card) == (kept().sha256, "# Ours\n")


def test_it_is_one_commit_and_the_same_again_is_none(hub: LoopbackHub) -> None:
    kept().push_to_hub(NAME)
    first = hub.head(NAME, "model")
    hub.commit(NAME, {"notes.txt": b"mine"}, repo_type="model")
    before = hub.head(NAME, "model")
    kept().push_to_hub(NAME)
    assert hub.head(NAME, "model") == before
    replace(kept(), card="# Better\n").push_to_hub(NAME, message="A better card")
    assert model_files(hub)["README.md"] == b"# Better\n"
    assert model_files(hub)["notes.txt"] == b"mine"
    assert load_forecaster(f"{NAME}@{first}").card == "# Ours\n"
    api = HfApi(endpoint=hub.endpoint, token="hf_write")
    titles = [each.title for each in api.list_repo_commits(NAME)]
    assert titles == [
        "A better card",
        "A commit of somebody else",
        "Upload a forecaster",
        "initial commit",
    ]


def test_a_tag_and_a_pull_request_are_revisions(hub: LoopbackHub) -> None:
    kept().push_to_hub(NAME)
    HfApi(endpoint=hub.endpoint, token="hf_write").create_tag(NAME, tag="v1")
    address = replace(kept(), card="# Wanted\n").push_to_hub(NAME, create_pr=True)
    assert "discussions" in address
    assert load_forecaster(f"{NAME}@refs/pr/1").card == "# Wanted\n"
    assert KeptForecaster.from_pretrained(NAME, revision="v1").card == "# Ours\n"
    assert load_forecaster(NAME).card == "# Ours\n"


def test_it_arrives_although_the_hub_fails_for_a_while(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bagen_data.repositories.hub_requests._FIRST_PAUSE", 0)
    time_without_sleep = SimpleNamespace(**{**vars(time), "sleep": lambda _: None})
    monkeypatch.setattr("huggingface_hub.utils._http.time", time_without_sleep)
    hub.fail_every(3, drops=("before", "after"))
    kept().push_to_hub(NAME)
    assert load_forecaster(NAME).sha256 == kept().sha256
    assert hub.gone_wrong > 2


def test_what_the_cache_has_is_read_without_the_hub(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept().push_to_hub(NAME)
    load_forecaster(NAME)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    commit = hub.head(NAME, "model")
    asked = len(hub.requests)
    with pytest.raises(StoreError, match="HF_HUB_OFFLINE is set"):
        load_forecaster("ORG/OTHER")
    assert load_forecaster(f"{NAME}@{commit}").sha256 == kept().sha256
    assert len(hub.requests) == asked


def test_what_is_not_there_is_said(hub: LoopbackHub) -> None:
    with pytest.raises(InputError, match=f"{NAME}: is not on the Hub, or the token may not see it"):
        load_forecaster(NAME)
    kept().push_to_hub(NAME)
    with pytest.raises(InputError, match=f"{NAME}: has no revision 'v9'; expected a branch, a tag"):
        load_forecaster(f"{NAME}@v9")
    hub.commit(NAME, {}, [ARRAYS], "model")
    with pytest.raises(InputError, match=f"{NAME}: has no {ARRAYS}; expected a forecaster that"):
        load_forecaster(NAME)
    hub.commit(NAME, {RECORD: b"{}"}, [CARD], "model")
    with pytest.raises(InputError, match=f"{NAME}/{RECORD}: is of format None"):
        load_forecaster(NAME)
    with pytest.raises(WrongUsageError, match="repository NAME: expected ORG/NAME"):
        kept().push_to_hub("NAME")


def test_a_file_that_is_too_large_is_not_fetched(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept().push_to_hub(NAME)
    size = len(model_files(hub)[ARRAYS])
    monkeypatch.setattr(
        "bagen_data.forecasters.kept.forecaster_lookup.LARGEST", {**LARGEST, ARRAYS: size - 1}
    )
    with pytest.raises(InputError, match=f"{ARRAYS}: cannot be read: it is of {size:,} bytes; exp"):
        load_forecaster(NAME)
    assert not hub.asked(f"GET .*{ARRAYS}")


def test_without_a_token_nothing_is_sent(hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "")
    with pytest.raises(InputError, match="publishing needs a token; log in with 'hf auth login'"):
        kept().push_to_hub(NAME)
    assert not hub.asked("POST|PUT")


@pytest.mark.parametrize("name", ["nowhere", "a/b/c", "A/B@", "--x/y", ".", "", "\0", "x" * 5_000])
def test_a_name_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(
        InputError, match=r"cannot be looked at|no such folder|has no forecaster\.json"
    ):
        load_forecaster(name)
