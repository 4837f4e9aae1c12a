"""Runs of a sweep with several seeds, models from nothing, and baselines: what would be run."""

import re
from pathlib import Path
from typing import Any

import pytest

from bagen_data.errors import InputError
from bagen_data.tables import to_json
from tests.train.running import write_yaml
from train.sweeps.sweep_checks import check_data, needed_splits
from train.sweeps.sweep_plan import SweepPlan, read_sweep
from train.sweeps.sweep_runner import SweepRunner

GOOD: dict[str, Any] = {
    "out": "OUT",
    "launch": "cpu.yaml",
    "launch_grpo": "grpo_cpu.yaml",
    "sft": "train/configs/laptop_sft.yaml",
    "grpo": "train/configs/laptop_grpo.yaml",
    "evaluate": {"dataset": "DATA", "config": "sokoban_train", "split": "heldout"},
}


def plan_of(runs: list[dict[str, Any]], **changes: Any) -> SweepPlan:
    return SweepPlan.model_validate(GOOD | changes | {"runs": runs})


def commands(plan: SweepPlan, capsys: pytest.CaptureFixture[str]) -> list[str]:
    runner = SweepRunner(plan, dry_run=True)
    for planned in plan.seeded_runs():
        runner.run(planned, skip=False)
    return capsys.readouterr().out.splitlines()


def test_a_run_goes_on_from_the_same_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs: list[dict[str, Any]] = [
        {"name": "base", "model": "M"},
        {"name": "SFT", "model": "M", "stage": "sft", "epochs": [2]},
        {"name": "RL", "begin": "SFT e2", "stage": "grpo"},
        {"name": "RL once", "begin": "SFT e2", "stage": "grpo", "seeds": [7]},
        {"name": "moved", "begin": "RL", "evaluate": {"config": "searchr1_train"}},
    ]
    plan = plan_of(runs, out=str(tmp_path / "out"), seeds=[3, 7])
    lines = [line.replace(str(tmp_path), "") for line in commands(plan, capsys)]
    trained = [line for line in lines if "launcher.py" in line]
    evaluated = [line for line in lines if "evaluate.py" in line]
    assert [line.split("--output_dir ")[1].split()[0] for line in trained] == [
        *("/out/sft/seed-3", "/out/sft/seed-7"),
        *("/out/rl/seed-3", "/out/rl/seed-7", "/out/rl-once/seed-7"),
    ]
    assert "--config_file cpu.yaml train/sft.py" in trained[0]
    assert "--seed 3 --model_name_or_path M " in trained[0]
    assert "--config_file grpo_cpu.yaml train/grpo.py" in trained[2]
    assert "--seed 7 --model_name_or_path /out/sft/seed-7/epoch-2" in trained[4]
    assert [line.split("--model ")[1].split(" --")[0] for line in evaluated] == [
        "M",
        *("/out/sft/seed-3/epoch-2", "/out/sft/seed-7/epoch-2"),
        *("/out/rl/seed-3", "/out/rl/seed-7", "/out/rl-once/seed-7"),
        *("/out/rl/seed-3", "/out/rl/seed-7"),
    ]
    assert evaluated[-1].endswith("--name 'moved seed 7' --out /out/predictions/moved/seed-7")


def test_a_model_from_nothing_is_made_once_a_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shape = write_yaml(tmp_path / "Shape A.yaml", {"layers": 3})
    runs = [
        {"name": "SFT", "scratch": str(shape), "stage": "sft", "options": {"dataset": "DATA"}},
        {"name": "GRPO", "scratch": str(shape), "stage": "grpo", "options": {"dataset": "DATA"}},
    ]
    plan = plan_of(runs, out=str(tmp_path / "out"), seeds=[0, 1])
    lines = [line.replace(str(tmp_path), "") for line in commands(plan, capsys)]
    made = [line for line in lines if "tiny_model.py" in line]
    assert made == [
        f"python train/tiny_model.py DATA /out/scratch/shape-a-seed-{seed} "
        f"--shape '/Shape A.yaml' --seed {seed}"
        for seed in (0, 1)
    ]
    assert sum("--model_name_or_path /out/scratch/shape-a-seed-1" in line for line in lines) == 2


