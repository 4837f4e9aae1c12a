"""`bagen` without any extra: what works, and the extra that each of the other commands names."""

from pathlib import Path

import pytest

from bagen_data.demo.shipped import SHIPPED
from bagen_data.versions import BENCHMARK_VERSION, __version__
from tests.bare_install import bare_bagen
from tests.making import SAMPLE

LOGS = SAMPLE / "swebench-origin-scripted"


def test_help_and_version_need_no_extra(tmp_path: Path) -> None:
    alone, helped = bare_bagen(tmp_path), bare_bagen(tmp_path, "--help")
    assert (alone.returncode, helped.returncode, helped.stderr) == (2, 0, "")
    assert "Usage: bagen" in alone.stdout + alone.stderr
    assert "bagen demo" in helped.stdout
    version = bare_bagen(tmp_path, "--version")
    assert version.stdout == f"bagen {__version__}, benchmark {BENCHMARK_VERSION}\n"


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        *(
            (f"predict baseline {name} --dataset MISSING --out made", "baselines")
            for name in ("forest", "aft", "conformal", "reward_optimal")
        ),
        ("fit --dataset MISSING --config swebench_train --out made", "baselines"),
        ("fit --logs LOGS --out made", "baselines"),
        ("policy forest --dataset MISSING --config swebench", "baselines"),
        ("predict model openai/m --dataset MISSING --out made", "models"),
        ("fit --logs LOGS --forecaster climatology --tokenizer ORG/NAME --out made", "tokenizer"),
        ("watch LOGS --tokenizer ORG/NAME --once", "tokenizer"),
        ("show sokoban/m/r/1 --dataset SHIPPED --picture drawn.svg", "pictures"),
        ("policy climatology --dataset MISSING --config swebench --chart c.svg", "pictures"),
        ("predict baseline over_budget --dataset s3://bucket/built --out made", "load"),
    ],
)
def test_what_needs_an_extra_names_it_before_any_work(
    tmp_path: Path, command: str, extra: str
) -> None:
    """The datasets of these commands do not exist: naming the extra comes first."""
    stands_for = {"LOGS": str(LOGS), "SHIPPED": str(SHIPPED)}
    done = bare_bagen(tmp_path, *(stands_for.get(word, word) for word in command.split()))
    assert done.returncode == 1
    assert f"pip install 'bagen-data[{extra}]'" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    "command",
    [
        "predict baseline climatology --dataset SHIPPED --config swebench --out made",
        "fit --logs LOGS --forecaster climatology --out made",
        "watch LOGS --once",
        "policy climatology --dataset SHIPPED --config swebench",
        "show sokoban/scripted/f05f50b600f94276/1 --dataset SHIPPED",
    ],
)
def test_what_needs_no_extra_works_without_one(tmp_path: Path, command: str) -> None:
    stands_for = {"LOGS": str(LOGS), "SHIPPED": str(SHIPPED)}
    done = bare_bagen(tmp_path, *(stands_for.get(word, word) for word in command.split()))
    assert done.returncode == 0, done.stderr


def test_a_dry_run_shows_its_plan_and_the_missing_extra(tmp_path: Path) -> None:
    command = ("predict", "model", "openai/m", "--dataset", str(SHIPPED), "--config", "sokoban")
    done = bare_bagen(tmp_path, *command, "--out", "made", "--dry-run")
    assert done.returncode == 1
    assert "ready: no" in done.stdout
    assert "pip install 'bagen-data[models]'" in done.stderr
