"""Models that a run keeps: whole, in bfloat16 where training was, and loadable by every library."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bagen_data.replacement_journal import commit, new_staging

if TYPE_CHECKING:
    import torch


def keep_model(trainer: Any, folder: str) -> None:
    """Write the model of a trainer, with its tokenizer, to a folder; every process calls it.

    The folder holds the old model or the new one, however the process ends. Weights of a training
    in bfloat16 are kept in bfloat16, which is what its forward passes and vLLM computed with; those
    of a LoRA adapter as they are. The trainer's own `save_model` writes float32, and nothing at all
    where FSDP keeps sharded checkpoints.

    Raises:
        OSError: the folder cannot be written.
    """
    import torch

    model = trainer.accelerator.unwrap_model(trainer.model, keep_torch_compile=False)
    is_adapter = hasattr(model, "peft_config")
    dtype = torch.bfloat16 if trainer.args.bf16 and not is_adapter else None
    state = _state_of(trainer, model, dtype)
    if trainer.accelerator.is_main_process:
        with _written(Path(folder)) as staging:
            model.save_pretrained(str(staging), state_dict=state)
            if trainer.processing_class is not None:
                trainer.processing_class.save_pretrained(str(staging))
            if dtype:
                _state_dtype(staging / "config.json", "bfloat16")
    trainer.accelerator.wait_for_everyone()


def whole_state(
    model: Any, dtype: "torch.dtype | None", *, is_kept: bool
) -> "dict[str, torch.Tensor]":
    """Return the weights of a model, gathered where `fully_shard` has split them.

    Every process calls it; one tensor at a time is whole on the device.

    Args:
        model: the model, split or not.
        dtype: the type that floating-point weights are turned into before they are gathered.
        is_kept: whether this process is the one that wants them; the others get an empty mapping.
    """
    from torch.distributed.checkpoint.state_dict import StateDictOptions, get_model_state_dict
    from torch.distributed.tensor import DTensor

    options = StateDictOptions(ignore_frozen_params=hasattr(model, "peft_config"))
    tied = _tied_names(model)
    state: dict[str, torch.Tensor] = {}
    for name, value in get_model_state_dict(model, options=options).items():
        if name in tied:
            continue
        tensor = value.to(dtype) if dtype and value.is_floating_point() else value
        if isinstance(tensor, DTensor):
            tensor = tensor.to(tensor.device_mesh.device_type).full_tensor()
        if is_kept:
            state[name] = tensor.detach().cpu()
    # Tied weights share their memory again: so `save_pretrained` writes them once.
    return state | {name: state[first] for name, first in tied.items() if first in state}


def _tied_names(model: Any) -> dict[str, str]:
    """Return the first name of each parameter that has several, by its further names."""
    first: dict[int, str] = {}
    names = model.named_parameters(remove_duplicate=False)
    return {
        name: first[id(parameter)]
        for name, parameter in names
        if first.setdefault(id(parameter), name) != name
    }


def _state_of(trainer: Any, model: Any, dtype: "torch.dtype | None") -> Mapping[str, Any]:
    accelerator = trainer.accelerator
    if trainer.is_deepspeed_enabled or (trainer.is_fsdp_enabled and not accelerator.is_fsdp2):
        gathered = accelerator.get_state_dict(trainer.model_wrapped)
        return {
            name: value.to(dtype) if dtype and value.is_floating_point() else value
            for name, value in gathered.items()
        }
    return whole_state(model, dtype, is_kept=accelerator.is_main_process)


@contextmanager
def _written(folder: Path) -> Iterator[Path]:
    """Give a folder to write into, whose files are those of `folder` once the block ends."""
    if folder.exists():
        staging = new_staging(folder)
    else:
        staging = folder.with_name(f".{folder.name}.partial")
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
    try:
        yield staging
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    if folder.exists():
        commit(staging, folder)
    else:
        staging.rename(folder)


def _state_dtype(path: Path, dtype: str) -> None:
    """Let a model's config state the type of the weights beside it, not of those in memory."""
    config = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(config | {"dtype": dtype}, indent=2) + "\n", "utf-8")
