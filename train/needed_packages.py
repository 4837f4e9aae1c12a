"""Packages that an option needs, looked for before any rows are read or weights load."""

import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any

from bagen_data.errors import InputError

_TRACKERS: Mapping[str, str] = {
    "clearml": "clearml",
    "comet_ml": "comet_ml",
    "mlflow": "mlflow",
    "swanlab": "swanlab",
    "tensorboard": "tensorboard",
    "trackio": "trackio",
    "wandb": "wandb",
}
"""The module of each value of `report_to`."""


def check_packages(config: Any, model: Any) -> None:
    """Check that what the options need is installed, and that there is a GPU where they need one.

    Args:
        config: options of the trainer.
        model: options of the model, TRL's.

    Raises:
        InputError: something is missing; the message names the option and what to install.
    """
    for option, module, package, other_way in _needs(config, model):
        if importlib.util.find_spec(module) is None:
            raise InputError(
                f"{option}, and {package} is not installed; pip install {package}, or {other_way}"
            )
    is_quantised = model.load_in_4bit or model.load_in_8bit
    if is_quantised and not model.use_peft:
        raise InputError(
            "load_in_4bit or load_in_8bit is true without use_peft, and quantised weights cannot "
            "be trained; give --use_peft true"
        )
    if config.use_liger_kernel and config.use_cpu:
        raise InputError(
            "use_liger_kernel is true, and its Triton kernels need a GPU; give --use_liger_kernel "
            "false"
        )


def _needs(config: Any, model: Any) -> Iterator[tuple[str, str, str, str]]:
    """Yield an option, the module and package that it needs, and how to do without."""
    for option, module, package in _needs_of_options(config, model):
        yield option, module, package, "leave that option out"
    for tracker in config.report_to:
        if tracker in _TRACKERS:
            # trackio is the default, which only another value leaves out
            yield f"report_to is {tracker}", _TRACKERS[tracker], tracker, "give --report_to none"


def _needs_of_options(config: Any, model: Any) -> Iterator[tuple[str, str, str]]:
    """Yield an option as it was given, and the module and package that it needs."""
    if config.use_liger_kernel:
        yield "use_liger_kernel is true", "liger_kernel", "liger-kernel"
    for name in ("load_in_4bit", "load_in_8bit"):
        if getattr(model, name):
            yield f"{name} is true", "bitsandbytes", "bitsandbytes"
    if config.deepspeed:
        yield "deepspeed is given", "deepspeed", "deepspeed"
    attention = model.attn_implementation or ""
    if attention == "flash_attention_2":
        yield f"attn_implementation is {attention}", "flash_attn", "flash-attn"
    if "/" in attention:  # a kernel of the Hub
        yield f"attn_implementation is {attention}", "kernels", "kernels"
    if (config.model_init_kwargs or {}).get("use_kernels"):
        yield "model_init_kwargs has use_kernels", "kernels", "kernels"
