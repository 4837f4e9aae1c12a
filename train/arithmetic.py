"""Print the disk and memory that a training run takes, from its options and the model's config.

    python train/arithmetic.py --config train/configs/sokoban_grpo.yaml --gpus 8
    python train/arithmetic.py --config train/configs/sokoban_grpo.yaml --gpus 8 --model config.json

The second command needs no hub: the config.json of any model is enough, and no weights are read.
The training scripts print the same before they load weights, and refuse a disk that is too small.
Activations are a rough upper bound. Nothing is measured.
"""

import argparse
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder
    import train.installed  # noqa: F401

import yaml

from bagen_data.command_line import run
from bagen_data.errors import InputError
from train.launch_plan import LaunchPlan, plan_of, running_plan
from train.model_size import ModelSize, model_size, read_config

GB = 1e9
_OPTIMIZER = {"adafactor": 0, "sgd": 0, "lion": 4, "8bit": 2}
"""Bytes a weight of optimizers by a part of their name, in float32; 8 for the others, as AdamW."""
_QUANTISED = {"load_in_4bit": 0.5 + 4 / 64, "load_in_8bit": 1.0}
"""Bytes of a layer's weight that bitsandbytes loads by these options; in 4 bits, every 64 weights
share a scale in float32 (QLoRA; Dettmers et al., 2023, section 3)."""
_GENERATING, _SCORING, _LEARNING = "generating", "scoring", "learning"
"""A GPU's turns: vLLM answers, the reference model scores answers, a step learns."""
_WHOLE_GRADIENTS = "gradients, whole"
_RESERVED = 2 * GB
"""Bytes of a GPU that CUDA, NCCL and the allocator's gaps take; a rule of thumb."""


@dataclass(frozen=True)
class Amount:
    """A line of the table of what a run needs."""

    name: str
    size: float
    """The amount in bytes."""
    reason: str
    """Text that says how the amount is computed."""
    turn: str | None = None
    """The GPU's turn during which the amount is taken; None for all of them."""


@dataclass(frozen=True)
class Needs:
    """The disk and memory that a run takes at most."""

    title: str
    disk: tuple[Amount, ...]
    """Disk in the run's folder: amounts that are taken together."""
    host: tuple[Amount, ...]
    """Memory of one machine: amounts that are taken one after another."""
    gpu: tuple[Amount, ...]
    """Memory of one GPU: amounts that are taken together, by its turns; empty on a CPU."""
    gpu_memory: float | None
    """Bytes that one GPU has."""
    does_sleep: bool
    """True where vLLM gives its share back while the model is trained."""

    @property
    def gpu_size(self) -> float:
        """Bytes of a GPU that are taken at one time, at most."""
        return _at_one_time(self.gpu, does_sleep=self.does_sleep)

    @property
    def disk_size(self) -> float:
        """Bytes in the run's folder."""
        return sum(amount.size for amount in self.disk)

    def __str__(self) -> str:
        lines = [self.title, *_lines("disk", self.disk, self.disk_size)]
        lines += _lines("memory of a machine", self.host, max(each.size for each in self.host))
        if self.gpu:
            lines += _lines("memory of a GPU", self.gpu, self.gpu_size)
            if self.gpu_memory and self.gpu_size > self.gpu_memory:
                lines.append(
                    f"  The GPU has {self.gpu_memory / GB:.0f} GB, less than this bound; lower "
                    "per_device_train_batch_size or the lengths, or take more GPUs."
                )
                if any(amount.name == _WHOLE_GRADIENTS for amount in self.gpu):
                    lines.append(
                        "  Gradients stay divided, at the price of more communication, with "
                        "accelerator_config: {gradient_accumulation_kwargs: {sync_each_batch: "
                        "true}}."
                    )
        return "\n".join(lines)


def needs_of(options: Mapping[str, Any], size: ModelSize, plan: LaunchPlan) -> Needs:
    """Return what a run takes.

    Args:
        options: the options of the run by name, of the data, the model and TRL's trainer.
        size: the size of the model.
        plan: the processes of the run.
    """
    trained = size.adapter_parameters or size.parameters
    split = "which share the model" if plan.is_split else "each with the whole model"
    where = f"{plan.processes} x " + ("GPU" if plan.gpu_memory else "CPU process")
    adapter = f", {_count(trained)} of them trained" if size.adapter_parameters else ""
    title = f"{options['output_dir']}: {_count(size.parameters)} weights{adapter}; {where}, {split}"
    return Needs(
        title,
        tuple(_disk(options, trained, plan, is_adapter=bool(size.adapter_parameters))),
        tuple(_host(options, size, plan)),
        tuple(_gpu(options, size, plan)) if plan.gpu_memory else (),
        plan.gpu_memory,
        does_sleep=_is_colocated(options) and bool(options.get("vllm_enable_sleep_mode")),
    )


