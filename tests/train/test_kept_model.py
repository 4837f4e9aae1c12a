"""Kept models are whole, small and loadable, however they were trained."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from tests.forks import FORKED_CHILDREN
from tests.train.running import run
from train.kept_model import keep_model


def trainer_of(source: str, *, bf16: bool) -> Any:
    accelerator = SimpleNamespace(
        is_main_process=True,
        unwrap_model=lambda model, **_: model,
        wait_for_everyone=lambda: None,
    )
    return SimpleNamespace(
        model=AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32),
        accelerator=accelerator,
        args=SimpleNamespace(bf16=bf16),
        processing_class=AutoTokenizer.from_pretrained(source),
        is_deepspeed_enabled=False,
        is_fsdp_enabled=False,
    )


def check_same(kept: Path, source: str) -> None:
    """Each weight is the source's, rounded to bfloat16."""
    model = AutoModelForCausalLM.from_pretrained(kept)
    assert model.dtype == torch.bfloat16
    before = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32).state_dict()
    state = model.state_dict()
    assert state.keys() == before.keys()
    assert all(torch.equal(state[name], before[name].bfloat16()) for name in before)
    assert AutoTokenizer.from_pretrained(kept).chat_template
    weights = {path.name for path in kept.iterdir() if path.stat().st_size > 2**16}
    assert weights <= {"model.safetensors", "tokenizer.json"}
    parameters = model.num_parameters()  # tied weights once
    assert (kept / "model.safetensors").stat().st_size == pytest.approx(2 * parameters, rel=0.05)


def test_a_model_that_is_split_over_two_processes(tiny: str, tmp_path: Path) -> None:
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", 2)
    run(FORKED_CHILDREN, *torchrun, "-m", "tests.train.sharded_model", tiny, tmp_path / "kept")
    check_same(tmp_path / "kept", tiny)
    config = json.loads((tmp_path / "kept" / "config.json").read_bytes())
    assert config["architectures"] == ["Qwen3ForCausalLM"]


def test_a_model_of_one_process_replaces_an_older_one(tiny: str, tmp_path: Path) -> None:
    (tmp_path / "checkpoint-9").mkdir()
    (tmp_path / "model.safetensors").write_bytes(b"older")
    keep_model(trainer_of(tiny, bf16=True), str(tmp_path))
    check_same(tmp_path, tiny)
    assert (tmp_path / "checkpoint-9").is_dir()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_training_in_float32_is_kept_in_float32(tiny: str, tmp_path: Path) -> None:
    keep_model(trainer_of(tiny, bf16=False), str(tmp_path / "kept"))
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "kept").dtype == torch.float32


@pytest.mark.parametrize("is_there", [False, True])
def test_a_model_that_cannot_be_written_leaves_the_older_one(
    tiny: str, tmp_path: Path, *, is_there: bool
) -> None:
    kept = tmp_path / "kept"
    if is_there:
        kept.mkdir()
        (kept / "model.safetensors").write_bytes(b"older")
    trainer = trainer_of(tiny, bf16=True)
    trainer.processing_class = SimpleNamespace(save_pretrained=raise_full)
    with pytest.raises(OSError, match="No space left"):
        keep_model(trainer, str(kept))
    assert [path.name for path in tmp_path.iterdir()] == (["kept"] if is_there else [])
    if is_there:
        assert [path.read_bytes() for path in kept.iterdir()] == [b"older"]


def raise_full(_: str) -> None:
    raise OSError(28, "No space left on device")
