"""The environment: what an agent is told, and what is logged."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collect.environment import Environment, Observation
from collect.searchr1.question_file import SearchQuestion
from collect.searchr1.retrieval import Library
from collect.searchr1.search_environment import RULES, SearchEnvironment

QUESTION = SearchQuestion("q1", "Which river flows through Garlock?", ("River Pask", "Pask"))
AVAILABLE = "Available actions: search[<query>], finish[<answer>]"
FRAGMENTS = st.sampled_from(
    [
        *("<answer>", "</answer>", "<think>", "</think>", "search[", "finish[", "]", "search"),
        *("Garlock", "river", " ", "\n", "[", "the", "é\x00"),
    ]
)


def answer(action: str) -> str:
    return f"<think>So be it.</think><answer>{action}</answer>"


@pytest.fixture
def environment(library: Library) -> SearchEnvironment:
    return SearchEnvironment(QUESTION, library)


def test_it_is_an_environment(environment: SearchEnvironment) -> None:
    played: Environment = environment
    assert played.instance_id == "q1"
    assert played.start() == f"Question: {QUESTION.text}\n{AVAILABLE}"
    assert "at most 10 turns" in played.system
    assert (RULES.turns, RULES.response_tokens) == (10, 800)


def test_a_search(environment: SearchEnvironment) -> None:
    seen = environment.step(answer("search[town of Garlock]"))
    lines = seen.text.split("\n")
    assert lines[0] == "Search results for 'town of Garlock':"
    assert lines[1].startswith("[Document 1] (ID: doc_14, Score: ")
    assert lines[2] == '"Garlock"'
    assert seen.text.count("[Document ") == 3
    assert seen.text.endswith(f"\n\n{AVAILABLE}")
    assert seen.actions == ("search[town of Garlock]",)
    assert not seen.done
    assert len(seen.logged["documents"]) == 3


def test_documents_are_cut(library: Library) -> None:
    environment = SearchEnvironment(QUESTION, library, documents=1, document_words=5)
    lines = environment.step(answer("search[Garlock]")).text.split("\n")
    assert len(lines) == 6
    assert len(lines[3].split()) == 6
    assert lines[3].endswith(" ...")


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ("search[]", "The query is empty, so nothing was found."),
        ("search[the xyzzy]", "Nothing was found: no document has a word of the query."),
    ],
)
def test_searches_that_find_nothing(environment: SearchEnvironment, action: str, says: str) -> None:
    seen = environment.step(answer(action))
    assert says in seen.text
    assert seen.text.endswith(AVAILABLE)
    assert (seen.actions, seen.done, seen.logged) == ((action,), False, {"documents": []})


def test_an_illegal_response_says_what_was_wrong(environment: SearchEnvironment) -> None:
    assert environment.step("search[Garlock]") == Observation(
        "No action was taken: the response has no <answer>...</answer>. Expected one action, as "
        "<answer>search[<query>]</answer> or <answer>finish[<answer>]</answer>.\n\n" + AVAILABLE
    )


@pytest.mark.parametrize(
    ("given_answer", "is_right", "score", "word"),
    [("the river pask!", True, 1.0, "right"), ("Pask river valley", False, 0.8, "wrong")],
)
def test_finish(
    environment: SearchEnvironment, given_answer: str, is_right: bool, score: float, word: str
) -> None:
    seen = environment.step(answer(f"finish[{given_answer}]"))
    assert seen.text == f"Your answer: {given_answer}. It is {word}."
    assert (seen.done, seen.success) == (True, is_right)
    assert environment.outcome() == {
        "question": QUESTION.text,
        "golden_answers": ["River Pask", "Pask"],
        "answer": given_answer,
        "exact_match": is_right,
        "f1": score,
    }
    with pytest.raises(RuntimeError, match="question q1 has been answered"):
        environment.step(answer("search[more]"))


def test_without_an_answer(environment: SearchEnvironment) -> None:
    environment.step(answer("search[Garlock]"))
    outcome = environment.outcome()
    assert (outcome["answer"], outcome["exact_match"], outcome["f1"]) == (None, False, 0.0)


@given(st.one_of(st.text(), st.lists(FRAGMENTS).map("".join)))
def test_any_response_gives_an_observation(library: Library, response: str) -> None:
    environment = SearchEnvironment(QUESTION, library)
    seen = environment.step(response)
    assert seen.text
    assert len(seen.actions) <= 1
    assert seen.done == (environment.outcome()["answer"] is not None)
    assert seen == SearchEnvironment(QUESTION, library).step(response)


def test_the_right_answer_is_right(library: Library, questions: tuple[SearchQuestion, ...]) -> None:
    for question in questions:
        for accepted in question.answers:
            environment = SearchEnvironment(question, library)
            assert environment.step(answer(f"finish[{accepted}]")).success
            assert environment.outcome()["exact_match"]
            assert environment.outcome()["f1"] == 1