def print_needs(options: Mapping[str, Any], size: ModelSize, trainer: Any) -> None:
    """Print what a run takes, before it loads weights.

    Args:
        options: as those of `needs_of`.
        size: the size of the model.
        trainer: the options of TRL's trainer.

    Raises:
        InputError: as `check_disk`.
    """
    needs = needs_of(options, size, running_plan(trainer))
    print(needs, flush=True)
    check_disk(needs, str(trainer.output_dir))


def check_disk(needs: Needs, folder: str) -> None:
    """Check that a run's files fit on the disk of its folder.

    Files that lie in the folder already count as free: the run goes on from them, or replaces them.

    Raises:
        InputError: the files do not fit.
    """
    place = Path(folder).resolve()
    used = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free + used
    if needs.disk_size > free:
        raise InputError(
            f"{folder}: the run writes up to {_gb(needs.disk_size)} GB, and its disk has "
            f"{_gb(free)} GB free; free some, give another output_dir, lower save_total_limit, or "
            "name fewer keep_epochs"
        )


def main(arguments: Sequence[str] | None) -> None:
    """Print the table of one run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--config", type=Path, required=True, help="the YAML file of a run")
    parser.add_argument(
        "--gpus", type=int, help="number of GPUs, 0 for a CPU [default: --launch's]"
    )
    parser.add_argument("--gpu-memory", type=float, default=80, help="GB of one GPU [default: 80]")
    parser.add_argument(
        "--launch",
        type=Path,
        help="the file of launch settings [default: for several GPUs, fsdp2.yaml for SFT and "
        "fsdp2_grpo.yaml for GRPO]",
    )
    parser.add_argument("--model", help="a folder or config.json [default: model_name_or_path]")
    parser.add_argument("--stage", choices=("sft", "grpo"), help="[default: by the options]")
    flags = parser.parse_args(arguments)
    if flags.gpus is not None and flags.gpus < 0:
        raise InputError(f"--gpus is {flags.gpus}; expected 0 or more")
    options = _options(flags.config, flags.stage)
    name = flags.model or options["model_name_or_path"]
    if not name:
        raise InputError(f"{flags.config}: model_name_or_path is missing; give --model")
    size = model_size(read_config(name), _lora(options))
    plan = plan_of(_launch(flags, options), flags.gpus, flags.gpu_memory * GB)
    print(needs_of(options, size, plan))


def _launch(flags: argparse.Namespace, options: Mapping[str, Any]) -> Path | None:
    """Return the file of launch settings that the table is made for; None without one."""
    if flags.launch or (flags.gpus or 0) <= 1:
        path: Path | None = flags.launch
        return path
    folder = Path(__file__).resolve().parent / "accelerate"
    of_grpo = folder / "fsdp2_grpo.yaml"
    return of_grpo if "num_generations" in options and of_grpo.is_file() else folder / "fsdp2.yaml"


def _disk(
    options: Mapping[str, Any], trained: int, plan: LaunchPlan, *, is_adapter: bool
) -> Iterator[Amount]:
    if str(getattr(options["save_strategy"], "value", options["save_strategy"])) != "no":
        per_weight = _weight_bytes(options, plan)
        if not options.get("save_only_model"):
            per_weight += _optimizer_bytes(options, plan)
        second_copy = 0 if is_adapter or not plan.writes_twice else 4
        limit = options["save_total_limit"]
        count = (limit or 0) + 1
        how = f"{count} at once: the new one is written before the oldest goes"
        if not limit:
            how = "one a save, and no save_total_limit: each further save takes as much"
        one = (per_weight + second_copy) * trained
        yield Amount(
            "checkpoints",
            count * one,
            f"{per_weight + second_copy} bytes a weight are {_gb(one)} GB; {how}",
        )
    kept = 2 if _is_bf16(options) and not is_adapter else 4
    models = len(options.get("keep_epochs") or ()) + 1
    yield Amount(
        "kept models",
        models * kept * trained,
        f"{kept} bytes a weight; {models} of them" if models > 1 else f"{kept} bytes a weight",
    )


def _host(options: Mapping[str, Any], size: ModelSize, plan: LaunchPlan) -> Iterator[Amount]:
    local = max(1, plan.processes // plan.machines)
    models = 2 if _has_reference(options, size) else 1
    weight = 2 if _is_half(options) else 4
    yield Amount(
        "loading",
        models * local * weight * size.parameters,
        f"{weight} bytes a weight; {local} process{'es' if local > 1 else ''}"
        + (", model and reference model" if models > 1 else ""),
    )
    if plan.gpu_memory is None:
        inside = tuple(_trained(options, size, plan))
        yield Amount(
            "training", local * _at_one_time(inside, does_sleep=False), "as listed for a GPU"
        )
    trained = size.adapter_parameters or size.parameters
    yield Amount("keeping a model", 2 * trained, "2 bytes a weight, gathered by one process")


def _gpu(options: Mapping[str, Any], size: ModelSize, plan: LaunchPlan) -> Iterator[Amount]:
    yield from _trained(options, size, plan)
    share = float(options.get("vllm_gpu_memory_utilization") or 0)
    if _is_colocated(options) and plan.gpu_memory:
        parallel = int(options.get("vllm_tensor_parallel_size") or 1)
        sleeps = ", given back while training" if options.get("vllm_enable_sleep_mode") else ""
        yield Amount(
            "vLLM",
            share * plan.gpu_memory,
            f"{share:g} of the GPU: {_gb(2 * size.parameters / parallel)} GB of weights, the rest "
            f"keys and values{sleeps}",
            _GENERATING,
        )
    yield Amount("CUDA, NCCL, gaps", _RESERVED, "a rule of thumb")


def _trained(options: Mapping[str, Any], size: ModelSize, plan: LaunchPlan) -> Iterator[Amount]:
    weight, state = _weight_bytes(options, plan), _optimizer_bytes(options, plan)
    computed = 2 if _is_bf16(options) or options.get("fp16") or _is_half(options) else 4
    trained = size.adapter_parameters or size.parameters
    by = f" / {plan.shares}" if plan.shares > 1 else ""
    yield Amount(
        "weights, gradients, optimizer",
        (2 * weight + state) * trained / plan.shares,
        f"{2 * weight + state} bytes a trained weight{by}",
    )
    if size.adapter_parameters:
        yield _frozen(options, size, plan)
    if plan.is_split:
        yield Amount(
            "gathered layers",
            2 * computed * (size.outer_parameters + 2 * size.layer_parameters),
            f"{2 * computed} bytes a weight (as computed, and its gradient) of two layers and the "
            "embeddings",
            _LEARNING,
        )
        if _holds_gradients(options, plan):
            yield Amount(
                _WHOLE_GRADIENTS,
                computed * trained,
                f"{computed} bytes a trained weight: FSDP divides them at the last of the batches "
                "that a step accumulates",
                _LEARNING,
            )
    else:
        if plan.processes > 1:
            yield Amount(
                "gradients that are sent",
                weight * trained,
                f"{weight} bytes a trained weight, in DDP's buckets",
            )
        if _is_bf16(options) and not _is_half(options):
            copied = trained if _quantised(options) else size.parameters
            yield Amount("copy in bfloat16", 2 * copied, "2 bytes a weight, of autocast", _LEARNING)
    if _has_reference(options, size):
        stored = 2 if _is_half(options) else 4
        yield Amount(
            "reference model",
            stored * size.parameters / plan.shares,
            f"{stored} bytes a weight{by}",
        )
        if plan.uses_fsdp:
            yield Amount(
                "reference model, gathered",
                computed * size.parameters,
                f"{computed} bytes a weight: TRL has FSDP gather all of its layers at once",
                _SCORING,
            )
    tokens, how = _tokens(options)
    in_layer = 48 * size.hidden + 16 * size.intermediate
    half = 1 if _is_bf16(options) else 2
    saves = options.get("activation_checkpointing")
    if saves is None:  # the older name of the option
        saves = options.get("gradient_checkpointing")
    per_token = (
        2 * size.layers * size.hidden + in_layer if saves else (size.layers + 1) * in_layer // 2
    )
    yield Amount("activations", half * per_token * tokens, f"{how}; a bound", _LEARNING)


def _at_one_time(amounts: Sequence[Amount], *, does_sleep: bool) -> float:
    """Return the bytes that are taken at one time, at most."""
    turns: dict[str | None, float] = {}
    for each in amounts:
        turn = None if each.turn == _GENERATING and not does_sleep else each.turn
        turns[turn] = turns.get(turn, 0.0) + each.size
    return turns.pop(None, 0.0) + max(turns.values(), default=0.0)


def _frozen(options: Mapping[str, Any], size: ModelSize, plan: LaunchPlan) -> Amount:
    """Return the weights under an adapter, which are not trained.

    FSDP divides them among the GPUs, but for those in 4 bits (Accelerate 1.15).
    """
    stored = 2 if _is_half(options) else 4
    option = _quantised(options)
    in_layers, shares = _QUANTISED.get(option or "", stored), plan.shares
    outside = stored * size.outer_parameters / shares
    inside = in_layers * (size.parameters - size.outer_parameters)
    if option != "load_in_4bit":
        inside /= shares
    reason = f"{in_layers:g} bytes a weight"
    if option:
        reason += f" in layers ({option}), {stored} outside"
    return Amount("weights that are not trained", outside + inside, reason)


def _quantised(options: Mapping[str, Any]) -> str | None:
    """Return the option by which the layers' weights are quantised."""
    return next((name for name in _QUANTISED if options.get(name)), None)


