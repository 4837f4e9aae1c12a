"""The launch files: what they would run has options that exist, and the paper's global batches."""

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from inspect import signature
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from tests.making import REPO
from train.evaluate import evaluate
from train.global_batch import set_accumulation
from train.preset_options import preset_values
from train.training_options import GRPOOptions, SFTOptions, check_names, names_of

FILES = sorted((REPO / "train" / "launch").glob("*.sh"))
SBATCH = {
    *("account", "cpus-per-task", "gpus-per-node", "job-name", "mem", "nodes", "ntasks-per-node"),
    *("open-mode", "output", "partition", "requeue", "time"),
}
"""Options of sbatch that the files use, as its manual has them."""
_SRUN = {"kill-on-bad-exit"}

# Stands for a command: writes its arguments down. Stands for srun: starts the command on each node.
_RECORDER = f"""#!{sys.executable}
import json, os, subprocess, sys
name, words = os.path.basename(sys.argv[0]), sys.argv[1:]
if name == "scontrol":
    print("node-a\\nnode-b")
elif name == "python" and words[0] == "-c":
    print(os.environ["TEST_GPUS"])
elif name == "srun":
    assert os.environ["SRUN_CPUS_PER_TASK"] == os.environ["SLURM_CPUS_PER_TASK"]
    while words[0].startswith("--"):
        words.pop(0)
    for node in range(int(os.environ["SLURM_NNODES"])):
        subprocess.run(words, env=os.environ | {{"SLURM_NODEID": str(node)}}, check=True)
else:
    with open(os.environ["TEST_RECORD"], "a") as file:
        file.write(json.dumps([name, *words]) + "\\n")
"""


def commands(file: Path, folder: Path, gpus: int = 8, nodes: int = 1) -> list[list[str]]:
    """The commands that a file runs, on nodes of so many GPUs each."""
    stubs, record = folder / "venv" / "bin", folder / "record"
    stubs.mkdir(parents=True, exist_ok=True)
    for name in ("hf", "python", "scontrol", "srun"):
        (stubs / name).write_text(_RECORDER)
        (stubs / name).chmod(0o755)
    (stubs / "activate").write_text("")
    record.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "PATH": f"{stubs}:{os.environ['PATH']}",
        "VENV": str(folder / "venv"),
        "MODEL": "a/b",
        "TEST_GPUS": str(gpus),
        "TEST_RECORD": str(record),
        "SLURM_CPUS_PER_TASK": "64",
        "SLURM_GPUS_ON_NODE": str(gpus),
        "SLURM_JOB_ID": "7",
        "SLURM_JOB_NODELIST": "node-[a-b]",
        "SLURM_NNODES": str(nodes),
    }
    subprocess.run(["bash", file], env=environment, cwd=REPO, check=True)  # noqa: S607
    return [json.loads(line) for line in record.read_text("utf-8").splitlines()]


def options_of(words: Sequence[str]) -> dict[str, str]:
    """Return the options of a command by name, with the last value of each."""
    return {
        name[2:]: value
        for name, value in zip(words, [*words[1:], ""], strict=True)
        if name.startswith("--")
    }


def check_launch(words: Sequence[str]) -> dict[str, str]:
    """Check a command of train/launcher.py; returns the script's options and its processes."""
    from accelerate.commands.launch import launch_command_parser

    assert words[:2] == ["python", "train/launcher.py"]
    launch = launch_command_parser().parse_args(list(words[2:]))
    assert (REPO / launch.config_file).is_file()
    kind = {"train/sft.py": SFTOptions, "train/grpo.py": GRPOOptions}[launch.training_script]
    options = options_of(launch.training_script_args)
    check_names([name for name in options if name != "config"], names_of(kind))
    content = yaml.safe_load((REPO / options["config"]).read_text("utf-8"))
    stage = "sft" if kind is SFTOptions else "grpo"
    presets = preset_values([options["preset"]] if "preset" in options else [], stage)
    launched = yaml.safe_load((REPO / launch.config_file).read_text("utf-8"))
    processes = launch.num_processes or launched["num_processes"]
    return {**content, **presets, **options, "processes": processes}


def check_evaluation(words: Sequence[str]) -> None:
    """Check a command of train/evaluate.py."""
    assert words[:2] == ["python", "train/evaluate.py"]
    names = [option.replace("-", "_") for option in options_of(words[2:])]
    check_names(names, list(signature(evaluate).parameters))


