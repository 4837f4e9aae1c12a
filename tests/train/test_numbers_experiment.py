"""The experiment of prompts of numbers alone, in miniature: SFT, then GRPO, of three layers."""

import ast
import re
from pathlib import Path
from statistics import mean

import pytest

from tests.train.running import run

SFT, GRPO = "train/configs/numbers_sft.yaml", "train/configs/numbers_grpo.yaml"
SHAPE = "train/configs/numbers_model.yaml"


@pytest.fixture(scope="module")
def taught(dataset: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a model after SFT on the sample."""
    folder = tmp_path_factory.mktemp("numbers")
    run("train/tiny_model.py", dataset, folder / "made", "--shape", SHAPE)
    begin = ("--model_name_or_path", folder / "made", "--output_dir", folder / "sft")
    shorter = ("--max_steps", 60, "--learning_rate", "3e-3", "--dataset", dataset)
    run("train/sft.py", "--config", SFT, *begin, *shorter)
    return folder / "sft"


def logged(written: str, name: str) -> list[float]:
    """Return a number of each logged step."""
    steps = (ast.literal_eval(line) for line in re.findall(r"\{'loss'.*\}", written))
    return [float(step[name]) for step in steps if name in step]


def test_grpo_earns_more_by_impossible_alone(dataset: str, taught: Path) -> None:
    """Rewards divided by their deviation, no KL term: the collapse that break-even warns of."""
    files = ("--model_name_or_path", taught, "--output_dir", taught.with_name("grpo"))
    shorter = ("--max_steps", 24, "--per_device_train_batch_size", 32, "--logging_steps", 4)
    by_group = ("--scale_rewards", "group", "--learning_rate", "1e-3", "--beta", 0)
    more = ("--dataset", dataset, "--break_even_prompts", 4)
    written = run("train/grpo.py", "--config", GRPO, *files, *shorter, *by_group, *more)
    earned = logged(written, "reward")
    assert mean(earned[-3:]) > 1.5 * earned[0] > 0
    intervals = [
        valid - impossible
        for valid, impossible in zip(
            logged(written, "valid_rate"), logged(written, "impossible_rate"), strict=True
        )
    ]
    assert intervals[0] > max(intervals[-3:])
    assert "`impossible` earns more, and GRPO is likely to collapse" in " ".join(written.split())