def test_a_baseline_answers_what_models_are_asked(capsys: pytest.CaptureFixture[str]) -> None:
    runs = [{"name": "quantiles", "baseline": "quantiles"}]
    asked = GOOD["evaluate"] | {"variant": "forecast_no_think", "max_new_tokens": 9}
    (line,) = commands(plan_of(runs, evaluate=asked, seeds=[0, 1]), capsys)
    assert line == (
        "python -m bagen_data predict baseline quantiles --dataset DATA --config sokoban_train "
        "--split heldout --question forecast --name quantiles --out OUT/predictions/quantiles"
    )


def test_one_dataset_replaces_every_other(capsys: pytest.CaptureFixture[str]) -> None:
    runs = [
        {"name": "SFT", "model": "M", "stage": "sft", "options": {"dataset": "A"}},
        {"name": "moved", "begin": "SFT", "evaluate": {"dataset": "B", "config": "x_train"}},
    ]
    plan = plan_of(runs).with_dataset("C")
    needed = {each.dataset for planned in plan.runs for each in needed_splits(plan, planned)}
    assert needed == {"C"}
    lines = commands(plan, capsys)
    assert all("--dataset C" in line for line in lines)
    assert len(lines) == 3


def test_checkpoints_go_once_a_run_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A checkpoint of a 7B has 91 GB: twelve trainings would fill a disk that one fits on."""
    plan = plan_of([{"name": "SFT", "model": "M", "stage": "sft"}], out=str(tmp_path))
    folder = tmp_path / "sft"
    codes = [1, 0]  # training fails, then ends

    def trained(command: list[str]) -> int:
        (folder / "checkpoint-8").mkdir(exist_ok=True)
        (folder / "epoch-2").mkdir(exist_ok=True)
        assert any("launcher.py" in word for word in command)
        return codes.pop(0)

    monkeypatch.setattr("train.sweeps.sweep_runner.run_python", trained)
    runner = SweepRunner(plan, dry_run=False)
    (planned,) = plan.seeded_runs()
    with pytest.raises(InputError, match="exit code 1"):
        runner.run(planned, skip=False)
    assert (folder / "checkpoint-8").is_dir()
    monkeypatch.setattr(runner, "_evaluate", lambda *_: None)
    for _ in range(2):  # the second time, nothing is left to train
        runner.run(planned, skip=False)
        assert not (folder / "checkpoint-8").exists()
        assert (folder / "epoch-2").is_dir()
        (folder / "checkpoint-8").mkdir()  # as a sweep that was killed in between leaves it


def test_what_the_dataset_lacks_is_found_before_the_first_run(dataset: str) -> None:
    there = {"config": "sokoban", "split": "test"}
    runs = [
        {"name": "base", "model": "M", "evaluate": there},
        {"name": "SFT", "model": "M", "stage": "sft", "options": {"train_on": ["chess_train"]}},
    ]
    plan = plan_of(runs).with_dataset(dataset)
    check_data(plan, frozenset({"base"}))
    with pytest.raises(InputError, match="has no split sft of config chess_train"):
        check_data(plan_of(runs, evaluate=there).with_dataset(dataset), frozenset({"SFT"}))


@pytest.mark.parametrize(
    ("runs", "message"),
    [
        ([{"name": "a", "model": "m", "stage": "sft", "seeds": [1, 1]}], "seed 1 appears twice"),
        ([{"name": "a", "model": "m", "seeds": [1]}], "a model as it is has no seeds"),
        ([{"name": "a", "model": "m", "stage": "sft", "seeds": [-1]}], "runs.0.seeds.0"),
        ([{"name": "a", "baseline": "b", "stage": "sft"}], "leave stage and seeds out"),
        ([{"name": "a", "baseline": "b", "model": "m"}], "or one of scratch and baseline"),
        (
            [{"name": "a", "model": "m", "stage": "sft", "seeds": [1], "options": {"seed": 2}}],
            "has seeds and options.seed",
        ),
        (
            [
                {"name": "a", "model": "m", "stage": "sft", "seeds": [1]},
                {"name": "b", "begin": "a", "stage": "grpo", "seeds": [1, 2]},
            ],
            r"run 'b': has seeds \[1, 2\], and 'a', with which it begins, has \[1\]",
        ),
        ([{"name": "a", "model": "m", "retains": "b"}], "retains 'b', which is not an earlier row"),
        (
            [
                {"name": "a", "model": "m"},
                {"name": "b", "model": "m", "retains": "a", "evaluate": {"split": "rl"}},
            ],
            "is evaluated on split rl, and 'a', of which it retains a share, on heldout",
        ),
        (
            [
                {"name": "a", "model": "m"},
                {"name": "b", "model": "m", "retains": "a", "resource": "tokens"},
            ],
            "has resource tokens, and 'a'",
        ),
    ],
)
def test_seeds_that_do_not_fit(tmp_path: Path, runs: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_sweep(write_yaml(tmp_path / "sweep.yaml", GOOD | {"runs": runs}))


def test_a_model_of_another_shape_is_not_taken(tmp_path: Path, dataset: str) -> None:
    shape = write_yaml(tmp_path / "shape.yaml", {"layers": 3})
    runs = [{"name": "a", "scratch": str(shape)}]
    plan = plan_of(runs, out=str(tmp_path / "out")).with_dataset(dataset)
    (tmp_path / "out" / "scratch" / "shape-seed-0").mkdir(parents=True)
    with pytest.raises(InputError, match="was made of another shape, seed or dataset"):
        SweepRunner(plan, dry_run=False).run(plan.seeded_runs()[0], skip=False)


def test_a_baseline_is_scored_once(
    tmp_path: Path, dataset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"dataset": dataset, "config": "sokoban", "split": "test"}
    runs = [{"name": "always", "baseline": "always_infeasible"}]
    plan = plan_of(runs, out=str(tmp_path / "out"), evaluate=asked)
    (planned,) = plan.seeded_runs()
    runner = SweepRunner(plan, dry_run=False)
    runner.run(planned, skip=False)
    scores = runner.results.rows["always", None].scores
    assert (scores["recall_infeasible"]["value"], scores["hit_rate"]["value"]) == (1, 0)
    kept = tmp_path / "out" / "sample_scores" / "always.jsonl"
    assert len(kept.read_text("utf-8").splitlines()) == 48
    again = SweepRunner(plan, dry_run=True)  # which would print a command
    again.run(planned, skip=False)
    assert again.results.rows == runner.results.rows
    metadata = tmp_path / "out" / "predictions" / "always" / "metadata.yaml"
    of_another_build = re.sub(
        "dataset_revision: .*", "dataset_revision: 0123abc", metadata.read_text()
    )
    metadata.write_text(of_another_build, "utf-8")
    capsys.readouterr()
    SweepRunner(plan, dry_run=True).run(planned, skip=False)
    shown = capsys.readouterr()
    assert "predict baseline always_infeasible" in shown.out
    assert "was built anew: revision 0123abc, now " in shown.err


def test_a_model_of_another_build_is_not_taken(tmp_path: Path, dataset: str) -> None:
    """A dataset that was built anew in its folder, with other rows, has the same name."""
    runs = [{"name": "a", "model": "m", "stage": "sft"}]
    plan = plan_of(runs, out=str(tmp_path), evaluate={}).with_dataset(dataset)
    (planned,) = plan.seeded_runs()
    folder = tmp_path / "a"
    folder.mkdir()
    made = SweepRunner(plan, dry_run=True).made()["a", None]
    (folder / "run.json").write_text(to_json(made["model"]), "utf-8")
    (folder / "trained").touch()
    (folder / "begun.json").write_text('{"dataset_content": "0123abc"}', "utf-8")
    with pytest.raises(InputError, match=r"is trained, and .* built anew: revision 0123abc, now"):
        SweepRunner(plan, dry_run=True).run(planned, skip=False)
