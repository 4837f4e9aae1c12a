"""A proper reward stays proper in GRPO only with options that leave it as it is."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bagen_data.errors import WrongUsageError
from bagen_data.rewards import PAPER, PROPER
from tests.train.running import run, sft_options, write_yaml
from train.proper_training import check_proper
from train.training_options import GRPOOptions, parse

FITTING: dict[str, Any] = {
    "balance": False,
    "repeat_feasible": 1,
    "scale_rewards": "none",
    "aggregation": "sum_then_normalize",
}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"balance": True}, "balance is true and repeat_feasible 1; give balance: false"),
        ({"repeat_feasible": 2}, "balance is false and repeat_feasible 2"),
        ({"scale_rewards": "group"}, "scale_rewards is group .* give scale_rewards: none"),
        ({"aggregation": "normalize_then_sum"}, "aggregation normalize_then_sum"),
    ],
)
def test_options_that_change_a_proper_reward_are_refused(
    changes: dict[str, Any], message: str
) -> None:
    for part in PROPER:
        with pytest.raises(WrongUsageError, match=f"rewards: {part} .*{message}"):
            check_proper({part: 1.0, "format": 0.1}, **{**FITTING, **changes})
    check_proper(PAPER, **{**FITTING, **changes})


@pytest.mark.parametrize("scale", ["batch", "none"])
def test_fitting_options(scale: str) -> None:
    check_proper(PROPER, **{**FITTING, "scale_rewards": scale})


def test_why_groups_are_not_scaled() -> None:
    """Three probabilities are said of runs of which 30% succeed: 10%, 30% and 50%.

    The mean advantage is that of TRL: the reward less the group's mean, by its deviation or not.
    """
    said = np.array([0.1, 0.3, 0.5])
    raw, scaled = np.zeros(3), np.zeros(3)
    for outcome, weight in ((1, 0.3), (0, 0.7)):
        reward = 1 - (said - outcome) ** 2
        advantage = reward - reward.mean()
        raw += weight * advantage
        scaled += weight * advantage / reward.std(ddof=1)
    assert said[raw.argmax()] == 0.3
    assert said[scaled.argmax()] == 0.1


@pytest.mark.filterwarnings(
    "ignore:`gradient_checkpointing` is deprecated:FutureWarning"  # which TRL sets
)
def test_grpo_refuses_before_weights_load(tmp_path: Path, dataset: str, tiny: str) -> None:
    content = sft_options(dataset, tiny, tmp_path / "out", num_generations=4, rewards="proper")
    for name in ("target", "max_length"):
        del content[name]
    file = str(write_yaml(tmp_path / "grpo.yaml", content))
    with pytest.raises(WrongUsageError, match="brier teaches the probabilities of the rows it is"):
        parse(["--config", file], GRPOOptions)
    natural = ["--balance", "false", "--repeat_feasible", "1"]
    with pytest.raises(WrongUsageError, match="scale_rewards is group"):
        parse(["--config", file, *natural], GRPOOptions)
    config, _ = parse(["--config", file, *natural, "--scale_rewards", "none"], GRPOOptions)
    assert config.rewards == dict(PROPER)


def test_grpo_logs_the_parts_of_forecasts(tmp_path: Path, dataset: str, tiny: str) -> None:
    """A step of a model that cannot answer yet: every column that the reward needs arrives."""
    content = sft_options(
        dataset,
        tiny,
        tmp_path / "out",
        **{**FITTING, "multi_objective_aggregation": FITTING["aggregation"]},
        variant="forecast_no_think",
        rewards="proper",
        num_generations=2,
        per_device_train_batch_size=2,
        max_completion_length=8,
        max_steps=1,
        save_strategy="steps",
        save_only_model=True,
    )
    for name in ("target", "max_length", "aggregation"):
        del content[name]
    run("train/grpo.py", "--config", write_yaml(tmp_path / "grpo.yaml", content))
    (state,) = (tmp_path / "out").glob("checkpoint-1/trainer_state.json")
    logs = json.loads(state.read_bytes())["log_history"][0]
    assert {f"rewards/{part}/mean" for part in PROPER} <= logs.keys()
    assert logs["reward"] == 0
