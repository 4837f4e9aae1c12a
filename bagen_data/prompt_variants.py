"""The variants of a prompt: with a short `<think>` before the answer, or without."""

from typing import Literal, get_args

Variant = Literal["think", "no_think"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
