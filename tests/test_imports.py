"""Arrows point one way, and the core is light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.making import REPO

TOP_LEVEL = ("bagen_data", "builders", "collect", "metrics", "leaderboard", "train")
HEAVY = (
    *(
        "datasets",
        "evaluate",
        "genai_prices",
        "inspect_ai",
        "jinja2",
        "langchain",
        "lm_eval",
        "orjson",
        "pandas",
        "pyarrow.compute",
    ),
    *("pydantic", "rich", "safetensors", "sklearn", "torch", "transformers", "typer", "yaml"),
)


def imported_by(package: str) -> set[str]:
    packages = set()
    for path in (REPO / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                packages |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                packages.add((node.module or "").partition(".")[0])
    return packages


@pytest.mark.parametrize("package", [name for name in TOP_LEVEL if (REPO / name).is_dir()])
def test_every_arrow_points_at_bagen_data(package: str) -> None:
    assert imported_by(package) & {*TOP_LEVEL, "sample"} <= {"bagen_data", package}


def test_scripted_agents_know_the_environments_and_not_the_other_way_round() -> None:
    assert imported_by("sample") & set(TOP_LEVEL) == {"bagen_data", "collect"}


def test_importing_the_core_needs_numpy_and_pyarrow_only() -> None:
    code = f"import sys; from bagen_data import *; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_importing_the_tracker_needs_no_more_than_the_core() -> None:
    code = f"import sys; import bagen_data.live; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "command",
    [
        *("-m bagen_data", "-m bagen_data predict", "-m bagen_data predict baseline"),
        *("-m bagen_data predict model", "-m bagen_data score", "-m bagen_data show"),
        *("-m bagen_data ceiling", "-m bagen_data fit", "-m bagen_data policy"),
        "-m bagen_data watch",
        *(
            "-m builders",
            "-m builders build",
            "-m builders inspect",
            "-m builders publish",
            "-m collect",
            "-m collect sokoban",
        ),
        *("-m leaderboard", "-m leaderboard build", "-m leaderboard publish"),
        *("-m metrics", "-m metrics publish", "train/evaluate.py"),
    ],
)
def test_a_help_text_loads_nothing_that_it_does_not_run(command: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command.split(), "--help"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "typer" in loaded
    heavy = {*HEAVY, "altair", "numpy", "pyarrow", "scipy", "trl"}
    assert loaded & heavy <= {"pydantic", "rich", "typer"}  # typer checks values with pydantic


@pytest.mark.parametrize("group", ["", "predict"])
def test_a_list_of_commands_loads_none_of_them(group: str) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bagen_data", *group.split(), "--help"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Show the version" in done.stdout or "baseline" in done.stdout
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    own = {name for name in loaded if name.startswith("bagen_data.cli.")}
    assert own == {"bagen_data.cli.old_spellings"}
    assert "pydantic" not in loaded or group  # which Typer needs for the options of `bagen`


def test_a_build_loads_what_it_runs_alone(tmp_path: Path) -> None:
    family = REPO / "sample/origin/sokoban-origin-scripted"
    done = subprocess.run(
        [
            *(sys.executable, "-X", "importtime", "-m", "builders", "build"),
            *("--origin", str(family), "--out", str(tmp_path / "out")),
        ],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "pyarrow.parquet" in loaded
    unused = {"bagen_data.hub", "bagen_data.scoring", "collect", "jinja2", "multiprocessing"}
    assert not loaded & {*unused, "pandas", "pyarrow.compute", "transformers"}


@pytest.mark.parametrize("package", ["builders", "collect", "leaderboard"])
def test_a_command_line_says_which_extra_is_missing(package: str) -> None:
    code = f"import runpy, sys; sys.modules['typer'] = None; runpy.run_module('{package}')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"typer is not installed; in the clone: pip install -e '.[{package}]'"
    )


def test_the_old_spelling_of_collect_names_the_new_one() -> None:
    for options in (["sokoban", "--agent", "scripted"], ["--help"], []):
        done = subprocess.run(
            [sys.executable, "-m", "builders", "collect", *options],
            cwd=REPO,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert "'python -m collect TASK ...'" in done.stderr
        assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("script", ["sft", "grpo", "evaluate", "sweep"])
def test_training_says_which_extra_is_missing(script: str) -> None:
    code = (
        f"import runpy, sys; sys.modules['trl'] = None; sys.argv = ['train/{script}.py']; "
        f"sys.path.insert(0, 'train'); runpy.run_path('train/{script}.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.strip() == "trl is not installed; in the clone: pip install -e '.[train]'"


def test_all_names_what_there_is() -> None:
    import bagen_data

    assert sorted(bagen_data.__all__) == bagen_data.__all__
    assert all(hasattr(bagen_data, name) for name in bagen_data.__all__)
