"""The options of the training scripts: TRL's own, ours beside them, and what can be checked.

Every option is checked before any weights load.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, NoReturn, TypeVar

import yaml
from trl import GRPOConfig, ModelConfig, SFTConfig, TrlParser, get_peft_config

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.rewards import DENSE, PAPER, PROPER, check_weights
from train.arithmetic import print_needs
from train.base_model import ModelShape, is_adapter, read_model_shape
from train.card_writer import prepare_repository
from train.content_digests import model_files, rows_digest, weights_digest
from train.data import DataOptions
from train.evaluation_batch import eval_batch_size
from train.global_batch import HELP as PROMPTS_HELP
from train.global_batch import set_accumulation
from train.model_size import model_size
from train.needed_packages import check_packages
from train.preset_options import PresetOptions, preset_values, with_presets
from train.proper_training import check_proper
from train.reference_model import check_reference_loading
from train.run_recipe import recipe_of
from train.secret_options import check_no_token
from train.throughput import ThroughputOptions
from train.training_run import RunOptions, check_resumable
from train.vllm_options import fit_vllm

REWARDS: Mapping[str, Mapping[str, float]] = {"paper": PAPER, "dense": DENSE, "proper": PROPER}
"""Rewards by name."""


@dataclass
class SFTOptions(SFTConfig):
    """TRL's options, and the chat template's arguments."""

    _VALID_DICT_FIELDS = (*SFTConfig._VALID_DICT_FIELDS, "chat_template_kwargs")

    chat_template_kwargs: dict[str, Any] | str | None = field(
        default=None, metadata={"help": "Options of the chat template: {enable_thinking: false}."}
    )

    prompts_per_step: int | None = field(default=None, metadata={"help": PROMPTS_HELP})

    def __post_init__(self) -> None:
        _check_device(self)
        _name_checkpointing(self)
        set_accumulation(self)
        super().__post_init__()


@dataclass
class GRPOOptions(GRPOConfig):
    """TRL's options, and what the reward is made of."""

    rewards: dict[str, Any] | str | None = field(
        default="paper",
        metadata={
            "help": "paper, dense, proper (of forecasts), or weights of parts: "
            "{interval: 1.8, format: 0.1}."
        },
    )
    break_even_prompts: int = field(
        default=64,
        metadata={
            "help": "Training prompts answered before step 1, to compare what intervals earn with "
            "the break-even; all of evaluate_on where it is evaluated; 0: no comparison."
        },
    )
    per_device_eval_batch_size: int = field(
        default=0,
        metadata={
            "help": "Answers a device judges at once in evaluation; 0: as many as in training, in "
            "whole groups of num_generations."
        },
    )
    prompts_per_step: int | None = field(default=None, metadata={"help": PROMPTS_HELP})

    def __post_init__(self) -> None:
        _check_device(self)
        _name_checkpointing(self)
        self.rewards = reward_weights(self.rewards)
        set_accumulation(self, self.num_generations or 1)
        _fit_evaluation(self)
        super().__post_init__()


Options = TypeVar("Options", SFTOptions, GRPOOptions)

OPTION_KINDS = (DataOptions, RunOptions, ThroughputOptions, PresetOptions)
"""Options of ours; those of a trainer and TRL's `ModelConfig` come after them."""


@dataclass(frozen=True)
class RunSettings:
    """The options of one training run, checked."""

    data: DataOptions
    run: RunOptions
    throughput: ThroughputOptions
    model: ModelConfig
    tokenizer: Any
    """The model's tokenizer, with a chat template."""
    template: Mapping[str, Any]
    """Further arguments of the chat template."""
    recipe: Mapping[str, Any]
    """Every option that decides the model; see `recipe_of`."""


