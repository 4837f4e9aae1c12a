"""The agent of BATS, with a model that follows a script."""

import re
from collections.abc import Mapping
from typing import Any

import pytest

from collect.dialogue_layout import record
from collect.searchr1.bats.answer_choice import CheckedProposal
from collect.searchr1.bats.bats_agent import play_bats
from collect.searchr1.bats.bats_run import JUDGE_TOKENS, PROMPTS, BatsOptions, BatsRun
from collect.searchr1.bats.verification import Verdict, Verification
from collect.searchr1.prompt_parts import read_prompt_parts
from collect.searchr1.question_file import SearchQuestion
from collect.searchr1.retrieval import Library
from collect.searchr1.scaled_rollout import ProposedAnswer
from tests.collect.searchr1.scripted_model import (
    ScriptedModel,
    actions,
    begun,
    check,
    finish,
    search,
)

PLAN = "[ ] 1 explore: the bridge\n[ ] 2 verify: the year"
SATISFIED = check("SUCCESS", "satisfied")


@pytest.fixture
def question(questions: tuple[SearchQuestion, ...]) -> SearchQuestion:
    return next(each for each in questions if "Heron Bridge" in each.text)


def played(
    answers: list[str],
    question: SearchQuestion,
    library: Library,
    limits: Mapping[str, float] | None = None,
    attempts: int = 1,
    turns: int = 10,
) -> tuple[dict[str, Any], ScriptedModel]:
    """A recorded rollout, which asks for all answers and no more."""
    model = ScriptedModel(answers)
    rollout = begun(model, question, library, limits)
    log = record(0, play_bats(rollout, BatsOptions(attempts, turns, len)), None)
    assert len(model.requests) == len(answers) == len(log["turns"])
    return log, model


def test_a_confirmed_answer_ends_the_attempt_and_is_given(
    question: SearchQuestion, library: Library
) -> None:
    right = question.answers[0]
    log, model = played([search("Heron Bridge", PLAN), finish(right), SATISFIED], question, library)
    assert actions(log) == ["search[Heron Bridge]", f"finish[{right}]"]
    requests = [turn["strategy"]["request"] for turn in log["turns"]]
    assert requests == ["act", "act", "verify"]
    assert log["turns"][1]["strategy"]["outcome"] == "proposed"
    assert log["rollout_success"]
    assert (log["answer"], log["exact_match"]) == (right, True)
    assert [turn["context"] for turn in log["turns"]] == ["attempt-1"] * 3
    assert [len(messages) for messages in model.requests] == [2, 4, 6], "one conversation"
    assert [len(turn["messages"]) for turn in log["turns"]] == [2, 1, 1]
    strategy = log["strategy"]
    assert (strategy["attempts"], strategy["chosen_by"]) == (1, "nothing else to choose from")
    assert strategy["proposals"][0]["verdict"] == "SUCCESS"
    assert not any(strategy["malformed"].values())


def test_a_summary_replaces_the_history_after_continue_and_pivot(
    question: SearchQuestion, library: Library
) -> None:
    log, model = played(
        [
            search("Heron Bridge", PLAN),
            finish("1700", "[~] 1 explore: the bridge"),
            check("CONTINUE", "satisfied", "unverified", summary="Its builder is known."),
            finish("1701"),
            check("PIVOT", "contradicted", summary="1701 is wrong."),
            finish("1702"),
            SATISFIED,
        ],
        question,
        library,
    )
    contexts = [turn["context"] for turn in log["turns"]]
    assert contexts == [
        *(["attempt-1"] * 3 + ["attempt-1.2"] * 2 + ["attempt-1.3"] * 2),
    ]
    assert [len(messages) for messages in model.requests] == [2, 4, 6, 2, 4, 2, 4]
    gone_on, turned = model.told[3], model.told[5]
    assert "Its builder is known." in gone_on
    assert "nothing speaks against it" in gone_on
    assert "[unverified] constraint 2" in gone_on
    assert "constraint 1" not in gone_on
    assert "[~] 1 explore: the bridge\n[ ] 2 verify: the year" in gone_on
    assert "1701 is wrong." in turned
    assert "Follow another branch" in turned
    assert "Its builder is known." not in turned
    verdicts = [each["verdict"] for each in log["strategy"]["proposals"]]
    assert verdicts == ["CONTINUE", "PIVOT", "SUCCESS"]
    assert log["answer"] == "1702"
    assert not log["rollout_success"]


def test_a_judge_chooses_among_confirmed_answers(
    question: SearchQuestion, library: Library
) -> None:
    right = question.answers[0]
    answers = [
        *(finish("1700", PLAN), SATISFIED),
        *(finish(right, PLAN), SATISFIED),
        "<think>The second.</think><choice>2</choice>",
    ]
    log, model = played(answers, question, library, attempts=2)
    assert actions(log) == [f"finish[{right}]"]
    assert log["rollout_success"]
    assert log["strategy"]["chosen_by"] == "judge"
    assert log["turns"][-1]["context"] == "judge"
    judged = {"request": "judge", "answer": right, "choice_problem": ""}
    assert log["turns"][-1]["strategy"] == judged
    assert "Answer 1: 1700" in model.told[-1]
    assert f"Answer 2: {right}" in model.told[-1]
    assert model.requests[2][1]["content"] == model.requests[0][1]["content"].replace(
        model.told[0], model.told[2]
    ), "a further attempt begins anew"


