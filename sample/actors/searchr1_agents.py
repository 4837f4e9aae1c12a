"""A scripted agent that searches by rules: it knows no more than what it is shown."""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from collect.agents import Script
from sample.actors import searcher_thoughts as thoughts
from sample.actors.answer_extraction import answers, linked, measure
from sample.actors.page_reading import Page, is_about, pages
from sample.actors.question_analysis import Asked, Kind, take_apart

NAMES: tuple[str, ...] = ()
_QUESTION = re.compile(r"Question: (.*)")
_MORE_WORDS = ("history", "record", "description", "known", "early years")
"""What it adds to a query to find other documents on the same thing."""


@dataclass(frozen=True)
class Skill:
    """How well an agent plays."""

    patience: int
    """Searches, from 0, after which it answers with what it has."""
    checks: int
    """Searches it makes after it could have answered."""
    wandering: float
    """Probability that a search is beside the point."""
    carelessness: float
    """Probability that a response has no legal action."""
    haste: float
    """Probability, each turn, that it answers with the best guess there is."""
    misreading: float
    """Probability that it takes the second best candidate for the answer."""


def drawn_skill(rng: random.Random) -> Skill:
    """A skill: from guessing at once to searching until the turns are over."""
    return Skill(
        patience=rng.choice((0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 9, 99)),
        checks=rng.choice((0, 0, 0, 0, 1, 1, 2, 3, 4, 6)),
        wandering=rng.choice((0.0, 0.0, 0.1, 0.3, 0.6)),
        carelessness=rng.choice((0.0, 0.0, 0.0, 0.05, 0.2)),
        haste=rng.choice((0.0, 0.0, 0.0, 0.05, 0.15)),
        misreading=rng.choice((0.0, 0.0, 0.0, 0.1, 0.3)),
    )


def script(_name: str | None, _environment: object, rng: random.Random) -> Script:
    """An agent for one rollout; it knows the messages only, and draws skill and luck from `rng`."""
    return _Searcher(drawn_skill(rng), rng).respond


class _Searcher:
    """One rollout's reader: what it has seen, what it has tried, and what it does next."""

    _asked: Asked

    def __init__(self, skill: Skill, rng: random.Random) -> None:
        self._skill = skill
        self._rng = rng
        self._seen: dict[str, Page] = {}
        self._tried: set[str] = set()
        self._searches = 0
        self._checks_left = skill.checks
        self._best_title = ""

    def respond(self, message: str) -> str:
        """The response to a user message."""
        asked = _QUESTION.match(message)
        if asked:
            self._asked = take_apart(asked[1])
        shown = pages(message)
        self._seen |= {page.title: page for page in shown}
        if shown:
            self._best_title = shown[0].title
        return self._next()

    def _next(self) -> str:
        skill, rng = self._skill, self._rng
        if rng.random() < skill.carelessness:
            return thoughts.careless(rng, self._subject())
        if self._searches >= skill.patience or rng.random() < skill.haste:
            return self._finish(is_sure=False)
        if rng.random() < skill.wandering:
            return self._search(self._wander(), "wander")
        query = next((query for query in self._queries() if query not in self._tried), None)
        if query is not None:
            return self._search(query, "look")
        if self._checks_left > 0:
            self._checks_left -= 1
            return self._search(self._rephrased(), "check")
        return self._finish(is_sure=True)

    def _search(self, query: str, purpose: str) -> str:
        self._searches += 1
        self._tried.add(query)
        thought = thoughts.before_search(self._rng, purpose, query, self._best_title)
        return thoughts.response(thought, f"search[{query}]")

    def _finish(self, *, is_sure: bool) -> str:
        answer = self._answer()
        thought = thoughts.before_answer(self._rng, answer, is_sure=is_sure)
        return thoughts.response(thought, f"finish[{answer}]")

    def _queries(self) -> Iterator[str]:
        """What to search for, in order, as long as it is not known."""
        asked = self._asked
        words = " ".join(asked.words)
        if not asked.names:
            yield words
            return
        for name in asked.names if asked.is_comparison else asked.names[:1]:
            yield from self._until_found(name, words)
        focus = self._focus()
        if focus != self._subject():
            yield f"{focus} {' '.join(word for word in asked.words if word != asked.link)}"
            if not self._candidates():
                yield f"{asked.link} {focus}".strip()
                yield focus

    def _until_found(self, name: str, words: str) -> Iterator[str]:
        for query in (
            f"{name} {words}".strip(),
            name,
            f"{name.rsplit(maxsplit=1)[-1]} {words}".strip(),
        ):
            if any(is_about(page, name) for page in self._seen.values()) and self._tried:
                return
            yield query

    def _wander(self) -> str:
        """A query that leads away: some words of the question, or a title that was shown."""
        words = list(self._asked.words)
        self._rng.shuffle(words)
        beside = [" ".join(words[:2]), *list(self._seen)[-2:], "history of the district"]
        return self._rng.choice(beside)

    def _rephrased(self) -> str:
        """Another query for what has been found: a new one, unless a few tries make none."""
        query = ""
        about = [*self._asked.names, self._focus(), self._best_title]
        for _ in range(5):
            words = [*self._asked.words, *_MORE_WORDS]
            self._rng.shuffle(words)
            query = " ".join([self._rng.choice(about), *words[: 1 + self._rng.randrange(3)]])
            if query not in self._tried:
                break
        return query.strip()

    def _subject(self) -> str:
        return self._asked.names[0] if self._asked.names else " ".join(self._asked.words)

    def _focus(self) -> str:
        """What the answer is a fact of: the name in the question, or where it leads to."""
        return self._second_hop(self._asked, self._subject()) or self._subject()

    def _second_hop(self, asked: Asked, name: str) -> str | None:
        page = next((page for page in self._seen.values() if is_about(page, name)), None)
        return linked(page, asked.link, asked) if page and asked.link else None

    def _candidates(self) -> list[str]:
        return answers(self._asked, self._focus(), list(self._seen.values()))

    def _answer(self) -> str:
        asked, rng = self._asked, self._rng
        if asked.is_comparison:
            return self._compared()
        if asked.kind is Kind.YES_NO:
            return rng.choice(("yes", "no"))
        candidates = self._candidates()
        if not candidates:
            return "unknown"
        return candidates[len(candidates) > 1 and rng.random() < self._skill.misreading]

    def _compared(self) -> str:
        asked, rng = self._asked, self._rng
        one, other = asked.names[:2]
        seen = list(self._seen.values())
        if " same " in asked.text:
            link = asked.words[-1]
            hops = [self._named(name, link) for name in (one, other)]
            if None in hops:
                return rng.choice(("yes", "no"))
            return "yes" if hops[0] == hops[1] else "no"
        first, second = (measure(asked, name, seen) for name in (one, other))
        if first is None or second is None or rng.random() < self._skill.misreading:
            return rng.choice(("yes", "no") if asked.kind is Kind.YES_NO else (one, other))
        wins = first < second if asked.wants_least else first > second
        if asked.kind is Kind.YES_NO:
            return "yes" if wins else "no"
        return one if wins else other

    def _named(self, name: str, link: str) -> str | None:
        page = next((page for page in self._seen.values() if is_about(page, name)), None)
        return linked(page, link, self._asked) if page else None