def parse(arguments: Sequence[str] | None, kind: type[Options]) -> tuple[Options, RunSettings]:
    """Read the command line and the YAML file that its `--config` names.

    Args:
        arguments: of the command line; the process's if None.
        kind: the trainer's options.

    Raises:
        InputError: the file cannot be read, names an unknown option, or options do not fit each
            other, the machine or the model; the message says which and what to change.
    """
    data, run, throughput, config, model = _read(arguments, kind)
    check_no_token(vars(config))
    check_packages(config, model)
    _check_epochs(run.keep_epochs, config)
    if config.eval_strategy != "no" and not data.evaluate_on:
        raise WrongUsageError(
            f"eval_strategy is {config.eval_strategy.value!r}, and evaluate_on names no config; "
            "give one, e.g. sokoban_train"
        )
    if config.eval_strategy == "no" and config.eval_on_start:
        raise WrongUsageError(
            "eval_on_start is true, and eval_strategy is 'no'; give --eval_strategy steps or epoch"
        )
    if config.per_device_train_batch_size < 1:
        raise WrongUsageError("per_device_train_batch_size is 0; expected 1 or more")
    config.chat_template_kwargs = config.chat_template_kwargs or {}
    if model.attn_implementation is None:
        model.attn_implementation = "sdpa"
    if isinstance(config, GRPOOptions):
        _check_rewards(config, data)
        check_reference_loading(config.beta, has_adapter=model.use_peft)
    longest = _most_tokens(config, data)
    shape = _shape(model, longest)
    if isinstance(config, GRPOConfig):
        fit_vllm(config, longest, shape)
    config.model_init_kwargs = {
        "revision": model.model_revision,
        "attn_implementation": model.attn_implementation,
        "dtype": model.dtype,
        **(config.model_init_kwargs or {}),
    }
    recipe = recipe_of(
        config,
        data,
        model,
        model_commit=shape.commit,
        model_weights=weights_digest(model.model_name_or_path),
        model_files=model_files(model.model_name_or_path),
        dataset_content=data.content_revision(),
        dataset_rows=rows_digest(data.dataset_name(), data.train_on),
    )
    check_resumable(config, run, recipe)
    if config.process_index == 0:
        options = {**vars(data), **vars(run), **vars(model), **vars(config)}
        print_needs(options, model_size(shape.config, get_peft_config(model)), config)
    prepare_repository(config)
    template = config.chat_template_kwargs
    return config, RunSettings(data, run, throughput, model, shape.tokenizer, template, recipe)


def _read(
    arguments: Sequence[str] | None, kind: type[Options]
) -> tuple[DataOptions, RunOptions, ThroughputOptions, Options, Any]:
    """Return the options as they were given, by their groups; raise as `parse` does."""
    stage = "sft" if issubclass(kind, SFTConfig) else "grpo"
    try:
        parser = _Parser((*OPTION_KINDS, kind, ModelConfig))
        parser.stage = stage
        parser.set_defaults(report_to="trackio")
        data, run, throughput, _, config, model, rest = parser.parse_args_and_config(
            with_presets(sys.argv[1:] if arguments is None else arguments, stage),
            return_remaining_strings=True,
        )
    except IndexError as error:
        raise WrongUsageError("options: --config names no file") from error
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise InputError(f"options: {error}") from error
    check_names([word.lstrip("-") for word in rest[:1]], names_of(kind))
    return data, run, throughput, config, model


def _check_rewards(config: GRPOOptions, data: DataOptions) -> None:
    """Refuse options that make a proper reward improper; raise as `check_proper` does."""
    check_proper(
        reward_weights(config.rewards),
        balance=data.balance,
        repeat_feasible=data.repeat_feasible,
        scale_rewards=config.scale_rewards,
        aggregation=config.multi_objective_aggregation,
    )


def _most_tokens(config: SFTOptions | GRPOOptions, data: DataOptions) -> int:
    """Return the most tokens that a prompt and its answer have.

    Raises:
        InputError: `max_length` has no room for an answer.
    """
    if isinstance(config, GRPOConfig):
        return data.max_prompt_tokens + (config.max_completion_length or 0)
    if config.max_length is None:
        return data.max_prompt_tokens
    if config.max_length <= data.max_prompt_tokens:
        raise InputError(
            f"max_length is {config.max_length} and max_prompt_tokens {data.max_prompt_tokens}; "
            "a prompt and its answer must fit: lower max_prompt_tokens or raise max_length"
        )
    return int(config.max_length)


def _shape(model: Any, longest: int) -> ModelShape:
    """Return the model without its weights.

    Raises:
        InputError: it is missing, cannot be read, is an adapter, or its context is too short.
    """
    if not model.model_name_or_path:
        raise InputError("model_name_or_path is missing; give a folder or a Hub id")
    if is_adapter(model.model_name_or_path):
        raise InputError(
            f"{model.model_name_or_path}: is a LoRA adapter, and training begins with weights; "
            "merge it into its model (python train/merge_adapter.py ADAPTER OUT) and give that"
        )
    shape = read_model_shape(model.model_name_or_path, model.model_revision)
    if shape.context and longest > shape.context:
        raise InputError(
            f"{model.model_name_or_path}: its context has {shape.context:,} tokens, and prompt and "
            f"answer may have {longest:,}; lower max_prompt_tokens and, for SFT, max_length, for "
            "GRPO max_completion_length"
        )
    return shape


