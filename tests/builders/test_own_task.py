"""A task of your own is three new files and no edit elsewhere, as CONTRIBUTING.md shows."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from bagen_data.budgets import family_median
from bagen_data.prompts import load_prompt
from bagen_data.schema import TOKENS, Resource
from builders.logs.turn_readers import logged_amounts, together, token_turns, turn_count
from builders.tasks import Task
from tests.making import dialogue, write_json
from tests.recipes import check_in, clone_with, recipe_files, run_in

STEPS = Resource("steps", "steps")
OWN_TASK = """
from functools import partial

from bagen_data.budgets import family_median
from bagen_data.schema import Resource
from builders.logs.turn_readers import {reader}
from builders.tasks import Task

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
        "builders/tasks/chess.py",
        "tests/builders/tasks/test_chess.py",
    ]
    clone = clone_with(tmp_path / "clone", files)
    write_json(clone / "origin" / "chess-origin-m" / "a.json", [dialogue(name="e4")])
    build_in(clone, "out")
    check_in(clone, "tests/builders/tasks/test_chess.py", "tests/bagen_data/test_prompts.py")
    table = pq.read_table(clone / "out/data/chess/test-m.parquet")
    assert table["sample_id"][0].as_py().startswith("chess/m/")
    assert table["resources"][0].as_py()[0]["budget"] == 4_000


def test_a_task_may_bear_a_modules_name_and_spend_what_the_log_states(tmp_path: Path) -> None:
    names = ("plan", "record", "samples", "verify")
    prompt = recipe_files("A task of your own")["bagen_data/prompts/chess.txt"]
    files = {f"bagen_data/prompts/{name}.txt": prompt for name in names}
    for name in names:
        reader = "turn_count" if name == "plan" else "logged_amounts"
        files[f"builders/tasks/{name}.py"] = f'"""A task."""\n{OWN_TASK.format(reader=reader)}'
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
        "builders/tasks/maze.py": f'"""A task."""\n{OWN_TASK.format(reader="logged_amounts")}',
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


def test_the_benchmarks_own_prompts_are_found() -> None:
    assert load_prompt("sokoban", "think").task == "sokoban"
