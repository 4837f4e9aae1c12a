"""Work on a system without `fcntl` and other calls of POSIX, and one sentence where that ends.

Windows itself is not run here: `windows_like.py` says what stays this system's.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.making import REPO, SAMPLE


def windows_like(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    script = str(REPO / "tests/windows_like.py")
    return subprocess.run(
        [sys.executable, script, *map(str, arguments)],
        cwd=folder,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `bagen demo` writes, for a test to copy."""
    folder = tmp_path_factory.mktemp("made")
    done = windows_like(folder, "-m", "bagen_data", "demo")
    assert done.returncode == 0, done.stderr
    return folder / "bagen-demo"


@pytest.fixture
def demo(made: Path, tmp_path: Path) -> Path:
    """A folder of this test alone in which `bagen demo` ran."""
    shutil.copytree(made, tmp_path / "bagen-demo")
    return tmp_path


def test_the_calls_of_posix_are_gone(tmp_path: Path) -> None:
    code = """
import os
for name in ("fork", "pread", "O_NOFOLLOW"):
    assert not hasattr(os, name)
for attempt in (lambda: os.open(".", os.O_RDONLY), lambda: os.stat("x", dir_fd=3)):
    try:
        attempt()
    except (PermissionError, NotImplementedError):
        continue
    raise SystemExit("a call of POSIX is left")
try:
    import fcntl
except ModuleNotFoundError:
    print("gone")
"""
    assert windows_like(tmp_path, "-c", code).stdout == "gone\n"


def test_every_part_of_the_library_is_imported(tmp_path: Path) -> None:
    """Modules that only processes of Linux run are left out, and those of missing extras."""
    code = """
import importlib, pkgutil, traceback
import bagen_data, builders, leaderboard
for package in (bagen_data, builders, leaderboard):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        if module.name.endswith("__main__") or ".adapters." in module.name:
            continue
        try:
            importlib.import_module(module.name)
        except ImportError as error:  # packages of others ask which system they are on
            where = traceback.extract_tb(error.__traceback__)[-1].filename
            assert package.__path__[0] not in where, module.name
        except bagen_data.BagenError as error:
            assert "pip install" in str(error), module.name
print("imported")
"""
    done = windows_like(tmp_path, "-c", code)
    assert done.stdout.endswith("imported\n"), done.stderr


def test_predictions_are_made_replaced_checked_and_scored(demo: Path) -> None:
    done = windows_like(demo, "-m", "bagen_data", "demo")
    assert done.returncode == 0, done.stderr
    left = {path.name for path in (demo / "bagen-demo").iterdir()}
    assert left == {"dataset", "quantiles", "report.html", "scores.json"}
    here = subprocess.run(
        [sys.executable, "-m", "bagen_data", "demo", "--out", "here"],
        cwd=demo,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert here.returncode == 0
    for name in ("quantiles/predictions.jsonl", "report.html"):
        made = [(demo / folder / name).read_text() for folder in ("bagen-demo", "here")]
        assert made[0] == made[1].replace("here/", "bagen-demo/")


def test_a_dataset_is_built_and_verified(tmp_path: Path) -> None:
    origin = SAMPLE / "sokoban-origin-scripted"
    build = ("-m", "builders", "build", "--origin", origin, "--out", "built")
    for _ in range(2):
        done = windows_like(tmp_path, *build)
        assert done.returncode == 0, done.stderr
    verified = windows_like(tmp_path, "-m", "builders", "verify", "built")
    assert (verified.returncode, verified.stderr) == (0, "")
    assert [path.name for path in tmp_path.iterdir()] == ["built"]


def test_a_folder_is_written_by_one_process_at_a_time(demo: Path) -> None:
    lock = demo / "bagen-demo/.quantiles.lock"
    lock.touch()
    done = windows_like(demo, "-m", "bagen_data", "demo")
    assert done.returncode == 1
    assert "another process is writing it" in done.stderr
    assert f"remove {lock}" in done.stderr
    lock.unlink()
    assert windows_like(demo, "-m", "bagen_data", "demo").returncode == 0
    assert not lock.exists()


@pytest.mark.parametrize(
    "command",
    [
        "bagen_data submit bagen-demo/quantiles --dataset bagen-demo/dataset --dry-run",
        "collect swebench --agent scripted --rollouts 1 --out swebench-origin-scripted",
    ],
)
def test_what_cannot_work_says_so_in_one_line(demo: Path, command: str) -> None:
    done = windows_like(demo, "-m", *command.split())
    assert done.returncode in (1, 2)
    assert "Windows perhaps" in done.stderr
    assert done.stderr.strip().endswith("run it in WSL") or "run the command in WSL" in done.stderr
    assert len(done.stderr.splitlines()) == 1
