"""Run the training scripts as a user does."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.forks import TO_THE_VERY_END, Fork, Forks

ENVIRONMENT = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1"}
TO_THE_END = ENVIRONMENT | {TO_THE_VERY_END: "1"}
"""The environment of a command that ends as Python does, where an abort would be seen."""

_LONGEST = 900
"""Seconds, on a machine with much else to do."""


def sft_options(dataset: str, model: str, out: Path, **changes: Any) -> dict[str, Any]:
    """Options of a run of a few seconds."""
    return {
        "model_name_or_path": model,
        "dataset": dataset,
        "target": "pct30",
        "max_prompt_tokens": 1152,
        "max_length": 1216,
        "learning_rate": 1e-2,
        "max_steps": 6,
        "per_device_train_batch_size": 4,
        "gradient_checkpointing": False,
        "logging_steps": 1,
        "save_strategy": "no",
        "bf16": False,
        "report_to": "none",
        "use_cpu": True,
        "output_dir": str(out),
        **changes,
    }


def write_yaml(path: Path, content: Mapping[str, Any]) -> Path:
    path.write_text(yaml.safe_dump(dict(content)), encoding="utf-8")
    return path


SHORT = {"prompt_form": "numbers_only"}
"""Prompts of 40 tokens instead of 1,100, for runs that are not about prompts."""
FORM = ("--prompt-form", *SHORT.values())
"""The same for `train/evaluate.py`."""
FORKS = Forks("tests.train.imported", environment=ENVIRONMENT)


@contextmanager
def started(*command: object, environment: Mapping[str, str] = ENVIRONMENT) -> Iterator[Fork]:
    """Start a process; it is killed with all that it started when the block ends."""
    process = FORKS.start(command, environment)
    try:
        yield process
    finally:
        process.kill()
        process.close()


def run(*command: object, environment: Mapping[str, str] = ENVIRONMENT) -> str:
    """Return the output of a command, which has to succeed."""
    with started(*command, environment=environment) as process:
        written = "".join(process.communicate(_LONGEST))
    assert process.returncode == 0, written[-3000:]
    return written


def fail(*command: object, code: int = 1) -> str:
    """Return the output of a command that fails with this exit code, without warnings."""
    with started(*command) as process:
        written = "".join(process.communicate(_LONGEST))
    assert process.returncode == code, written[-3000:]
    assert "Traceback" not in written
    return written


def losses(folder: Path) -> list[float]:
    """Logged values of each step, from the last checkpoint."""
    states: Sequence[Path] = sorted(
        folder.glob("checkpoint-*/trainer_state.json"),
        key=lambda path: int(path.parent.name.rpartition("-")[2]),
    )
    history = json.loads(states[-1].read_bytes())["log_history"]
    return [entry["loss"] for entry in history if "loss" in entry]
