"""A forecaster of your own is two new files and no edit elsewhere, as CONTRIBUTING.md shows."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.making import REPO, build, write_trajectories


def test_two_files_make_a_forecaster(tmp_path: Path) -> None:
    clone = tmp_path / "clone"
    for name in ("bagen_data", "builders", "tests"):
        shutil.copytree(REPO / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(REPO / "pyproject.toml", clone)
    forecaster, test = files_of_contributing()
    for path, text in (forecaster, test):
        assert not (clone / path).exists()
        (clone / path).write_text(text, encoding="utf-8")
    run(clone, "pytest", "-p", "no:cacheprovider", test[0])
    names = ["a__a-1", "a__a-2", "a__a-3"]
    write_trajectories(tmp_path / "origin" / "swebench-origin-m", names, names[:2])
    assert build(tmp_path / "origin", tmp_path / "built") == 0
    flags = ("--dataset", tmp_path / "built", "--out", tmp_path / "out")
    run(clone, "bagen_data", "predict", "baseline", Path(forecaster[0]).stem, *flags)
    scores = ("--resamples", 0, "--json", tmp_path / "scores.json")
    run(clone, "bagen_data", "score", tmp_path / "out", "--dataset", tmp_path / "built", *scores)
    scored = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert scored["overall"]["valid_rate"]["value"] == 1


def files_of_contributing() -> list[tuple[str, str]]:
    """The forecaster and its test: code blocks under a line that names the path of each."""
    text = (REPO / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("## A forecaster of your own\n")[2].partition("\n## ")[0]
    files = re.findall(r"`([\w/]+\.py)`:\n\n```python\n(.*?)```", section, re.DOTALL)
    assert [path.rpartition("/")[0] for path, _ in files] == [
        "bagen_data/forecasters",
        "tests/bagen_data/forecasters",
    ]
    return files


def run(clone: Path, module: str, *arguments: object) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=clone,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
