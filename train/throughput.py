"""Tokens a second, and the share of the hardware's peak that training uses, in a run's log.

`mfu` (model FLOPs utilisation; Chowdhery et al. 2022, appendix B) is what a step has to compute,
over what the GPUs could compute in its time. A token costs 2 operations a weight forward, 2
backward to the layer below, and 2 more for a weight that is trained: 6 with all weights, about 4
with LoRA.

The `mfu` in the log is a lower bound. It leaves out attention between tokens (6 x layers x heads'
width x length of the row for each token: for Qwen2.5-7B 5% more at 3,000 tokens, 12% at 8,000);
embeddings, and the output head, which TRL computes at the answers only; activations that are
computed again; and, in GRPO, generation and the reference model, whose time does count.
"""

import re
import time
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from transformers.trainer_callback import TrainerCallback

from bagen_data.errors import WrongUsageError

PEAK_TFLOPS: Mapping[str, float] = {
    "B200": 2250,
    "H200 NVL": 835,
    "H200": 989,
    "H100 NVL": 835,
    "H100 PCIe": 756,
    "H100": 989,
    "A100": 312,
    "L40S": 362,
    "L4": 121,
    "A10": 125,
    "RTX 4090": 165,
    "MI300X": 1307,
}
"""Peak of dense bfloat16 products in 10^12 operations a second, by a part of the device's name.

The numbers are those of the makers' data sheets; where a sheet gives a number "with sparsity", half
of it. A name that is the beginning of another one stands after it.
"""


@dataclass
class ThroughputOptions:
    """Options of how the use of the hardware is measured."""

    peak_tflops: float | None = field(
        default=None,
        metadata={
            "help": "Peak of one device in 10^12 bfloat16 operations a second, for the log's mfu "
            "[default: looked up by the GPU's name; no mfu where that is unknown, and on a CPU]."
        },
    )

    def __post_init__(self) -> None:
        if self.peak_tflops is not None and not self.peak_tflops > 0:
            raise WrongUsageError(f"peak_tflops is {self.peak_tflops}; expected more than 0")


def log_throughput(trainer: Any, options: ThroughputOptions) -> None:
    """Add `tokens_per_second` and, where the peak is known, `mfu` to each log of a trainer.

    Args:
        trainer: one of TRL's, before its model is wrapped for several processes.
        options: the peak, where the user states it.
    """
    device = _device_name(trainer.args)
    peak = options.peak_tflops or (known_peak(device) if _computes_in_16_bits(trainer) else None)
    if peak is None and device != "cpu":
        trainer.accelerator.print(
            f"mfu is not logged: the peak of {device} in this run's precision is not known; give "
            "--peak_tflops"
        )
    flops = flops_a_token(trainer.model)
    scale = getattr(trainer.args, "num_iterations", 1) / trainer.accelerator.num_processes
    seen = flops * scale / (peak * 1e12) if flops and peak else None
    # first of all, so that the trackers, which come before a caller's own, see what it adds
    trainer.callback_handler.callbacks.insert(0, Throughput(seen))


class Throughput(TrainerCallback):
    """Measures the tokens that training steps take in, evaluation and saving left out."""

    def __init__(self, device_seconds_a_token: float | None) -> None:
        """Begin with nothing measured.

        Args:
            device_seconds_a_token: seconds that a token would take all devices at their peak.
        """
        self._device_seconds = device_seconds_a_token
        self._seconds = 0.0
        self._step_began: float | None = None
        self._tokens: float = 0

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Take over what GRPO counted before a run was stopped; SFT counts anew."""
        self._tokens = state.num_input_tokens_seen

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Start the clock."""
        self._step_began = time.perf_counter()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Stop the clock."""
        if self._step_began is not None:
            self._seconds += time.perf_counter() - self._step_began
            self._step_began = None

    def on_log(
        self,
        args: Any,  # noqa: ARG002
        state: Any,
        control: Any,  # noqa: ARG002
        logs: MutableMapping[str, float] | None = None,
        **_: Any,
    ) -> None:
        """Add the rates of the steps since the last log."""
        if logs is None or "loss" not in logs or "num_tokens" not in logs or not self._seconds:
            return
        before = self._tokens if self._tokens <= logs["num_tokens"] else 0
        rate = (logs["num_tokens"] - before) / self._seconds
        rates = {"tokens_per_second": round(rate, 1)}
        if self._device_seconds is not None:
            rates["mfu"] = round(rate * self._device_seconds, 4)
        self._tokens, self._seconds = logs["num_tokens"], 0.0
        logs.update(rates)
        state.log_history[-1].update(rates)


def flops_a_token(model: Any) -> float | None:
    """Return the operations of a training step for each token; see the top of this file.

    None for a mixture of experts, of whose weights a token meets some only.

    Args:
        model: a language model, or one with adapters; its weights may be sharded by DeepSpeed.
    """
    config = model.config.get_text_config()
    if any(getattr(config, name, None) for name in ("num_experts", "num_local_experts")):
        return None
    ends = (model.get_input_embeddings(), model.get_output_embeddings())
    left_out = {id(module.weight) for module in ends if module is not None}
    weights = [each for each in model.parameters() if id(each) not in left_out]
    trained = sum(_count(each) for each in weights if each.requires_grad)
    return 4.0 * sum(map(_count, weights)) + 2.0 * trained


def known_peak(device: str) -> float | None:
    """Return the peak of a GPU in 10^12 operations a second; None for one that is not listed.

    >>> known_peak("NVIDIA H100 80GB HBM3"), known_peak("NVIDIA L40"), known_peak("cpu")
    (989, None, None)
    """
    if re.search(r"\bMIG\b", device):  # a slice of a GPU
        return None
    return next(
        (peak for name, peak in PEAK_TFLOPS.items() if re.search(rf"\b{name}\b", device)), None
    )


def _device_name(args: Any) -> str:
    import torch

    return str(torch.cuda.get_device_name(args.device)) if args.device.type == "cuda" else "cpu"


def _computes_in_16_bits(trainer: Any) -> bool:
    return bool(trainer.args.bf16 or trainer.args.fp16 or trainer.model.dtype.itemsize == 2)


def _count(weight: Any) -> int:
    """Return the number of weights in a tensor; in 4 bits, bitsandbytes stores two in a byte."""
    if type(weight).__name__ == "Params4bit":
        return int(2 * weight.numel() * weight.element_size())
    return int(getattr(weight, "ds_numel", weight.numel()))
