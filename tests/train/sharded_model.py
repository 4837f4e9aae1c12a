"""Split a model over two processes with `fully_shard`, and keep it: MODEL FOLDER."""

import sys
from types import SimpleNamespace
from typing import Any

import torch
from torch import distributed
from torch.distributed.fsdp import fully_shard
from transformers import AutoModelForCausalLM, AutoTokenizer

from train.kept_model import keep_model
from train.process_group import ended_process_group


def trainer_of(model: Any, tokenizer: Any, *, bf16: bool) -> Any:
    """Return what `keep_model` needs of a trainer; Accelerate does not split models on a CPU."""
    accelerator = SimpleNamespace(
        is_main_process=distributed.get_rank() == 0,
        is_fsdp2=True,
        unwrap_model=lambda model, **_: model,
        wait_for_everyone=distributed.barrier,
    )
    return SimpleNamespace(
        model=model,
        accelerator=accelerator,
        args=SimpleNamespace(bf16=bf16),
        processing_class=tokenizer,
        is_deepspeed_enabled=False,
        is_fsdp_enabled=True,
    )


@ended_process_group()
def main() -> None:
    source, folder = sys.argv[1:]
    distributed.init_process_group("gloo")
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    for layer in model.model.layers:
        fully_shard(layer)
    fully_shard(model)
    keep_model(trainer_of(model, AutoTokenizer.from_pretrained(source), bf16=True), folder)


if __name__ == "__main__":
    main()
