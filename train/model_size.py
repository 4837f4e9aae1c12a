"""The size of a model, from its config alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any
from warnings import catch_warnings

from bagen_data.errors import InputError, StoreError
from train.base_model import check_reachable


@dataclass(frozen=True)
class ModelSize:
    """The numbers of a model from which its memory is computed."""

    parameters: int
    """Number of weights; tied ones count once."""
    adapter_parameters: int
    """Weights of the model's LoRA adapter, which alone are trained; 0 where all are."""
    layers: int
    layer_parameters: int
    """Weights of the largest layer."""
    hidden: int
    intermediate: int
    """Width of a layer's feed-forward part that one token passes."""

    @property
    def outer_parameters(self) -> int:
        """Weights outside of the layers: embeddings and the output's."""
        return max(0, self.parameters - self.layers * self.layer_parameters)


def read_config(name: str) -> Any:
    """Read the config of a model.

    Args:
        name: a folder, its `config.json`, or a Hub id.

    Raises:
        InputError: the config cannot be read.
        StoreError: the Hub does not answer.
    """
    path = Path(name)
    try:
        if not path.is_file():
            check_reachable(name, "main")
    except StoreError as error:
        raise StoreError(f"{error}; --model takes the model's config.json alone") from error
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(path.parent if path.is_file() else name)
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"{name}: its config cannot be read: {reason}; give --model and a folder with the "
            "model's config.json, which is enough"
        ) from error


def model_size(config: Any, lora: Any = None) -> ModelSize:
    """Return the size of the model of a config; no weights are made.

    Args:
        config: a config of transformers.
        lora: PEFT's config of the adapter, if one is trained.

    Raises:
        InputError: transformers does not know a language model of this config, or the adapter does
            not fit the model.
    """
    import torch
    from transformers import AutoModelForCausalLM

    try:
        with torch.device("meta"):
            model: Any = AutoModelForCausalLM.from_config(config)
    except ValueError as error:
        raise InputError(
            f"config of model_type {config.model_type!r}: is not a language model that "
            "transformers knows; give the config.json of a causal language model"
        ) from error
    parameters = model.num_parameters()
    layers = max(
        (module for module in model.modules() if isinstance(module, torch.nn.ModuleList)),
        key=len,
        default=(),
    )
    text = config.get_text_config()
    hidden = text.hidden_size
    per_layer = max(
        (sum(each.numel() for each in layer.parameters()) for layer in layers), default=0
    )
    return ModelSize(
        parameters,
        _adapter_parameters(model, lora) if lora is not None else 0,
        len(layers),
        per_layer,
        hidden,
        _intermediate(text) or 4 * hidden,
    )


def _intermediate(text: Any) -> int:
    """Return the width of the feed-forward part; of a mixture that of the experts of one token."""
    experts = getattr(text, "num_experts_per_tok", None)
    width = getattr(text, "moe_intermediate_size", None)
    if experts and width:
        return int(experts) * int(width)
    return int(getattr(text, "intermediate_size", 0) or 0) * int(experts or 1)


def _adapter_parameters(model: Any, lora: Any) -> int:
    import torch
    from peft import get_peft_model

    try:
        with torch.device("meta"), catch_warnings(action="ignore", category=FutureWarning):
            adapted = get_peft_model(model, lora)
    except ValueError as error:
        raise InputError(
            f"use_peft is true, and the adapter does not fit the model: {error}; see "
            "lora_target_modules"
        ) from error
    return sum(each.numel() for each in adapted.parameters() if each.requires_grad)
