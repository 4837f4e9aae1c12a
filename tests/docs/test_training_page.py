"""docs/training.md: each command exists, with its options and files, and links lead somewhere."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import pytest

from tests.making import REPO

PAGES = [REPO / "docs" / name for name in ("training.md", "training-results.md")]


def commands() -> Iterator[list[str]]:
    """The words of each command of both pages: of indented blocks, and of cells of tables."""
    for page in PAGES:
        text = page.read_text("utf-8")
        for block in re.findall(r"(?m)(?:^    .*\n)+", text):
            for line in re.sub(r"\\\n\s*", "", block).splitlines():
                yield shlex.split(line, comments=True)
        for cell in re.findall(r"(?m)^\| `((?:\w+=\S+ )?(?:bash|sbatch) [^`]+)` \|", text):
            yield shlex.split(cell)


COMMANDS = [command for command in commands() if command]


def scripts(command: Sequence[str]) -> list[str]:
    """The scripts of a command: one, or the launcher and the script that it launches."""
    return [word for word in command if word.startswith("train/") and word.endswith(".py")]


@cache
def help_of(script: str) -> str:
    """Return the options that a script prints."""
    done = subprocess.run(
        [sys.executable, script, "--help"], cwd=REPO, capture_output=True, text=True, check=True
    )
    return done.stdout


@cache
def options_of(script: str) -> frozenset[str]:
    """The options of a script."""
    if script in ("train/sft.py", "train/grpo.py"):
        from train.training_options import GRPOOptions, SFTOptions, names_of

        kind: Any = SFTOptions if script == "train/sft.py" else GRPOOptions
        return frozenset(f"--{name}" for name in (*names_of(kind), "config"))
    return frozenset(re.findall(r"--[\w-]+", help_of(script)))


def test_there_are_commands() -> None:
    run = {script for command in COMMANDS for script in scripts(command)}
    assert {"train/sft.py", "train/grpo.py", "train/evaluate.py", "train/sweep.py"} <= run
    assert len(COMMANDS) > 20


@pytest.mark.parametrize(
    "command", [each for each in COMMANDS if scripts(each)], ids=lambda each: " ".join(each)[:60]
)
def test_a_command_has_its_options_and_files(command: list[str]) -> None:
    *_, script = scripts(command)
    assert (REPO / script).is_file()
    place = command.index(script)
    launch = command[:place]
    assert set(scripts(launch)) <= {"train/launcher.py"}
    if "--config_file" in launch:
        assert (REPO / launch[launch.index("--config_file") + 1]).is_file()
    given = [word for word in command[place + 1 :] if word.startswith("--")]
    assert set(given) <= options_of(script), set(given) - options_of(script)
    if script not in ("train/evaluate.py", "train/break_even.py") and "--config" in command:
        assert (REPO / command[command.index("--config") + 1]).is_file()


def test_launch_files_are_there() -> None:
    files = [word for command in COMMANDS for word in command if word.startswith("train/launch/")]
    assert files
    assert [file for file in files if not (REPO / file).is_file()] == []


def test_options_in_the_text_exist() -> None:
    """Names in code font that look like options of the training scripts."""
    text = PAGES[0].read_text("utf-8")
    flags = set(re.findall(r"`(--[\w-]+)", text))
    known = options_of("train/sft.py") | options_of("train/grpo.py")
    for script in ("train/evaluate.py", "train/sweep.py", "train/gpu_check.py"):
        known |= options_of(script)
    assert flags - known - {"--cpu", "--nproc_per_node", "--num_processes"} == set()


def test_a_name_of_the_sweeps_is_a_row() -> None:
    from pathlib import Path

    from train.sweeps.sweep_plan import read_sweep

    for command in COMMANDS:
        if "--only" in command:
            plan = read_sweep(Path(REPO, command[command.index("--config") + 1]))
            assert command[command.index("--only") + 1] in {run.name for run in plan.runs}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Any) -> None:
    text = page.read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"(?m)^#+ (.+)$", file.read_text("utf-8"))
            anchors = {
                re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings
            }
            assert anchor in anchors, target
