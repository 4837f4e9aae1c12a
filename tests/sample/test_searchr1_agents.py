"""The scripted searcher: it plays by what it is shown, and differently well."""

import random
from collections import Counter
from collections.abc import Callable

import pytest

from collect.searchr1.question_file import Question
from collect.searchr1.retrieval import Library
from collect.searchr1.search_actions import Finish, parse
from collect.searchr1.search_environment import RULES, SearchEnvironment
from sample.actors.answer_extraction import answers, linked
from sample.actors.page_reading import Page, names, pages
from sample.actors.question_analysis import Kind, take_apart
from sample.actors.searchr1_agents import script


def play(environment: SearchEnvironment, agent: Callable[[str], str]) -> tuple[list[str], bool]:
    """Responses, and whether the last was right."""
    message, responses = environment.start(), []
    for _ in range(RULES.turns):
        responses.append(agent(message))
        seen = environment.step(responses[-1])
        if seen.done:
            return responses, seen.success
        message = seen.text
    return responses, False


def played(seed: int, library: Library, question: Question) -> tuple[list[str], bool]:
    environment = SearchEnvironment(question, library)
    return play(environment, script(None, environment, random.Random(f"{seed}/agent")))


def test_solve_rate_and_turns(library: Library, questions: tuple[Question, ...]) -> None:
    turns: Counter[int] = Counter()
    solved: Counter[int] = Counter()
    for seed in range(600):
        responses, is_right = played(seed, library, questions[seed % len(questions)])
        turns[len(responses)] += 1
        solved[len(responses)] += is_right
    assert 0.4 <= solved.total() / 600 <= 0.65
    assert set(turns) == set(range(1, 11))
    assert max(turns.values()) < 200
    assert all(0 < solved[count] < turns[count] for count in range(1, 11))


def test_each_question_kind_is_solved_and_missed(
    library: Library, questions: tuple[Question, ...]
) -> None:
    outcomes: dict[Kind, set[bool]] = {}
    for seed, question in enumerate(questions * 2):
        kind = take_apart(question.text).kind
        outcomes.setdefault(kind, set()).add(played(seed, library, question)[1])
    assert set(outcomes) == set(Kind)
    assert all(seen == {True, False} for kind, seen in outcomes.items() if kind is not Kind.THING)


def test_the_same_seed_plays_the_same(library: Library, questions: tuple[Question, ...]) -> None:
    for seed in range(5):
        question = questions[seed * 20]
        assert played(seed, library, question) == played(seed, library, question)
    plays = {tuple(played(seed, library, questions[50])[0]) for seed in range(30)}
    assert len(plays) > 20


def test_it_does_not_know_the_answer(library: Library, questions: tuple[Question, ...]) -> None:
    """Another right answer to the same question leaves its play as it was."""
    for seed, question in enumerate(questions[::10]):
        other = Question(question.id, question.text, ("something else",))
        assert played(seed, library, question)[0] == played(seed, library, other)[0]


@pytest.mark.parametrize(
    "question", ["", "?", "why", "Is it?", "A or B?", "Do Or And lie?", "WHO IS IT IN WHICH TOWN"]
)
def test_it_plays_on_any_question(library: Library, question: str) -> None:
    for seed in range(40):
        responses, _ = played(seed, library, Question("q", question, ("yes",)))
        assert len(responses) == RULES.turns or isinstance(parse(responses[-1]), Finish)


@pytest.mark.parametrize(
    ("question", "kind", "named", "link"),
    [
        ("When was Hollin Mill built?", Kind.YEAR, ("Hollin Mill",), ""),
        ("How many locks does the Grain Canal have?", Kind.AMOUNT, ("Grain Canal",), ""),
        ("In which town is the Salt Museum?", Kind.NAME, ("Salt Museum",), ""),
        ("What did Hollin Mill make?", Kind.THING, ("Hollin Mill",), ""),
        ("Is Gull Head Light taller than Auk Light?", Kind.YES_NO, ("Gull Head Light",), ""),
        ("Which is older, Swan Bridge or Long Mill?", Kind.CHOICE, ("Swan Bridge",), ""),
        ("On which river lies the town where the ship Wren was built?", Kind.NAME, (), "town"),
        ("How long is the river that Swan Bridge crosses?", Kind.AMOUNT, (), "river"),
        ("When was the company founded that owned the Wren?", Kind.YEAR, ("Wren",), "company"),
    ],
)
def test_questions_are_taken_apart(
    question: str, kind: Kind, named: tuple[str, ...], link: str
) -> None:
    asked = take_apart(question)
    assert (asked.kind, asked.link) == (kind, link)
    assert asked.names[: len(named)] == named


def test_pages_are_read_as_they_are_shown(library: Library) -> None:
    environment = SearchEnvironment(Question("q", "Q?", ("a",)), library)
    seen = environment.step("<answer>search[Heron Bridge]</answer>")
    shown = pages(seen.text)
    assert len(shown) == 3
    assert shown[0].title == "Heron Bridge"
    assert shown[0].text.endswith(".")
    assert pages(environment.start()) == []


def test_names_links_and_answers() -> None:
    assert names("Near the town of Garlock it meets the Pask.") == ["Garlock", "Pask"]
    mill = Page("Hollin Mill", "It stands near the town of Garlock on the Pask. Built in 1765.")
    town = take_apart("When was the bridge built in the town where Hollin Mill stands?")
    assert linked(mill, town.link, town) == "Garlock"
    built = take_apart("When was Hollin Mill built?")
    assert answers(built, "Hollin Mill", [mill]) == ["1765"]
    assert answers(built, "Hollin Mill", []) == []
