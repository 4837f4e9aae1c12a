"""The commands of a sweep, and files that are not sweeps."""

import csv
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from bagen_data.errors import InputError, WrongUsageError
from tests.making import REPO, SHARED
from tests.train.running import write_yaml
from train.option_flags import flags
from train.sweeps.sweep_checks import check_options
from train.sweeps.sweep_plan import SweepPlan, read_sweep
from train.sweeps.sweep_runner import SweepRunner

CONFIGS = REPO / "train" / "configs"
TABLE_7 = SHARED.parent / "paper_tables" / "table7_training.csv"
GOOD: dict[str, Any] = {
    "out": "OUT",
    "launch": "train/accelerate/cpu.yaml",
    "sft": "train/configs/laptop_sft.yaml",
    "grpo": "train/configs/laptop_grpo.yaml",
    "evaluate": {"config": "sokoban_train"},
}


def commands(plan: SweepPlan, capsys: pytest.CaptureFixture[str]) -> list[str]:
    runner = SweepRunner(plan, dry_run=True)
    for planned in plan.seeded_runs():
        runner.run(planned, skip=False)
    return capsys.readouterr().out.splitlines()


@pytest.mark.skipif(not TABLE_7.is_file(), reason="no paper tables beside the clone")
def test_the_papers_rows_are_swept() -> None:
    """The sweep has every row of Table 7 but the one that the paper calls a bug."""
    plan = read_sweep(CONFIGS / "sweep.yaml")
    with TABLE_7.open(encoding="utf-8") as file:
        reported = [row["run"] for row in csv.DictReader(file)]
    swept = [name for planned in plan.runs for name in planned.rows]
    assert swept == [name for name in reported if "bug" not in name]


def test_every_row_of_table_2_is_swept() -> None:
    """Each task with its models, as it is, after SFT and after RL; and three transfers."""
    plan = read_sweep(CONFIGS / "table2_sweep.yaml")
    estimators = [
        *("Sokoban Qwen2.5-7B", "Search-R1 Qwen2.5-7B", "SWE-bench Qwen2.5-7B"),
        *("Warehouse cost Qwen2.5-7B", "Sokoban Llama-3.1-8B", "Sokoban Qwen3-4B"),
    ]
    rows = [f"{name}{stage}" for name in estimators for stage in ("", " SFT e5", " SFT e5 RL")]
    transfers = [run for run in plan.runs if run.retains]
    assert [name for run in plan.runs for name in run.rows] == rows + [
        run.name for run in transfers
    ]
    assert [(run.begin, run.retains) for run in transfers] == [
        ("Sokoban Qwen2.5-7B SFT e5 RL", f"{task} Qwen2.5-7B SFT e5 RL")
        for task in ("Search-R1", "SWE-bench", "Warehouse cost")
    ]
    trained = {
        run.name: (run, [plan.evaluation(run)["config"]])
        for run in plan.runs
        if run.stage != "none"
    }
    for run, config in trained.values():
        assert config == run.options.get("train_on", ["sokoban_train"])
        if run.stage == "grpo":  # held-out prompts that are answered while it runs
            assert config == run.options.get("evaluate_on", ["sokoban_train"])


def test_the_tasks_are_trained_alike() -> None:
    """Configs of one run differ from Sokoban's in the data, the model and the folder only."""
    own = yaml.safe_load((CONFIGS / "sokoban_pct30.yaml").read_text("utf-8"))
    free = {"train_on", "output_dir", "model_name_or_path", "chat_template_kwargs"}
    for path in sorted(CONFIGS.glob("*_pct30*.yaml")):
        other = yaml.safe_load(path.read_text("utf-8"))
        differing = {name for name in own | other if own.get(name) != other.get(name)}
        assert differing <= free, path.name


def test_rows_go_on_from_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [
        {"name": "base", "model": "M"},
        {"name": "SFT", "model": "M", "stage": "sft", "epochs": [1, 3], "options": {"target": "a"}},
        {"name": "RL", "begin": "SFT e3", "stage": "grpo"},
        {"name": "RL elsewhere", "begin": "RL", "evaluate": {"config": "searchr1_train"}},
    ]
    path = write_yaml(tmp_path / "sweep.yaml", GOOD | {"out": str(tmp_path / "out"), "runs": runs})
    lines = [line.replace(str(tmp_path), "") for line in commands(read_sweep(path), capsys)]
    assert len(lines) == 7
    assert "--model M --trained-on none --name base" in lines[0]
    assert "train/sft.py" in lines[1]
    assert "--keep_epochs 1 3 --num_train_epochs 3" in lines[1]
    assert "--model /out/sft/epoch-1 --name 'SFT e1' --out /out/predictions/sft-e1" in lines[2]
    assert "train/grpo.py" in lines[4]
    assert "--model_name_or_path /out/sft/epoch-3 --output_dir /out/rl" in lines[4]
    assert "--config searchr1_train --model /out/rl --name 'RL elsewhere'" in lines[6]
    assert not (tmp_path / "out").exists()


