"""docs/watch.md says what is so: its commands run, its fields are those of the JSON."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from bagen_data.cli import main
from bagen_data.reading.plain_rollouts import read_plain_rollouts
from tests.bagen_data.live.watching.fitting import budgets_of, examples_of, fitted
from tests.bagen_data.live.watching.sessions import append, claude_lines
from tests.making import REPO, SAMPLE, exit_code

PAGE = REPO / "docs/watch.md"
TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (bagen .+)$", TEXT, re.MULTILINE)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "sample").symlink_to(REPO / "sample")
    plain = read_plain_rollouts(SAMPLE / "swebench-train-scripted")
    fitted(examples_of(plain.rollouts, budgets_of(plain))).save(tmp_path / "my-forecaster")
    append(tmp_path / ".claude/projects/my-project/s1.jsonl", claude_lines("s1"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_run(clone: Path, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    _, *arguments = shlex.split(command.replace("~", str(clone)))
    once = [] if "--once" in arguments else ["--once"]
    assert exit_code(main, *arguments, *once) == 0
    assert "turn" in capsys.readouterr().out


def test_fields_are_those_of_the_json(clone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = ("--forecaster", clone / "my-forecaster", "--once", "--json")
    assert exit_code(main, "watch", clone / "sample/origin/swebench-origin-scripted", *kept) == 0
    said = json.loads(capsys.readouterr().out)
    rows = re.findall(r"^\| (`.+?`.*?) \| .+ \|$", TEXT, re.MULTILINE)
    assert [name for row in rows for name in re.findall(r"`(\w+)`", row)] == list(said)
    named = set(re.findall(r"`(\w+)`", TEXT))
    assert not names_in(said, ("used", "spent", "budgets", "quantiles", "remaining")) - named


def names_in(value: Any, closed: tuple[str, ...]) -> set[str]:
    """Return the names of fields, but not those of resources."""
    if isinstance(value, list):
        return set().union(*(names_in(each, closed) for each in value))
    if not isinstance(value, dict):
        return set()
    inner = (names_in(each, closed) for name, each in value.items() if name not in closed)
    return set(value).union(*inner)


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)\s#]+)[^)\s]*\)", TEXT):
        assert (PAGE.parent / target).exists(), target