def global_batch(options: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> int:
    """Sequences of a step, as the scripts make them of their options and their processes."""
    answers, processes = int(options.get("num_generations", 1)), int(options["processes"])
    monkeypatch.setenv("WORLD_SIZE", str(processes))
    config = SimpleNamespace(
        prompts_per_step=int(options["prompts_per_step"]),
        per_device_train_batch_size=int(options["per_device_train_batch_size"]),
        gradient_accumulation_steps=int(options.get("gradient_accumulation_steps", 1)),
    )
    set_accumulation(config, answers)
    return config.per_device_train_batch_size * config.gradient_accumulation_steps * processes


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_bash_reads_it_and_its_head_says_how_it_is_run(file: Path) -> None:
    subprocess.run(["bash", "-n", file], check=True)  # noqa: S607
    head = file.read_text("utf-8").partition("set -euo pipefail")[0]
    assert f"train/launch/{file.name}" in head
    assert "# Change: " in head


@pytest.mark.parametrize("file", FILES, ids=lambda path: path.name)
def test_its_directives_are_those_of_sbatch(file: Path) -> None:
    lines = re.findall(r"^#SBATCH (.*)$", file.read_text("utf-8"), re.MULTILINE)
    assert bool(lines) == file.name.startswith("slurm")
    for line in lines:
        assert re.fullmatch(r"--([a-z-]+)(=\S+)?", line)
        assert line.removeprefix("--").partition("=")[0] in SBATCH
    srun = re.findall(r"srun ((?:--\S+ )*)", file.read_text("utf-8"))
    assert {word[2:].partition("=")[0] for words in srun for word in words.split()} <= _SRUN


@pytest.mark.parametrize("gpus", [1, 2, 4, 8])
def test_one_machine_has_the_papers_batches(
    gpus: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sft, grpo, said = commands(REPO / "train/launch/one_machine.sh", tmp_path, gpus)
    check_evaluation(said)
    assert global_batch(check_launch(sft), monkeypatch) == 16
    assert global_batch(check_launch(grpo), monkeypatch) == 1024


def test_one_gpu_with_lora(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sft, merging, said = commands(REPO / "train/launch/one_gpu_lora.sh", tmp_path)
    options = check_launch(sft)
    assert (global_batch(options, monkeypatch), options["use_peft"]) == (16, True)
    script, adapter, merged = merging[1:]
    assert (script, adapter) == ("train/merge_adapter.py", options["output_dir"])
    check_evaluation(said)
    assert options_of(said)["model"] == merged


def test_one_node_of_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (sft,) = commands(REPO / "train/launch/slurm_one_node.sh", tmp_path)
    assert global_batch(check_launch(sft), monkeypatch) == 16


def test_nodes_of_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A launch a node, each with its rank, and all else the same."""
    first, second = commands(REPO / "train/launch/slurm_nodes.sh", tmp_path, nodes=2)
    rank = first.index("--machine_rank") + 1
    assert (first[rank], second[rank]) == ("0", "1")
    assert [*first[:rank], "1", *first[rank + 1 :]] == second
    options = options_of(first)
    assert (options["num_machines"], options["num_processes"]) == ("2", "16")
    assert options["main_process_ip"] == "node-a"
    assert global_batch(check_launch(first), monkeypatch) == 1024


def test_a_job_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client of the Hub reads its options; the command inside is checked like the others."""
    from huggingface_hub.cli.jobs import jobs_cli

    ((_, jobs, *words),) = commands(REPO / "train/launch/hf_jobs.sh", tmp_path)
    job = jobs_cli.get_command(jobs_cli.make_context("jobs", ["run"]), words[0])
    job_options = job.make_context("run", words[1:]).params
    assert (jobs, job_options["image"], job_options["flavor"]) == ("jobs", "python:3.12", "h200x8")
    flavors = next(option.type.choices for option in job.params if option.name == "flavor")
    assert job_options["flavor"] in [str(flavor) for flavor in flavors]
    shell, flag, script = job_options["command"]
    assert (shell, flag) == ("bash", "-c")
    *_, launch, said, upload = [line.split() for line in script.splitlines() if line]
    check_evaluation(said)
    assert upload == ["hf", "upload", "a/b", f"{options_of(said)['model']}/README.md", "README.md"]
    options = check_launch(launch)
    assert options["output_dir"] == options_of(said)["model"]
    assert (global_batch(options, monkeypatch), options["hub_model_id"]) == (16, "a/b")
    assert ast.literal_eval(options["push_to_hub"].title())
