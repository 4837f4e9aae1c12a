"""Runs that are killed, and runs of two processes, give what one whole run gives."""

import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from bagen_data.errors import InputError
from tests.train.running import fail, losses, run, sft_options, started, write_yaml
from train.training_run import KeepEpochs, RunOptions, check_resumable, last_checkpoint


def test_a_killed_run_ends_like_one_that_was_not(dataset: str, tiny: str, tmp_path: Path) -> None:
    saved = {"save_strategy": "steps", "save_steps": 2, "save_total_limit": 2, "resume": True}
    killed = tmp_path / "killed"
    options = sft_options(dataset, tiny, killed, max_steps=8, **saved)
    file = write_yaml(tmp_path / "killed.yaml", options)
    with started("train/sft.py", "--config", file) as process:
        while last_checkpoint(str(killed)) is None:
            assert process.poll() is None, "".join(process.communicate())[-3000:]
            time.sleep(0.02)
    assert not (killed / "model.safetensors").exists()
    begun = int(Path(last_checkpoint(str(killed)) or "").name.rpartition("-")[2])
    written = run("train/sft.py", "--config", file)
    assert written.count("'loss':") == 8 - begun  # it did not begin anew
    whole = tmp_path / "whole"
    run("train/sft.py", "--config", file, "--output_dir", whole)
    assert len(losses(whole)) == 8
    assert losses(killed) == pytest.approx(losses(whole), abs=1e-4)
    message = " ".join(fail("train/sft.py", "--config", file, "--target", "point").split())
    assert "its checkpoints were begun with target 'pct30', not 'point'; remove the" in message


def test_a_checkpoint_without_its_end_is_none(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-9").mkdir()
    (tmp_path / "checkpoint-10").mkdir()
    (tmp_path / "checkpoint-10" / "trainer_state.json").write_text('{"epo')
    assert last_checkpoint(str(tmp_path)) is None
    (tmp_path / "checkpoint-9" / "trainer_state.json").write_text("{}")
    assert last_checkpoint(str(tmp_path)) == str(tmp_path / "checkpoint-9")


def test_checkpoints_are_not_mixed_with_another_runs(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-9").mkdir()
    (tmp_path / "checkpoint-9" / "trainer_state.json").write_text("{}")
    with pytest.raises(InputError, match="holds checkpoints; give --resume true"):
        check_resumable(str(tmp_path), RunOptions(), {})
    check_resumable(str(tmp_path), RunOptions(resume=True), {})


@pytest.mark.parametrize(("epoch", "kept"), [(2.0, ["epoch-2"]), (1.6, []), (3.0, [])])
def test_whole_epochs_are_kept(tmp_path: Path, epoch: float, kept: list[str]) -> None:
    """A run that max_steps ends in the middle of its second epoch has no epoch 2."""
    state = SimpleNamespace(epoch=epoch)
    saver = SimpleNamespace(save_model=lambda folder: Path(folder).mkdir())
    args = SimpleNamespace(output_dir=str(tmp_path))
    KeepEpochs([1, 2], saver).on_epoch_end(args, state, None)
    assert [path.name for path in tmp_path.iterdir()] == kept


def test_two_processes_learn_as_one(dataset: str, tiny: str, tmp_path: Path) -> None:
    saved = {"save_strategy": "steps", "save_steps": 6}
    one = sft_options(dataset, tiny, tmp_path / "one", **saved)
    two = sft_options(dataset, tiny, tmp_path / "two", **saved, per_device_train_batch_size=2)
    run("train/sft.py", "--config", write_yaml(tmp_path / "one.yaml", one))
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", 2)
    script = ("tests/train/gloo_threads.py", "train/sft.py")
    written = run(*torchrun, *script, "--config", write_yaml(tmp_path / "two.yaml", two))
    assert written.count("sokoban_train/sft:") == 1  # the first process alone speaks
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), abs=1e-3)
