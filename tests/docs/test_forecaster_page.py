"""docs/forecaster.md: its commands run on the sample, and its links lead somewhere."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from bagen_data.cli import main
from bagen_data.forecasters.kept import load_forecaster
from bagen_data.live import BudgetTracker
from tests.bagen_data.forecasters.fitting.taught import write_logs
from tests.making import REPO, SAMPLE, build, exit_code

PAGE = REPO / "docs" / "forecaster.md"


def commands() -> Iterator[list[str]]:
    """The words of each command of the page."""
    for block in re.findall(r"(?ms)^```bash\n(.*?)^```$", PAGE.read_text(encoding="utf-8")):
        for line in block.splitlines():
            yield shlex.split(line)


def test_its_commands_and_examples_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first command prints what the page shows."""
    monkeypatch.chdir(tmp_path)
    assert build(SAMPLE, tmp_path / "my-dataset") == 0
    write_logs(tmp_path / "my-logs", 5)
    fitted = [words for words in commands() if words[:2] == ["bagen", "fit"]]
    assert len(fitted) == 3
    assert fitted[0] == next(iter(commands()))
    for number, words in enumerate(fitted):
        capsys.readouterr()
        assert exit_code(main, *words[1:]) == 0, words
        if number == 0:
            check_what_it_printed(*capsys.readouterr())
    assert (tmp_path / "my-forecaster" / "README.md").exists()
    tracker = BudgetTracker({"tokens": 2_500}, forecaster=load_forecaster("my-forecaster"))
    tracker.observe(
        user="look", assistant="go", usage={"prompt_tokens": 300, "completion_tokens": 40}
    )
    forecast = tracker.forecast()
    assert forecast is not None
    assert forecast.finish is not None


def test_its_links_lead_somewhere() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        assert (PAGE.parent / target).exists(), target


def check_what_it_printed(out: str, err: str) -> None:
    """Compare the output of the page's first command with what the page shows."""
    said = {tuple(re.sub(r"[│┃]", " ", line).split()) for line in out.splitlines()}
    notes = {tuple(line.split()) for line in err.splitlines()}
    (block,) = re.findall(r"(?ms)^```text\n(.*?)^```$", PAGE.read_text(encoding="utf-8"))
    for line in block.splitlines():
        words = tuple(line.split())
        assert words == ("...",) or words in said | notes or "interval" in words, line