class _Parser(TrlParser):
    """A parser that knows presets, and does not print hundreds of options where one is wrong."""

    stage: str
    """The training stage whose presets a file may name: `sft` or `grpo`."""

    def set_defaults_with_config(self, **options: Any) -> list[str]:
        """Take the options of a file, after those of the presets that it names."""
        presets = preset_values(options.get("preset", []), self.stage)
        unknown: list[str] = super().set_defaults_with_config(**{**presets, **options})
        return unknown

    def error(self, message: str) -> NoReturn:
        raise WrongUsageError(f"options: {message}")


def check_names(names: Iterable[str], known: Sequence[str], where: str = "options") -> None:
    """Check that options exist.

    Raises:
        WrongUsageError: an option does not exist; the message names the nearest one.

    >>> check_names(["targt"], ["target", "variant"])
    Traceback (most recent call last):
    bagen_data.errors.WrongUsageError: options: unknown option targt; did you mean target?
    """
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, 1)
            advice = f"; did you mean {near[0]}?" if near else "; see --help"
            raise WrongUsageError(f"{where}: unknown option {name}{advice}")


def names_of(kind: type[Any]) -> list[str]:
    """Return the names of all options of a script whose trainer has options of this kind."""
    return [each.name for one in (*OPTION_KINDS, kind, ModelConfig) for each in fields(one)]


def reward_weights(rewards: Any) -> dict[str, float]:
    """Return weights of the parts of a reward, from its name, from JSON, or as they are.

    Raises:
        InputError: the reward or a part is unknown, or a weight is not a number.

    >>> reward_weights("paper"), reward_weights('{"interval": 1}')
    ({'interval': 1.8, 'impossible': 0.2}, {'interval': 1})
    """
    weights = REWARDS.get(rewards, rewards) if isinstance(rewards, str) else rewards
    if isinstance(weights, str):
        with suppress(ValueError):
            weights = json.loads(weights)
    if not isinstance(weights, Mapping):
        raise WrongUsageError(
            f"rewards is {rewards!r}; expected {', '.join(REWARDS)}, or weights of parts, such "
            'as {"interval": 1.8, "impossible": 0.2}'
        )
    check_weights(weights)
    return dict(weights)


def _check_epochs(keep_epochs: Sequence[int], config: Any) -> None:
    if config.max_steps > 0:
        return
    if config.num_train_epochs <= 0:
        raise InputError(f"num_train_epochs is {config.num_train_epochs}; expected more than 0")
    if keep_epochs and max(keep_epochs) > config.num_train_epochs:
        raise InputError(
            f"keep_epochs names {max(keep_epochs)}, and num_train_epochs is "
            f"{config.num_train_epochs:g}; raise that, or keep none after it"
        )


def _check_device(config: Any) -> None:
    import torch

    launched_on_cpu = os.environ.get("ACCELERATE_USE_CPU", "").lower() in ("1", "true", "yes")
    if config.use_cpu or launched_on_cpu:
        config.use_cpu = True
        if config.bf16 is None:
            config.bf16 = False
        return
    if not torch.accelerator.is_available():
        raise InputError(
            "cannot find a GPU that PyTorch can use; give --use_cpu true (or launch with "
            "train/accelerate/cpu.yaml), or install PyTorch for your GPU"
        )


def _name_checkpointing(config: Any) -> None:
    """Give gradient checkpointing its new name, so that transformers does not warn of TRL's old."""
    for old in ("gradient_checkpointing", "gradient_checkpointing_kwargs"):
        new = old.replace("gradient", "activation")
        if getattr(config, new) is None:
            setattr(config, new, getattr(config, old))


def _fit_evaluation(config: Any) -> None:
    """Set the batch of evaluation, and check that it holds whole groups of answers."""
    if config.break_even_prompts < 0:
        raise WrongUsageError(
            f"break_even_prompts is {config.break_even_prompts}; expected 0 or more"
        )
    if config.per_device_train_batch_size < 1 or not config.num_generations:
        return  # refused elsewhere
    group = config.num_generations_eval or config.num_generations
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    config.per_device_eval_batch_size = config.per_device_eval_batch_size or eval_batch_size(
        config.per_device_train_batch_size, group, processes
    )
    answers = config.per_device_eval_batch_size * processes
    if answers % group:
        raise WrongUsageError(
            f"per_device_eval_batch_size is {config.per_device_eval_batch_size}, on {processes} "
            f"processes {answers} answers; expected a multiple of the {group} answers of a prompt; "
            "leave it out, or give num_generations_eval"
        )
