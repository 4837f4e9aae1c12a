"""The batch of one optimizer step over all processes: the same on any number of GPUs."""

import math
import os
from typing import Any

from bagen_data.errors import InputError, WrongUsageError

HELP = (
    "Prompts of one optimizer step over all GPUs, whatever their number: it decides "
    "gradient_accumulation_steps."
)
"""Help of the option `prompts_per_step`."""


def set_accumulation(config: Any, answers: int = 1) -> None:
    """Set how many batches a process accumulates, from `prompts_per_step`.

    TRL's GRPO generates `steps_per_generation` batches at once, which are as many as are
    accumulated: a step learns from answers of the present weights.

    Args:
        config: the trainer's options, before TRL has derived others from them; None in
            `prompts_per_step` leaves them as they are.
        answers: sequences of a prompt: 1 in SFT, `num_generations` in GRPO.

    Raises:
        WrongUsageError: `gradient_accumulation_steps` is set too, to another number.
        InputError: a step is not a whole number of batches of each process.
    """
    prompts, batch = config.prompts_per_step, config.per_device_train_batch_size
    if prompts is None:
        return
    if prompts < 1 or batch < 1:
        name, value = (
            ("per_device_train_batch_size", batch) if batch < 1 else ("prompts_per_step", prompts)
        )
        raise WrongUsageError(f"{name} is {value}; expected 1 or more")
    processes = process_count()
    accumulated, rest = divmod(prompts * answers, processes * batch)
    if rest:
        smallest = processes * batch // math.gcd(processes * batch, answers)
        near = (prompts // smallest * smallest, -(-prompts // smallest) * smallest)
        raise InputError(
            f"prompts_per_step is {prompts}: its {prompts * answers:,} sequences are not a whole "
            f"number of batches of {batch} (per_device_train_batch_size) in each of the processes, "
            f"which are {processes}; give prompts_per_step "
            f"{' or '.join(str(each) for each in near if each)}, or another number of processes"
        )
    if config.gradient_accumulation_steps not in (1, accumulated):
        raise WrongUsageError(
            f"gradient_accumulation_steps is {config.gradient_accumulation_steps}, and "
            f"prompts_per_step {prompts} makes it {accumulated} (processes: {processes}); give one "
            "of the two"
        )
    config.gradient_accumulation_steps = accumulated


def describe_step(config: Any, rows: int, answers: int = 1) -> str:
    """Return a sentence about what one optimizer step learns from, and how many an epoch has.

    Args:
        config: the trainer's options.
        rows: rows to train on.
        answers: sequences of a prompt: 1 in SFT, `num_generations` in GRPO.

    Raises:
        InputError: GRPO would have no step at all, as TRL leaves out an incomplete batch of
            prompts.
    """
    processes, batch = config.world_size, config.per_device_train_batch_size
    accumulated = config.gradient_accumulation_steps
    sequences = processes * batch * accumulated
    factors = (
        f"{processes} x {batch} x {accumulated} (processes x per_device_train_batch_size x "
        "gradient_accumulation_steps)"
    )
    if answers == 1:
        return (
            f"A step learns from {sequences:,} rows, {factors}; an epoch of {rows:,} rows has "
            f"{math.ceil(rows / sequences):,} steps."
        )
    at_once = config.generation_batch_size // answers
    if rows < at_once:
        raise InputError(
            f"{rows:,} prompts are left to train on, and answers to {at_once:,} are generated at "
            "once; give a smaller prompts_per_step, or more data"
        )
    whole, left_out = divmod(rows, at_once)
    steps = math.ceil(whole * config.steps_per_generation * config.num_iterations / accumulated)
    return (
        f"A step learns from {sequences / answers:,.6g} prompts x {answers} answers = "
        f"{sequences:,} completions, {factors}; an epoch of {rows:,} prompts has {steps:,} steps "
        f"and leaves {left_out:,} prompts out."
    )


def process_count() -> int:
    """Return the number of processes that the launcher started, of all machines together."""
    return int(os.environ.get("WORLD_SIZE") or 1)
