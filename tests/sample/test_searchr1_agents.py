"""The scripted searcher: it answers what it has read, and plays differently well."""

import random
from collections import Counter

import pytest

from bagen_data.live import BudgetTracker
from bagen_data.schema import Turn
from collect.searchr1.question_file import SearchQuestion
from collect.searchr1.retrieval import Library
from collect.searchr1.search_actions import Finish, parse
from collect.searchr1.search_environment import RULES, SearchEnvironment
from sample.actors.budgeted_searcher import StatusLine, read_status
from sample.actors.searchr1_agents import script


def played(
    seed: int, library: Library, question: SearchQuestion
) -> tuple[list[str], bool, list[str]]:
    """Responses, whether the last was right, and all texts that were shown."""
    environment = SearchEnvironment(question, library)
    agent = script(None, environment, random.Random(f"{seed}/agent"))
    shown, responses = [environment.start()], []
    for _ in range(RULES.turns):
        responses.append(agent(shown[-1]))
        seen = environment.step(responses[-1])
        if seen.done:
            return responses, seen.success, shown
        shown.append(seen.text)
    return responses, False, shown


def test_solve_rate_and_turns(library: Library, questions: tuple[SearchQuestion, ...]) -> None:
    turns: Counter[int] = Counter()
    solved: Counter[int] = Counter()
    for seed in range(400):
        responses, is_right, _ = played(seed, library, questions[seed % len(questions)])
        turns[len(responses)] += 1
        solved[len(responses)] += is_right
    assert 0.4 <= solved.total() / 400 <= 0.65
    assert set(turns) == set(range(1, 11))
    assert max(turns.values()) < 100
    assert all(0 < solved[count] < turns[count] for count in range(2, 11))


def test_a_sure_answer_that_is_right_has_been_read(
    library: Library, questions: tuple[SearchQuestion, ...]
) -> None:
    read = 0
    for seed, question in enumerate(questions):
        responses, is_right, shown = played(seed, library, question)
        if is_right and "The documents say it" in responses[-1]:
            pages = "\n".join(shown[1:])
            known = ("yes", "no", *(answer for answer in question.answers if answer in pages))
            assert set(known) & set(question.answers)
            read += 1
    assert read > 20


def test_the_same_seed_plays_the_same(
    library: Library, questions: tuple[SearchQuestion, ...]
) -> None:
    for seed, question in enumerate(questions[::20]):
        assert played(seed, library, question) == played(seed, library, question)
    plays = {tuple(played(seed, library, questions[50])[0]) for seed in range(30)}
    assert len(plays) > 15


@pytest.mark.parametrize(
    "question", ["", "?", "why", "Is it?", "A or B?", "Do Or And lie?", "WHO IS IT IN WHICH TOWN"]
)
def test_it_plays_on_any_question(library: Library, question: str) -> None:
    for seed in range(40):
        responses, _, _ = played(seed, library, SearchQuestion("q", question, ("yes",)))
        assert len(responses) == RULES.turns or isinstance(parse(responses[-1]), Finish)


def test_the_budgeted_searcher_answers_when_its_budget_is_nearly_used_up(
    library: Library, questions: tuple[SearchQuestion, ...]
) -> None:
    """The agent reads the status block that a tracker writes, whatever else is in the message."""
    for seed, question in enumerate(questions[:20]):
        environment = SearchEnvironment(question, library)
        agent = script("budgeted", environment, random.Random(seed))
        tracker = BudgetTracker({"tokens": 2_000, "search": 5})
        shown = environment.start()
        for turn in range(RULES.turns):  # noqa: B007
            response = agent(f"{shown}\n\n{tracker.status_block()}")
            seen = environment.step(response)
            if seen.done:
                break
            shown = seen.text
            tracker.observe_turn(Turn("", response, {"tokens": 350, "search": 1}))
        assert seen.done
        assert turn <= 4
        assert read_status(tracker.status_block())["search"] == StatusLine(
            tracker.used["search"], 5
        )


def test_without_a_status_block_the_budgeted_searcher_goes_on(
    library: Library, questions: tuple[SearchQuestion, ...]
) -> None:
    turns: Counter[int] = Counter()
    for seed, question in enumerate(questions):
        environment = SearchEnvironment(question, library)
        agent = script("budgeted", environment, random.Random(seed))
        shown = environment.start()
        for turn in range(RULES.turns):  # noqa: B007
            seen = environment.step(agent(shown))
            if seen.done:
                break
            shown = seen.text
        turns[turn] += 1
    assert sum(number for turn, number in turns.items() if turn > 4) > len(questions) // 2
