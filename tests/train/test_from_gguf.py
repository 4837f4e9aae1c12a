"""A GGUF file that cannot be converted is named in one message."""

import importlib.machinery
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from transformers import AutoModelForCausalLM, AutoTokenizer

from bagen_data.errors import InputError
from train.from_gguf import convert


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file, where the package gguf seems to be installed."""
    spec = importlib.machinery.ModuleSpec("gguf", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda _: spec)
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    return tmp_path / "model.gguf"


def reading(
    monkeypatch: pytest.MonkeyPatch, model: str, missing: list[str], **tokenizer: Any
) -> None:
    read = AutoModelForCausalLM.from_pretrained(model)
    read.config.quantization_config = {"quant_method": "gguf"}
    words = SimpleNamespace(save_pretrained=lambda _: None, **tokenizer)
    monkeypatch.setattr(
        AutoModelForCausalLM,
        "from_pretrained",
        lambda *_, **__: (read, {"missing_keys": set(missing)}),
    )
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", lambda *_, **__: words)


def test_a_whole_model_is_written(
    file: Path, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        reading(patched, tiny, [], vocab_size=10, all_special_ids=[0])
        convert(file, tmp_path / "out")
    kept = AutoModelForCausalLM.from_pretrained(tmp_path / "out")
    assert kept.num_parameters() == AutoModelForCausalLM.from_pretrained(tiny).num_parameters()
    with pytest.raises(InputError, match="out: exists already"):
        convert(file, tmp_path / "out")


def test_weights_that_a_file_lacks_are_not_drawn(
    file: Path, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """transformers draws them at random, with a warning."""
    reading(monkeypatch, tiny, ["layers.1.b", "layers.1.a"])
    with pytest.raises(
        InputError, match=r"lacks 2 weights .*, such as layers\.1\.a; take the whole"
    ):
        convert(file, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "sizes",
    [{"vocab_size": 10**6, "all_special_ids": [0]}, {"vocab_size": 9, "all_special_ids": [10**6]}],
)
def test_a_tokenizer_of_another_model(
    file: Path, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: dict[str, Any]
) -> None:
    reading(monkeypatch, tiny, [], **sizes)
    with pytest.raises(InputError, match="take a file whose tokenizer is the model's own"):
        convert(file, tmp_path / "out")


def test_a_file_that_transformers_does_not_read(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ValueError("GGUF model with architecture bert is not supported yet.\nmore")

    monkeypatch.setattr(AutoModelForCausalLM, "from_pretrained", fail)
    with pytest.raises(
        InputError, match=r"gguf: cannot be read: .* architecture bert is not"
    ) as raised:
        convert(file, tmp_path / "out")
    assert "\n" not in str(raised.value)


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputError, match="cannot find this file"):
        convert(tmp_path / "model.gguf", tmp_path / "out")
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    with pytest.raises(
        InputError, match="gguf is not installed; install it with: pip install gguf"
    ):
        convert(tmp_path / "model.gguf", tmp_path / "out")
