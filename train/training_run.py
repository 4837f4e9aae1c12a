"""A run from its beginning, or from where it was stopped, to its end."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from transformers.trainer_callback import TrainerCallback

from bagen_data.console import STDERR, shown
from bagen_data.errors import InputError, OutputError, WrongUsageError
from bagen_data.held_folder import made_folder
from bagen_data.replaced_file import write_file
from bagen_data.tables import to_json
from train.card_writer import CardWriter, push
from train.checkpoints import last_checkpoint, remove_unfinished
from train.data import RowCounts, check_list
from train.full_disk import full_disk_said
from train.kept_model import keep_model
from train.run_recipe import RECIPE, recipe_changes

_WHOLE = 1e-6
"""The distance from a whole number within which an epoch is at its end."""


@dataclass
class RunOptions:
    """Options of how a run is kept."""

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


def check_resumable(config: Any, options: RunOptions, recipe: Mapping[str, Any]) -> None:
    """Check that a run may write to its folder, and go on from the checkpoints there.

    Args:
        config: the trainer's options.
        options: how the run is kept.
        recipe: every option that decides the model.

    Raises:
        InputError: the folder holds a model or checkpoints that were made with other options, or
            checkpoints without --resume true.
        OutputError: another run is writing the folder.
    """
    folder = str(config.output_dir)
    if config.resume_from_checkpoint:
        raise WrongUsageError(
            f"resume_from_checkpoint is {config.resume_from_checkpoint!r}; expected it unset: "
            "--resume true goes on from the last whole checkpoint in output_dir"
        )
    if options.resume and config.save_only_model:
        raise WrongUsageError(
            "save_only_model is true, and resume too; a run cannot go on from checkpoints without "
            "the optimizer: leave one of them out"
        )
    if config.process_index == 0:
        with _held(folder):
            pass  # a run whose folder is busy, or cannot be written, is refused before weights load
    checkpoint = last_checkpoint(folder)
    if checkpoint is None and not _holds_model(folder):
        return
    if checkpoint and not options.resume:
        raise InputError(
            f"{folder}: holds checkpoints; give --resume true to go on from them, remove the "
            "folder, or give another output_dir"
        )
    changes = recipe_changes(folder, recipe)
    if changes:
        made = "checkpoints were made" if checkpoint else "model was trained"
        raise InputError(
            f"{folder}: its {made} with {changes}; remove the folder, or give another output_dir"
        )


def train(
    trainer: Any, options: RunOptions, counts: Iterable[RowCounts], recipe: Mapping[str, Any]
) -> None:
    """Train, and write the model and its card to the trainer's `output_dir`.

    With `push_to_hub` both are pushed.

    Args:
        trainer: one of TRL's.
        options: how the run is kept.
        counts: of what is trained on; the first process prints them.
        recipe: everything that decides the model; see `check_resumable`.

    Raises:
        OutputError: another run is writing the folder, or the disk is full.
    """
    counts = tuple(counts)
    for part_counts in counts:
        trainer.accelerator.print(part_counts)
    card = CardWriter(trainer, recipe, counts)
    trainer.add_callback(KeepEpochs(options.keep_epochs, trainer, card))
    folder = trainer.args.output_dir
    with ExitStack() as stack:
        if trainer.accelerator.is_main_process:
            stack.enter_context(_held(folder))
            for sentence in remove_unfinished(folder):
                trainer.accelerator.print(sentence)
            write_file(Path(folder, RECIPE), to_json(recipe))
        trainer.accelerator.wait_for_everyone()
        checkpoint = last_checkpoint(folder) if options.resume else None
        with full_disk_said(folder):
            trainer.train(resume_from_checkpoint=checkpoint)
            keep_model(trainer, folder)
            card.write(folder)
        push(trainer)


class KeepEpochs(TrainerCallback):
    """Keeps the model as it is after chosen epochs, beside the checkpoints that come and go."""

    def __init__(self, epochs: Sequence[int], trainer: Any, card: CardWriter) -> None:
        self.epochs = frozenset(epochs)
        self.trainer = trainer
        self.card = card

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Keep the model if the epoch is a chosen one."""
        epoch = round(state.epoch)
        if epoch in self.epochs and abs(state.epoch - epoch) < _WHOLE:  # max_steps may end one
            folder = os.path.join(args.output_dir, f"epoch-{epoch}")
            keep_model(self.trainer, folder)
            self.card.write(folder)

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Name the chosen epochs that the run did not reach, as where `max_steps` ended it."""
        missed = sorted(epoch for epoch in self.epochs if epoch > state.epoch + _WHOLE)
        if missed and state.is_world_process_zero:
            names = ", ".join(f"epoch-{epoch}" for epoch in missed)
            STDERR.print(
                shown(f"{args.output_dir}: ended after {state.epoch:.3g} epochs, before {names}")
            )


@contextmanager
def _held(folder: str) -> Iterator[None]:
    """Hold the folder of a run, made if it is absent, for the length of a block."""
    with ExitStack() as stack:
        try:
            stack.enter_context(made_folder(Path(folder)))
        except OutputError as error:
            raise OutputError(str(error).replace("another --out", "another output_dir")) from error
        yield


def _holds_model(folder: str) -> bool:
    """Return whether a folder holds a model, or one after an epoch."""
    return any(
        next(Path(folder).glob(pattern), None) is not None
        for pattern in ("*.safetensors", "epoch-*/*.safetensors")
    )
