"""Write the card of a model wherever its trainer writes the model, and push both to the Hub."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from transformers.trainer_callback import TrainerCallback

from bagen_data.errors import BagenError, InputError
from bagen_data.repositories.hub_requests import ask
from train.model_card import CARD, Stage, shown_place, write_card
from train.run_recipe import NOT_COMPARED

_OPTIONS = {
    "sft": ("target", "max_length"),
    "grpo": (
        *("rewards", "num_generations", "max_completion_length", "temperature", "beta"),
        *("scale_rewards", "loss_type", "use_bias_correction_kl"),
    ),
}
"""Options of a method in the card's table; those of both are in `_settings`."""
_DIGITS = 16
"""Characters of a content revision that the card shows."""
_NOT_SENT = ["_*", "checkpoint-*", "checkpoint-*/**", ".lock", "*.partial"]
"""Patterns of files in a run's folder that are not sent to the Hub."""


class CardWriter(TrainerCallback):
    """Writes our card where TRL and PEFT would write theirs; only the first process does."""

    def __init__(self, trainer: Any, recipe: Mapping[str, Any], rows: Iterable[object]) -> None:
        """Take the place of the trainer's own card.

        Args:
            trainer: one of TRL's.
            recipe: everything that decides the model, by the name of its option.
            rows: sentences that say what is trained on.
        """
        self.trainer = trainer
        self.recipe = recipe
        self.rows = tuple(map(str, rows))
        trainer.create_model_card = self.write_own
        trainer.add_callback(self)

    def write_own(self, *_: Any, **__: Any) -> None:
        """Write the card in the run's folder; called by the trainer in place of its own method."""
        self.write(self.trainer.args.output_dir)

    def write(self, folder: str) -> None:
        """Write the card of a model that was saved in a folder."""
        if not self.trainer.is_world_process_zero():
            return
        is_final = Path(folder) == Path(self.trainer.args.output_dir)
        place = (self.trainer.hub_model_id if is_final else None) or folder
        write_card(Path(folder), place, self._stage())

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Replace the card that PEFT writes into a checkpoint."""
        self._replace_in_checkpoint(args, state)

    def on_push_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        """Replace the card that PEFT writes into a checkpoint, before the checkpoint is pushed."""
        self._replace_in_checkpoint(args, state)

    def _replace_in_checkpoint(self, args: Any, state: Any) -> None:
        checkpoint = os.path.join(args.output_dir, f"checkpoint-{state.global_step}")
        if os.path.isfile(os.path.join(checkpoint, CARD)):
            self.write(checkpoint)

    def _stage(self) -> Stage:
        method = "grpo" if hasattr(self.trainer, "reward_funcs") else "sft"
        return Stage(
            method,
            self._settings(method),
            self.rows,
            begun_with=self.recipe["model_name_or_path"],
            dataset=self.recipe["dataset"],
            config=self.recipe["train_on"][0],
            variant=self.recipe["variant"],
            is_adapter=self.recipe["use_peft"],
        )

    def _settings(self, method: str) -> dict[str, Any]:
        recipe, state = self.recipe, self.trainer.state
        left_out = set() if recipe["use_peft"] else {"use_peft", "lora_r", "lora_alpha"}
        if self.trainer.args.max_steps > 0:
            left_out.add("num_train_epochs")
        if os.path.isdir(recipe["model_name_or_path"]):
            left_out.add("model_revision")
        names = (
            *("model_name_or_path", "model_revision", "use_peft", "lora_r", "lora_alpha"),
            *("dataset", "dataset_revision", "dataset_content", "train_on", "variant"),
            *("prompt_form", "max_prompt_tokens", "repeat_feasible", "balance"),
            *_OPTIONS[method],
            *("learning_rate", "lr_scheduler_type", "num_train_epochs"),
            *("seed", "data_seed", "balance_seed"),
        )
        settings = {
            name: recipe[name]
            for name in names
            if recipe.get(name) is not None and name not in left_out
        }
        for name in ("model_name_or_path", "dataset"):
            settings[name] = shown_place(settings[name])
        if "dataset_content" in settings:
            settings["dataset_content"] = settings["dataset_content"][:_DIGITS]
        unit = "samples a step" if method == "sft" else "answers a step"
        made_with = recipe[NOT_COMPARED]["versions"]
        return settings | {
            unit: recipe["global_batch"],
            "steps": f"{state.global_step:,} of {state.max_steps:,}",
            "processes": recipe[NOT_COMPARED]["processes"],
            "made with": ", ".join(f"{name} {version}" for name, version in made_with.items()),
        }


def prepare_repository(config: Any) -> None:
    """Make the repository on the Hub that a model will be pushed to, before its weights load.

    Args:
        config: options of a trainer; nothing is done without `push_to_hub`, or by another process
            than the first.

    Raises:
        InputError: the Hub refuses it, as without a login.
        StoreError: the Hub does not answer.
    """
    if not config.push_to_hub or os.environ.get("RANK", "0") != "0":
        return
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    name = config.hub_model_id or Path(config.output_dir).absolute().name
    try:
        ask(
            lambda: HfApi().create_repo(name, private=config.hub_private_repo, exist_ok=True),
            name,
        )
    except (HfHubHTTPError, ValueError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(
            f"hub_model_id {name}: the Hub does not make this repository: {reason}; "
            "give ORG/NAME, or --push_to_hub false"
        ) from error


def push(trainer: Any) -> None:
    """Push the models in a run's folder, with their cards, where `push_to_hub` is set.

    Args:
        trainer: one of TRL's, whose model is saved.

    Raises:
        InputError, StoreError: the Hub refuses them or does not answer; the message says how to
            push them later, as they are whole on disk.
    """
    args = trainer.args
    if not args.push_to_hub or not trainer.is_world_process_zero():
        return
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    if trainer.push_in_progress is not None:  # that of a checkpoint
        trainer.push_in_progress.wait_until_done()
    name, folder = trainer.hub_model_id, args.output_dir
    later = f"the model is whole in {folder}; push it with: hf upload {name} {folder} . "
    later += "--exclude 'checkpoint-*/*'"
    try:
        ask(
            lambda: HfApi().upload_folder(
                repo_id=name,
                folder_path=folder,
                commit_message="The trained model",
                ignore_patterns=_NOT_SENT,
                delete_patterns=[".lock"],
                revision=args.hub_revision,
            ),
            name,
        )
    except HfHubHTTPError as error:
        reason = str(error).strip().partition("\n")[0]
        raise InputError(f"{name}: the Hub refuses the model: {reason}; {later}") from error
    except BagenError as error:
        raise type(error)(f"{error}; {later}") from error
