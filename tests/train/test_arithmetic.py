"""Disk and memory of a run, against published sizes and what a run writes."""

import json
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from trl import ModelConfig, get_peft_config

from bagen_data.errors import InputError
from tests.making import REPO
from tests.train.running import sft_options, write_yaml
from train.arithmetic import check_disk, main, needs_of
from train.launch_plan import LaunchPlan, plan_of
from train.model_size import ModelSize, model_size, read_config
from train.training_options import SFTOptions, parse

pytestmark = pytest.mark.filterwarnings(
    "ignore:`gradient_checkpointing` is deprecated:FutureWarning"  # which TRL sets
)
QWEN = {
    "model_type": "qwen2",
    "hidden_size": 3584,
    "intermediate_size": 18944,
    "num_hidden_layers": 28,
    "num_attention_heads": 28,
    "num_key_value_heads": 4,
    "vocab_size": 152064,
    "tie_word_embeddings": False,
}
LLAMA = {
    "model_type": "llama",
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "tie_word_embeddings": False,
}
SMOL = {
    "model_type": "llama",
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_hidden_layers": 30,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "vocab_size": 49152,
    "tie_word_embeddings": True,
}
PLAN = LaunchPlan(8, 1, is_split=True, writes_twice=False, uses_fsdp=True, gpu_memory=80e9)
"""Eight GPUs that share a model."""
SIZE = ModelSize(7_615_616_512, 0, 28, 233_057_792, 3584, 18944)
"""Qwen2.5-7B."""


@pytest.fixture
def config_file(tmp_path: Path) -> Callable[[Any], Path]:
    def write(content: Any) -> Path:
        (tmp_path / "config.json").write_text(json.dumps(content))
        return tmp_path / "config.json"

    return write


def options(**changes: Any) -> dict[str, Any]:
    same = {
        "output_dir": "out/run",
        "save_strategy": "steps",
        "save_total_limit": 1,
        "optim": "adamw_torch_fused",
        "bf16": True,
        "dtype": "float32",
        "per_device_train_batch_size": 4,
        "max_prompt_tokens": 8192,
        "max_length": 9216,
        "gradient_checkpointing": True,
    }
    return {**same, **changes}


def sizes(amounts: Any) -> dict[str, float]:
    """Return amounts in GB by name."""
    return {amount.name: round(amount.size / 1e9, 1) for amount in amounts}


@pytest.mark.parametrize(
    ("content", "parameters"),
    [(QWEN, 7_615_616_512), (LLAMA, 8_030_261_248), (SMOL, 134_515_008)],
    ids=["Qwen2.5-7B", "Llama-3.1-8B", "SmolLM2-135M"],
)
def test_parameters_are_those_of_the_hub(
    config_file: Callable[[Any], Path], content: Any, parameters: int
) -> None:
    """The Hub states them for the files of weights."""
    size = model_size(read_config(str(config_file(content))))
    assert (size.parameters, size.layers) == (parameters, content["num_hidden_layers"])
    outer = (1 if content["tie_word_embeddings"] else 2) * content["vocab_size"]
    assert size.outer_parameters == (outer + 1) * content["hidden_size"]  # and the last norm


def test_checkpoints_and_kept_models() -> None:
    """A checkpoint of all weights by FSDP took 122 GB; see docs/training.md."""
    needs = needs_of(options(keep_epochs=[2, 3, 5]), SIZE, PLAN)
    assert sizes(needs.disk) == {"checkpoints": 2 * 91.4, "kept models": 60.9}
    whole = LaunchPlan(8, 1, is_split=True, writes_twice=True, uses_fsdp=True, gpu_memory=80e9)
    assert sizes(needs_of(options(), SIZE, whole).disk)["checkpoints"] == pytest.approx(2 * 121.85)
    without = needs_of(options(save_strategy="no", bf16=False), SIZE, PLAN)
    assert sizes(without.disk) == {"kept models": 30.5}


def test_memory_of_grpo_with_vllm() -> None:
    grpo = options(
        num_generations=16,
        max_completion_length=1024,
        beta=0.05,
        use_vllm=True,
        vllm_mode="colocate",
        vllm_gpu_memory_utilization=0.4,
    )
    needs = needs_of(grpo, SIZE, PLAN)
    amounts = sizes(needs.gpu)
    assert amounts["weights, gradients, optimizer"] == 15.2
    assert (amounts["reference model"], amounts["vLLM"]) == (3.8, 32.0)
    assert amounts["reference model, gathered"] == 15.2
    assert sizes(needs.host)["loading"] == 8 * 60.9 + 0.2
    asleep = needs_of({**grpo, "vllm_enable_sleep_mode": True}, SIZE, PLAN)
    learning = 1e9 * (amounts["activations"] + amounts["gathered layers"])
    assert learning < 32e9  # what vLLM takes in its turn
    assert needs.gpu_size - asleep.gpu_size == pytest.approx(learning, rel=0.01)
    assert "The GPU has 80 GB, less than this bound" in str(needs)
    assert "less than this bound" not in str(asleep)
    assert sizes(needs_of({**grpo, "beta": 0.0}, SIZE, PLAN).host)["loading"] == 243.7


