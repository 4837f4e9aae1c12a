"""What an agent answers with, in every environment whose actions are text."""

import re

_ANSWER = re.compile(r"<answer>((?:(?!<answer>).)*?)</answer>", re.DOTALL | re.IGNORECASE)
_THOUGHT = re.compile(r"</think>", re.IGNORECASE)


def answer_in(response: str) -> str | None:
    """The content of the last whole answer after the last thought, stripped; None without one.

    >>> answer_in("<think><answer>Up</answer>?</think> No: <answer> Down </answer>")
    'Down'
    """
    found = _ANSWER.findall(_THOUGHT.split(response)[-1])
    return found[-1].strip() if found else None
