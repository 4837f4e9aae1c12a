"""Actions that a response asks for: one search, or the final answer."""

import re
from dataclasses import dataclass

from bagen_data.answers import answer_in

EXPECTED = "search[<query>], finish[<answer>]"
"""The actions, as the agent's prompt describes them."""

_ACTION = re.compile(r"(search|finish)\s*\[(.*)\]", re.IGNORECASE | re.DOTALL)
_SECOND = re.compile(r"\]\W{0,9}(?:and then|and|then)?\W{0,9}(?:search|finish)\s*\[", re.IGNORECASE)


@dataclass(frozen=True)
class Search:
    """A search for documents."""

    query: str
    """Query of the search, on one line; may be empty."""

    def __str__(self) -> str:
        return f"search[{self.query}]"


@dataclass(frozen=True)
class Finish:
    """A final answer."""

    answer: str
    """Text of the answer, on one line, not empty."""

    def __str__(self) -> str:
        return f"finish[{self.answer}]"


@dataclass(frozen=True)
class Illegal:
    """A response that has neither a search nor a final answer."""

    problem: str
    """Fault of the response, for the agent to read: the rest of a sentence about the response."""


def parse(response: str) -> Search | Finish | Illegal:
    """Read the action from a response of any text.

    Text up to the last `</think>` is ignored, and of several `<answer>` the last one counts. The
    argument goes up to the last `]`, so that it may have brackets itself; its white space is
    collapsed. Action names may be in upper case.

    >>> parse("<think>Where?</think><answer>search[river  Oskel [map]]</answer>")
    Search(query='river Oskel [map]')
    >>> parse("search[river Oskel]")
    Illegal(problem='has no <answer>...</answer>')
    """
    answer = answer_in(response)
    return Illegal("has no <answer>...</answer>") if answer is None else _action(answer)


def _action(content: str) -> Search | Finish | Illegal:
    if not content:
        return Illegal("has an empty <answer></answer>")
    action = _ACTION.fullmatch(content)
    if action is None:
        return Illegal(f"has no action but {_shown(content)} in <answer>")
    argument = " ".join(action[2].split())
    if _SECOND.search(argument):
        return Illegal("has more than one action in <answer>")
    if action[1].lower() == "search":
        return Search(argument)
    return Finish(argument) if argument else Illegal("finishes without an answer")


def _shown(content: str) -> str:
    line = " ".join(content.split())
    return f"'{line}'" if len(line) <= 60 else f"'{line[:57]}...'"