@pytest.mark.parametrize(
    ("change", "is_whole"),
    [
        ({"gradient_accumulation_steps": 2}, True),
        ({"prompts_per_step": 64}, True),
        ({"prompts_per_step": 32}, False),  # one batch of 4 in each of 8 processes
        ({"gradient_accumulation_steps": 1}, False),
        (
            {
                "gradient_accumulation_steps": 2,
                "accelerator_config": {"gradient_accumulation_kwargs": {"sync_each_batch": True}},
            },
            False,
        ),
    ],
)
def test_fsdp_holds_whole_gradients_while_it_accumulates(
    change: dict[str, Any], is_whole: bool
) -> None:
    """Accelerate accumulates by `set_requires_gradient_sync(False)`."""
    needs = needs_of(options(**change), SIZE, PLAN)
    assert sizes(needs.gpu).get("gradients, whole") == (15.2 if is_whole else None)
    alone = LaunchPlan(8, 1, False, writes_twice=False, uses_fsdp=False, gpu_memory=80e9)
    replicated = sizes(needs_of(options(**change), SIZE, alone).gpu)
    assert replicated["gradients that are sent"] == 30.5
    assert "gradients, whole" not in replicated


@pytest.mark.parametrize(
    ("change", "frozen"),
    [({}, 140.0), ({"load_in_8bit": True}, 72.0), ({"load_in_4bit": True}, 42.25)],
)
def test_quantised_weights(change: dict[str, Any], frozen: float) -> None:
    """68 billion weights in layers and 2 outside; 4 bits have a scale for each 64 weights."""
    size = ModelSize(70_000_000_000, 200_000_000, 80, 850_000_000, 8192, 28672)
    peft = options(use_peft=True, dtype="bfloat16", **change)
    one = LaunchPlan(1, 1, False, writes_twice=False, uses_fsdp=False, gpu_memory=80e9)
    assert sizes(needs_of(peft, size, one).gpu)["weights that are not trained"] == pytest.approx(
        frozen, abs=0.06
    )


def test_a_checkpoint_without_the_optimizer() -> None:
    needs = needs_of(options(save_only_model=True), SIZE, PLAN)
    assert sizes(needs.disk)["checkpoints"] == 2 * 30.5 - 0.1


def lora_of(*modules: str) -> Any:
    return get_peft_config(ModelConfig(use_peft=True, lora_r=16, lora_target_modules=list(modules)))


def test_an_adapter_takes_little(config_file: Callable[[Any], Path]) -> None:
    config = read_config(str(config_file(SMOL)))
    size = model_size(config, lora_of("q_proj", "k_proj"))
    assert size.adapter_parameters == 30 * 16 * (2 * 576 + 576 + 192)
    plan = plan_of(None, 1, 24e9)
    needs = needs_of(options(use_peft=True, dtype="bfloat16"), size, plan)
    assert needs.disk_size == (2 * 12 + 4) * size.adapter_parameters
    with pytest.raises(InputError, match=r"the adapter does not fit the model: .*'q_porj'"):
        model_size(config, lora_of("q_porj", "k_porj"))


def test_a_run_is_refused_where_the_disk_is_too_small(
    tmp_path: Path, dataset: str, tiny: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")(10**9, 10**9 - 10**5, 10**5)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    content = sft_options(dataset, tiny, tmp_path / "out", save_strategy="steps")
    with pytest.raises(InputError, match=r"out: the run writes up to .* GB, and its disk has"):
        parse(["--config", str(write_yaml(tmp_path / "run.yaml", content))], SFTOptions)


def test_files_of_the_run_itself_are_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")(10**9, 10**9, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    small = ModelSize(1000, 0, 1, 1000, 8, 8)
    needs = needs_of(options(), small, PLAN)
    with pytest.raises(InputError, match="free some, give another output_dir"):
        check_disk(needs, str(tmp_path / "new" / "out"))
    (tmp_path / "optimizer.pt").write_bytes(bytes(int(needs.disk_size)))
    check_disk(needs, str(tmp_path))


@pytest.mark.parametrize(
    "name",
    sorted(
        path.name
        for path in (REPO / "train/configs").glob("*.yaml")
        if "\nmodel_name_or_path:" in path.read_text("utf-8")
    ),
)
def test_each_config_is_reckoned(
    name: str, config_file: Callable[[Any], Path], capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(REPO / "train/configs" / name)
    main(["--config", file, "--gpus", "8", "--model", str(config_file(QWEN))])
    written = capsys.readouterr().out
    assert "7.62 billion weights; 8 x GPU, which share the model" in written
    options = yaml.safe_load((REPO / "train/configs" / name).read_text("utf-8"))
    assert ("reference model" in written) == (options.get("beta", 0) > 0)
    main(["--config", file, "--gpus", "0", "--model", str(config_file(SMOL))])
    assert "memory of a GPU" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (["--gpus", "-1"], "--gpus is -1; expected 0 or more"),
        (["--model", "/nowhere"], "/nowhere: its config cannot be read"),
        (["--launch", "/nowhere"], "/nowhere: cannot be read"),
        (["--config", "/nowhere"], "/nowhere: cannot be read"),
    ],
)
def test_what_cannot_be_reckoned(
    change: list[str], message: str, config_file: Callable[[Any], Path]
) -> None:
    file = str(REPO / "train/configs/sokoban_pct30.yaml")
    with pytest.raises(InputError, match=message):
        main(["--config", file, "--model", str(config_file(SMOL)), *change])


def test_deepspeed_neither_holds_whole_gradients_nor_gathers_the_reference() -> None:
    grpo = options(num_generations=16, beta=0.05, gradient_accumulation_steps=2)
    grpo["max_completion_length"] = 1024
    zero3 = LaunchPlan(8, 1, is_split=True, writes_twice=True, uses_fsdp=False, gpu_memory=80e9)
    ours, theirs = (set(sizes(needs_of(grpo, SIZE, plan).gpu)) for plan in (PLAN, zero3))
    assert ours - theirs == {"gradients, whole", "reference model, gathered"}
