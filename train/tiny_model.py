"""Make a model of two layers from nothing, with a tokenizer trained on a dataset's prompts.

    python train/tiny_model.py out/demo out/tiny

It knows nothing and learns the form of an answer in a minute: to try the training commands on a
machine without a GPU or a hub, not to draw conclusions from.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder
    import train.installed  # noqa: F401

from bagen_data.command_line import run
from bagen_data.errors import InputError
from bagen_data.replaced_folder import replaced_folder

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""The form of ChatML."""
END, PAD, START = "<|im_end|>", "<|pad|>", "<|im_start|>"


def main(arguments: Sequence[str] | None) -> None:
    """Make one."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", help="a folder that build wrote, or ORG/NAME or ORG/NAME@REV")
    parser.add_argument("out", type=Path, help="the folder to write")
    parser.add_argument("--config", default="sokoban_train")
    parser.add_argument("--vocabulary", type=int, default=2048)
    parser.add_argument("--hidden", type=int, default=64)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--context", type=int, default=4096)
    parser.add_argument("--seed", type=int, default=0)
    make(parser.parse_args(arguments))


def make(options: argparse.Namespace) -> None:
    """Write the model and its tokenizer.

    Raises:
        InputError: something lies at `out`, or the dataset has no such config.
    """
    if options.out.exists():
        raise InputError(f"{options.out}: is there already; give another folder")
    import torch
    from transformers import Qwen3Config, Qwen3ForCausalLM

    tokenizer = _tokenizer(_texts(options.dataset, options.config), options.vocabulary)
    torch.manual_seed(options.seed)
    heads = max(1, options.hidden // 16)
    shape = Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=options.hidden,
        intermediate_size=2 * options.hidden,
        num_hidden_layers=options.layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        head_dim=16,
        max_position_embeddings=options.context,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with replaced_folder(options.out, ()) as staging:
        Qwen3ForCausalLM(shape).save_pretrained(staging)
        tokenizer.save_pretrained(staging)


def _texts(path: str, config: str) -> Iterator[str]:
    from train.data import read_part

    for row in read_part(path, config, "sft"):
        yield from (message["content"] for message in row["prompt"])
    yield "<think></think> <answer>[0, 1]</answer> <answer>impossible</answer>"


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
