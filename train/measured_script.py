"""Run a training script as it is, and write the time and memory of its steps to a file.

    python train/launcher.py ... train/measured_script.py OUT.json train/sft.py --config FILE
    python train/launcher.py ... train/measured_script.py OUT.json trl.scripts.sft ...

Every script is measured in the same way, TRL's own too: by a callback that transformers gives to
each trainer. The script, a file or a module, and its arguments follow the file to write.
"""

import json
import runpy
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder
    import train.installed  # noqa: F401

from transformers.trainer_callback import TrainerCallback


@dataclass
class StepRecord:
    """The time, memory and logs of the steps of one run."""

    seconds: list[float] = field(default_factory=list)
    """Seconds of each step, from its first row to the end of its update."""
    cpu_seconds: list[float] = field(default_factory=list)
    """CPU seconds of each step, of all threads of the process and of no other process."""
    logs: list[dict[str, float]] = field(default_factory=list)
    """Log entries that have a loss, as the trainer keeps them."""
    generation_seconds: float = 0.0
    """Seconds of steps that GRPO spent on generation, giving vLLM the new weights included."""
    peak_gib: float = 0.0
    """The most memory: PyTorch's own on a GPU, the whole process's on a CPU."""
    device_gib: float = 0.0
    """The most of the GPU's memory in use after a step, vLLM's share included; 0 on a CPU."""


RECORD = StepRecord()
"""The record of this process's run."""


class StepClock(TrainerCallback):
    """Fills `RECORD`; waits for the GPU at both ends of a step."""

    generated: ClassVar[float] = 0.0
    """Seconds of all generation so far: that between steps, as of an evaluation, too."""

    def __init__(self) -> None:
        self._began = 0.0
        self._cpu_began = 0.0
        self._generated_before = 0.0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Start the clock."""
        _wait_for_gpu()
        self._generated_before = StepClock.generated
        self._began, self._cpu_began = time.perf_counter(), time.process_time()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Stop the clock, and look at the memory."""
        _wait_for_gpu()
        RECORD.seconds.append(time.perf_counter() - self._began)
        RECORD.cpu_seconds.append(time.process_time() - self._cpu_began)
        RECORD.generation_seconds += StepClock.generated - self._generated_before
        _record_memory()

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Keep what was logged."""
        RECORD.logs = [entry for entry in state.log_history if "loss" in entry]


def main(arguments: list[str]) -> None:
    """Run a script, and write its record."""
    from transformers import trainer
    from trl import GRPOTrainer

    out, script, *rest = arguments
    trainer.DEFAULT_CALLBACKS.append(StepClock)
    GRPOTrainer._generate = timed_generation(GRPOTrainer._generate)
    sys.argv = [script, *rest]
    try:
        if script.endswith(".py"):
            runpy.run_path(script, run_name="__main__")
        else:
            runpy.run_module(script, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code:
            raise
    Path(out).write_text(json.dumps(asdict(RECORD)), encoding="utf-8")


def timed_generation(generate: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that generates answers as another one, and counts its seconds."""

    def measured(*arguments: Any, **options: Any) -> Any:
        begin = time.perf_counter()
        try:
            return generate(*arguments, **options)
        finally:
            _wait_for_gpu()
            StepClock.generated += time.perf_counter() - begin

    return measured


def _wait_for_gpu() -> None:
    import torch

    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _record_memory() -> None:
    import resource

    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        peak = torch.cuda.max_memory_allocated() / 2**30
        RECORD.device_gib = max(RECORD.device_gib, (total - free) / 2**30)
    else:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # which is in KiB
    RECORD.peak_gib = max(RECORD.peak_gib, peak)


if __name__ == "__main__":
    main(sys.argv[1:])
