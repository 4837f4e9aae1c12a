"""The recipe of a run: every option that decides the model, and those that do not."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from bagen_data.errors import InputError
from bagen_data.tables import to_json
from bagen_data.unique_keys import parse_json
from bagen_data.wording import differences

RECIPE = "begun.json"
"""The file in a run's folder that says what its checkpoints are trained on."""
NOT_COMPARED = "not_compared"
"""The key, in a recipe, of what is written for the reader, and may change where a run goes on."""
_PACKAGES = ("torch", "transformers", "trl", "accelerate", "peft", "datasets", "vllm")
_REPORTS = """
    debug disable_tqdm include_for_metrics include_num_input_tokens_seen log_completions
    log_completions_hub_repo log_level log_level_replica log_multimodal log_on_each_node
    log_unique_prompts logging_first_step logging_nan_inf_filter logging_steps logging_strategy
    num_completions_to_print project report_to run_name skip_memory_metrics trackio_bucket_id
    trackio_space_id trackio_static_space_id
"""
_SAVING = """
    do_eval do_predict do_train enable_jit_checkpoint hub_always_push hub_model_id
    hub_private_repo hub_revision hub_strategy hub_token keep_epochs output_dir push_to_hub resume
    resume_from_checkpoint restore_callback_states_from_checkpoint save_on_each_node
    save_only_model save_steps save_strategy save_total_limit
"""
_EVALUATION = """
    batch_eval_metrics bf16_full_eval break_even_prompts eval_accumulation_steps eval_delay
    eval_do_concat_batches eval_on_start eval_packing eval_steps eval_strategy
    eval_use_gather_object evaluate_on fp16_full_eval num_generations_eval
    per_device_eval_batch_size prediction_loss_only
"""
_MACHINE = """
    activation_checkpointing activation_checkpointing_kwargs activation_offloading
    dataloader_in_order dataloader_multiprocessing_context dataloader_num_workers
    dataloader_persistent_workers dataloader_pin_memory dataloader_prefetch_factor
    dataset_num_proc ddp_backend ddp_broadcast_buffers ddp_bucket_cap_mb
    ddp_find_unused_parameters ddp_static_graph ddp_timeout deepspeed ds3_gather_for_generation
    fsdp fsdp_config gradient_checkpointing gradient_checkpointing_kwargs local_rank
    parallelism_config torch_compile torch_compile_backend torch_compile_mode
    torch_empty_cache_steps trust_remote_code use_cache use_cpu vllm_enable_sleep_mode
    vllm_gpu_memory_utilization vllm_group_port vllm_mode vllm_model_impl vllm_server_base_url
    vllm_server_host vllm_server_port vllm_server_timeout vllm_tensor_parallel_size
"""
_BATCH = "per_device_train_batch_size gradient_accumulation_steps steps_per_generation"
"""Options that are compared as one, `global_batch`, beside TRL's `generation_batch_size`."""
NOT_DECIDING = frozenset(" ".join((_REPORTS, _SAVING, _EVALUATION, _MACHINE, _BATCH)).split())
"""Options that may change where a run goes on; every other one is compared.

Evaluation and saving decide the model where the best checkpoint is kept; see `_deciding_too`.
"""
_BEST = "load_best_model_at_end"
_PLATEAU = "reduce_lr_on_plateau"
"""A schedule that evaluations decide."""
_TRAINERS = ("trl", "transformers")
"""Packages whose code decides the loss and the schedule."""


def recipe_of(trainer: Any, *groups: Any, **more: Any) -> dict[str, Any]:
    """Return the recipe of a run.

    Args:
        trainer: the options of TRL's trainer.
        groups: further dataclasses of options that decide the model.
        more: further values by name, in place of an option of that name.
    """
    options: dict[str, Any] = {}
    for group in (*groups, trainer):
        options |= {each.name: _plain(getattr(group, each.name)) for each in fields(group)}
    batch = trainer.train_batch_size * trainer.gradient_accumulation_steps * trainer.world_size
    deciding = _deciding_too(options)
    compared = {
        name: value
        for name, value in options.items()
        if name not in NOT_DECIDING or name in deciding
    }
    return {
        **compared,
        "global_batch": batch,
        "mixed_precision": trainer.mixed_precision,  # which a launcher may set
        "trainer_versions": {name: _version(name) for name in _TRAINERS},
        **_plain(more),
        NOT_COMPARED: {
            "processes": trainer.world_size,
            **{name: options[name] for name in _BATCH.split() if name in options},
            "versions": {name: number for name in _PACKAGES if (number := _version(name))},
        },
    }


def recipe_changes(folder: str, recipe: Mapping[str, Any]) -> str:
    """Return how a recipe differs from the one in a folder, in the words of `differences`.

    Args:
        folder: the folder of a run, with or without a recipe.
        recipe: the recipe now.

    Raises:
        InputError: the folder's recipe is missing or cannot be read, or is of an earlier version
            of these scripts.
    """
    path = Path(folder, RECIPE)
    advice = "remove the folder, or give another output_dir"
    try:
        before = parse_json(path.read_bytes())
    except FileNotFoundError as error:
        raise InputError(
            f"{folder}: holds a model or checkpoints, and no {RECIPE} that says what they were "
            f"trained with; {advice}"
        ) from error
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}; {advice}") from error
    if not isinstance(before, dict) or NOT_COMPARED not in before:
        raise InputError(
            f"{path}: was written by an earlier version of these scripts, and lacks most options; "
            f"{advice}"
        )
    now = json.loads(to_json(dict(recipe)))
    return differences(_compared(before), _compared(now))


def _deciding_too(options: Mapping[str, Any]) -> frozenset[str]:
    """Return the options of evaluation and saving where these decide the model that is kept."""
    if options.get(_BEST):
        return frozenset(f"{_EVALUATION} save_steps save_strategy save_total_limit".split())
    if options.get("lr_scheduler_type") == _PLATEAU:
        return frozenset(_EVALUATION.split())
    return frozenset()


def _compared(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in recipe.items() if name != NOT_COMPARED}


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it; numbers that JSON lacks as text."""
    return json.loads(json.dumps(value, default=_plain_object), parse_constant=str)


def _plain_object(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
