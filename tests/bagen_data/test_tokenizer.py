"""Tokenizers of folders, of the Hub, and of the cache where the Hub cannot be reached."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import close_session, constants
from tokenizers import Tokenizer, models, pre_tokenizers

from bagen_data.errors import InputError, StoreError, WrongUsageError
from bagen_data.tokenizer import HubTokenizer
from tests.loopback_hub import LoopbackHub, loopback_hub

pytest.importorskip("transformers", reason="the extra tokenizer is not installed")

NAME = "ORG/TOKENIZER"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[LoopbackHub]:
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home")
        yield hub
        close_session()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    words = Tokenizer(models.WordLevel({"a": 0, "b": 1, "?": 2}, unk_token="?"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    made = tmp_path / "tokenizer"
    made.mkdir()
    words.save(str(made / "tokenizer.json"))
    (made / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')
    (made / "config.json").write_text("{}")
    return made


def test_a_tokenizer_of_the_hub_is_read_from_the_cache_without_it(
    hub: LoopbackHub, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.upload(NAME, folder, "model")
    online = HubTokenizer(NAME)
    assert online.count(["a b a", ""]) == [3, 0]
    assert online.sha256 == HubTokenizer(str(folder)).sha256
    hub.fail_every(1, (503,))
    asked = len(hub.requests)
    cached = HubTokenizer(NAME)
    assert len(hub.requests) == asked + 1
    assert (cached.name, cached.sha256) == (NAME, online.sha256)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert HubTokenizer(NAME).sha256 == online.sha256
    assert len(hub.requests) == asked + 1


def test_an_unreachable_hub_is_asked_once_and_named(
    hub: LoopbackHub, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.fail_every(1, (), ("before",))
    with pytest.raises(StoreError) as error:
        HubTokenizer("ORG/A.TOKENIZER-WITH_A_LONG_NAME")
    assert len(hub.requests) == 1
    said = str(error.value)
    assert said.startswith("--tokenizer ORG/A.TOKENIZER-WITH_A_LONG_NAME: the Hub does not answer")
    assert f" at {hub.endpoint}: " in said
    assert said.endswith(
        "the cache of huggingface_hub has no copy of it, so give the folder of a tokenizer"
    )
    assert "Retrying" not in capfd.readouterr().err
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(StoreError, match="HF_HUB_OFFLINE is set"):
        HubTokenizer(NAME)


def test_a_model_that_the_hub_does_not_have_is_named(hub: LoopbackHub) -> None:
    hub.repository("ORG/PRIVATE", "model").private = True
    for name in ("ORG/OTHER", "ORG/PRIVATE"):
        with pytest.raises(
            WrongUsageError, match=f"--tokenizer {name}: no such folder, and the Hub"
        ):
            HubTokenizer(name)


def test_a_model_without_a_tokenizer_is_named_with_the_whole_reason(hub: LoopbackHub) -> None:
    hub.commit(NAME, {"README.md": b"nothing else"}, repo_type="model")
    with pytest.raises(WrongUsageError, match=f"--tokenizer {NAME}: expected a tokenizer's folder"):
        HubTokenizer(NAME)


@pytest.mark.parametrize("name", ["/no/such/folder", "no/such/folder", "a b", "", "../x"])
def test_what_is_neither_a_folder_nor_an_id_is_not_asked_for(hub: LoopbackHub, name: str) -> None:
    with pytest.raises(WrongUsageError, match="no such folder; expected a tokenizer's folder or"):
        HubTokenizer(name)
    assert hub.requests == []


def test_a_refused_token_is_named(hub: LoopbackHub) -> None:
    hub.fail_every(1, (403,))
    with pytest.raises(InputError, match=f"--tokenizer {NAME}: the Hub refuses this with status"):
        HubTokenizer(NAME)
