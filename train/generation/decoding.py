"""The options of generation, and the answers that are generated."""

import collections.abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from train.fitted_prompts import Messages


@dataclass(frozen=True)
class Decoding:
    """Options of how answers are generated.

    Decoding is greedy, so that the same weights give the same answers, up to the rounding of a
    batch's shape.
    """

    model: str
    """The model: a folder or a Hub id."""
    max_new_tokens: int
    batch_size: int
    """Prompts that are answered at once; vLLM finds its own number."""
    dtype: str
    """`auto`: bfloat16 on a GPU, float32 without one; or a name of torch's."""
    template: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the chat template."""


@dataclass(frozen=True)
class GeneratedAnswer:
    """An answer that the model wrote, and its counts of tokens."""

    text: str
    input_tokens: int
    output_tokens: int


Answers = collections.abc.Generator[tuple[int, GeneratedAnswer], None, None]
"""The position of each prompt and its answer, in any order; to close it ends what answers."""
Generator = Callable[[Sequence[Messages]], Answers]
"""A function from prompts to answers."""
