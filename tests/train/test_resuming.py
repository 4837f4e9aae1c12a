"""Runs that are killed, and runs of two processes, give what one whole run gives."""

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from bagen_data.errors import InputError, OutputError
from bagen_data.held_folder import made_folder
from tests.forks import FORKED_CHILDREN
from tests.train.running import SHORT, fail, losses, run, sft_options, started, write_yaml
from train.checkpoints import last_checkpoint, remove_unfinished
from train.full_disk import full_disk_said
from train.run_recipe import NOT_COMPARED, RECIPE
from train.training_run import KeepEpochs, RunOptions, check_resumable


def trainer_options(folder: Path, **changes: Any) -> Any:
    same = {"resume_from_checkpoint": None, "save_only_model": False, "process_index": 0}
    return SimpleNamespace(output_dir=str(folder), **{**same, **changes})


def write_checkpoint(folder: Path, step: int = 9) -> Path:
    checkpoint = folder / f"checkpoint-{step}"
    checkpoint.mkdir()
    (checkpoint / "trainer_state.json").write_text("{}")
    return checkpoint


def write_recipe(folder: Path, **options: Any) -> None:
    (folder / RECIPE).write_text(json.dumps({**options, NOT_COMPARED: {"processes": 8}}))


def test_a_killed_run_ends_like_one_that_was_not(dataset: str, tiny: str, tmp_path: Path) -> None:
    saved = {"save_strategy": "steps", "save_steps": 2, "save_total_limit": 2, "resume": True}
    killed = tmp_path / "killed"
    options = sft_options(dataset, tiny, killed, max_steps=8, **saved, **SHORT)
    file = write_yaml(tmp_path / "killed.yaml", options)
    with started("tests/train/waiting_run.py", 3, "train/sft.py", "--config", file) as process:
        while last_checkpoint(str(killed)) is None:
            assert process.poll() is None, "".join(process.communicate())[-3000:]
            time.sleep(0.02)
    assert not (killed / "model.safetensors").exists()
    written = run("train/sft.py", "--config", file)
    assert written.count("'loss':") == 8 - 2  # it did not begin anew
    whole = tmp_path / "whole"
    run("train/sft.py", "--config", file, "--output_dir", whole)
    assert len(losses(whole)) == 8
    assert losses(killed) == pytest.approx(losses(whole), abs=1e-4)
    message = " ".join(fail("train/sft.py", "--config", file, "--target", "point").split())
    assert "its checkpoints were made with target 'pct30', not 'point'; remove the" in message


def test_a_full_disk_loses_no_checkpoint(dataset: str, tiny: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    saved = {"save_strategy": "steps", "save_steps": 3, "resume": True}
    options = sft_options(dataset, tiny, out, **saved, **SHORT)
    file = write_yaml(tmp_path / "run.yaml", options)
    most = Path(tiny, "model.safetensors").stat().st_size + 10_000  # less than the optimizer
    limited = ("tests/train/small_files.py", most, "train/sft.py", "--config", file)
    message = " ".join(fail(*limited).split())
    assert f"{out}: the disk is full, or a file may not grow as large (" in message
    assert "now); no checkpoint is whole yet; free some space, then give the" in message
    run("train/sft.py", "--config", file)
    assert len(losses(out)) == 6


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        RuntimeError("[enforce fail at inline_container.cc:863] . PytorchStreamWriter failed"),
        ValueError("Error while serializing: I/O error: File too large (os error 27)"),
    ],
)
def test_each_library_has_its_own_error_of_a_full_disk(tmp_path: Path, error: Exception) -> None:
    write_checkpoint(tmp_path, 4)
    with (
        pytest.raises(OutputError, match="checkpoint-4 is whole; free"),
        full_disk_said(str(tmp_path)),
    ):
        raise error
    with pytest.raises(ValueError, match="another"), full_disk_said(str(tmp_path)):
        raise ValueError("another")


def test_a_checkpoint_without_its_end_is_none(tmp_path: Path) -> None:
    (tmp_path / "checkpoint-9").mkdir()
    (tmp_path / "checkpoint-10").mkdir()
    (tmp_path / "checkpoint-10" / "trainer_state.json").write_text('{"epo')
    assert last_checkpoint(str(tmp_path)) is None
    (tmp_path / "checkpoint-9" / "trainer_state.json").write_text("{}")
    assert last_checkpoint(str(tmp_path)) == str(tmp_path / "checkpoint-9")


@pytest.mark.parametrize("file", ["model.safetensors", "optimizer.pt"])
def test_a_checkpoint_with_a_file_that_is_cut_off_is_none(tmp_path: Path, file: str) -> None:
    write_checkpoint(tmp_path, 4)
    cut = write_checkpoint(tmp_path)
    tensors = {"weight": torch.ones(8)}
    save_file(tensors, cut / "model.safetensors")
    torch.save(tensors, cut / "optimizer.pt")
    assert last_checkpoint(str(tmp_path)) == str(cut)
    (cut / file).write_bytes((cut / file).read_bytes()[:-9])
    assert last_checkpoint(str(tmp_path)) == str(tmp_path / "checkpoint-4")
    assert list(remove_unfinished(str(tmp_path))) == [
        f"{cut}: was not written to its end, and is removed"
    ]
    assert not cut.exists()


