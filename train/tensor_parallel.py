"""Tensor parallelism: one model over several GPUs, each with a share of the attention heads."""

from typing import Any

from bagen_data.errors import InputError


def check_tensor_parallel(option: str, size: int, gpus: int, config: Any) -> None:
    """Check that a model can be split over so many GPUs, as vLLM splits it.

    Args:
        option: the option that asks for it, for the error.
        size: the number of GPUs that share a model.
        gpus: the number of GPUs of this machine.
        config: the config of the model, as transformers reads it.

    Raises:
        InputError: the size is below 1, or does not divide the GPUs or the heads.

    >>> from types import SimpleNamespace
    >>> qwen = SimpleNamespace(num_attention_heads=28, num_key_value_heads=4)
    >>> check_tensor_parallel("--tensor-parallel", 8, 8, qwen)
    Traceback (most recent call last):
    bagen_data.errors.InputError: --tensor-parallel 8: does not divide the model's 28 attention \
heads; give one of 1, 2, 4
    """
    if size == 1:
        return
    text = config.get_text_config() if hasattr(config, "get_text_config") else config
    heads = getattr(text, "num_attention_heads", None)
    key_heads = getattr(text, "num_key_value_heads", None)
    advice = f"give one of {', '.join(map(str, sizes(gpus, heads, key_heads)))}"
    if size < 1 or gpus < size or gpus % size:
        noun = "GPU" if gpus == 1 else "GPUs"
        raise InputError(f"{option} {size}: does not divide the {gpus} {noun} here; {advice}")
    for number, what in ((heads, "attention heads"), (key_heads, "key-value heads")):
        if number is not None and not _divides(size, number, shared=what != "attention heads"):
            raise InputError(
                f"{option} {size}: does not divide the model's {number} {what}; {advice}"
            )


def sizes(gpus: int, heads: int | None, key_heads: int | None) -> list[int]:
    """Return every number of GPUs that a model can be split over.

    >>> sizes(8, 28, 4), sizes(0, 28, 4), sizes(6, None, None)
    ([1, 2, 4], [1], [1, 2, 3, 6])
    """
    return [
        size
        for size in range(1, max(1, gpus) + 1)
        if max(1, gpus) % size == 0
        and (heads is None or _divides(size, heads, shared=False))
        and (key_heads is None or _divides(size, key_heads, shared=True))
    ]


def _divides(size: int, number: int, *, shared: bool) -> bool:
    """Return whether GPUs can have as many heads each; key-value heads are copied where few."""
    return number % size == 0 or (shared and size % number == 0)
