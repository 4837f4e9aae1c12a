"""A model that cannot be used is refused by one sentence, before its weights load."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import close_session
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

from bagen_data.errors import InputError, StoreError
from tests.loopback_hub import loopback_hub
from train.base_model import read_model_shape
from train.model_size import read_config
from train.weight_files import check_fit

WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"
PART = "model-00001-of-00002.safetensors"


@pytest.fixture
def model(tiny: str, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "model"))


def change_json(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_bytes()) | changes), "utf-8")


def in_parts(folder: Path, weight_map: Any) -> None:
    (folder / WEIGHTS).rename(folder / PART)
    (folder / INDEX).write_text(json.dumps({"weight_map": weight_map}), "utf-8")


def as_pickle(folder: Path, cut: int) -> None:
    path = folder / "pytorch_model.bin"
    torch.save(load_file(folder / WEIGHTS), path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size - cut])
    (folder / WEIGHTS).unlink()


def without(folder: Path, name: str) -> None:
    tensors = load_file(folder / WEIGHTS)
    del tensors[name]
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})


def as_adapter(folder: Path, content: str) -> None:
    (folder / "adapter_config.json").write_text(content, "utf-8")


def with_template(folder: Path, template: Any) -> None:
    (folder / "chat_template.jinja").unlink()
    change_json(folder / "tokenizer_config.json", chat_template=template)


def only_options(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "training_args.bin")


def other_config(folder: Path) -> None:
    hidden = json.loads((folder / "config.json").read_bytes())["hidden_size"]
    change_json(folder / "config.json", hidden_size=2 * hidden)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda model: as_pickle(model, 9), r"pytorch_model\.bin: is cut off; copy the model"),
        (only_options, "model: holds no weights; expected model"),
        (lambda model: in_parts(model, {"a": "b.safetensors"}), "b.safetensors: is missing; copy"),
        (lambda model: in_parts(model, {"a": PART}), "names a in .*, which does not hold it; copy"),
        (lambda model: in_parts(model, {}), "cannot be read: its weight_map names no files"),
        (lambda model: in_parts(model, {"a": 5}), "cannot be read: its weight_map names no files"),
        (lambda model: (model / WEIGHTS).rename(model / PART), "is one part of the weights, and"),
        (other_config, "embed_tokens.weight has shape .*, and by config.json it has"),
        (
            lambda model: without(model, "model.layers.1.mlp.up_proj.weight"),
            r"its weights lack model\.layers\.1\.mlp\.up_proj\.weight, which config\.json",
        ),
        (lambda model: as_adapter(model, '{"a'), "does not name the model of the adapter"),
        (lambda model: as_adapter(model, "[]"), "does not name the model of the adapter"),
        (
            lambda model: as_adapter(model, '{"base_model_name_or_path": null}'),
            "base_model_name_or_path is None; expected the folder or Hub id",
        ),
        (
            lambda model: as_adapter(model, '{"base_model_name_or_path": "/nowhere/base"}'),
            "base_model_name_or_path is /nowhere/base, and that folder is missing",
        ),
        (lambda model: (model / "tokenizer.json").write_text("[]"), "cannot be read as a model"),
        (
            lambda model: with_template(model, [{"name": "rag", "template": "-"}]),
            "its chat template cannot show a system, a user and an assistant message: This model",
        ),
        (lambda model: with_template(model, "{{ messages + 5 }}"), "chat template cannot show"),
    ],
)
def test_a_model_that_cannot_be_used(
    model: Path, change: Callable[[Path], object], message: str
) -> None:
    change(model)
    with pytest.raises(InputError, match=message):
        read_model_shape(str(model), None)


def test_whole_weights_of_each_kind_are_taken(model: Path) -> None:
    tensors = load_file(model / WEIGHTS)
    in_parts(model, dict.fromkeys(tensors, PART))
    assert read_model_shape(str(model), None).context == 2048
    (model / INDEX).unlink()
    (model / PART).rename(model / WEIGHTS)
    as_pickle(model, 0)
    assert read_model_shape(str(model), None).context == 2048


def test_tied_weights_are_stored_once(model: Path, tmp_path: Path) -> None:
    """Weights that are tied by their own config lack a tensor by one that does not tie them."""
    config = AutoConfig.from_pretrained(model, tie_word_embeddings=True)
    tied = AutoModelForCausalLM.from_config(config)
    tied.save_pretrained(tmp_path / "tied")
    check_fit(tmp_path / "tied", config)
    config.tie_word_embeddings = False
    with pytest.raises(InputError, match=r"its weights lack lm_head\.weight, which config"):
        check_fit(tmp_path / "tied", config)


def test_a_hub_that_does_not_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Transformers itself would try for a minute, file after file, without a word of the cache."""
    monkeypatch.setattr("bagen_data.repositories.hub_requests._FIRST_PAUSE", 0.001)
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home")
        hub.fail_every(1)
        with pytest.raises(
            StoreError, match=r"ORG/NAME: the Hub does not answer .* HF_HUB_OFFLINE"
        ):
            read_model_shape("ORG/NAME", None)
        with pytest.raises(StoreError, match=r"does not answer .* --model takes the model's"):
            read_config("ORG/NAME")
        close_session()
    assert {request.method for request in hub.requests} == {"GET"}  # HEAD asks for a file


def test_a_model_that_the_hub_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home")
        with pytest.raises(InputError, match="ORG/NAME: cannot be read as a model"):
            read_model_shape("ORG/NAME", None)
        close_session()
