"""The variants of a prompt: a question, with a short `<think>` before the answer or without."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, get_args

from bagen_data.errors import InputError

if TYPE_CHECKING:
    from bagen_data.schema import Question

Variant = Literal[
    "interval_think",
    "interval_no_think",
    "point_think",
    "point_no_think",
    "forecast_think",
    "forecast_no_think",
]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
_QUESTIONS: "tuple[Question, ...]" = ("interval", "point", "forecast")
FORMER_NAMES: Mapping[str, Variant] = {
    "think": "interval_think",
    "no_think": "interval_no_think",
}
"""Names of version 1, which asked for intervals only; read everywhere and written nowhere."""
_NO_PROMPT = "none"
"""The variant of an estimator that read no prompt and answers with intervals."""


def find_variant(name: str) -> Variant:
    """Return the variant of a name, which may be one of version 1.

    Raises:
        InputError: no variant has this name.

    >>> find_variant("point_think"), find_variant("no_think")
    ('point_think', 'interval_no_think')
    """
    variant = FORMER_NAMES.get(name) or next((each for each in VARIANTS if each == name), None)
    if variant is None:
        raise InputError(f"no variant named {name!r}; expected one of: {', '.join(VARIANTS)}")
    return variant


def find_question(name: str) -> "Question":
    """Return the question of a name.

    Raises:
        InputError: no question has this name.

    >>> find_question("point")
    'point'
    """
    question = next((each for each in _QUESTIONS if each == name), None)
    if question is None:
        raise InputError(f"no question named {name!r}; expected one of: {', '.join(_QUESTIONS)}")
    return question


def question_of(prompt_variant: str) -> "Question":
    """Return the question that a prompt variant asks.

    `think` and `no_think` ask for intervals, and `none`, no prompt, is answered with intervals.

    Raises:
        InputError: no variant has this name.

    >>> question_of("forecast_no_think"), question_of("think"), question_of("none")
    ('forecast', 'interval', 'interval')
    """
    if prompt_variant == _NO_PROMPT:
        return "interval"
    variant = FORMER_NAMES.get(prompt_variant, prompt_variant)
    if variant not in VARIANTS:
        known = ", ".join((*VARIANTS, *FORMER_NAMES, _NO_PROMPT))
        raise InputError(f"no prompt variant named {prompt_variant!r}; expected one of: {known}")
    return find_question(variant.partition("_")[0])


def thinks(prompt_variant: str) -> bool:
    """Return whether a variant asks for a thought before the answer.

    >>> thinks("forecast_think"), thinks("think"), thinks("no_think"), thinks("none")
    (True, True, False, False)
    """
    return prompt_variant.endswith("think") and not prompt_variant.endswith("no_think")


def asking(question: "Question", prompt_variant: str) -> Variant:
    """Return the variant that asks this question, with a thought or without as another has it.

    >>> asking("forecast", "no_think")
    'forecast_no_think'
    """
    return find_variant(f"{question}_{'think' if thinks(prompt_variant) else 'no_think'}")
