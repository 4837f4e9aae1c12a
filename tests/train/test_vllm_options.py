"""vLLM's options fit the prompts, the model and the GPUs, or are refused by name."""

from types import SimpleNamespace
from typing import Any

import pytest

from bagen_data.errors import InputError
from train.base_model import ModelShape
from train.vllm_options import fit_vllm

QWEN = SimpleNamespace(num_attention_heads=28, num_key_value_heads=4)


@pytest.fixture(autouse=True)
def _vllm_is_installed_on_8_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: object())
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "8")


def fitted(**changes: Any) -> Any:
    """Options of GRPO whose prompts and answers have 9,216 tokens, for Qwen2.5-7B."""
    config = SimpleNamespace(
        **{
            "use_vllm": True,
            "vllm_mode": "colocate",
            "vllm_max_model_length": None,
            "vllm_tensor_parallel_size": 1,
            **changes,
        }
    )
    fit_vllm(config, 9216, ModelShape(None, 32_768, QWEN, None))
    return config


def test_the_context_is_that_of_prompt_and_answer() -> None:
    assert fitted().vllm_max_model_length == 9216
    assert fitted(vllm_max_model_length=9216).vllm_max_model_length == 9216
    assert fitted(vllm_max_model_length=10_000).vllm_max_model_length == 10_000


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_size_that_divides_heads_and_gpus(size: int) -> None:
    assert fitted(vllm_tensor_parallel_size=size).vllm_tensor_parallel_size == size


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"vllm_max_model_length": 8192},
            "vllm_max_model_length is 8,192, and prompt and answer may have 9,216 tokens",
        ),
        (
            {"vllm_max_model_length": 40_000},
            "vllm_max_model_length is 40,000, and the model's context has 32,768 tokens",
        ),
        (
            {"vllm_tensor_parallel_size": 8},
            "vllm_tensor_parallel_size 8: does not divide the model's 28 attention heads",
        ),
        (
            {"vllm_tensor_parallel_size": 3},
            "vllm_tensor_parallel_size 3: does not divide the 8 GPUs here; give one of 1, 2, 4",
        ),
    ],
)
def test_what_does_not_fit(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        fitted(**changes)


def test_a_server_has_options_of_its_own() -> None:
    config = fitted(vllm_mode="server", vllm_tensor_parallel_size=8, vllm_max_model_length=1)
    assert config.vllm_max_model_length == 1


def test_no_vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert fitted(use_vllm=False).vllm_max_model_length is None
    with pytest.raises(InputError, match="use_vllm is true, and vLLM is not installed"):
        fitted()
