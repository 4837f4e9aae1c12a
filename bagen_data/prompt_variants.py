"""The variants of a prompt: a question, with a short `<think>` before the answer or without."""

from typing import Literal, get_args

from bagen_data.schema import Question

Variant = Literal["think", "no_think"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)


def question_of(prompt_variant: str) -> Question:
    """Return the question that a prompt variant asks; `think` and `no_think` ask for intervals.

    >>> question_of("forecast_no_think"), question_of("think"), question_of("none")
    ('forecast', 'interval', 'interval')
    """
    start = prompt_variant.partition("_")[0]
    return next((name for name in get_args(Question) if name == start), "interval")
