"""Names of agents."""

from pathlib import Path

import pytest

from tests.making import collect


@pytest.mark.parametrize(
    ("name", "task", "words"),
    [
        ("bats:openai/x", "sokoban", "sokoban has no strategy 'bats'; expected none"),
        ("tree:openai/x", "warehouse", "warehouse has no strategy 'tree'"),
        ("bats:x", "sokoban", "expected scripted, scripted/NAME, or a model as PROVIDER/NAME"),
    ],
)
def test_a_strategy_that_a_task_lacks_is_refused(
    name: str, task: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / f"{task}-origin-x"
    assert collect(task, "--agent", name, "--rollouts", 1, "--out", out) == 2
    assert words in " ".join(capsys.readouterr().err.split())
