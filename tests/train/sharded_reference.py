"""Compare reference models of two processes with their weights, and print what is said: MODEL."""

import sys
from types import SimpleNamespace
from typing import Any

import torch
from torch import distributed
from transformers import AutoModelForCausalLM
from trl.models.utils import prepare_fsdp

from bagen_data.errors import InputError
from train.process_group import ended_process_group
from train.reference_model import check_reference

FAULTS = ("none", "zeros", "buffer", "not sharded", "not sharded, one value")
"""The fault of the second process's copy; zeros are what old releases of transformers load.

TRL prepares the first three for FSDP2; each process of the last two has a whole copy, as with DDP.
"""


def trainer_of(source: str, fault: str) -> Any:
    """Return what the check needs of a trainer: Accelerate itself does not shard on a CPU."""
    plugin = SimpleNamespace(
        fsdp_version=2,
        ignored_modules=None,
        reshard_after_forward=True,
        cpu_offload=None,
        mixed_precision_policy=None,
    )
    accelerator = SimpleNamespace(
        state=SimpleNamespace(fsdp_plugin=plugin), device=torch.device("cpu"), print=say
    )
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    reference = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    if distributed.get_rank() == 1:
        spoil(reference, fault)
    if not fault.startswith("not"):
        reference = prepare_fsdp(reference, accelerator)
    return SimpleNamespace(
        ref_model=reference,
        model=model,
        accelerator=accelerator,
        is_deepspeed_enabled=False,
        args=SimpleNamespace(trust_remote_code=False, model_init_kwargs={"dtype": "float32"}),
    )


@torch.no_grad()
def spoil(model: Any, fault: str) -> None:
    """Change the copy of this process."""
    if fault == "zeros":
        for parameter in model.parameters():
            parameter.zero_()
    elif fault == "buffer":
        model.model.rotary_emb.inv_freq.zero_()
    elif fault == "not sharded, one value":
        model.model.layers[1].mlp.up_proj.weight[3, 4] += 1e-6


def say(sentence: str) -> None:
    """Print one line in one write, as two processes share the output."""
    sys.stdout.write(f"process {distributed.get_rank()}: {sentence}\n")
    sys.stdout.flush()


@ended_process_group()
def main() -> None:
    distributed.init_process_group("gloo")
    for fault in FAULTS:
        try:
            check_reference(trainer_of(sys.argv[1], fault))
        except InputError as error:
            say(f"{fault}: {error}")
        distributed.barrier()


if __name__ == "__main__":
    main()
