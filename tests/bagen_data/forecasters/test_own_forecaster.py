"""A forecaster of your own is two new files and no edit elsewhere, as CONTRIBUTING.md shows."""

import json
from pathlib import Path

import pytest

from tests.making import build, write_trajectories
from tests.recipes import check_in, clone_with, python_in, recipe_files, run_in

FILES = [
    "bagen_data/forecasters/as_much_again.py",
    "tests/bagen_data/forecasters/test_as_much_again.py",
]


def test_two_files_make_a_forecaster(tmp_path: Path) -> None:
    files = recipe_files("A forecaster of your own")
    assert list(files) == FILES
    clone = clone_with(tmp_path / "clone", files)
    check_in(clone, FILES[1])
    names = ["a__a-1", "a__a-2", "a__a-3"]
    write_trajectories(tmp_path / "origin" / "swebench-origin-m", names, names[:2])
    assert build(tmp_path / "origin", tmp_path / "built") == 0
    flags = ("--dataset", tmp_path / "built", "--out", tmp_path / "out")
    run_in(clone, "-m", "bagen_data", "predict", "baseline", "as_much_again", *flags)
    scores = ("--resamples", 0, "--json", tmp_path / "scores.json")
    dataset = ("--dataset", tmp_path / "built")
    run_in(clone, "-m", "bagen_data", "score", tmp_path / "out", *dataset, *scores)
    scored = json.loads((tmp_path / "scores.json").read_text(encoding="utf-8"))
    assert scored["overall"]["valid_rate"]["value"] == 1


OWN = '''"""A forecaster."""
from bagen_data.forecasters import Forecaster
from bagen_data.schema import Estimate, Interval
def answer(probes):
    {body}
FORECASTER = Forecaster.of_rule(answer)
'''


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    names = ["a__a-1", "a__a-2", "a__a-3"]
    write_trajectories(folder / "origin" / "swebench-origin-m", names, names[:2])
    assert build(folder / "origin", folder / "out") == 0
    return folder / "out"


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("return [Estimate('infeasible')]", "the forecaster gave 1 answers to"),
        ("return [3] * len(probes)", "the forecaster answered 3; expected an Estimate"),
        (
            "return [Estimate('feasible', {'weeks': Interval(1, 2)})] * len(probes)",
            "expected an Estimate with an interval for each of tokens, or infeasible",
        ),
    ],
)
def test_what_a_forecaster_answers_is_checked(
    tmp_path: Path, built: Path, body: str, problem: str
) -> None:
    files = {"bagen_data/forecasters/own.py": OWN.replace("{body}", body)}
    clone = clone_with(tmp_path / "clone", files)
    flags = ("--dataset", built, "--out", tmp_path / "out")
    done = python_in(clone, "-m", "bagen_data", "predict", "baseline", "own", *flags)
    assert done.returncode == 1
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def test_a_forecaster_that_fails_stops_no_other(tmp_path: Path, built: Path) -> None:
    files = {
        "bagen_data/forecasters/own.py": OWN.replace("{body}", "raise KeyError('boom')"),
        "bagen_data/forecasters/helper.py": '"""Not a forecaster."""\n',
    }
    clone = clone_with(tmp_path / "clone", files)
    flags = ("--dataset", built, "--out", tmp_path / "out", "--workers", 1)
    done = python_in(clone, "-m", "leaderboard", "baselines", *flags)
    assert done.returncode == 1
    assert "own: KeyError: 'boom'" in done.stderr
    assert "helper: bagen_data/forecasters/helper.py: has no FORECASTER" in done.stderr
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"quantiles", "conformal"}
    assert not (tmp_path / "out" / "own").exists()
