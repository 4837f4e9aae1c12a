"""Run a training script that waits to be killed before a step: STEPS SCRIPT OPTION..."""

import runpy
import signal
import sys
from pathlib import Path
from typing import Any

from transformers import Trainer

step = Trainer.training_step


def waiting(trainer: Trainer, *inputs: Any, **options: Any) -> Any:
    while trainer.state.global_step == STEPS:
        signal.pause()
    return step(trainer, *inputs, **options)


if __name__ == "__main__":
    STEPS = int(sys.argv[1])
    Trainer.training_step = waiting
    sys.argv = sys.argv[2:]
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
    runpy.run_path(sys.argv[0], run_name="__main__")