def test_every_path_is_of_the_folder_of_the_call(
    dataset: str, tiny: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the scores of a run of many hours lie in the clone, and are looked for elsewhere."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny, "model")
    options = {"config": "sokoban_train", "dataset": os.path.relpath(dataset), "max_new_tokens": 1}
    content = GOOD | {"out": "made", "evaluate": options, "runs": [{"name": "a", "model": "model"}]}
    runner = SweepRunner(SweepPlan.model_validate(content), dry_run=False)
    runner.run(runner.plan.seeded_runs()[0], skip=False)
    assert (tmp_path / "made" / "predictions" / "a" / "scores.json").is_file()
    assert runner.results.rows.keys() == {("a", None)}


@pytest.mark.parametrize("path", sorted(CONFIGS.glob("*sweep.yaml")), ids=lambda path: path.name)
def test_our_sweeps_can_be_read(
    path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = read_sweep(path).model_copy(update={"out": str(tmp_path)})
    check_options(plan)
    assert (REPO / plan.launch).is_file()
    assert (REPO / (plan.launch_grpo or plan.launch)).is_file()
    lines = commands(plan, capsys)
    answering = ("train/evaluate.py", "predict baseline")
    assert sum(any(each in line for each in answering) for line in lines) == sum(
        len(seeded.run.rows) for seeded in plan.seeded_runs()
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"runs": []}, "runs: List should have at least 1 item"),
        ({"runs": [{"name": "a"}]}, "run 'a': give one of model and begin"),
        ({"runs": [{"name": "a", "model": "m", "begin": "b"}]}, "give one of model and begin"),
        (
            {"runs": [{"name": "a", "begin": "b"}]},
            "begins with 'b', which is not an earlier row",
        ),
        ({"runs": [{"name": "a", "model": "m", "epochs": [1]}]}, "has epochs, and no stage"),
        ({"runs": [{"name": "a|b", "model": "m"}]}, "runs.0.name"),
        (
            {"runs": [{"name": "A b", "model": "m"}, {"name": "a-b", "model": "m"}]},
            "two runs or rows are called 'a-b'",
        ),
        ({"runs": [{"name": "a", "model": "m", "stage": "dpo"}]}, "runs.0.stage"),
        ({"runs": [{"name": "***", "model": "m"}]}, "'without a letter or digit', as a folder's"),
        ({"runs": [{"name": "Scratch", "model": "m"}]}, "a run is called 'scratch', as a folder's"),
        ({"out": ""}, "out: String should have at least 1 character"),
        ({"run": []}, "run: Extra inputs are not permitted"),
    ],
)
def test_a_file_that_is_no_sweep(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    content = GOOD | {"runs": [{"name": "a", "model": "m"}]} | changes
    with pytest.raises(InputError, match=re.escape(message)):
        read_sweep(write_yaml(tmp_path / "sweep.yaml", content))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"evaluate": {"max_new_token": 9}},
            "evaluate: unknown option max_new_token; did you mean",
        ),
        (
            {"options": {"targt": "a"}},
            "options of run 'a': unknown option targt; did you mean target",
        ),
        (
            {"stage": "grpo", "options": {"max_length": 9}},
            "run 'a': unknown option max_length",
        ),
        (
            {"stage": "none", "options": {"target": "a"}},
            "run 'a': unknown option target; see --help",
        ),
        (
            {"run_evaluate": {"spilt": "test"}},
            "evaluate of run 'a': unknown option spilt; did you",
        ),
    ],
)
def test_options_are_checked_before_anything_runs(changes: dict[str, Any], message: str) -> None:
    """A slip in the last of 25 runs would else be found after days."""
    run = {"name": "a", "model": "m", "stage": "sft"} | {
        name: value for name, value in changes.items() if name in ("stage", "options")
    }
    run["evaluate"] = changes.get("run_evaluate", {})
    content = GOOD | {"evaluate": changes.get("evaluate", {}), "runs": [run]}
    with pytest.raises(WrongUsageError, match=message):
        check_options(SweepPlan.model_validate(content))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_sweep(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(InputError, match="cannot be read"):
        read_sweep(tmp_path / "bad.yaml")
    missing = GOOD | {"sft": "none.yaml", "runs": [{"name": "a", "model": "m", "stage": "sft"}]}
    plan = SweepPlan.model_validate(missing)
    with pytest.raises(InputError, match=r"none\.yaml: cannot be read"):
        SweepRunner(plan, dry_run=True).run(plan.seeded_runs()[0], skip=False)


def test_every_config_is_of_known_options() -> None:
    """A name that no parser knows would stop a run on eight GPUs in its first second."""
    from dataclasses import fields

    from trl import ModelConfig

    from train.data import DataOptions
    from train.tiny_model import read_shape
    from train.training_options import GRPOOptions, SFTOptions
    from train.training_run import RunOptions

    for path in sorted(CONFIGS.glob("*.yaml")):
        if "sweep" in path.name:
            continue
        if "model" in path.name:
            read_shape(path)
            continue
        trainer = GRPOOptions if "grpo" in path.name else SFTOptions
        known = {
            each.name
            for kind in (DataOptions, RunOptions, trainer, ModelConfig)
            for each in fields(kind)
        }
        assert yaml.safe_load(path.read_text("utf-8")).keys() <= known, path.name


@pytest.mark.parametrize(
    "path", sorted((REPO / "train" / "accelerate").iterdir()), ids=lambda path: path.name
)
def test_accelerate_knows_how_to_launch(path: Path) -> None:
    from accelerate.commands.config.config_args import load_config_from_file

    config = load_config_from_file(str(path))
    assert config.num_machines == 1
    fsdp, deepspeed = getattr(config, "fsdp_config", {}), getattr(config, "deepspeed_config", {})
    assert bool(fsdp) == path.stem.startswith("fsdp2")
    assert bool(deepspeed) == (path.stem == "zero3")


def test_flags_of_a_parser() -> None:
    options = {
        "epochs": [2, 3],
        "bf16": True,
        "lr": 1e-06,
        "rewards": {"interval": 1.8},
        "x": "a b",
    }
    assert " ".join(flags(options)) == (
        '--epochs 2 3 --bf16 true --lr 1e-06 --rewards {"interval": 1.8} --x a b'
    )
