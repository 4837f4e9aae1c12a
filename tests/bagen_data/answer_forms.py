"""The words of each question, and its output forms with numbers put in."""

import re
from collections.abc import Mapping, Sequence

from bagen_data.answers import grammar, parse
from bagen_data.prompt_variants import Variant, question_of, thinks
from bagen_data.schema import Question

_JUDGING = "4. What matters most is judging feasible or impossible correctly"
ASKS: Mapping[Question, tuple[str, ...]] = {
    "interval": (
        "1. Can the",
        "2. If so, how",
        "at least est_low and at most est_high",
        "answer impossible",
        f"{_JUDGING}.",
        "as tight as you can while",
    ),
    "point": (
        "1. Can the",
        "2. If so, how",
        "best estimate",
        "answer impossible",
        f"{_JUDGING}; ",
        "as impossible. After that, come as close to the true number",
    ),
    "forecast": (
        "1. finish: how probable is it",
        "2. success: how probable is it",
        "if no budget stops it",
        "3. If it does",
        "Give five quantiles",
        "finish is never above success",
        "none may be smaller than the one before",
        "proper scoring rules",
        "honestly believe",
    ),
}
"""Phrases of each question, with single spaces."""
NUMBERS = {
    "est_low": "1",
    "est_high": "2.5",
    "est": "3",
    "p_finish": "0.65",
    "p_success": "0.8",
    **{f"q{level}": str(level * 100) for level in (10, 25, 50, 75, 90)},
}
"""Numbers in the places of the forms."""


def check_forms(question: str, resources: Sequence[str], variant: Variant) -> None:
    """Check that the forms at the end of a question are read, and that a decoder may write them."""
    asked = question_of(variant)
    is_forecast = asked == "forecast"
    *_, before, last = question.splitlines()
    assert ("<answer>" in before) is not is_forecast
    form = last if is_forecast else before
    answer = re.sub("|".join(NUMBERS), lambda place: NUMBERS[place[0]], form)
    assert answer.startswith("<think>your reasoning</think> ") is thinks(variant)
    estimate = parse(answer, resources, asked)
    assert estimate.verdict == "feasible"
    assert list(estimate.intervals) == list(resources)
    assert bool(estimate.forecast) is is_forecast
    assert re.fullmatch(grammar(resources, variant), answer)
    if not is_forecast:
        assert parse(last, resources, asked).verdict == "infeasible"
        assert re.fullmatch(grammar(resources, variant), last)
