"""A task of your own is three new files and no edit elsewhere, as CONTRIBUTING.md shows."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bagen_data.budgets import family_median
from bagen_data.errors import InputError, RolloutError
from bagen_data.logs.rollout_log import Log, LoggedTurn
from bagen_data.logs.turn_readers import (
    Counting,
    kept_turns,
    logged_amounts,
    together,
    token_turns,
    turn_count,
)
from bagen_data.prompts import load_prompt
from bagen_data.replay import replay
from bagen_data.schema import TOKENS, Budget, Resource, Rollout, Turn
from bagen_data.tasks import Task
from tests.making import chat, dialogue, read, token_turn, write_json, write_lines
from tests.recipes import check_in, clone_with, python_in, recipe_files, run_in

STEPS = Resource("steps", "steps")
OWN_TASK = """
from functools import partial

from bagen_data.budgets import family_median
from bagen_data.schema import Resource
from bagen_data.logs.turn_readers import {reader}
from bagen_data.tasks import Task

TASK = Task(
    resources=(Resource("steps", "steps"),),
    budgets=partial(family_median, resource="steps"),
    turns={reader}("steps"),
)
"""


def build_in(clone: Path, out: str) -> None:
    run_in(clone, "-m", "builders", "build", "--origin", "origin", "--out", out)
    run_in(clone, "-m", "builders", "verify", out)


def test_three_files_make_a_task(tmp_path: Path) -> None:
    files = recipe_files("A task of your own")
    assert sorted(files) == [
        "bagen_data/prompts/chess.txt",
        "bagen_data/tasks/chess.py",
        "tests/bagen_data/tasks/test_chess.py",
    ]
    clone = clone_with(tmp_path / "clone", files)
    write_json(clone / "origin" / "chess-origin-m" / "a.json", [dialogue(name="e4")])
    build_in(clone, "out")
    check_in(clone, "tests/bagen_data/tasks/test_chess.py", "tests/bagen_data/test_prompts.py")
    table = pq.read_table(clone / "out/data/chess/test-m.parquet")
    assert table["sample_id"][0].as_py().startswith("chess/m/")
    assert table["resources"][0].as_py()[0]["budget"] == 4_000


def test_a_task_may_bear_a_modules_name_and_spend_what_the_log_states(tmp_path: Path) -> None:
    names = ("plan", "record", "samples", "verify")
    prompt = recipe_files("A task of your own")["bagen_data/prompts/chess.txt"]
    files = {f"bagen_data/prompts/{name}.txt": prompt for name in names}
    for name in names:
        reader = "turn_count" if name == "plan" else "logged_amounts"
        files[f"bagen_data/tasks/{name}.py"] = f'"""A task."""\n{OWN_TASK.format(reader=reader)}'
    clone = clone_with(tmp_path / "clone", files)
    for name in names:
        rollouts = [dialogue([(3, 4)] * turns, name=f"r{turns}") for turns in (2, 3, 4)]
        for rollout in rollouts:
            for turn in rollout["turns"]:
                del turn["api_input_tokens"], turn["api_output_tokens"]
                turn["steps"] = 2.5
        write_json(clone / "origin" / f"{name}-origin-m" / "a.json", rollouts)
    build_in(clone, "out")
    for name in names:
        rows = pq.read_table(clone / f"out/data/{name}/test-m.parquet").to_pylist()
        each = 1 if name == "plan" else 2.5
        assert {row["resources"][0]["budget"] for row in rows} == {3 * each}
        assert [row["resources"][0]["remaining"] for row in rows if row["total_turns"] == 4] == [
            3 * each,
            2 * each,
            1 * each,
        ]
    answered = ("predict", "baseline", "conformal", "--cross-validate", "--config", "record")
    run_in(clone, "-m", "bagen_data", *answered, "--dataset", "out", "--out", "answers")
    run_in(clone, "-m", "bagen_data", "score", "answers", "--dataset", "out", "--config", "record")


def test_a_turn_without_its_number_is_refused_by_name(tmp_path: Path) -> None:
    files = {
        "bagen_data/prompts/maze.txt": recipe_files("A task of your own")[
            "bagen_data/prompts/chess.txt"
        ],
        "bagen_data/tasks/maze.py": f'"""A task."""\n{OWN_TASK.format(reader="logged_amounts")}',
    }
    clone = clone_with(tmp_path / "clone", files)
    write_json(clone / "origin" / "maze-origin-m" / "a.json", [dialogue(name="a")])
    with pytest.raises(AssertionError) as failure:
        build_in(clone, "out")
    message = " ".join(str(failure.value).split())
    assert "turn 1 states no steps; expected a number >= 0 with each turn" in message
    assert "--tokenizer" not in message


def test_a_task_that_its_reader_cannot_serve_fails_when_it_is_made() -> None:
    def budgets(rollouts):
        return family_median(rollouts, "steps")

    with pytest.raises(ValueError, match="spends steps, and its turn reader supplies tokens"):
        Task(resources=(STEPS,), budgets=budgets)
    with pytest.raises(ValueError, match="each once"):
        Task(resources=(TOKENS, TOKENS), budgets=budgets)
    for reader in (logged_amounts("steps"), turn_count("steps")):
        assert Task(resources=(STEPS,), budgets=budgets, turns=reader)
        both = together(token_turns, reader)
        assert Task(resources=(TOKENS, STEPS), budgets=budgets, turns=both)


def test_readers_that_cannot_be_right_fail_when_they_are_made() -> None:
    with pytest.raises(ValueError, match="two turn readers supply steps"):
        together(turn_count("steps"), logged_amounts("steps"))
    with pytest.raises(ValueError, match="supplies no resource"):
        together()
    for make in (logged_amounts, turn_count):
        with pytest.raises(ValueError, match="which token_turns reads"):
            make("tokens")


@pytest.mark.parametrize("name", ["tool-calls", "Steps", "tool calls", ""])
def test_a_resource_that_no_answer_can_name_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="expected a lower-case letter"):
        Task(resources=(Resource(name, "calls"),), budgets=list, turns=turn_count(name))


def test_a_prompt_shows_what_each_turn_spent_of_every_resource() -> None:
    turns = tuple(
        Turn(f"look {k}", f"go {k}", {**token_turn(30, 50).usage, "calls": k}) for k in (1, 2)
    )
    recorded = Rollout("sokoban", "m", "r", "i", "", turns, success=True)
    budget = Budget({"tokens": 900, "calls": 9})
    ((probe, _),) = replay(recorded, budget, [2])
    question = load_prompt("sokoban", "interval_think").question(probe)
    assert "turn 2: input 30, output 50, total 80, calls 2" in question


def test_an_empty_turn_that_spent_something_refuses_its_rollout() -> None:
    log = Log(
        (
            LoggedTurn(1, "look", "go", None, amounts={"steps": 3}),
            LoggedTurn(2, "look", "", None, amounts={"steps": 50}),
            LoggedTurn(3, "look", "go", None, amounts={"steps": 3}),
        ),
        success=True,
    )
    with pytest.raises(RolloutError, match="turn 2 has no response and states steps 50"):
        logged_amounts("steps").read(log, kept_turns(log, None), Counting())


@pytest.mark.parametrize("value", ["3", True, -1, float("nan"), [1]])
def test_an_amount_that_is_not_one_is_shown(value: object) -> None:
    log = Log((LoggedTurn(1, "look", "go", None, amounts={"steps": value}),), success=True)
    with pytest.raises(RolloutError, match=r"turn 1: steps is .*; expected a number >= 0"):
        logged_amounts("steps").read(log, kept_turns(log, None), Counting())


def test_texts_beside_a_message_neither_name_a_rollout_nor_count_as_its_size(
    tmp_path: Path,
) -> None:
    """Clients write ids and reasoning of their own into messages; two copies stay one rollout."""
    rollouts = [chat(["look", "go", "look", "go"], per_turn_api_tokens=[[9, 1], [19, 1]])] * 2
    rollouts = json.loads(json.dumps(rollouts))
    for number, rollout in enumerate(rollouts):
        rollout["messages"][1] |= {"id": f"msg_{number}", "reasoning_content": "hm" * 1_500_000}
    write_lines(tmp_path / "sokoban-origin-m" / "a.jsonl", rollouts)
    index = read(tmp_path / "sokoban-origin-m")
    assert (len(index.entries), index.duplicates, index.refused) == (1, 1, [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has no attribute 'TASK'"),
        ("TASK = 3", "TASK is int; expected Task"),
        ("import nowhere", "No module named 'nowhere'"),
    ],
)
def test_a_task_file_that_cannot_be_used_is_one_message(
    tmp_path: Path, text: str, problem: str
) -> None:
    prompt = recipe_files("A task of your own")["bagen_data/prompts/chess.txt"]
    files = {"bagen_data/prompts/maze.txt": prompt, "bagen_data/tasks/maze.py": text}
    clone = clone_with(tmp_path / "clone", files)
    write_json(clone / "origin" / "maze-origin-m" / "a.json", [dialogue(name="a")])
    built = python_in(clone, "-m", "builders", "build", "--origin", "origin", "--out", "out")
    assert built.returncode == 1
    assert "bagen_data/tasks/maze.py: " in built.stderr
    assert problem in built.stderr
    assert "Traceback" not in built.stderr
