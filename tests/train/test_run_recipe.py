"""A run goes on only with the options that it was started with."""

import json
import shutil
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from trl import ModelConfig

from bagen_data.errors import InputError
from tests.train.running import sft_options, write_yaml
from train.content_digests import model_files, weights_digest
from train.data import DataOptions
from train.run_recipe import NOT_COMPARED, NOT_DECIDING, RECIPE
from train.training_options import GRPOOptions, SFTOptions, parse
from train.training_run import RunOptions

pytestmark = pytest.mark.filterwarnings(
    "ignore:`gradient_checkpointing` is deprecated:FutureWarning"  # which TRL sets
)
GRPO = {"max_length": None, "num_generations": 4, "max_completion_length": 8, "beta": 0.05}


def arguments(folder: Path, dataset: str, model: str, **changes: Any) -> list[str]:
    options = sft_options(dataset, model, folder / "out", resume=True, **changes)
    content = {name: value for name, value in options.items() if value is not None}
    return ["--config", str(write_yaml(folder / "run.yaml", content))]


@pytest.fixture
def run_options(tmp_path: Path, dataset: str, tiny: str) -> list[str]:
    """The arguments of a GRPO run that has a checkpoint."""
    words = arguments(tmp_path, dataset, tiny, **GRPO)
    write_checkpoint(tmp_path / "out", words, GRPOOptions)
    return words


def write_checkpoint(folder: Path, words: list[str], kind: Any) -> None:
    """Write the checkpoint and the recipe of a run with these arguments."""
    _, settings = parse(words, kind)
    checkpoint = folder / "checkpoint-3"
    checkpoint.mkdir(parents=True)
    (checkpoint / "trainer_state.json").write_text("{}")
    (folder / RECIPE).write_text(json.dumps(dict(settings.recipe)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("--learning_rate 0.02", "with learning_rate 0.01, not 0.02; remove the folder, or give"),
        ("--beta 0.1", r"with beta 0\.05, not 0\.1;"),
        ("--seed 1", "with seed 42, not 1;"),
        ("--data_seed 1", "with no data_seed, not 1;"),
        ("--max_steps 7", "with max_steps 6, not 7;"),
        ("--lr_scheduler_type constant", "with lr_scheduler_type 'linear', not 'constant';"),
        ("--rewards dense", "with rewards .*interval=1.8.* not .*closeness"),
        ("--num_generations 2", "with num_generations 4, not 2;"),
        ("--temperature 0.7", r"with temperature 1\.0, not 0\.7;"),
        ("--bf16 true", "with bf16 False, not True, and mixed_precision 'no', not 'bf16';"),
        ("--gradient_accumulation_steps 2", "with generation_batch_size 4, not 8, .*global_batch"),
        ("--lora_r 8", "with lora_r 16, not 8;"),
        ("--max_prompt_tokens 900", "with max_prompt_tokens 1152, not 900;"),
        ("--model_revision v2", "with model_init_kwargs revision 'main', not 'v2', .*revision"),
    ],
)
def test_a_run_with_other_options_is_refused(
    run_options: list[str], change: str, message: str
) -> None:
    with pytest.raises(InputError, match=f"its checkpoints were made {message}"):
        parse([*run_options, *change.split()], GRPOOptions)


@pytest.mark.parametrize(
    "change",
    [
        "--logging_steps 5 --save_steps 2 --save_total_limit 3 --run_name other",
        "--per_device_train_batch_size 2 --gradient_accumulation_steps 2",
        "--keep_epochs 1 --gradient_checkpointing true --per_device_eval_batch_size 4",
    ],
)
def test_what_does_not_decide_may_change(run_options: list[str], change: str) -> None:
    parse([*run_options, *change.split()], GRPOOptions)


def test_other_files_under_the_same_name_are_refused(
    tmp_path: Path, dataset: str, tiny: str
) -> None:
    """The model's weights, config and tokenizer count, and the dataset's rows."""
    model, built = tmp_path / "model", tmp_path / "built"
    shutil.copytree(tiny, model)
    shutil.copytree(dataset, built)
    options = arguments(tmp_path, str(built), str(model))
    write_checkpoint(tmp_path / "out", options, SFTOptions)
    (rows,) = (built / "data" / "sokoban_train").glob("sft*.parquet")
    changed = {
        "model_weights '": model / "model.safetensors",
        "model_files chat_template.jinja '": model / "chat_template.jinja",
        "model_files tokenizer.json '": model / "tokenizer.json",
        "dataset_rows '": rows,
    }
    for message, path in changed.items():
        content = path.read_bytes()
        middle = len(content) // 2 + 1
        other = b" " if path.suffix == ".jinja" else b""
        path.write_bytes(
            content + other if other else content[:middle] + b"\1" + content[middle + 1 :]
        )
        if path.suffix == ".json":
            path.write_bytes(content + b"\n")
        with pytest.raises(InputError, match=f"its checkpoints were made with {message}"):
            parse(options, SFTOptions)
        path.write_bytes(content)
    parse(options, SFTOptions)


def test_what_decides_the_best_checkpoint_is_compared(
    tmp_path: Path, dataset: str, tiny: str
) -> None:
    best = {"load_best_model_at_end": True, "save_strategy": "steps", "eval_strategy": "steps"}
    best |= {"save_steps": 2, "eval_steps": 2, "evaluate_on": ["sokoban_train"]}
    options = arguments(tmp_path, dataset, tiny, **best)
    write_checkpoint(tmp_path / "out", options, SFTOptions)
    parse(options, SFTOptions)
    with pytest.raises(
        InputError, match=r"made with eval_steps 2, not 1\.0, and save_steps 2, not 3;"
    ):
        parse([*options, "--eval_steps", "1", "--save_steps", "3"], SFTOptions)


def test_another_version_of_the_trainer_is_refused(
    run_options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new version may have other losses and defaults under the same names."""
    monkeypatch.setattr("train.run_recipe.version", lambda name: f"99 {name}")
    with pytest.raises(InputError, match=r"trainer_versions transformers '.*', not '99 "):
        parse(run_options, GRPOOptions)


def test_a_launchers_precision_is_compared(
    run_options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    with pytest.raises(InputError, match="made with mixed_precision 'no', not 'bf16'; remove"):
        parse(run_options, GRPOOptions)


def test_a_model_of_the_hub_has_its_commit_alone() -> None:
    assert (weights_digest("ORG/NAME"), model_files("ORG/NAME")) == (None, {})


def test_exceptions_are_options_and_the_rest_is_compared(
    tmp_path: Path, dataset: str, tiny: str
) -> None:
    """An option that TRL adds is compared until it is named as one that decides nothing."""
    common = {each.name for kind in (DataOptions, ModelConfig) for each in fields(kind)}
    known = {each.name for each in fields(RunOptions)}
    for kind, changes in ((SFTOptions, {}), (GRPOOptions, GRPO)):
        _, settings = parse(arguments(tmp_path, dataset, tiny, **changes), kind)
        options = common | {each.name for each in fields(kind)}
        added = {"global_batch", "mixed_precision", "trainer_versions", NOT_COMPARED}
        added |= {"model_commit", "model_weights", "model_files"}
        added |= {"dataset_content", "dataset_rows"}
        assert settings.recipe.keys() == (options - NOT_DECIDING) | added
        known |= options
    assert known >= NOT_DECIDING
    assert settings.recipe[NOT_COMPARED]["versions"].keys() >= {"torch", "transformers", "trl"}
