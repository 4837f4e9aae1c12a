"""Options that are chosen together, and what they need."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bagen_data.errors import InputError, WrongUsageError
from tests.train.running import sft_options, write_yaml
from train.preset_options import FOLDER, preset_values
from train.training_options import GRPOOptions, SFTOptions, names_of, parse

pytestmark = pytest.mark.filterwarnings(
    "ignore:`gradient_checkpointing` is deprecated:FutureWarning"  # which TRL sets
)


def parsed(tmp_path: Path, dataset: str, tiny: str, *flags: str, **changes: Any) -> Any:
    content = sft_options(dataset, tiny, tmp_path / "out", **changes)
    file = str(write_yaml(tmp_path / "run.yaml", content))
    return parse([*flags, "--config", file], SFTOptions)


@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_every_preset_has_options_of_its_stage(stage: str) -> None:
    known = names_of(SFTOptions if stage == "sft" else GRPOOptions)
    for path in (FOLDER / stage).glob("*.yaml"):
        assert set(yaml.safe_load(path.read_text("utf-8"))) <= set(known)


def test_a_preset_of_the_command_line_goes_before_the_file(
    tmp_path: Path, dataset: str, tiny: str
) -> None:
    config, settings = parsed(tmp_path, dataset, tiny, "--preset", "lora", "packing")
    assert (settings.model.use_peft, settings.model.lora_target_modules) == (True, "all-linear")
    assert (config.learning_rate, config.packing) == (5e-5, True)  # the file says 0.01


def test_the_command_line_goes_before_a_preset(tmp_path: Path, dataset: str, tiny: str) -> None:
    flags = ("--learning_rate", "0.5", "--preset", "lora")
    config, settings = parsed(tmp_path, dataset, tiny, *flags)
    assert (config.learning_rate, settings.model.lora_r) == (0.5, 32)


def test_a_file_goes_before_the_presets_it_names(tmp_path: Path, dataset: str, tiny: str) -> None:
    config, settings = parsed(tmp_path, dataset, tiny, preset=["lora"], lora_r=8)
    assert (config.learning_rate, settings.model.lora_r) == (0.01, 8)
    assert (settings.model.use_peft, settings.model.dtype) == (True, "bfloat16")


def test_a_preset_that_is_none(tmp_path: Path, dataset: str, tiny: str) -> None:
    with pytest.raises(WrongUsageError, match="preset 'loar': expected one of: liger, lora, pack"):
        parsed(tmp_path, dataset, tiny, "--preset", "loar")
    with pytest.raises(WrongUsageError, match="preset is 'lora'; expected a list of names"):
        parsed(tmp_path, dataset, tiny, preset="lora")
    with pytest.raises(WrongUsageError, match="preset 'packing': expected one of: liger, lora"):
        preset_values(["packing"], "grpo")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preset": ["liger"]}, "use_liger_kernel is true, and liger-kernel is not installed; pip"),
        ({"load_in_4bit": True}, "load_in_4bit is true, and bitsandbytes is not installed"),
        (
            {"attn_implementation": "flash_attention_2"},
            "attn_implementation is flash_attention_2, and flash-attn is not installed",
        ),
        ({"model_init_kwargs": {"use_kernels": True}}, "has use_kernels, and kernels is not"),
        ({"report_to": "wandb"}, "report_to is wandb, .* install wandb, or give --report_to none"),
    ],
)
def test_what_is_not_installed(
    tmp_path: Path,
    dataset: str,
    tiny: str,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    message: str,
) -> None:
    monkeypatch.setattr("train.needed_packages.importlib.util.find_spec", lambda _: None)
    with pytest.raises(InputError, match=message):
        parsed(tmp_path, dataset, tiny, **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"preset": ["liger"]}, "its Triton kernels need a GPU; give --use_liger_kernel false"),
        ({"load_in_8bit": True}, "quantised weights cannot be trained; give --use_peft true"),
    ],
)
def test_what_cannot_be_together(
    tmp_path: Path,
    dataset: str,
    tiny: str,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    message: str,
) -> None:
    monkeypatch.setattr("train.needed_packages.importlib.util.find_spec", lambda _: object())
    with pytest.raises(InputError, match=message):
        parsed(tmp_path, dataset, tiny, **changes)
