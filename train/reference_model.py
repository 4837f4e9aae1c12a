"""The reference model of GRPO's KL term: whether it will be loaded whole, and whether it was.

TRL loads the reference model in each process and shards that process's own copy, without a
broadcast. Up to transformers 5.22, `fsdp_cpu_ram_efficient_loading` loads zeros into every process
but the first of a machine: on 8 GPUs, 7/8 of the reference model are zeros, and nothing says so.
(Two processes loaded a model: zeros with 5.17, 5.20, 5.21.1, 5.22.0 and 5.22.2, weights with 5.23
and 5.24.) FSDP's version 1 and DeepSpeed hand out the weights of the first process.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from itertools import chain
from typing import Any

from bagen_data.errors import InputError

WEIGHTS_EVERYWHERE = "5.23.0"
"""The first release of transformers that loads weights in every process."""
_LAUNCH = "train/accelerate/fsdp2_grpo.yaml"
"""Accelerate's settings that load weights in every process, with any release."""


@dataclass(frozen=True)
class WeightComparison:
    """A model beside the weights that it was loaded from."""

    compared: int
    """Parameters and buffers, by name."""
    differing: tuple[str, ...]
    """Names of those that differ in some process, in the model's order."""


def check_reference_loading(beta: float, *, has_adapter: bool) -> None:
    """Check that every process will load the reference model, and none of them zeros.

    Args:
        beta: the KL coefficient; 0 needs no reference model.
        has_adapter: whether LoRA is trained, whose reference is the model without its adapter.

    Raises:
        InputError: all processes but the first would load zeros.
    """
    from packaging.version import Version

    installed = version("transformers")
    loads_once = _is_on("ACCELERATE_USE_FSDP") and _is_on("FSDP_CPU_RAM_EFFICIENT_LOADING")
    is_broadcast = os.environ.get("FSDP_VERSION") == "1"
    if not beta or has_adapter or not loads_once or is_broadcast:
        return
    if Version(installed) < Version(WEIGHTS_EVERYWHERE):
        raise InputError(
            f"beta is {beta:g}, and with fsdp_cpu_ram_efficient_loading transformers {installed} "
            "loads a reference model of zeros in every process but the first; launch with "
            f"--config_file {_LAUNCH}, or install transformers>={WEIGHTS_EVERYWHERE}"
        )


def check_reference(trainer: Any) -> None:
    """Compare a trainer's reference model with its weights on disk, before the first step.

    The first process loads the weights once more, on the CPU. Every process takes part.

    Args:
        trainer: TRL's trainer of GRPO.

    Raises:
        InputError: a parameter differs; the message of every process names the first one.
    """
    reference = trainer.ref_model
    if reference is None:
        return
    tell = trainer.accelerator.print
    plugin = getattr(trainer.accelerator.state, "fsdp_plugin", None)
    if trainer.is_deepspeed_enabled or (plugin and plugin.fsdp_version == 1):
        tell("The reference model is not compared with its weights under DeepSpeed or FSDP 1.")
        return
    name = trainer.model.config._name_or_path
    weights = _loaded(trainer, name) if _rank() == 0 else {}
    comparison = compare(reference, weights, trainer.accelerator.device)
    if comparison.differing:
        raise InputError(
            f"{name}: the reference model in memory differs from these weights in "
            f"{len(comparison.differing):,} of {comparison.compared:,} parameters, first in "
            f"{comparison.differing[0]}; the KL term would be wrong, and nothing was trained: "
            f"with FSDP, launch with --config_file {_LAUNCH}"
        )
    tell(f"The reference model equals {name} in all {comparison.compared:,} parameters.")


def compare(model: Any, weights: Mapping[str, Any], device: Any) -> WeightComparison:
    """Compare every parameter and buffer of a model with weights, in all processes.

    A parameter that is sharded by FSDP's version 2 is gathered, one at a time. Of what is not
    sharded, each process compares its own copy. Parameters must be equal, and buffers, which each
    process computes, close.

    Args:
        model: a module, or one that FSDP shards.
        weights: tensors by name; those of the first process count.
        device: where tensors are compared: the device of the process group.
    """
    import torch

    tensors = dict(chain(model.named_parameters(), model.named_buffers()))
    names = [
        name
        for name, tensor in tensors.items()
        if name in weights and weights[name].shape == tensor.shape
    ]
    known = set(_of_first(names))
    differing = []
    for name, tensor in tensors.items():
        if name not in known:
            differing.append(name)
            continue
        whole = _gathered(tensor.detach().to(device))
        expected = weights[name].to(whole) if name in weights else torch.empty_like(whole)
        _broadcast(expected)
        is_same = torch.equal if isinstance(tensor, torch.nn.Parameter) else torch.allclose
        if not is_same(whole, expected):
            differing.append(name)
    anywhere = {name for each in _of_all(differing) for name in each}
    return WeightComparison(len(tensors), tuple(name for name in tensors if name in anywhere))


def _loaded(trainer: Any, name: str) -> dict[str, Any]:
    """Load the weights of the reference model as the trainer did, on the CPU."""
    from trl.trainer.utils import create_model_from_path

    options = {
        "dtype": trainer.model.dtype,
        "attn_implementation": trainer.model.config._attn_implementation,
        "trust_remote_code": trainer.args.trust_remote_code,
        **(trainer.args.model_init_kwargs or {}),
        "device_map": None,
    }
    model = create_model_from_path(name, **options)
    return dict(chain(model.named_parameters(), model.named_buffers()))


def _gathered(tensor: Any) -> Any:
    from torch.distributed.tensor import DTensor

    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def _broadcast(tensor: Any) -> None:
    from torch import distributed

    if _is_distributed():
        distributed.broadcast(tensor, src=0)


def _of_first(value: Any) -> Any:
    """Return the value that the first process has."""
    from torch import distributed

    values = [value]
    if _is_distributed():
        distributed.broadcast_object_list(values, src=0)
    return values[0]


def _of_all(value: Any) -> list[Any]:
    """Return the value of each process."""
    from torch import distributed

    if not _is_distributed():
        return [value]
    values = [None] * distributed.get_world_size()
    distributed.all_gather_object(values, value)
    return values


def _rank() -> int:
    from torch import distributed

    return int(distributed.get_rank()) if _is_distributed() else 0


def _is_distributed() -> bool:
    from torch import distributed

    return bool(distributed.is_available() and distributed.is_initialized())


def _is_on(variable: str) -> bool:
    return os.environ.get(variable, "").lower() in ("1", "true", "yes")