def test_checkpoints_are_not_mixed_with_another_runs(tmp_path: Path) -> None:
    write_checkpoint(tmp_path)
    with pytest.raises(InputError, match="holds checkpoints; give --resume true"):
        check_resumable(trainer_options(tmp_path), RunOptions(), {})
    with pytest.raises(InputError, match=r"and no begun\.json that says what they were trained"):
        check_resumable(trainer_options(tmp_path), RunOptions(resume=True), {})
    write_recipe(tmp_path, beta=0.05)
    same = {"beta": 0.05, NOT_COMPARED: {"processes": 4}}
    check_resumable(trainer_options(tmp_path), RunOptions(resume=True), same)


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ('{"beta": 0.05', "begun.json: cannot be read: "),
        ('{"target": "pct30"}', "begun.json: was written by an earlier version of these scripts"),
    ],
)
def test_a_recipe_that_cannot_be_compared(tmp_path: Path, recipe: str, message: str) -> None:
    write_checkpoint(tmp_path)
    (tmp_path / RECIPE).write_text(recipe)
    with pytest.raises(InputError, match=message):
        check_resumable(trainer_options(tmp_path), RunOptions(resume=True), {})


def test_a_kept_model_is_not_replaced_by_another_runs(tmp_path: Path) -> None:
    """A run without checkpoints has a model at its end, which the next one wrote over."""
    write_recipe(tmp_path, beta=0.05)
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(
        InputError, match=r"its model was trained with beta 0\.05, not 0\.1; remove"
    ):
        check_resumable(trainer_options(tmp_path), RunOptions(), {"beta": 0.1, NOT_COMPARED: {}})


def test_options_that_a_run_cannot_go_on_with(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="save_only_model is true, and resume too"):
        check_resumable(
            trainer_options(tmp_path, save_only_model=True), RunOptions(resume=True), {}
        )
    with pytest.raises(InputError, match="resume_from_checkpoint is 'a/b'; expected it unset"):
        check_resumable(trainer_options(tmp_path, resume_from_checkpoint="a/b"), RunOptions(), {})


def test_two_runs_into_one_folder(tmp_path: Path) -> None:
    with (
        made_folder(tmp_path),
        pytest.raises(OutputError, match=r"another process is writing it; .* another output_dir"),
    ):
        check_resumable(trainer_options(tmp_path), RunOptions(), {})


def test_a_folder_that_cannot_be_written_is_refused_before_weights_load(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("kept", "utf-8")
    for place in (file, file / "below"):
        with pytest.raises(OutputError, match=r"(is not a folder|cannot be written)"):
            check_resumable(trainer_options(place), RunOptions(), {})
    check_resumable(trainer_options(tmp_path / "new"), RunOptions(), {})
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    assert file.read_text("utf-8") == "kept"


@pytest.mark.parametrize(("epoch", "kept"), [(2.0, ["epoch-2"]), (1.6, []), (3.0, [])])
def test_whole_epochs_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epoch: float, kept: list[str]
) -> None:
    """A run that max_steps ends in the middle of its second epoch has no epoch 2."""
    state = SimpleNamespace(epoch=epoch)
    folders: list[str] = []
    monkeypatch.setattr("train.training_run.keep_model", lambda _, folder: folders.append(folder))
    args = SimpleNamespace(output_dir=str(tmp_path))
    cards: list[str] = []
    card: Any = SimpleNamespace(write=cards.append)
    KeepEpochs([1, 2], None, card).on_epoch_end(args, state, None)
    assert folders == cards == [str(tmp_path / name) for name in kept]


@pytest.mark.parametrize(
    ("epoch", "said"), [(1.6, "ended after 1.6 epochs, before epoch-2"), (2.0, "")]
)
def test_a_chosen_epoch_that_was_not_reached_is_said(
    epoch: float, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    state = SimpleNamespace(epoch=epoch, is_world_process_zero=True)
    card: Any = None
    KeepEpochs([1, 2], None, card).on_train_end(SimpleNamespace(output_dir="out"), state, None)
    assert capsys.readouterr().err.strip() == (said and f"out: {said}")


def test_two_processes_learn_as_one(dataset: str, tiny: str, tmp_path: Path) -> None:
    saved = {"save_strategy": "steps", "save_steps": 6}
    one = sft_options(dataset, tiny, tmp_path / "one", **saved, **SHORT)
    two = {**one, "output_dir": str(tmp_path / "two"), "per_device_train_batch_size": 2}
    run("train/sft.py", "--config", write_yaml(tmp_path / "one.yaml", one))
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", 2)
    script = ("tests/train/gloo_threads.py", "train/sft.py")
    written = run(
        FORKED_CHILDREN, *torchrun, *script, "--config", write_yaml(tmp_path / "two.yaml", two)
    )
    assert written.count("sokoban_train/sft:") == 1  # the first process alone speaks
    assert written.count("memory of a machine: ") == 1
    assert losses(tmp_path / "two") == pytest.approx(losses(tmp_path / "one"), abs=1e-3)
