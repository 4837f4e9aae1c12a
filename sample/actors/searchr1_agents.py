"""A scripted searcher: it follows names from page to page, and knows an answer when it reads one.

It looks into the environment for the accepted answers, and gives one only after a page that it was
shown has said it. How long it searches and how often it errs is drawn for each rollout.
"""

import random
import re
from collections.abc import Iterator

from collect.agents import Script
from collect.searchr1.judging import normalised
from collect.searchr1.search_environment import SearchEnvironment

NAMES: tuple[str, ...] = ("budgeted",)
"""The agent of `budgeted_searcher.py`. Without a name it is the searcher, whose skill is drawn."""

_PAGE = re.compile(r'^\[Document \d+\] \(ID: .*\)\n"(.*)"\n(.*)$', re.MULTILINE)
_PROPER_NAME = re.compile(r"(?<=[\w,] )[A-Z][\w'-]*(?:\s+(?:of\s+)?[A-Z][\w'-]*)*")
"""Capitalised words, but for one that begins a sentence."""
_TELLING_WORD = re.compile(r"[A-Za-z]{4,}|\d+")
_CARELESS = (
    "I should search for {query}. Let me do that now.",
    "<think>I want to know about {query}.</think>search[{query}]",
    "<think>Two things to find.</think><answer>search[{query}], search[more]</answer>",
)
"""Responses without a legal action."""
_LOOK = "The question turns on what I have not read yet, so I search for '{query}'."
_CHECK = "I have read an answer, but want to see it twice before I give it: '{query}'."
_WANDER = "I am not sure what to look for. It may be worth knowing more about '{query}'."
_SURE = "The documents say it, and nothing speaks against it: {answer}."
_GUESS = "I cannot find more. Going by what I have seen, my best guess is {answer}."


def script(name: str | None, environment: SearchEnvironment, rng: random.Random) -> Script:
    """Return an agent for one rollout; all that is drawn is drawn from `rng`."""
    if name == "budgeted":
        from sample.actors.budgeted_searcher import BudgetedSearcher

        return BudgetedSearcher(environment, rng).respond
    return Searcher(environment, rng).respond


class Searcher:
    """Memory of a searcher in one rollout, from which it decides what to do next."""

    def __init__(self, environment: SearchEnvironment, rng: random.Random) -> None:
        self._question = environment.question
        self._rng = rng
        self._patience = rng.choice((0, 1, 2, 3, 4, 5, 6, 8, 99))
        """Searches after which the searcher answers with what it has."""
        self._checks = rng.choice((0, 0, 1, 2, 4, 6))
        """Searches that the searcher makes after it could have answered."""
        self._carelessness = rng.choice((0.0, 0.0, 0.05, 0.2))
        """Probability that a response has no legal action."""
        self._wandering = rng.choice((0.0, 0.1, 0.3, 0.6))
        """Probability that a search is beside the point."""
        self._misreading = rng.choice((0.0, 0.0, 0.1, 0.4))
        """Probability that another name is given than the answer that was read."""
        self._pages: dict[str, str] = {}
        """Texts that were shown, by title."""
        self._tried: list[str] = []

    def respond(self, message: str) -> str:
        """Return the response to a user message."""
        self._pages |= {title: text.removeprefix(title) for title, text in _PAGE.findall(message)}
        rng, answer = self._rng, self._known_answer()
        query = next((each for each in self._leads() if each not in self._tried), "")
        if rng.random() < self._carelessness:
            return rng.choice(_CARELESS).format(query=query)
        is_over = not query or len(self._tried) >= self._patience
        if answer and (is_over or self._checks <= 0):
            is_misread = rng.random() < self._misreading
            return _response(_SURE, "finish", answer=self._guess() if is_misread else answer)
        if is_over:
            return _response(_GUESS, "finish", answer=self._guess())
        thought = _LOOK
        if answer:
            self._checks -= 1
            thought = _CHECK
        elif rng.random() < self._wandering:
            query, thought = rng.choice([*self._pages, "the history of the district"]), _WANDER
        self._tried.append(query)
        return _response(thought, "search", query=query)

    def _known_answer(self) -> str:
        """Return an accepted answer that was read; empty where none was."""
        read = " ".join(f"{title} {text}" for title, text in self._pages.items())
        if not all(name in read for name in self._asked_names()):
            return ""
        words = f" {normalised(read)} "
        for answer in self._question.answers:
            bare = normalised(answer)
            if f" {bare} " in words or (bare in ("yes", "no") and self._pages):
                return answer
        return ""

    def _leads(self) -> Iterator[str]:
        """Yield what to search for: what the question names, then what its pages name."""
        words = " ".join(_TELLING_WORD.findall(_PROPER_NAME.sub("", self._question.text)))
        for name in self._asked_names():
            if not self._has_page(name):
                yield f"{name} {words}"
                yield name
        for text in (*self._asked_pages(), *self._pages.values()):
            for name in _PROPER_NAME.findall(text):
                yield f"{name} {words}"
                yield name
        yield words

    def _asked_names(self) -> list[str]:
        return _PROPER_NAME.findall(self._question.text)

    def _asked_pages(self) -> list[str]:
        """Return the texts about what the question names."""
        names = self._asked_names()
        return [text for title, text in self._pages.items() if any(n in title for n in names)]

    def _has_page(self, name: str) -> bool:
        return any(name in title for title in self._pages)

    def _guess(self) -> str:
        """Return a name of the last page, or whatever comes to mind."""
        names = [name for text in self._pages.values() for name in _PROPER_NAME.findall(text)]
        guesses: list[str] = [*names[-5:], *self._asked_names(), "yes"]
        return self._rng.choice(guesses)


def _response(thought: str, action: str, **fields: str) -> str:
    [argument] = fields.values()
    return f"<think>{thought.format(**fields)}</think>\n<answer>{action}[{argument}]</answer>"
