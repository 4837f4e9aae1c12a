"""A row of a dataset for its card, short enough to be read there."""

from collections.abc import Mapping
from typing import Any

_CHARACTERS = 240
"""Characters that a message of the example keeps."""
_FIRST = 3
"""Messages at the beginning of a prompt that the example keeps; the question is the last one."""


def example_of(sample: Mapping[str, Any]) -> dict[str, Any]:
    """Return a sample with its prompt cut: the first messages and the question, each shortened.

    >>> example = example_of({"prompt": [{"role": "user", "content": "x" * 1_000}] * 9})
    >>> [message["content"][-23:] for message in example["prompt"][-2:]]
    ['5 messages', ' ... (1,000 characters)']
    """
    prompt = sample["prompt"]
    left_out = len(prompt) - _FIRST - 1
    shown = [_shortened(message) for message in prompt]
    if left_out > 0:
        shown = [*shown[:_FIRST], {"role": "...", "content": f"{left_out:,} messages"}, shown[-1]]
    return {**sample, "prompt": shown}


def _shortened(message: Mapping[str, str]) -> dict[str, str]:
    content = message["content"]
    if len(content) > _CHARACTERS:
        content = f"{content[:_CHARACTERS]} ... ({len(content):,} characters)"
    return {"role": message["role"], "content": content}
