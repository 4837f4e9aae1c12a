"""The choice of engines that answer: which, how many, and the GPUs of each."""

import importlib.util
import os
from dataclasses import dataclass
from typing import Any

from bagen_data.errors import InputError, WrongUsageError
from train.base_model import is_adapter
from train.generation.decoding import Decoding, Generator
from train.generation.transformers_engine import transformers_generator
from train.generation.vllm_engine import vllm_generator
from train.tensor_parallel import check_tensor_parallel

BACKENDS = ("auto", "vllm", "transformers")


@dataclass(frozen=True)
class Engines:
    """The engines of one evaluation, each with all of the weights."""

    backend: str
    """`vllm` or `transformers`."""
    devices: tuple[str, ...] = ("",)
    """The GPUs of each engine, as `CUDA_VISIBLE_DEVICES` names them; empty without a GPU."""
    tensor_parallel: int = 1
    """The number of GPUs of each engine."""


def choose_backend(backend: str, model: str) -> str:
    """Return `vllm` or `transformers`.

    `auto` takes vLLM where it is installed, a GPU is visible, and `model` is not a LoRA adapter.

    Raises:
        InputError: vLLM is asked for, and is not installed or cannot run this.
    """
    import torch

    is_installed = importlib.util.find_spec("vllm") is not None
    if backend != "vllm":
        can_run = is_installed and torch.cuda.is_available() and not is_adapter(model)
        return "vllm" if backend == "auto" and can_run else "transformers"
    if not is_installed:
        raise InputError("vLLM is not installed; give --backend transformers, or install it")
    if is_adapter(model):
        raise InputError(f"{model}: is a LoRA adapter; merge it, or give --backend transformers")
    return "vllm"


def plan_engines(
    backend: str, gpus: tuple[str, ...], replicas: int | None, tensor_parallel: int, config: Any
) -> Engines:
    """Return the engines: one a GPU, or one for each `tensor_parallel` GPUs.

    Args:
        backend: `vllm` or `transformers`.
        gpus: the names of the GPUs here: see `visible_gpus`.
        replicas: the number of engines; as many as there are GPUs for if None, one without any.
        tensor_parallel: the number of GPUs of each engine.
        config: of the model, as transformers reads it.

    Raises:
        InputError: the model cannot be split so, or there are too few GPUs.

    >>> plan_engines("vllm", ("0", "1", "2", "3"), None, 2, None).devices
    ('0,1', '2,3')
    >>> plan_engines("transformers", (), 2, 1, None).devices
    ('', '')
    """
    check_tensor_parallel("--tensor-parallel", tensor_parallel, len(gpus), config)
    if tensor_parallel > 1 and backend != "vllm":
        raise WrongUsageError(
            f"--tensor-parallel {tensor_parallel}: transformers has a whole model on each GPU; "
            "leave it out, or give --backend vllm"
        )
    most = len(gpus) // tensor_parallel
    number = replicas or max(1, most)
    if not gpus:
        return Engines(backend, ("",) * number)
    if number > most:
        each = f" of {tensor_parallel} GPUs" if tensor_parallel > 1 else ""
        raise InputError(
            f"--replicas {number}: there are GPUs for {most}{each}; give {most} or fewer, or leave "
            "it out"
        )
    shares = [gpus[n * tensor_parallel : (n + 1) * tensor_parallel] for n in range(number)]
    return Engines(backend, tuple(map(",".join, shares)), tensor_parallel)


def visible_gpus() -> tuple[str, ...]:
    """Return the names of this process's CUDA GPUs, as `CUDA_VISIBLE_DEVICES` takes them."""
    import torch

    number = torch.cuda.device_count()
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = named.split(",") if named else map(str, range(number))
    return tuple(name.strip() for name in names)[:number]


def generator(
    backend: str, decoding: Decoding, tokenizer: Any, longest: int = 0, tensor_parallel: int = 1
) -> Generator:
    """Load the weights in this process, and answer with them.

    Args:
        backend: `vllm` or `transformers`.
        decoding: how.
        tokenizer: of the model; vLLM loads its own.
        longest: the most tokens of a prompt and its answer; for vLLM.
        tensor_parallel: the number of GPUs that share the model; for vLLM.
    """
    if backend == "vllm":
        return vllm_generator(decoding, longest, tensor_parallel)
    return transformers_generator(decoding, tokenizer)
