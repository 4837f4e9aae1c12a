"""What can be known of a model before its weights are loaded."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bagen_data.errors import InputError
from bagen_data.unique_keys import parse_json
from train.checkpoints import is_cut_off

_SHORTEST = [{"role": role, "content": "-"} for role in ("system", "user", "assistant", "user")]
"""A prompt of one turn."""
_ADAPTER_CONFIG = "adapter_config.json"


@dataclass(frozen=True)
class ModelShape:
    """A model without its weights."""

    tokenizer: Any
    """With a chat template."""
    context: int | None
    """The most tokens of prompt and answer together, if its config says so."""
    config: Any
    """The config of transformers."""
    commit: str | None
    """The commit of a model of the Hub."""


def read_model_shape(name: str, revision: str | None) -> ModelShape:
    """Read a model's config and tokenizer.

    Args:
        name: a folder, with weights or a LoRA adapter, or a Hub id.
        revision: of the Hub's model.

    Raises:
        InputError: there is no such model, its weights are missing or cut off, or its tokenizer has
            no chat template, or one that takes no system message.
    """
    from jinja2 import TemplateError
    from transformers import AutoConfig, AutoTokenizer

    revision = revision or "main"
    try:
        config = AutoConfig.from_pretrained(_base(name), revision=revision)
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
    except (OSError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{name}: no model can be read there: {reason}; give a folder with config.json and a "
            "tokenizer, or a Hub id that can be reached"
        ) from error
    for folder in {name, _base(name)}:
        check_weights(Path(folder))
    if not tokenizer.chat_template:
        raise InputError(
            f"{name}: its tokenizer has no chat template; take an instruction-tuned model, or add "
            "a chat_template.jinja to its folder"
        )
    try:
        tokenizer.apply_chat_template(_SHORTEST, tokenize=False, add_generation_prompt=True)
    except TemplateError as error:
        raise InputError(
            f"{name}: its chat template cannot show a system, a user and an assistant message: "
            f"{error}; take a model that knows all three, or mend its chat_template.jinja"
        ) from error
    return ModelShape(
        tokenizer,
        getattr(config.get_text_config(), "max_position_embeddings", None),
        config,
        getattr(config, "_commit_hash", None),
    )


def check_weights(folder: Path) -> None:
    """Check that the weights of a model's folder are there, and are as long as they say.

    Nothing is checked of a model of the Hub, whose client checks what it downloads.

    Raises:
        InputError: a file is missing or cut off.
    """
    if not folder.is_dir():
        return
    files = set(folder.glob("*.safetensors"))
    for index in folder.glob("*.safetensors.index.json"):
        try:
            files |= {
                folder / name for name in parse_json(index.read_bytes())["weight_map"].values()
            }
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(f"{index}: cannot be read: {error}; copy the model again") from error
    if not files and not any(folder.glob("*.bin")):
        raise InputError(
            f"{folder}: holds no weights; expected model.safetensors, or a run's epoch-N or the "
            "folder of one that has ended"
        )
    for path in sorted(files):
        if not path.is_file() or is_cut_off(path):
            state = "is cut off" if path.is_file() else "is missing"
            raise InputError(f"{path}: {state}; copy the model again, or train it again")


def is_adapter(name: str) -> bool:
    """Whether a folder holds a LoRA adapter and not weights."""
    return (Path(name) / _ADAPTER_CONFIG).is_file()


def _base(name: str) -> str:
    """The model that an adapter is of, else the model itself."""
    if not is_adapter(name):
        return name
    config = json.loads((Path(name) / _ADAPTER_CONFIG).read_bytes())
    return str(config.get("base_model_name_or_path") or name)
