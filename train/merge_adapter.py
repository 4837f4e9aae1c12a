"""Make an ordinary model folder of a LoRA adapter, with which GRPO begins and which vLLM reads.

    python train/merge_adapter.py out/sokoban_pct30_lora out/sokoban_pct30_merged

Weights are added up in float32, and kept in the type that the model's own are stored in.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder
    import train.installed  # noqa: F401

from bagen_data.command_line import run
from bagen_data.errors import InputError
from bagen_data.replaced_folder import replaced_folder
from train.base_model import base_of, is_adapter
from train.weight_files import check_weights


def main(arguments: Sequence[str] | None) -> None:
    """Merge one adapter into its model."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("adapter", type=Path, help="folder that train/sft.py wrote with use_peft")
    parser.add_argument("out", type=Path, help="folder to write")
    options = parser.parse_args(arguments)
    merge(options.adapter, options.out)


def merge(adapter: Path, out: Path) -> None:
    """Write the model of an adapter, with the adapter in its weights, and its tokenizer.

    Raises:
        InputError: the adapter is missing, its model cannot be read, or `out` exists.
    """
    if not is_adapter(str(adapter)):
        raise InputError(
            f"{adapter}: holds no adapter_config.json; give the folder of a LoRA adapter"
        )
    if out.exists():
        raise InputError(f"{out}: exists already; give another folder")
    for folder in (str(adapter), base_of(str(adapter))):
        check_weights(Path(folder))
    import torch
    from peft import AutoPeftModelForCausalLM
    from transformers import AutoTokenizer

    try:
        model = AutoPeftModelForCausalLM.from_pretrained(str(adapter), dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(str(adapter))
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{adapter}: the adapter or its model cannot be read: {reason}; its "
            "adapter_config.json names the model as base_model_name_or_path"
        ) from error
    stored = _stored_type(model.peft_config["default"].base_model_name_or_path)
    merged = model.merge_and_unload().to(stored)
    with replaced_folder(out, ()) as staging:
        merged.save_pretrained(staging)
        tokenizer.save_pretrained(staging)


def _stored_type(model: str) -> Any:
    """Return the type of a model's stored weights; float32 where its config names none."""
    import torch
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(model).get_text_config().dtype or torch.float32


if __name__ == "__main__":
    run(main)
