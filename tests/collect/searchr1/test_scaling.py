"""Sequential and parallel attempts of the plain agent, with a model that follows a script."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bagen_data.errors import TemplateError
from collect.dialogue_layout import record
from collect.searchr1.prompt_parts import read_prompt_parts
from collect.searchr1.question_file import SearchQuestion
from collect.searchr1.retrieval import Library
from collect.searchr1.scaled_budget import SharedBudget
from collect.searchr1.scaling import SCALINGS, ScalingOptions
from tests.collect.searchr1.scripted_model import (
    ScriptedModel,
    actions,
    begun,
    finish,
    search,
)


@pytest.fixture
def question(questions: tuple[SearchQuestion, ...]) -> SearchQuestion:
    return next(each for each in questions if "Heron Bridge" in each.text)


def played(
    strategy: str,
    answers: list[str],
    question: SearchQuestion,
    library: Library,
    limits: Mapping[str, float] | None = None,
    attempts: int = 3,
    shows_status: bool = False,
) -> tuple[dict[str, Any], ScriptedModel]:
    model = ScriptedModel(answers)
    rollout = begun(model, question, library, limits)
    options = ScalingOptions(attempts, 3, shows_status)
    log = record(0, SCALINGS[strategy](rollout, options), None)
    assert len(model.requests) == len(answers) == len(log["turns"])
    return log, model


def test_sequential_attempts_see_what_was_tried(question: SearchQuestion, library: Library) -> None:
    right = question.answers[0]
    answers = [search("Heron Bridge"), finish("1700"), finish(right), finish(f"{right}.")]
    log, model = played("sequential", answers, question, library)
    assert [len(messages) for messages in model.requests] == [2, 4, 6, 8]
    assert {turn["context"] for turn in log["turns"]} == {"attempts"}
    assert "You answered: 1700." in model.told[2]
    assert question.text in model.told[2]
    assert (log["answer"], log["rollout_success"]) == (right, True)
    assert log["strategy"] == {
        "name": "sequential",
        "attempts": 3,
        "ended_by": "attempts",
        "proposals": [
            {"answer": "1700", "attempt": 1},
            {"answer": right, "attempt": 2},
            {"answer": f"{right}.", "attempt": 3},
        ],
        "chosen_by": "majority",
    }
    assert actions(log) == ["search[Heron Bridge]", f"finish[{right}]"]


def test_an_attempt_without_an_answer_is_followed_by_another(
    question: SearchQuestion, library: Library
) -> None:
    answers = ["?", "?", search("Heron Bridge"), finish("1700")]
    log, model = played("sequential", answers, question, library, attempts=2)
    assert model.told[3].startswith("Search results for 'Heron Bridge'")
    assert "This attempt ended without an answer" in model.told[3]
    assert log["answer"] == "1700"


def test_parallel_attempts_know_nothing_of_each_other(
    question: SearchQuestion, library: Library
) -> None:
    answers = [search("Heron Bridge"), finish("1700"), finish("1701"), finish("1702")]
    log, model = played("parallel", answers, question, library)
    assert [len(messages) for messages in model.requests] == [2, 4, 2, 2]
    contexts = [turn["context"] for turn in log["turns"]]
    assert contexts == ["attempt-1", "attempt-1", "attempt-2", "attempt-3"]
    assert model.requests[0] == model.requests[2] == model.requests[3]
    assert log["answer"] == "1700", "of equal ones the first"


def test_parallel_attempts_have_equal_shares_of_the_searches(
    question: SearchQuestion, library: Library
) -> None:
    limits = {"tokens": 1e6, "search": 3}
    answers = [
        *(search("a bridge"), search("a mill"), search("a ship")),
        *(search("a bridge"), search("a mill"), finish("1700")),
    ]
    log, model = played("parallel", answers, question, library, limits, attempts=2)
    made = [action for action in actions(log) if action.startswith("search")]
    assert made == ["search[a bridge]", "search[a mill]", "search[a bridge]"]
    assert "No search was made" in model.told[5]
    assert log["answer"] == "1700"


@pytest.mark.parametrize("strategy", SCALINGS)
def test_no_attempt_begins_without_a_search_left(
    strategy: str, question: SearchQuestion, library: Library
) -> None:
    answers = [search("a bridge"), finish("1700")]
    log, _ = played(strategy, answers, question, library, {"search": 1})
    assert (log["strategy"]["attempts"], log["strategy"]["ended_by"]) == (1, "budget")
    assert log["answer"] == "1700"


@pytest.mark.parametrize("strategy", SCALINGS)
def test_without_a_budget_only_the_attempts_end_it(
    strategy: str, question: SearchQuestion, library: Library
) -> None:
    log, model = played(strategy, [finish("1")] * 3, question, library, {}, shows_status=True)
    assert log["strategy"]["attempts"] == 3
    assert model.told[0] == begun(model, question, library).environment.start()


@pytest.mark.parametrize("strategy", SCALINGS)
def test_the_status_is_shown_where_it_is_wanted(
    strategy: str, question: SearchQuestion, library: Library
) -> None:
    for shows in (True, False):
        _, model = played(
            strategy, [finish("1")], question, library, attempts=1, shows_status=shows
        )
        assert (SharedBudget({"tokens": 1e6, "search": 100}).status in model.told[0]) is shows


@pytest.mark.parametrize("strategy", SCALINGS)
def test_a_response_beyond_the_budget_is_not_used(
    strategy: str, question: SearchQuestion, library: Library
) -> None:
    for answer in (finish("1700"), search("a bridge")):
        log, _ = played(strategy, [answer], question, library, {"tokens": 10})
        assert (log["answer"], log["rollout_success"], actions(log)) == (None, False, [])
        assert log["strategy"]["chosen_by"] == "nothing to choose from"
        assert log["strategy"]["ended_by"] == "budget"


def test_shares_are_whole_searches_that_add_up() -> None:
    for limit in range(9):
        budget = SharedBudget({"search": limit, "tokens": 90})
        granted = []
        for place in range(4):
            budget.grant_share(place, 4)
            granted.append(budget.left("search"))
            assert budget.left("tokens") == 22.5
        assert sum(granted) == limit
        assert max(granted) - min(granted) <= 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello\n=== a ===\nx", "expected a header on its first line"),
        ("=== a ===\nx\n=== a ===\ny", "and each part once"),
    ],
)
def test_a_file_of_prompts_is_checked(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "prompts.txt").write_text(text)
    with pytest.raises(TemplateError, match=message):
        read_prompt_parts(tmp_path / "prompts.txt")


def test_a_part_must_be_there_and_use_its_fields(tmp_path: Path) -> None:
    (tmp_path / "prompts.txt").write_text("=== a ===\nsay {word}\n")
    parts = read_prompt_parts(tmp_path / "prompts.txt")
    assert parts.text("a", word="{braces}") == "say {braces}"
    assert parts.sha256 == hashlib.sha256(b"=== a ===\nsay {word}\n").hexdigest()
    with pytest.raises(TemplateError, match="has no part '=== b ==='"):
        parts.text("b")
    with pytest.raises(TemplateError, match="leaves out"):
        parts.text("a", word="x", other="y")