def _holds_gradients(options: Mapping[str, Any], plan: LaunchPlan) -> bool:
    """Return whether each GPU holds the gradients of all weights while a step accumulates."""
    return plan.uses_fsdp and _accumulated(options, plan) > 1 and not _does_sync(options)


def _accumulated(options: Mapping[str, Any], plan: LaunchPlan) -> float:
    """Return how many batches a process accumulates in a step."""
    prompts = options.get("prompts_per_step")
    if prompts is None:
        return float(options.get("gradient_accumulation_steps") or 1)
    sequences = int(prompts) * int(options.get("num_generations") or 1)
    return sequences / (plan.processes * int(options["per_device_train_batch_size"]))


def _does_sync(options: Mapping[str, Any]) -> bool:
    """Return whether gradients are divided after each of the batches that a step accumulates."""
    settings = options.get("accelerator_config")
    name = "gradient_accumulation_kwargs"
    of_steps = (
        settings.get(name) if isinstance(settings, Mapping) else getattr(settings, name, None)
    )
    return bool((of_steps or {}).get("sync_each_batch"))


def _tokens(options: Mapping[str, Any]) -> tuple[int, str]:
    """Return the most tokens that one process computes at once, and how they are computed."""
    batch = int(options["per_device_train_batch_size"])
    if "num_generations" in options:
        longest = int(options["max_prompt_tokens"]) + int(options["max_completion_length"] or 0)
    else:
        longest = int(options["max_length"] or options["max_prompt_tokens"])
    return batch * longest, f"{batch} x {longest:,} tokens"