def test_answers_that_are_alike_need_no_judge(question: SearchQuestion, library: Library) -> None:
    answers = [finish("1700", PLAN), SATISFIED, finish("1700.", PLAN), SATISFIED]
    log, _ = played(answers, question, library, attempts=2)
    assert log["strategy"]["chosen_by"] == "nothing else to choose from"
    assert log["answer"] == "1700"


def test_what_cannot_be_read_is_counted_and_goes_on(
    question: SearchQuestion, library: Library
) -> None:
    answers = [
        search("Heron Bridge"),
        search("bridge", "1 look"),
        finish("1700", PLAN),
        "It is right.",
        "I do not know.",
        finish("1701"),
        SATISFIED,
        finish("1702", PLAN),
        SATISFIED,
        "The first.",
    ]
    log, model = played(answers, question, library, attempts=2)
    assert log["strategy"]["malformed"] == {"plan": 2, "check": 1, "summary": 1, "choice": 1}
    assert "could not be read: there is no <plan>" in model.told[1]
    assert "could not be read: '1 look' is not a step" in model.told[2]
    assert log["turns"][3]["strategy"]["verdict"] == "CONTINUE"
    assert "Searches so far: Heron Bridge; bridge. Proposed answer: 1700." in model.told[4]
    assert log["strategy"]["chosen_by"] == "most proposals"
    assert log["answer"] == "1701"
    problems = [turn["strategy"].get("check_problem") for turn in log["turns"]]
    assert problems[3] == "has no <checks>...</checks>"


def test_no_search_is_made_beyond_its_budget(question: SearchQuestion, library: Library) -> None:
    limits = {"tokens": 1e6, "search": 1}
    log, model = played(
        [search("a river", PLAN), search("a mill"), search("a town")], question, library, limits, 3
    )
    assert [action for action in actions(log) if action.startswith("search")] == ["search[a river]"]
    assert "No search was made" in model.told[2]
    assert log["strategy"]["ended_by"] == "budget"
    assert (log["answer"], log["rollout_success"]) == (None, False)

    log, _ = played(
        [search("a river", PLAN), finish("1"), check("CONTINUE", "unverified")],
        question,
        library,
        limits,
        3,
    )
    assert log["answer"] == "1", "nothing can be looked into without a search"


def test_an_attempt_ends_after_its_turns(question: SearchQuestion, library: Library) -> None:
    answers = [search("a", PLAN), "?", search("a", PLAN), "?"]
    log, _ = played(answers, question, library, attempts=2, turns=2)
    assert (log["strategy"]["ended_by"], log["strategy"]["attempts"]) == ("attempts", 2)
    assert log["strategy"]["chosen_by"] == "nothing to choose from"


def test_the_level_of_the_budget_decides_how_many_branches(
    question: SearchQuestion, library: Library
) -> None:
    plan = "\n".join(f"[ ] {number} explore: the bridge" for number in range(1, 5))
    searches = [search(f"bridge {number}") for number in range(9)]
    limits = {"tokens": 1e6, "search": 10}
    log, model = played(
        [search("bridge", plan), *searches], question, library, limits, attempts=2, turns=10
    )
    levels = [turn["strategy"]["level"] for turn in log["turns"]]
    assert levels == ["plenty"] * 5 + ["half"] * 3 + ["low"] * 2
    allowed = [re.search(r"to follow: (?:at most )?(\d)", prompt) for prompt in model.told]
    assert [int(match[1]) for match in allowed if match] == [3] * 5 + [2] * 3 + [1] * 2
    assert all("has 4 open branches" in prompt for prompt in model.told[1:])
    assert log["strategy"]["attempts"] == 1, "no attempt begins without anything left"


def test_a_response_beyond_the_budget_is_not_used(
    question: SearchQuestion, library: Library
) -> None:
    log, _ = played([finish("1700", PLAN)], question, library, {"tokens": 1})
    assert (log["answer"], log["strategy"]["proposals"], actions(log)) == (None, [], [])
    assert log["turns"][0]["strategy"]["outcome"] == "over budget"


def test_every_part_of_the_prompts_is_used() -> None:
    parts = read_prompt_parts(PROMPTS).parts
    assert set(parts) == {
        *("system", "plenty", "half", "low", "critical", "usedup", "toomany", "start"),
        *(
            "observation",
            "unreadable",
            "spent",
            "verify",
            "resumed",
            "continue",
            "pivot",
            "nosummary",
        ),
        *("judge", "candidates", "candidate"),
    }


@pytest.mark.parametrize(
    ("checked", "tokens", "is_over"),
    [
        ((("1844", "SUCCESS"), ("1874", "SUCCESS")), JUDGE_TOKENS - 1, True),
        ((("1844", "SUCCESS"), ("1874", "SUCCESS")), JUDGE_TOKENS, False),
        ((("1844", "SUCCESS"), ("the 1844", "SUCCESS")), 1, False),
        ((("1844", "SUCCESS"), ("1874", "CONTINUE")), 1, False),
        ((("1844", "CONTINUE"), ("1874", "CONTINUE")), 1, False),
    ],
)
def test_tokens_are_kept_for_a_judge_where_one_is_needed(
    checked: tuple[tuple[str, Verdict], ...],
    tokens: int,
    is_over: bool,
    question: SearchQuestion,
    library: Library,
) -> None:
    """A judge is asked of several confirmed answers; of others the search goes on."""
    rollout = begun(ScriptedModel([]), question, library, {"tokens": tokens})
    run = BatsRun(rollout, BatsOptions(1, 1, lambda _: 0))
    run.checked += [
        CheckedProposal(ProposedAnswer(answer, 1), Verification(verdict))
        for answer, verdict in checked
    ]
    assert run.is_over == is_over
