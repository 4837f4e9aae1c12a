"""Prompts that hold only numbers, and models of a shape that a file says."""

from pathlib import Path
from typing import Any

import pytest
from transformers import AutoTokenizer

from bagen_data import load, parse
from bagen_data.errors import InputError, WrongUsageError
from tests.making import REPO
from train.data import DataOptions, rl_rows, sft_rows
from train.fitted_prompts import AS_BUILT, reworded
from train.number_prompts import numbers_only
from train.tiny_model import TinyShape, make, read_shape

SHAPE = REPO / "train" / "configs" / "numbers_model.yaml"
AMOUNTS = {"resource": "tokens", "used": 73.0, "budget": 900.0}


@pytest.fixture(scope="module")
def numbers(dataset: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the shape that the experiment has."""
    out = tmp_path_factory.mktemp("numbers") / "model"
    make(dataset, out, TinyShape(**read_shape(SHAPE)))
    return out


@pytest.fixture(scope="module")
def tokenizer(numbers: Path) -> Any:
    return AutoTokenizer.from_pretrained(numbers)


@pytest.mark.parametrize(
    ("turns", "changes", "text"),
    [
        (2, {}, "turn 2\ntokens used 73 left 827 mean 36"),
        (0, {}, "turn 0\ntokens used 73 left 827"),
        (1, {"used": 1000.5}, "turn 1\ntokens used 1000 over 100 mean 1000"),
        (4, {"resource": "cost_usd", "used": 0.5, "budget": 2.0}, None),
    ],
)
def test_a_prompt_of_numbers(turns: int, changes: dict[str, Any], text: str | None) -> None:
    row = {"completed_turns": turns, "resources": [{**AMOUNTS, **changes}]}
    expected = text or "turn 4\ncost_usd used 0.5 left 1.5 mean 0.12"
    assert numbers_only(row, "interval_no_think") == [
        {"role": "system", "content": "interval"},
        {"role": "user", "content": expected},
    ]


@pytest.mark.parametrize("task", ["sokoban", "searchr1", "swebench", "warehouse"])
def test_a_prompt_of_numbers_holds_nothing_that_an_agent_wrote(dataset: str, task: str) -> None:
    for row in load(dataset, f"{task}_train", "sft"):
        (system, question), variant = reworded(row, AS_BUILT, "numbers_only")
        assert (system["content"], variant) == ("interval", "interval_no_think")
        head, *lines = question["content"].split("\n")
        assert head == f"turn {row['completed_turns']}"
        names = [part["resource"] for part in row["resources"]]
        assert [line.partition(" ")[0] for line in lines] == names
        words = {word for line in lines for word in line.split() if word.isalpha()}
        assert words <= {*names, "used", "left", "over", "mean"}


def test_the_answers_taught_are_those_of_whole_prompts(dataset: str, tokenizer: Any) -> None:
    as_built, numbers = (
        sft_rows(DataOptions(dataset=dataset, prompt_form=form), tokenizer, {}).rows
        for form in ("as_built", "numbers_only")
    )
    assert numbers["completion"] == as_built["completion"]
    assert {len(prompt) for prompt in numbers["prompt"]} == {2}
    assert {parse(each[0]["content"], ["tokens"]).verdict for each in numbers["completion"]} == {
        "feasible",
        "infeasible",
    }


def test_rewards_judge_prompts_of_numbers_too(dataset: str, tokenizer: Any) -> None:
    rows = rl_rows(DataOptions(dataset=dataset, prompt_form="numbers_only"), tokenizer, {}).rows
    assert {*rows.column_names} >= {"prompt", "sample_id", "feasible", "resources"}
    assert all(prompt[-1]["content"].startswith("turn ") for prompt in rows["prompt"])


def test_there_is_no_such_form() -> None:
    with pytest.raises(WrongUsageError, match="prompt_form is 'numbers'; expected one of: as_buil"):
        DataOptions(prompt_form="numbers")


def test_a_prompt_and_its_answer_are_few_tokens(tokenizer: Any) -> None:
    """Words are one token each, and digits are tokens of their own."""
    text = "tokens used 1234 left 5678 mean 90"
    assert len(tokenizer(text)["input_ids"]) == len(["tokens", "used", "left", "mean"]) + 10 + 3
    assert len(tokenizer("<answer>impossible</answer>")["input_ids"]) < 10


def test_the_same_shape_and_seed_make_the_same_weights(
    dataset: str, numbers: Path, tmp_path: Path
) -> None:
    shape = dict(read_shape(SHAPE))
    make(dataset, tmp_path / "again", TinyShape(**shape))
    make(dataset, tmp_path / "other", TinyShape(**shape, seed=1))
    first, again, other = (
        (folder / "model.safetensors").read_bytes()
        for folder in (numbers, tmp_path / "again", tmp_path / "other")
    )
    assert first == again
    assert first != other


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        (
            "layer: 3",
            WrongUsageError,
            "unknown field layer; expected config, prompt_form, vocabul",
        ),
        ("layers: many", WrongUsageError, "layers is 'many'; expected a whole number"),
        ("layers: true", WrongUsageError, "layers is True; expected a whole number"),
        ("config: 3", WrongUsageError, "config is 3; expected a name"),
        ("- layers", InputError, "is not a mapping; expected lines such as 'layers: 3'"),
        ("layers: [", InputError, "cannot be read"),
    ],
)
def test_a_file_that_is_not_a_shape(
    tmp_path: Path, text: str, error: type[Exception], message: str
) -> None:
    path = tmp_path / "shape.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(error, match=message):
        read_shape(path)
