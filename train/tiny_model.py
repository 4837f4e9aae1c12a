"""Make a small model from nothing, with a tokenizer trained on a dataset's prompts.

    python train/tiny_model.py out/demo out/tiny
    python train/tiny_model.py out/recorded out/numbers --shape train/configs/numbers_model.yaml

The model knows nothing, and learns the form of an answer in a minute. It serves to try the
training commands on a machine without a GPU or a hub. The same dataset, shape and seed make the
same weights.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder
    import train.installed  # noqa: F401

import yaml

from bagen_data.command_line import run
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.replaced_folder import replaced_folder
from train.number_prompts import PROMPT_FORMS
from train.tiny_sizes import HEAD, check_sizes

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""The form of ChatML."""
END, PAD, START = "<|im_end|>", "<|pad|>", "<|im_start|>"
_ANSWERS = (
    "system user assistant "
    "<think></think> <answer>[0, 1]</answer> <answer>0</answer> <answer>impossible</answer> "
    "<answer>finish=0.5, success=0.5, tokens=[0, 1, 2, 3, 4]</answer>"
)
"""The forms of an answer, which prompts of numbers alone do not show."""


@dataclass(frozen=True)
class TinyShape:
    """A model and its tokenizer, before they are made."""

    config: str = "sokoban_train"
    """The config whose `sft` prompts the tokenizer is trained on."""
    prompt_form: str = "as_built"
    """The form of these prompts, one of `PROMPT_FORMS`."""
    vocabulary: int = 2048
    """The most tokens; 256 bytes and three marks are always there."""
    hidden: int = 64
    """Size of a token's vector; a multiple of 16, the size of an attention head."""
    layers: int = 2
    """Number of transformer layers."""
    context: int = 4096
    """The most tokens of a prompt and its answer."""
    seed: int = 0
    """Seed of the first weights."""


_SIZES = tuple(each for each in fields(TinyShape) if type(each.default) is int)
"""The fields that are numbers."""


def main(arguments: Sequence[str] | None) -> None:
    """Make a model."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", help="a folder that build wrote, or ORG/NAME or ORG/NAME@REV")
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument("--shape", type=Path, help="a YAML file of the options below")
    for option in fields(TinyShape):
        kind = type(option.default)
        parser.add_argument(
            f"--{option.name.replace('_', '-')}",
            type=kind,
            help=f"[default: {option.default}]",
            choices=PROMPT_FORMS if option.name == "prompt_form" else None,
        )
    options = vars(parser.parse_args(arguments))
    dataset, out, file = (options.pop(name) for name in ("dataset", "out", "shape"))
    sizes = {name: value for name, value in options.items() if value is not None}
    make(dataset, out, TinyShape(**{**(read_shape(file) if file else {}), **sizes}))


def read_shape(path: Path) -> Mapping[str, Any]:
    """Read a YAML file of fields of `TinyShape`.

    Raises:
        InputError: the file cannot be read.
        WrongUsageError: a field is unknown, or has a value of another kind.
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: is not a mapping; expected lines such as 'layers: 3'")
    kinds = {each.name: type(each.default) for each in fields(TinyShape)}
    for name, value in content.items():
        if name not in kinds:
            raise WrongUsageError(f"{path}: unknown field {name}; expected {', '.join(kinds)}")
        if type(value) is not kinds[name]:
            raise WrongUsageError(
                f"{path}: {name} is {value!r}; expected "
                + ("a name" if kinds[name] is str else "a whole number")
            )
    return content


def make(dataset: str, out: Path, shape: TinyShape) -> None:
    """Write the model and its tokenizer.

    Raises:
        InputError: `out` exists, or the dataset lacks the config.
        WrongUsageError: as `check_sizes`.
    """
    check_sizes({each.name: getattr(shape, each.name) for each in _SIZES})
    if out.exists():
        raise InputError(f"{out}: exists already; give another folder")
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    tokenizer = _tokenizer(_texts(dataset, shape), shape.vocabulary)
    torch.manual_seed(shape.seed)
    heads = shape.hidden // HEAD
    config = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=shape.hidden,
        intermediate_size=2 * shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        head_dim=HEAD,
        max_position_embeddings=shape.context,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with replaced_folder(out, ()) as staging:
        Qwen3ForCausalLM(config).save_pretrained(staging)
        tokenizer.save_pretrained(staging)


def _texts(dataset: str, shape: TinyShape) -> Iterator[str]:
    from train.data import read_part
    from train.fitted_prompts import AS_BUILT, reworded

    for row in read_part(dataset, shape.config, "sft"):
        messages, _ = reworded(row, AS_BUILT, shape.prompt_form)
        yield from (message["content"] for message in messages)
    yield _ANSWERS


def _tokenizer(texts: Iterator[str], vocabulary: int) -> Any:
    """Byte-level BPE; digits are tokens of their own."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END, PAD, START],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token=END, pad_token=PAD)
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


if __name__ == "__main__":
    run(main)
