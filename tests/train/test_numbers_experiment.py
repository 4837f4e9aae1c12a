"""The experiment of prompts of numbers alone, in miniature: SFT, then GRPO, of three layers."""

import ast
import re
from pathlib import Path

import pytest

from tests.train.running import run

SFT, GRPO = "train/configs/numbers_sft.yaml", "train/configs/numbers_grpo.yaml"
SHAPE = "train/configs/numbers_model.yaml"
MOST_IMPOSSIBLE = 0.95
"""The share of `impossible` from which on a model has collapsed."""


@pytest.fixture(scope="module")
def taught(dataset: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a model after SFT on the sample."""
    folder = tmp_path_factory.mktemp("numbers")
    run("train/tiny_model.py", dataset, folder / "made", "--shape", SHAPE)
    begin = ("--model_name_or_path", folder / "made", "--output_dir", folder / "sft")
    shorter = ("--max_steps", 60, "--learning_rate", "3e-3", "--dataset", dataset)
    run("train/sft.py", "--config", SFT, *begin, *shorter)
    return folder / "sft"


def rewards_of(written: str, name: str) -> list[float]:
    """Return a number of each logged step."""
    logged = (ast.literal_eval(line) for line in re.findall(r"\{'loss'.*\}", written))
    return [float(step[name]) for step in logged if name in step]


def trained(dataset: str, begin: Path, *options: object) -> str:
    """Return what GRPO wrote, of 30 steps of 4 prompts."""
    files = ("--model_name_or_path", begin, "--output_dir", begin.with_name("grpo"))
    shorter = ("--max_steps", 30, "--per_device_train_batch_size", 32, "--logging_steps", 6)
    more = ("--dataset", dataset, "--break_even_prompts", 4, *options)
    return run("train/grpo.py", "--config", GRPO, *files, *shorter, *more)


def test_grpo_earns_more_than_sft(dataset: str, taught: Path) -> None:
    """Sampled answers to training prompts, by the reward of the experiment with a slope."""
    written = trained(dataset, taught, "--rewards", "dense", "--learning_rate", "1e-3")
    print(rewards_of(written, "reward"), rewards_of(written, "impossible_rate"))
    earned = rewards_of(written, "reward")
    assert earned[-1] > 1.3 * earned[0]


def test_rewards_divided_by_their_deviation_collapse(dataset: str, taught: Path) -> None:
    by_group = ("--scale_rewards", "group", "--learning_rate", "3e-3", "--beta", 0)
    written = trained(dataset, taught, *by_group)
    print(rewards_of(written, "reward"), rewards_of(written, "impossible_rate"))
    said = rewards_of(written, "impossible_rate")
    assert said[0] < MOST_IMPOSSIBLE < said[-1]
