"""The folders where scripted agents are looked for, and the error where they are missing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.making import REPO

HEAVY = (  # typer itself loads pydantic
    *("bm25s", "inspect_ai", "minisweagent", "pandas", "sample", "transformers"),
    *("collect.model_agent", "collect.searchr1.retrieval", "collect.sokoban.sokoban_game"),
    *("collect.swebench.checkout", "collect.swebench.swebench_command"),
    "collect.warehouse.simulator",
)


@pytest.mark.parametrize("options", [["--help"], ["sokoban", "--help"], ["swebench", "--help"]])
def test_help_imports_nothing_that_it_does_not_run(options: list[str]) -> None:
    code = (
        "import atexit, sys; from collect.cli import main; "
        f"atexit.register(lambda: print([m for m in {HEAVY} if m in sys.modules])); "
        f"main({options})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("task", "options"),
    [
        ("sokoban", ["--agent", "scripted"]),
        ("swebench", ["--agent", "scripted"]),
        ("swebench", ["--agent", "openai/m", "--local", "toys"]),
    ],
)
def test_a_clone_without_the_sample_says_so_once(
    tmp_path: Path, task: str, options: list[str]
) -> None:
    for package in ("bagen_data", "collect"):
        (tmp_path / package).symlink_to(REPO / package)
    (tmp_path / "sample").mkdir()  # anybody's, so that none of an installed clone is imported
    (tmp_path / "sample" / "__init__.py").touch()
    out = tmp_path / f"{task}-origin-scripted"
    command = [sys.executable, "-m", "collect", task, *options, "--rollouts", "1", "--out", out]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    said = " ".join(done.stderr.split())
    assert f"sample.actors.{task}_agents cannot be imported" in said
    assert "run the command from the clone's root, or choose a model" in said
    assert "Traceback" not in said
    assert not out.exists()


def test_an_error_inside_an_agents_module_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    for package in ("sample", "sample/actors"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    (tmp_path / "sample" / "actors" / "sokoban_agents.py").write_text("import nowhere_to_be_seen")
    code = "from collect.scripted_agents import find_scripted_agents as f; f('sokoban')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{REPO}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ModuleNotFoundError: No module named 'nowhere_to_be_seen'" in done.stderr
