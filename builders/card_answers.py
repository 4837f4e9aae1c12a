"""Forms of an answer, for the cards of datasets."""

from collections.abc import Sequence

from bagen_data.prompt_variants import Variant, question_of
from bagen_data.schema import Question

_QUANTILES = "[q10, q25, q50, q75, q90]"
_CHANCES = "finish=p, success=p, "
_FORMS: dict[Question, tuple[str, ...]] = {
    "interval": ("[low, high]", "impossible"),
    "point": ("number", "impossible"),
    "forecast": (f"{_CHANCES}tokens={_QUANTILES}",),
}
"""The forms of an answer about one resource, and of one about none."""
_LABELLED: dict[Question, str] = {
    "interval": "{name}:[low, high]",
    "point": "{name}:number",
    "forecast": f"{{name}}={_QUANTILES}",
}
"""The part of an answer about one of several resources."""
_RULES: dict[Question, str] = {
    "interval": "with plain non-negative decimals, low <= high.",
    "point": "with a plain non-negative decimal for the amount still needed.",
    "forecast": "with plain non-negative decimals. `finish`, the probability of success within\n"
    "every budget, is at most `success`, that of success if no budget stopped the run. Quantiles\n"
    "are of what the run will still use if it succeeds, none smaller than the one before.",
}


def answer_lines(variant: Variant, several: Sequence[str]) -> str:
    """Say what an answer is to the question of a prompt variant.

    Args:
        variant: of the prompts.
        several: resources that an answer names together, for an example.
    """
    question = question_of(variant)
    labelled = ", ".join(_LABELLED[question].format(name=name) for name in several)
    single, *others = _FORMS[question]
    forms = [single, f"{_CHANCES if question == 'forecast' else ''}{labelled}", *others]
    block = "\n".join(f"<answer>{form}</answer>" for form in forms)
    return f"```\n{block}\n```\n\n{_RULES[question]}"
