"""Rates in a run's log: tokens a second, and the share of the hardware's peak."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, Qwen3Config, Qwen3MoeConfig, TrainerState
from trl.trainer.utils import get_peak_flops

from bagen_data.errors import WrongUsageError
from tests.train.running import SHORT, run, sft_options, write_yaml
from train.throughput import (
    PEAK_TFLOPS,
    Throughput,
    ThroughputOptions,
    flops_a_token,
    known_peak,
)

SHAPE = {
    "vocab_size": 100,
    "hidden_size": 8,
    "intermediate_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 4,
}
LAYER = 8 * 8 + 2 * 8 * 4 + 8 * 8 + 3 * 8 * 16 + 2 * 8 + 2 * 4
"""Weights of a layer of that shape: q, k and v, o, three of the MLP, and norms."""


@pytest.mark.parametrize("tied", [True, False])
def test_a_token_costs_six_operations_a_weight_outside_of_embeddings(tied: bool) -> None:
    model = AutoModelForCausalLM.from_config(Qwen3Config(**SHAPE, tie_word_embeddings=tied))
    assert flops_a_token(model) == 6 * (2 * LAYER + 8)


@pytest.mark.filterwarnings(
    "ignore:`is_gradient_checkpointing`:FutureWarning"
)  # which PEFT asks for
def test_a_frozen_weight_costs_four() -> None:
    from peft import LoraConfig, get_peft_model

    model = AutoModelForCausalLM.from_config(Qwen3Config(**SHAPE))
    adapted = get_peft_model(model, LoraConfig(r=1, target_modules=["o_proj"]))
    assert flops_a_token(adapted) == 4 * (2 * LAYER + 8) + 6 * 2 * (8 + 8)


def test_two_weights_in_a_byte_are_two() -> None:
    """Weights as bitsandbytes, which is not installed here, stores them in 4 bits."""
    packed_weight = type("Params4bit", (torch.nn.Parameter,), {})
    model = AutoModelForCausalLM.from_config(Qwen3Config(**SHAPE))
    before = flops_a_token(model)
    for layer in model.model.layers:
        packed = torch.zeros(8 * 16 // 2, 1, dtype=torch.uint8)
        layer.mlp.up_proj.weight = packed_weight(packed, requires_grad=False)
    assert flops_a_token(model) == (before or 0) - 2 * 2 * 8 * 16  # no gradients of weights


def test_a_mixture_of_experts_has_no_cost_that_the_shape_tells() -> None:
    experts = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 8}
    model = AutoModelForCausalLM.from_config(Qwen3MoeConfig(**SHAPE, **experts))
    assert flops_a_token(model) is None


@pytest.mark.parametrize(
    ("device", "peak"),
    [
        ("NVIDIA H100 80GB HBM3", 989),
        ("NVIDIA H100 PCIe", 756),
        ("NVIDIA A100-SXM4-80GB", 312),
        ("NVIDIA A10G", None),
        ("NVIDIA L40", None),
        ("NVIDIA H200 MIG 1g.18gb", None),
        ("AMD Instinct MI300X", 1307),
        ("cpu", None),
    ],
)
def test_a_peak_is_looked_up_by_the_whole_name(device: str, peak: float | None) -> None:
    assert known_peak(device) == peak


@pytest.mark.parametrize("device", PEAK_TFLOPS)
def test_the_table_agrees_with_trl(device: str) -> None:
    """TRL has a table of its own for its asynchronous trainers, with other sources."""
    theirs = get_peak_flops(device, "bfloat16")
    assert theirs is None or theirs / 1e12 == pytest.approx(PEAK_TFLOPS[device], rel=0.01)


def test_no_name_hides_a_longer_one() -> None:
    names = list(PEAK_TFLOPS)
    assert all(
        not later.startswith(name) for n, name in enumerate(names) for later in names[n + 1 :]
    )


def test_only_steps_are_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10.0, 12.0, 100.0, 103.0])
    monkeypatch.setattr("train.throughput.time.perf_counter", lambda: next(clock))
    watch, state = Throughput(device_seconds_a_token=0.001), TrainerState()
    watch.on_train_begin(None, state, None)
    for _ in range(2):  # seconds 10 to 12 and 100 to 103; an evaluation between them
        watch.on_step_begin()
        watch.on_step_end()
    logs: dict[str, Any] = {"loss": 1.0, "num_tokens": 2_000}
    state.log_history.append(dict(logs))
    watch.on_log(None, state, None, logs)
    assert (logs["tokens_per_second"], logs["mfu"]) == (400.0, 0.4)
    assert state.log_history[-1] == logs


def test_a_run_that_goes_on_counts_from_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """GRPO's count goes on, SFT's begins anew."""
    for before, tokens in ((1_000, 1_500), (1_000, 500)):
        clock = iter([0.0, 1.0])
        monkeypatch.setattr("train.throughput.time.perf_counter", lambda clock=clock: next(clock))
        watch, state = Throughput(None), TrainerState(num_input_tokens_seen=before)
        watch.on_train_begin(None, state, None)
        watch.on_step_begin()
        watch.on_step_end()
        logs = {"loss": 1.0, "num_tokens": tokens}
        state.log_history.append(dict(logs))
        watch.on_log(None, state, None, logs)
        assert logs["tokens_per_second"] == 500.0
        assert "mfu" not in logs


def test_logs_without_steps_are_left_alone() -> None:
    watch, state = Throughput(1.0), TrainerState()
    for logs in ({"eval_loss": 1.0, "eval_num_tokens": 9}, {"train_runtime": 1.0}):
        before = dict(logs)
        watch.on_log(None, state, None, logs)
        assert logs == before


def test_a_peak_below_nothing() -> None:
    with pytest.raises(WrongUsageError, match="peak_tflops is -1; expected more than 0"):
        ThroughputOptions(peak_tflops=-1)


def test_a_run_logs_its_rates(dataset: str, tiny: str, tmp_path: Path) -> None:
    """SFT and GRPO; without a peak, as on a CPU, there is no mfu."""
    if torch.accelerator.is_available():
        pytest.skip("there is a GPU here")
    saved = {"max_steps": 2, "save_strategy": "steps", "save_steps": 2, "save_only_model": True}
    sft = sft_options(dataset, tiny, tmp_path / "sft", **saved, **SHORT, peak_tflops=0.001)
    grpo = sft_options(dataset, tiny, tmp_path / "grpo", **saved, **SHORT, num_generations=2)
    for name in ("target", "max_length"):
        del grpo[name]
    for stage, options in (("sft", sft), ("grpo", grpo | {"max_completion_length": 4})):
        run(f"train/{stage}.py", "--config", write_yaml(tmp_path / f"{stage}.yaml", options))
        state = json.loads((tmp_path / stage / "checkpoint-2/trainer_state.json").read_bytes())
        steps = [entry for entry in state["log_history"] if "loss" in entry]
        assert len(steps) == 2
        assert all(entry["tokens_per_second"] > 0 for entry in steps)
        assert all(("mfu" in entry) == (stage == "sft") for entry in steps)
