"""Rollouts with a budget: what it ends, what the agent sees of it, and what a build makes of it."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.log_formats import dialogues
from bagen_data.logs.rollout_log import FamilyFacts
from bagen_data.logs.turn_readers import token_turns
from bagen_data.usage import words_and_marks
from collect.agents import ScriptedAgent
from collect.budget_options import BudgetOptions
from collect.counted_turns import counted_turns
from collect.dialogue_layout import record
from collect.journal import NAME
from collect.play import play
from collect.run_budget import run_budget
from collect.searchr1.search_game import searchr1
from tests.making import (
    REPO,
    SAMPLE,
    build,
    build_record,
    collect,
    contents,
    exit_code,
    rows_of,
    run,
)
from tests.making import collect_main as collect_command

SEARCH = REPO / "sample" / "search"
LIMITS = {
    "sokoban": "tokens=900",
    "searchr1": "tokens=1200,search=3",
    "warehouse": "tokens=4700,cumulative_cost_usd=900000",
}


def family(folder: Path, task: str, *more: object, rollouts: int = 16, seed: int = 3) -> Path:
    out = folder / f"{task}-origin-scripted"
    options = ("--agent", "scripted", "--rollouts", rollouts, "--seed", seed)
    assert collect(task, *options, "--out", out, *more) == 0
    return out


def rollouts_of(out: Path) -> list[dict[str, Any]]:
    (path,) = out.glob("*_eval_estimation_dialogues.json")
    dialogues: list[dict[str, Any]] = json.loads(path.read_bytes())
    return dialogues


def searches(rollout: dict[str, Any]) -> int:
    actions = [action for turn in rollout["turns"] for action in turn["actions"]]
    return sum(action.startswith("search[") for action in actions)


@pytest.mark.parametrize("task", LIMITS)
def test_a_rollout_ends_where_it_would_pass_a_limit_and_has_failed(tmp_path, task):
    free = {each["env_id"]: each for each in rollouts_of(family(tmp_path / "free", task))}
    out = family(tmp_path / "capped", task, "--budget", LIMITS[task])
    limits = BudgetOptions(budget=LIMITS[task]).limits
    kinds = Counter()
    for rollout in rollouts_of(out):
        whole = free[rollout["env_id"]]
        turns = len(rollout["turns"])
        kinds[rollout["stopped_by"]] += 1
        over = [name for name, limit in limits.items() if rollout["used"][name] > limit]
        if rollout["stopped_by"] is None:
            assert rollout["turns"] == whole["turns"]
            assert rollout["rollout_success"] == whole["rollout_success"]
            assert not (over and rollout["rollout_success"])
        else:
            assert rollout["stopped_by"] == "budget"
            assert not rollout["rollout_success"]
            assert not rollout.get("success", False)
            assert rollout["turns"][:-1] == whole["turns"][: turns - 1]
            assert (
                rollout["turns"][-1]["parsed_response"]
                == (whole["turns"][turns - 1]["parsed_response"])
            )
            assert "its last turn takes it to" in rollout["stopped_because"]
            for name in over:
                assert name in rollout["stopped_because"]
        assert all("tokens:" not in turn["user_prompt"] for turn in rollout["turns"])
    assert min(kinds[None], kinds["budget"]) >= 3


def test_no_rollout_executes_more_searches_than_it_may(tmp_path):
    out = family(tmp_path, "searchr1", "--budget", "search=3")
    kinds = Counter()
    for rollout in rollouts_of(out):
        assert searches(rollout) == rollout["used"]["search"] <= 3
        kinds[rollout["stopped_by"]] += 1
        if rollout["stopped_by"]:
            assert searches(rollout) == 3
            assert "search[" in rollout["turns"][-1]["parsed_response"]
            assert rollout["turns"][-1]["actions"] == []
    assert min(kinds[None], kinds["budget"]) >= 3


@pytest.mark.parametrize("task", LIMITS)
def test_the_tokens_of_a_rollout_that_is_not_stopped_are_those_of_a_build(tmp_path, task):
    out = family(tmp_path / "origin", task, "--budget", "tokens=100000")
    used = [rollout["used"]["tokens"] for rollout in rollouts_of(out)]
    assert all(rollout["stopped_by"] is None for rollout in rollouts_of(out))
    shutil.copytree(out, tmp_path / "named" / "mine-origin-scripted")
    assert build(tmp_path / "named", tmp_path / "built", "--task", "mine") == 0
    (path,) = (tmp_path / "built" / "data" / "rollouts").glob("*.parquet")
    from pyarrow.parquet import read_table

    spent = []
    for row in read_table(path).to_pylist():
        usages = [{pair["name"]: pair["value"] for pair in turn["usage"]} for turn in row["turns"]]
        spent.append(sum(usage["tokens"] for usage in usages))
    if task != "sokoban":  # a build drops turns whose history was cut
        assert sorted(spent) == sorted(used)
    else:
        assert sum(map(min, sorted(spent), sorted(used))) == sum(spent)


@given(
    responses=st.lists(
        st.sampled_from(
            [
                "<answer>search[river]</answer>",
                "<think>" + "hm " * 300 + "</think><answer>search[bridge]</answer>",
                "<answer>search[]</answer>",
                "no action",
                "",
                " \n",
                "<answer>finish[no]</answer>",
            ]
        ),
        min_size=10,
        max_size=10,
    ),
    tokens=st.integers(1, 6_000),
    most=st.integers(1, 6),
)
def test_whatever_an_agent_says_a_cap_holds(responses, tokens, most):
    game = searchr1(SEARCH / "questions.jsonl", SEARCH / "corpus.jsonl", 0, 3)
    environment, said = game.environment(0, 0), iter(responses)
    budget = run_budget(BudgetOptions(budget=f"tokens={tokens},search={most}"), game)
    assert budget is not None
    guard = budget.guard("searchr1", environment, words_and_marks)
    agent = ScriptedAgent(lambda _: next(said), words_and_marks)
    kept = record(0, play(environment, agent, game.rules, words_and_marks, guard), "words")
    spent = [turn.usage["tokens"] for turn in counted_turns(kept, token_turns, words_and_marks)]
    assert kept["used"] == {"tokens": sum(spent), "search": searches(kept)}
    assert searches(kept) <= most
    assert len(spent) == len(kept["turns"]), "empty responses are paid for"
    assert sum(spent[:-1]) <= tokens
    if sum(spent) > tokens:
        assert kept["stopped_by"] == "budget"
        assert kept["turns"][-1]["actions"] == []
    if kept["stopped_by"] is None:
        assert len(kept["turns"]) == 10 or "finish[" in kept["turns"][-1]["parsed_response"]


def test_turns_after_a_cut_of_the_history_cost_their_message_and_their_response(tmp_path):
    """The input of a request without the oldest turns says nothing of what is new in it."""
    out = family(tmp_path, "sokoban", "--size", "8x8", "--boxes", "2", rollouts=24)
    cut = [
        rollout
        for rollout in rollouts_of(out)
        if any(turn.get("context_token_truncated") for turn in rollout["turns"])
    ]
    assert cut
    for rollout in cut:
        turns = counted_turns(rollout, token_turns, words_and_marks)
        assert len(turns) == len(rollout["turns"])
        system = words_and_marks(rollout["turns"][0]["messages"][0]["content"])
        texts = [(turn["user_prompt"], turn["parsed_response"]) for turn in rollout["turns"]]
        sizes = [words_and_marks(user) + words_and_marks(said) for user, said in texts]
        assert sum(turn.usage["tokens"] for turn in turns) == system + sum(sizes)


def test_the_status_block_is_part_of_the_message_that_the_log_and_the_prompts_keep(tmp_path):
    out = family(
        tmp_path / "origin", "searchr1", "--budget", "tokens=100000,search=20", "--tracker"
    )
    for rollout in rollouts_of(out):
        for number, turn in enumerate(rollout["turns"]):
            message = turn["messages"][-1]["content"]
            assert message == turn["user_prompt"]
            assert "tokens" in message.split("\n\n")[-1]
            assert "search" in message.split("\n\n")[-1]
            assert ("Question:" in message) == (number == 0)
    assert build(tmp_path / "origin", tmp_path / "built") == 0
    (row, *_) = rows_of(tmp_path / "built", "searchr1")
    users = [each["content"] for each in row["prompt"] if each["role"] == "user"]
    assert "search" in users[0].split("\n\n")[-1]


def test_a_budget_is_recorded_and_another_one_is_not_gone_on_with(tmp_path, capsys):
    out = family(tmp_path, "searchr1", "--budget", "tokens=1200", rollouts=4)
    assert "stopped: " in capsys.readouterr().out
    assert (
        "limits:\n      tokens: 1200\n    status block: false"
        in (out / "collection.yaml").read_text()
    )
    again = ("searchr1", "--agent", "scripted", "--rollouts", 8, "--seed", 3, "--out", out)
    for other, words in (
        ((), "budget (limits tokens=1200; status block False), not without"),
        (("--budget", "tokens=1300"), "budget limits tokens=1200, not tokens=1300"),
        (("--budget", "search=2"), "budget limits tokens=1200, not search=2"),
        (("--budget", "tokens=1200", "--tracker"), "budget status block False, not True"),
    ):
        assert collect(*again, "--resume", *other) == 2
        said = " ".join(capsys.readouterr().err.split())
        assert f"was begun with {words}; give what it was begun with" in said
    assert collect(*again, "--resume", "--budget", "tokens=1200") == 0
    whole = family(tmp_path / "whole", "searchr1", "--budget", "tokens=1200", rollouts=8)
    assert contents(out) == contents(whole)
    assert not (out / NAME).exists()


@pytest.mark.parametrize(
    ("task", "options", "words"),
    [
        ("swebench", ["--budget", "tokens=5"], "swebench is played by mini-swe-agent's own loop"),
        ("sokoban", ["--budget", "search=5"], "sokoban does not spend search; expected tokens"),
        ("warehouse", ["--budget", "weeks=5"], "expected tokens, time_weeks,"),
        ("sokoban", ["--tracker"], "--tracker: needs a budget"),
        ("sokoban", ["--stop-with", "x"], "--stop-with: needs a budget"),
        (
            "searchr1",
            ["--budget", "tokens=9", "--stop-with", "x"],
            "expected a folder that 'bagen fit'",
        ),
        ("searchr1", ["--budget", "tokens"], "expected RESOURCE=NUMBER with numbers above 0"),
        ("searchr1", ["--budget", "tokens=0"], "expected RESOURCE=NUMBER with numbers above 0"),
        ("searchr1", ["--budget", "tokens=1,tokens=2"], "tokens has two limits"),
    ],
)
def test_what_no_budget_can_be_is_refused_by_name(tmp_path, capsys, task, options, words):
    out = tmp_path / f"{task}-origin-scripted"
    assert collect(task, "--agent", "scripted", "--rollouts", 1, "--out", out, *options) == 2
    assert words in " ".join(capsys.readouterr().err.split())
    assert not out.exists()


def test_rollouts_with_a_budget_are_not_played_on(tmp_path, capsys):
    source = family(tmp_path / "source", "sokoban", "--budget", "tokens=900", rollouts=2)
    out = tmp_path / "sokoban-origin-scripted"
    on = ("--resume-from", f"{source}:0", "--turn", 1, "--continuations", 2)
    for more, words in (((), "was recorded with --budget"), (("--budget", "tokens=9"), "no use")):
        assert exit_code(
            collect_command, "sokoban", "--agent", "scripted", *on, "--out", out, *more
        ) in (1, 2)
        assert words in " ".join(capsys.readouterr().err.split())


def test_a_build_refuses_stopped_rollouts_by_name_and_the_rest_of_their_family(tmp_path, capsys):
    """Rollouts that a budget did not stop succeed more often than all would: no fair draw."""
    out = family(tmp_path / "origin", "searchr1", "--budget", "tokens=1200", seed=3)
    stopped = [rollout for rollout in rollouts_of(out) if rollout["stopped_by"]]
    assert 0 < len(stopped) < len(rollouts_of(out))
    assert build(tmp_path / "origin", tmp_path / "built") == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "was stopped by its budget in turn" in said
    assert f"{len(stopped)} rollouts of this family were stopped" in said
    assert "record the family without a budget" in said
    assert run("inspect", out) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert f"{len(stopped)} of them were stopped by a budget or a forecaster" in said


def test_labels_for_all_stopped_rollouts_make_a_family_whole_again(tmp_path):
    out = family(tmp_path / "origin", "searchr1", "--budget", "tokens=1200", seed=3)
    file = "searchr1_eval_estimation_dialogues.json"
    lines = [
        json.dumps({"rollout": f"{file}[{place}]", "success": False})
        for place, rollout in enumerate(rollouts_of(out))
        if rollout["stopped_by"]
    ]
    (out / "labels.jsonl").write_text("\n".join(lines) + "\n")
    assert build(tmp_path / "origin", tmp_path / "built", "--strict") == 0
    (record,) = build_record(tmp_path / "built")["families"]
    assert record["counts"]["rollouts"] + record["counts"]["duplicates"] == 16


def test_searches_can_be_counted_by_a_build_of_any_searching_family(tmp_path):
    source = SAMPLE / "searchr1-origin-scripted"
    shutil.copytree(source, tmp_path / "origin" / "mine-origin-scripted")
    options = ("--task", "mine", "--resources", "tokens,search")
    assert build(tmp_path / "origin", tmp_path / "built", *options) == 0
    made = [searches(rollout) for rollout in rollouts_of(source)]
    totals = {
        row["rollout_id"]: {each["resource"]: each["used"] + each["remaining"] for each in usage}
        for row in rows_of(tmp_path / "built", "mine")
        for usage in [row["resources"]]
    }
    assert sorted(total["search"] for total in totals.values()) == sorted(
        number
        for number, rollout in zip(made, rollouts_of(source), strict=True)
        if len(rollout["turns"]) > 1
    )


def test_actions_that_are_no_calls_are_not_counted():
    for task, known in (("searchr1", True), ("sokoban", False)):
        (rollout, *_) = rollouts_of(SAMPLE / f"{task}-origin-scripted")
        log = dialogues.read(rollout, FamilyFacts())
        acted = [turn.calls_by_tool for turn in log.turns if turn.acted]
        assert all((calls is not None) == known for calls in acted)
