"""Facts of a model that can be known before its weights are loaded."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bagen_data.errors import InputError, StoreError
from bagen_data.repositories.hub_requests import ask
from train.weight_files import check_fit, check_weights

_SHORTEST = [{"role": role, "content": "-"} for role in ("system", "user", "assistant", "user")]
"""A prompt of one turn."""
_ADAPTER_CONFIG = "adapter_config.json"


@dataclass(frozen=True)
class ModelShape:
    """A model without its weights."""

    tokenizer: Any
    """The model's tokenizer, with a chat template."""
    context: int | None
    """The most tokens of prompt and answer together, if the model's config says so."""
    config: Any
    """The config of transformers."""
    commit: str | None
    """The model's commit, if it is a model of the Hub."""


def read_model_shape(name: str, revision: str | None) -> ModelShape:
    """Read a model's config and tokenizer.

    Args:
        name: a folder, with weights or a LoRA adapter, or a Hub id.
        revision: of the Hub's model.

    Raises:
        InputError: the model or its weights are missing, the weights are cut off, or its tokenizer
            has no chat template, or one that takes no system message.
        StoreError: the Hub does not answer.
    """
    revision, base = revision or "main", base_of(name)
    for place in {base, name}:
        check_reachable(place, revision)
    from jinja2 import TemplateError
    from transformers import AutoConfig, AutoTokenizer

    try:
        config = AutoConfig.from_pretrained(base, revision=revision)
        tokenizer = AutoTokenizer.from_pretrained(name, revision=revision)
    except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{name}: cannot be read as a model: {reason}; give a folder with config.json and a "
            "tokenizer, or a Hub id that can be reached"
        ) from error
    for folder in {name, base}:
        check_weights(Path(folder))
    check_fit(Path(base), config)
    if not tokenizer.chat_template:
        raise InputError(
            f"{name}: its tokenizer has no chat template; take an instruction-tuned model, or add "
            "a chat_template.jinja to its folder"
        )
    try:
        tokenizer.apply_chat_template(_SHORTEST, tokenize=False, add_generation_prompt=True)
    except (TemplateError, ValueError, TypeError, AttributeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{name}: its chat template cannot show a system, a user and an assistant message: "
            f"{reason}; take a model that knows all three, or correct its chat_template.jinja"
        ) from error
    return ModelShape(
        tokenizer,
        getattr(config.get_text_config(), "max_position_embeddings", None),
        config,
        getattr(config, "_commit_hash", None),
    )


def check_reachable(name: str, revision: str) -> None:
    """Ask the Hub for a model, unless it is in a folder or the Hub is not to be asked.

    Without a network, transformers would try for a minute, file after file. Other answers than
    none are left to transformers, which names them.

    Raises:
        InputError: the Hub refuses the token, or asks for one.
        StoreError: the Hub does not answer.
    """
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    from huggingface_hub.utils import validate_repo_id

    if Path(name).is_dir() or constants.HF_HUB_OFFLINE:
        return
    try:
        validate_repo_id(name)
        ask(lambda: HfApi().model_info(name, revision=revision), name, most_tries=1)
    except (HFValidationError, HfHubHTTPError):
        return
    except StoreError as error:
        raise StoreError(
            f"{error}; give a model's folder, or HF_HUB_OFFLINE=1 for a copy in the cache"
        ) from error


def is_adapter(name: str) -> bool:
    """Return whether a folder holds a LoRA adapter and not weights."""
    return (Path(name) / _ADAPTER_CONFIG).is_file()


def base_of(name: str) -> str:
    """Return the model that an adapter was trained on; for a whole model, the model itself.

    Raises:
        InputError: the adapter does not name its model, or the model is missing.
    """
    if not is_adapter(name):
        return name
    path = Path(name) / _ADAPTER_CONFIG
    try:
        config = json.loads(path.read_bytes())
        base = config["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: does not name the model of the adapter ({type(error).__name__}: {error}); "
            "expected base_model_name_or_path"
        ) from error
    if not isinstance(base, str) or not base:
        raise InputError(
            f"{path}: base_model_name_or_path is {base!r}; expected the folder or Hub id of the "
            "model that the adapter was trained on"
        )
    if Path(base).is_absolute() and not Path(base).is_dir():
        raise InputError(
            f"{path}: base_model_name_or_path is {base}, and that folder is missing; change it to "
            "the folder of the model that the adapter was trained on"
        )
    return base
