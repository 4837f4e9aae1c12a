"""The strategies, whatever a model says and however small the budget is."""

from collections.abc import Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from collect.dialogue_layout import record
from collect.play import Played
from collect.searchr1.bats.bats_agent import play_bats
from collect.searchr1.bats.bats_run import BatsOptions
from collect.searchr1.question_file import SearchQuestion
from collect.searchr1.retrieval import Library
from collect.searchr1.scaled_rollout import ScaledRollout
from collect.searchr1.scaling import SCALINGS, ScalingOptions
from tests.collect.searchr1.scripted_model import (
    ScriptedModel,
    actions,
    begun,
    check,
    finish,
    search,
)

ATTEMPTS, TURNS = 3, 4
PLAN = "[ ] 1 explore: a"
said = st.sampled_from(
    [
        *(search("river"), search("mill", PLAN), search("", "[ ] 1.1 explore: b"), search("a]b[c")),
        *(finish("1844"), finish("the 1844"), finish("Oskel", PLAN), finish("search[x] </think>")),
        check("SUCCESS", "satisfied"),
        check("SUCCESS", "unverified"),
        check("CONTINUE", "unverified", summary="so far"),
        check("PIVOT", "contradicted"),
        *(
            "<choice>1</choice>",
            "<choice>9</choice>",
            "",
            "  ",
            "?",
            "</think>",
            "<answer></answer>",
        ),
        "<plan></plan><answer>finish[<answer>finish[1844]</answer>",
        "<ANSWER>FINISH[a] and search[b]</ANSWER>",
        finish("1844]" + " " * 30 + "search[b"),
    ]
)
limits = st.fixed_dictionaries(
    {}, optional={"tokens": st.integers(1, 3_000), "search": st.integers(1, 6)}
)


def bats(rollout: ScaledRollout) -> Played:
    return play_bats(rollout, BatsOptions(ATTEMPTS, TURNS, len))


def scaled(strategy: str) -> Callable[[ScaledRollout], Played]:
    return lambda rollout: SCALINGS[strategy](rollout, ScalingOptions(ATTEMPTS, TURNS, False))


def fresh(log: dict[str, Any]) -> int:
    """Fresh tokens of every request, those with an empty response too."""
    replayed: dict[str, int] = {}
    total = 0
    for turn in log["turns"]:
        before = replayed.get(turn["context"], 0)
        total += max(0, turn["api_input_tokens"] - before) + turn["api_output_tokens"]
        replayed[turn["context"]] = turn["api_input_tokens"] + turn["api_output_tokens"]
    return total


@given(
    play=st.sampled_from([bats, *map(scaled, SCALINGS)]),
    answers=st.lists(said, min_size=64, max_size=64),
    budget=limits,
)
def test_a_rollout_ends_within_its_budget_and_loses_no_request(
    play: Callable[[ScaledRollout], Played],
    answers: list[str],
    budget: dict[str, float],
    questions: tuple[SearchQuestion, ...],
    library: Library,
) -> None:
    if play is bats:
        budget = budget or {"search": 2}
    model = ScriptedModel(answers)
    log = record(0, play(begun(model, questions[0], library, budget)), None)
    turns = log["turns"]
    assert len(turns) == len(model.requests) <= ATTEMPTS * TURNS * 2 + 1
    searches = [action for action in actions(log) if action.startswith("search[")]
    assert len(searches) <= budget.get("search", len(searches))
    if budget:
        spent = {"tokens": fresh(log), "search": len(searches)}
        assert log["used"] == {name: spent[name] for name in budget}
    if "tokens" in budget:
        assert fresh({"turns": turns[:-1]}) < budget["tokens"]
    final = [action for action in actions(log) if action.startswith("finish[")]
    assert final == ([] if log["answer"] is None else [f"finish[{log['answer']}]"])
    assert log["rollout_success"] == log["exact_match"]
    proposed = {each["answer"] for each in log["strategy"]["proposals"]}
    assert log["answer"] is None or log["answer"] in proposed
    assert (log["answer"] is None) == (not proposed)
    for turn, request in zip(turns, model.requests, strict=True):
        assert turn["context"]
        assert turn["messages"] == request[-1 if len(request) > 2 else 0 :]


@given(
    play=st.sampled_from([bats, *map(scaled, SCALINGS)]), empty=st.sampled_from(["", " ", "\n\n"])
)
def test_empty_responses_use_up_a_budget(
    play: Callable[[ScaledRollout], Played],
    empty: str,
    questions: tuple[SearchQuestion, ...],
    library: Library,
) -> None:
    model = ScriptedModel([empty] * 64)
    log = record(0, play(begun(model, questions[0], library, {"tokens": 400})), None)
    assert fresh({"turns": log["turns"][:-1]}) < 400
    assert log["used"] == {"tokens": fresh(log)}
    assert len(model.requests) < 5
