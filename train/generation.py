"""Answer prompts with weights on this machine: by vLLM where it is, else by transformers.

Greedy, so that the same weights give the same answers, up to the rounding of a batch's shape.
"""

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bagen_data.errors import InputError
from train.base_model import is_adapter
from train.fitted_prompts import Messages

BACKENDS = ("auto", "vllm", "transformers")
_VLLM_CHUNK = 1024
"""Prompts that vLLM is given at once, so that what is answered is kept now and then."""


@dataclass(frozen=True)
class Decoding:
    """How answers are generated."""

    model: str
    """A folder or a Hub id."""
    max_new_tokens: int
    batch_size: int
    """Prompts at once; vLLM finds its own."""
    dtype: str
    """`auto`: bfloat16 on a GPU, float32 without one; or a name of torch's."""
    template: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the chat template."""


@dataclass(frozen=True)
class GeneratedAnswer:
    """What the model wrote."""

    text: str
    input_tokens: int
    output_tokens: int


Generator = Callable[[Sequence[Messages]], Iterator[tuple[int, GeneratedAnswer]]]
"""From prompts to the position of each and its answer, in any order."""


def choose_backend(backend: str, model: str) -> str:
    """Return `vllm` or `transformers`.

    `auto` takes vLLM where it is installed, there is a GPU, and `model` is no LoRA adapter.

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


def generator(backend: str, decoding: Decoding, tokenizer: Any) -> Generator:
    """Load the weights, and answer with them."""
    if backend == "vllm":
        return _vllm(decoding)
    return _transformers(decoding, tokenizer)


def _vllm(decoding: Decoding) -> Generator:
    import torch
    from vllm import LLM, SamplingParams

    dtype = decoding.dtype
    engine = LLM(
        model=decoding.model,
        dtype=dtype,
        tensor_parallel_size=max(1, torch.cuda.device_count()),
    )
    sampling = SamplingParams(temperature=0.0, max_tokens=decoding.max_new_tokens)

    def generate(prompts: Sequence[Messages]) -> Iterator[tuple[int, GeneratedAnswer]]:
        for start in range(0, len(prompts), _VLLM_CHUNK):
            outputs = engine.chat(
                list(prompts[start : start + _VLLM_CHUNK]),
                sampling,
                chat_template_kwargs=dict(decoding.template),
            )
            for position, output in enumerate(outputs, start):
                written = output.outputs[0]
                counts = len(output.prompt_token_ids), len(written.token_ids)
                yield position, GeneratedAnswer(written.text, *counts)

    return generate


def _transformers(decoding: Decoding, tokenizer: Any) -> Generator:
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig

    device = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else "cpu"
    dtype = decoding.dtype
    if dtype == "auto":
        dtype = "float32" if device == "cpu" else "bfloat16"
    model = AutoModelForCausalLM.from_pretrained(decoding.model, dtype=dtype).to(device).eval()
    ends = _ends(model.generation_config.eos_token_id, tokenizer.eos_token_id)
    padding = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else (ends or [0])[0]
    settings = GenerationConfig(
        max_new_tokens=decoding.max_new_tokens,
        do_sample=False,
        pad_token_id=padding,
        eos_token_id=ends or None,
    )
    model.generation_config = settings  # else the model's own penalties fill what is left unsaid

    def encoded(messages: Messages) -> list[int]:
        text = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True, **decoding.template
        )
        ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def generate(prompts: Sequence[Messages]) -> Iterator[tuple[int, GeneratedAnswer]]:
        ids = [encoded(messages) for messages in prompts]
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        for start in range(0, len(order), decoding.batch_size):
            places = order[start : start + decoding.batch_size]
            longest = max(len(ids[place]) for place in places)
            rows = [[padding] * (longest - len(ids[place])) + ids[place] for place in places]
            mask = [[0] * (longest - len(ids[place])) + [1] * len(ids[place]) for place in places]
            with torch.inference_mode():
                written = model.generate(
                    input_ids=torch.tensor(rows, device=device),
                    attention_mask=torch.tensor(mask, device=device),
                    generation_config=settings,
                )[:, longest:].tolist()
            for place, tokens in zip(places, written, strict=True):
                answer = _up_to_end(tokens, ends)
                text = tokenizer.decode(answer, skip_special_tokens=True)
                yield place, GeneratedAnswer(text, len(ids[place]), len(answer))

    return generate


def _ends(*end_tokens: int | Sequence[int] | None) -> list[int]:
    """Every token that ends an answer, as vLLM has it: the model's and the tokenizer's.

    >>> _ends([7, 5], 5), _ends(None, 0), _ends(None, None)
    ([5, 7], [0], [])
    """
    lists = ([ends] if isinstance(ends, int) else ends or [] for ends in end_tokens)
    return sorted({token for tokens in lists for token in tokens})


def _up_to_end(tokens: Sequence[int], ends: Sequence[int]) -> Sequence[int]:
    """What a row wrote, its end included, without what fills it up to the longest of its batch.

    >>> _up_to_end([4, 0, 9, 9, 9], [9]), _up_to_end([4, 0], [9])
    ([4, 0, 9], [4, 0])
    """
    written = next((place for place, token in enumerate(tokens, 1) if token in ends), len(tokens))
    return tokens[:written]
