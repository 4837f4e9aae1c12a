"""A run from its beginning, or from where it was stopped, to its end."""

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers.trainer_callback import TrainerCallback

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.held_folder import made_folder
from bagen_data.replaced_file import write_file
from bagen_data.tables import to_json
from bagen_data.unique_keys import parse_json
from bagen_data.wording import differences
from train.data import RowCounts, check_list

RECIPE = "begun.json"
"""In a run's folder: what its checkpoints are trained on."""
_WHOLE = 1e-6
"""How near a whole number an epoch at its end is."""


@dataclass
class RunOptions:
    """How a run is kept."""

    keep_epochs: list[int] = field(
        default_factory=list,
        metadata={"help": "Epochs after which the model is kept as OUTPUT_DIR/epoch-N."},
    )
    resume: bool = field(
        default=False,
        metadata={"help": "Go on from the last whole checkpoint in OUTPUT_DIR, if there is one."},
    )

    def __post_init__(self) -> None:
        check_list("keep_epochs", self.keep_epochs, int)
        if self.keep_epochs and min(self.keep_epochs) < 1:
            raise WrongUsageError(f"keep_epochs is {self.keep_epochs}; expected 1 or more")


def check_resumable(folder: str, options: RunOptions, recipe: Mapping[str, Any]) -> None:
    """Check that a run may go on from the checkpoints of its folder.

    Args:
        folder: of the run.
        options: how the run is kept.
        recipe: everything that decides the model.

    Raises:
        InputError: they were begun with something else, and would be taken for this run's, or
            are not to be gone on from and would be mixed with this run's.
    """
    path = os.path.join(folder, RECIPE)
    if last_checkpoint(folder) is None:
        return
    if not options.resume:
        raise InputError(
            f"{folder}: holds checkpoints; give --resume true to go on from them, remove the "
            "folder, or give another output_dir"
        )
    if not os.path.isfile(path):
        return
    with open(path, encoding="utf-8") as file:
        before = parse_json(file.read())
    changes = differences(before, json.loads(to_json(recipe)))
    if changes:
        raise InputError(
            f"{folder}: its checkpoints were begun with {changes}; remove the folder, or give "
            "another output_dir"
        )


def train(
    trainer: Any, options: RunOptions, counts: Iterable[RowCounts], recipe: Mapping[str, Any]
) -> None:
    """Train, and write the model to the trainer's `output_dir`.

    Args:
        trainer: one of TRL's.
        options: how the run is kept.
        counts: of what is trained on; the first process prints them.
        recipe: everything that decides the model; see `check_resumable`.
    """
    for part_counts in counts:
        trainer.accelerator.print(part_counts)
    trainer.add_callback(KeepEpochs(options.keep_epochs, trainer))
    folder = trainer.args.output_dir
    with ExitStack() as stack:
        if trainer.accelerator.is_main_process:
            stack.enter_context(made_folder(Path(folder)))
            write_file(Path(folder, RECIPE), to_json(recipe))
        checkpoint = last_checkpoint(folder) if options.resume else None
        trainer.train(resume_from_checkpoint=checkpoint or trainer.args.resume_from_checkpoint)
        trainer.save_model(folder)


def last_checkpoint(folder: str) -> str | None:
    """The latest checkpoint that was written to its end, of those in a run's folder."""
    checkpoints = []
    for item in os.scandir(folder) if os.path.isdir(folder) else ():
        name, _, step = item.name.rpartition("-")
        if name == "checkpoint" and step.isdigit() and _is_whole(item.path):
            checkpoints.append((int(step), item.path))
    return max(checkpoints)[1] if checkpoints else None


class KeepEpochs(TrainerCallback):
    """Keeps the model as it is after chosen epochs, beside the checkpoints that come and go."""

    def __init__(self, epochs: Sequence[int], trainer: Any) -> None:
        self.epochs = frozenset(epochs)
        self.trainer = trainer

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Of the trainer."""
        epoch = round(state.epoch)
        if epoch in self.epochs and abs(state.epoch - epoch) < _WHOLE:  # max_steps may end one
            self.trainer.save_model(os.path.join(args.output_dir, f"epoch-{epoch}"))


def _is_whole(checkpoint: str) -> bool:
    """The trainer's state is what is written last."""
    from transformers import TrainerState

    try:
        TrainerState.load_from_json(os.path.join(checkpoint, "trainer_state.json"))
    except (OSError, ValueError, TypeError):
        return False
    return True
