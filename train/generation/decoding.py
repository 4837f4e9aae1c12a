"""How answers are generated, and what is generated."""

import collections.abc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from train.fitted_prompts import Messages


@dataclass(frozen=True)
class Decoding:
    """How answers are generated.

    Greedily, so that the same weights give the same answers, up to the rounding of a batch's shape.
    """

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


Answers = collections.abc.Generator[tuple[int, GeneratedAnswer], None, None]
"""The position of each prompt and its answer, in any order; to close it ends what answers."""
Generator = Callable[[Sequence[Messages]], Answers]
"""From prompts to answers."""
