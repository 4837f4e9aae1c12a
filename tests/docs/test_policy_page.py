"""docs/policy.md says what is so: its commands and its program run."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from bagen_data.live.policies import SequentialPolicy, ThresholdPolicy, load_policy, weight_needed
from tests.making import REPO

PAGE = (REPO / "docs/policy.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    ((?:bagen|python -m builders) .+)$", PAGE, re.M)
(PROGRAM,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)


def run(arguments: list[str], place: Path) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=place,
        env={"PYTHONPATH": str(REPO), "PATH": "", "HOME": str(place), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the page's commands were run, with what each printed."""
    folder = tmp_path_factory.mktemp("page")
    (folder / "sample").symlink_to(REPO / "sample")
    assert len(COMMANDS) == 3
    for number, command in enumerate(COMMANDS):
        program, *arguments = shlex.split(command)
        module = arguments[1:] if program == "python" else ["bagen_data", *arguments]
        (folder / f"{number}.txt").write_text(run(["-m", *module], folder))
        if number == 1:
            (folder / "policy.json").rename(folder / "threshold.json")
    return folder


def test_the_first_policy_has_a_threshold_and_a_picture(place: Path) -> None:
    printed = " ".join((place / "1.txt").read_text().split())
    for words in re.findall(r"^    ((?:hard|policy,|perfect) [a-z, ]+[a-z])", PAGE, re.M):
        assert words in printed
    assert "8 rollouts of 8 instances: 5 succeeded, 4 within the budgets" in printed
    assert isinstance(load_policy(place / "threshold.json"), ThresholdPolicy)
    assert (place / "policy.svg").stat().st_size > 5_000


def test_the_second_policy_is_a_test(place: Path) -> None:
    policy = load_policy(place / "policy.json")
    assert isinstance(policy, SequentialPolicy)
    assert policy.max_false_abort == 0.2
    printed = " ".join((place / "2.txt").read_text().split())
    assert "at most 20% of the runs that would succeed are stopped, however long" in printed


def test_the_program_prints_what_the_page_shows(place: Path) -> None:
    ThresholdPolicy(0.31, first_turn=1).save(place / "policy.json")
    printed = run(["-c", PROGRAM], place)
    assert f"    {printed.strip()}\n" in PAGE


def test_the_numbers_of_successes_that_are_needed_are_right() -> None:
    for needed, percent in ((19, 5), (9, 10), (4, 20)):
        assert weight_needed(percent / 100) == needed
        assert f"{needed} for {percent}%" in PAGE
