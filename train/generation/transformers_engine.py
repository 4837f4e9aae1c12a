"""An engine of transformers: batches of prompts of like lengths, on one GPU or the CPU."""

from collections.abc import Sequence
from typing import Any

from train.fitted_prompts import Messages
from train.generation.decoding import Answers, Decoding, GeneratedAnswer, Generator


def transformers_generator(decoding: Decoding, tokenizer: Any) -> Generator:
    """Load the weights, and answer with them."""
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

    def generate(prompts: Sequence[Messages]) -> Answers:
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
    """Return what a row wrote, its end included, without what fills the row up.

    A row is filled up to the longest of its batch.

    >>> _up_to_end([4, 0, 9, 9, 9], [9]), _up_to_end([4, 0], [9])
    ([4, 0, 9], [4, 0])
    """
    written = next((place for place, token in enumerate(tokens, 1) if token in ends), len(tokens))
    return tokens[:written]
