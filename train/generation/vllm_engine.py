"""An engine of vLLM: it batches by itself, and reuses what prompts of one rollout share."""

from collections.abc import Sequence

from train.fitted_prompts import Messages
from train.generation.decoding import Answers, Decoding, GeneratedAnswer, Generator

_CHUNK = 1024
"""Prompts that vLLM takes at once; answers are kept after each such group."""


def vllm_generator(decoding: Decoding, longest: int, tensor_parallel: int) -> Generator:
    """Load the weights, and answer with them.

    Args:
        decoding: how.
        longest: the most tokens of a prompt and its answer, for which memory is set aside.
        tensor_parallel: the number of GPUs that share the model: all that this process sees.
    """
    from vllm import LLM, SamplingParams

    engine = LLM(
        model=decoding.model,
        dtype=decoding.dtype,
        tensor_parallel_size=tensor_parallel,
        max_model_len=longest,
        enable_prefix_caching=True,
    )
    sampling = SamplingParams(temperature=0.0, max_tokens=decoding.max_new_tokens)

    def generate(prompts: Sequence[Messages]) -> Answers:
        for start in range(0, len(prompts), _CHUNK):
            outputs = engine.chat(
                list(prompts[start : start + _CHUNK]),
                sampling,
                chat_template_kwargs=dict(decoding.template),
            )
            for position, output in enumerate(outputs, start):
                written = output.outputs[0]
                counts = len(output.prompt_token_ids), len(written.token_ids)
                yield position, GeneratedAnswer(written.text, *counts)

    return generate