def _weight_bytes(options: Mapping[str, Any], plan: LaunchPlan) -> int:
    """Return the bytes of a weight that is trained; FSDP turns those of bf16 into float32."""
    return 2 if _is_half(options) and not plan.is_split and not options.get("use_peft") else 4


def _optimizer_bytes(options: Mapping[str, Any], plan: LaunchPlan) -> int:
    name = str(getattr(options["optim"], "value", options["optim"]))
    in_float32 = next((size for part, size in _OPTIMIZER.items() if part in name), 8)
    return in_float32 * _weight_bytes(options, plan) // 4


def _is_half(options: Mapping[str, Any]) -> bool:
    return str(options.get("dtype")) in ("bfloat16", "float16", "auto")


def _is_bf16(options: Mapping[str, Any]) -> bool:
    bf16 = options.get("bf16")
    return not options.get("fp16") and not options.get("use_cpu") if bf16 is None else bool(bf16)


def _is_colocated(options: Mapping[str, Any]) -> bool:
    return bool(options.get("use_vllm")) and options.get("vllm_mode") == "colocate"


def _has_reference(options: Mapping[str, Any], size: ModelSize) -> bool:
    return float(options.get("beta") or 0) > 0 and not size.adapter_parameters


def _lines(heading: str, amounts: Sequence[Amount], total: float) -> Iterator[str]:
    yield f"  {heading}: {_gb(total)} GB at most"
    for amount in amounts:
        turn = f" (while {amount.turn})" if amount.turn else ""
        yield f"    {_gb(amount.size):>7} GB  {amount.name}{turn}: {amount.reason}"


def _count(weights: int) -> str:
    return f"{weights / 1e9:.2f} billion" if weights >= GB else f"{weights / 1e6:,.1f} million"


def _gb(size: float) -> str:
    return f"{size / GB:,.1f}" if size >= GB / 10 else f"{size / GB:.2g}"


def _options(path: Path, stage: str | None) -> dict[str, Any]:
    """Return the options of a run's file, with the defaults of those that it leaves out."""
    from trl import GRPOConfig, ModelConfig, SFTConfig

    from train.data import DataOptions
    from train.training_run import RunOptions

    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: is not a mapping of options; expected the YAML file of a run")
    names = {kind: {each.name for each in fields(kind)} for kind in (SFTConfig, GRPOConfig)}
    is_grpo = bool(
        content.keys() & (names[GRPOConfig] - names[SFTConfig] - {"chat_template_kwargs"})
    )
    if stage:
        is_grpo = stage == "grpo"
    kinds = (DataOptions, RunOptions, ModelConfig, GRPOConfig if is_grpo else SFTConfig)
    return {each.name: _default(each) for kind in kinds for each in fields(kind)} | content


def _default(option: Any) -> Any:
    if option.default is not MISSING:
        return option.default
    return option.default_factory() if option.default_factory is not MISSING else None


def _lora(options: Mapping[str, Any]) -> Any:
    """Return PEFT's config of the adapter that is trained; None if all weights are."""
    from trl import ModelConfig, get_peft_config

    names = {each.name for each in fields(ModelConfig)}
    return get_peft_config(ModelConfig(**{name: options[name] for name in names}))


if __name__ == "__main__":
    run(main)
