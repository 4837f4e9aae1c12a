"""The processes of a run: how many, on what, and whether they share the model."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bagen_data.errors import InputError

_WHOLE = ("1", "FULL_STATE_DICT")
"""Names, in Accelerate's files, of the type of FSDP's checkpoints that one process writes."""


@dataclass(frozen=True)
class LaunchPlan:
    """The processes of a run."""

    processes: int
    """The number of processes on all machines together; one a GPU."""
    machines: int
    is_split: bool
    """True where the processes share the weights, gradients and optimizer (FSDP, ZeRO-3)."""
    writes_twice: bool
    """True where a checkpoint holds the weights twice: for the trainer, and as a whole model."""
    uses_fsdp: bool
    """True where FSDP shares the weights, gradients and optimizer. FSDP holds whole gradients in
    each process until a step has accumulated all, and gathers TRL's reference model whole;
    DeepSpeed does neither."""
    gpu_memory: float | None
    """Bytes of one GPU; None on a CPU."""

    @property
    def shares(self) -> int:
        """The number of processes that a weight is divided among."""
        return self.processes if self.is_split else 1


def running_plan(trainer: Any) -> LaunchPlan:
    """Return the plan of the processes that are running, from what `accelerate launch` has set.

    Args:
        trainer: the options of TRL's trainer.
    """
    import torch

    has_gpu = torch.cuda.is_available() and not trainer.use_cpu
    processes = trainer.world_size
    local = int(os.environ.get("LOCAL_WORLD_SIZE", processes))
    uses_fsdp = _is_set("ACCELERATE_USE_FSDP")
    stage = os.environ.get("ACCELERATE_DEEPSPEED_ZERO_STAGE")
    return LaunchPlan(
        processes,
        max(1, processes // max(1, local)),
        is_split=uses_fsdp or stage == "3",
        writes_twice=stage is not None
        or (uses_fsdp and _is_whole(os.environ.get("FSDP_STATE_DICT_TYPE"))),
        uses_fsdp=uses_fsdp,
        gpu_memory=torch.cuda.get_device_properties(0).total_memory if has_gpu else None,
    )


def plan_of(path: Path | None, gpus: int | None, gpu_memory: float) -> LaunchPlan:
    """Return the plan of a file of `accelerate launch --config_file`.

    Args:
        path: the file; without one each process has the whole model.
        gpus: the number of GPUs in place of the file's, 0 for a CPU.
        gpu_memory: bytes of one GPU.

    Raises:
        InputError: the file cannot be read.
    """
    content = _read(path) if path else {}
    kind = str(content.get("distributed_type", "NO")).upper()
    fsdp: Mapping[str, Any] = content.get("fsdp_config") or {}
    processes = gpus if gpus is not None else int(content.get("num_processes", 1))
    deepspeed: Mapping[str, Any] = content.get("deepspeed_config") or {}
    is_cpu = processes == 0 or bool(content.get("use_cpu"))
    return LaunchPlan(
        max(1, processes),
        int(content.get("num_machines", 1)),
        is_split=kind == "FSDP" or (kind == "DEEPSPEED" and deepspeed.get("zero_stage") == 3),
        writes_twice=kind == "DEEPSPEED"
        or (kind == "FSDP" and _is_whole(fsdp.get("fsdp_state_dict_type"))),
        uses_fsdp=kind == "FSDP",
        gpu_memory=None if is_cpu else gpu_memory,
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: is not a mapping of options; expected a YAML file")
    return content


def _is_whole(state: Any) -> bool:
    return str(state) in _WHOLE


def _is_set(name: str) -> bool:
    return os.environ.get(name, "").lower() in ("1", "true", "yes")
