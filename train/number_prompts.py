"""Prompts that hold only numbers: the turn, and what was used, is left, and went into a mean turn.

A model made from nothing cannot read a recorded run in a few minutes of training, and can read four
numbers. They are what the last message of a built prompt says in words, so an answer is judged as
any other.
"""

from collections.abc import Mapping
from typing import Any, Literal, get_args

from bagen_data.number_texts import plain
from bagen_data.prompt_variants import Variant, question_of, thinks

PromptForm = Literal["as_built", "numbers_only"]
PROMPT_FORMS: tuple[PromptForm, ...] = get_args(PromptForm)
NUMBERS_ONLY = PROMPT_FORMS[1]
"""The form of a prompt that holds only numbers."""


def numbers_only(row: Mapping[str, Any], variant: Variant) -> list[dict[str, str]]:
    r"""Return the prompt of a row of the dataset as numbers alone.

    The system message names the question. The user message has the number of completed turns, then
    a line a resource: its name, what was used, what is left of the budget (or what is over it), and
    the mean of a completed turn; amounts of 10 or more are whole numbers.

    Args:
        row: with `completed_turns` and `resources`.
        variant: the question, and whether an answer begins with a thought.

    >>> row = {"completed_turns": 2, "resources": [{"resource": "tokens", "used": 200.0,
    ...        "budget": 900.0}]}
    >>> for message in numbers_only(row, "interval_no_think"): print(message)
    {'role': 'system', 'content': 'interval'}
    {'role': 'user', 'content': 'turn 2\ntokens used 200 left 700 mean 100'}
    """
    question = question_of(variant)
    turns = row["completed_turns"]
    lines = [f"turn {turns}", *(_amounts(part, turns) for part in row["resources"])]
    return [
        {"role": "system", "content": f"think {question}" if thinks(variant) else question},
        {"role": "user", "content": "\n".join(lines)},
    ]


def _amounts(part: Mapping[str, Any], turns: int) -> str:
    used, left = part["used"], part["budget"] - part["used"]
    rest = f"left {_short(left)}" if left >= 0 else f"over {_short(-left)}"
    mean = f" mean {_short(used / turns)}" if turns else ""
    return f"{part['resource']} used {_short(used)} {rest}{mean}"


def _short(amount: float) -> str:
    """Write an amount with at least two digits, and none behind the point from 10 on."""
    return plain(round(amount)) if amount >= 10 else plain(round(amount, 2))
