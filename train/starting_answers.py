"""The answers of a model that GRPO begins with, beside the break-even of its reward."""

from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import numpy as np
from transformers.trainer_callback import TrainerCallback

from bagen_data.console import STDERR, shown
from train.break_even import AnswerSums, BreakEven, break_even
from train.reward_functions import AnswerWatch

if TYPE_CHECKING:
    from datasets import Dataset


class StartingAnswers(TrainerCallback):
    """Evaluates a model before its first step, and prints its answers beside the break-even.

    The prompts are those of the trainer's evaluation, or some of training where it has none. The
    random numbers of the run stay as they are, so its steps do, too. A run that goes on from a
    checkpoint, and one whose reward has no break-even, begins at once.
    """

    def __init__(self, trainer: Any, watch: AnswerWatch, prompts: int) -> None:
        """Watch a trainer.

        Args:
            trainer: TRL's.
            watch: what its reward functions have judged.
            prompts: the number of training prompts to answer if the trainer does not evaluate.
        """
        self._trainer = trainer
        self._watch = watch
        self._prompts = prompts

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Answer the prompts, unless the trainer is about to evaluate."""
        has_none = break_even(self._watch.weights, self._watch.feasible_share) is None
        if state.global_step or has_none or args.eval_on_start:
            return
        import torch

        devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
        rows = self._trainer.eval_dataset
        with torch.random.fork_rng(devices):
            self._trainer.evaluate(rows or spread(self._trainer.train_dataset, self._prompts))

    def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Print the comparison after the evaluation before the first step."""
        sums = self._summed(self._watch.take())
        if state.global_step or not state.is_world_process_zero:
            return
        watch = self._watch
        for line in BreakEven(sums, watch.weights, watch.feasible_share).lines():
            STDERR.print(shown(f"before step 1: {line}"))

    def _summed(self, sums: AnswerSums) -> AnswerSums:
        """Add up the sums of all processes."""
        import torch

        accelerator = self._trainer.accelerator
        local = torch.tensor(astuple(sums), dtype=torch.float32, device=accelerator.device)
        total: list[float] = accelerator.reduce(local, "sum").tolist()
        return AnswerSums(*total)


def spread(rows: "Dataset", most: int) -> "Dataset":
    """Return up to so many rows, at equal distances."""
    places = np.unique(np.linspace(0, len(rows) - 1, most).round().astype(int))
    return rows.select(places)


def feasible_share(rows: "Dataset") -> float:
    """Return the share of feasible rows."""
    return float(np.mean(rows["feasible"]))
