"""vLLM's options in GRPO: what fits the prompts, the model and the GPUs, before anything loads."""

import importlib.util
import os
from typing import Any

from bagen_data.errors import InputError
from train.base_model import ModelShape
from train.tensor_parallel import check_tensor_parallel


def fit_vllm(config: Any, longest: int, shape: ModelShape) -> None:
    """Set the context that vLLM reserves memory for, and check its other options.

    Left to itself, vLLM takes the model's whole context: 131,072 tokens of Llama-3.1-8B need 16 GiB
    of cache, of which prompt and answer use the fourteenth part. A server of vLLM has options of
    its own, which nothing here can know.

    Args:
        config: TRL's options of GRPO.
        longest: the most tokens of a prompt and its answer.
        shape: the model to train.

    Raises:
        InputError: vLLM is not installed, or an option does not fit.
    """
    if not config.use_vllm:
        return
    if importlib.util.find_spec("vllm") is None:
        raise InputError(
            "use_vllm is true, and vLLM is not installed; in an environment of its own, "
            "pip install -e '.[train]' -r requirements/vllm.in; or give --use_vllm false"
        )
    if config.vllm_mode != "colocate":
        return
    context = config.vllm_max_model_length
    if context is not None and context < longest:
        raise InputError(
            f"vllm_max_model_length is {context:,}, and prompt and answer may have {longest:,} "
            "tokens (max_prompt_tokens + max_completion_length); leave it out, or raise it"
        )
    if context is not None and shape.context and context > shape.context:
        raise InputError(
            f"vllm_max_model_length is {context:,}, and the model's context has {shape.context:,} "
            "tokens; leave it out, or lower it"
        )
    config.vllm_max_model_length = context or longest
    gpus = int(os.environ.get("LOCAL_WORLD_SIZE") or 1)
    size = config.vllm_tensor_parallel_size
    check_tensor_parallel("vllm_tensor_parallel_size", size, gpus, shape.config)
