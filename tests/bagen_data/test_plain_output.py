"""Each command's output at 80 columns, in a pipe and in a terminal without colours."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence

import pytest

from bagen_data.cli import main
from tests.forks import Forks
from tests.making import REPO, SAMPLE, build, exit_code

FORKS = Forks("tests.imported_libraries", environment=os.environ)
"""Consoles read the environment when they are imported: each command imports its own."""
OWN = "warehouse/scripted/71251f6e10f1bbf6/2"
COMMANDS: dict[str, Sequence[str]] = {
    "show a sample": ("show", OWN, "--predictions", "{all}", "--baseline", "median_22"),
    "list a config": ("show", "swebench"),
    "score": ("score", "{all}"),
    "score, all": ("score", "{all}", "--all", "--explain"),
    "by task": ("score", "{all}", "--by", "task", "--resamples", "50"),
    "by family": ("score", "{all}", "--by", "family", "--resamples", "50"),
    "by progress": ("score", "{all}", "--by", "progress", "--resamples", "50"),
    "compare": ("score", "{all}", "--compare", "{part}", "--resamples", "50"),
    "validate": ("validate", "{all}"),
    "submit": ("submit", "{all}", "--dry-run"),
    "ask, dry": (*("predict", "model", "mockllm/model"), "--dry-run", "--out", "{all}"),
    "policy": ("policy", "climatology", "--config", "swebench_train", "--resamples", "20"),
    "fit": ("fit", "--config", "swebench_train", "--forecaster", "climatology"),
}
TABLES = {"show a sample", "list a config", "policy", "fit"} | {
    name for name, command in COMMANDS.items() if command[0] == "score"
}


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("plain")
    assert build(SAMPLE, folder / "built") == 0
    flags = ("--dataset", folder / "built", "--out")
    assert exit_code(main, "predict", "baseline", "climatology", *flags, folder / "all") == 0
    some = ("--config", "warehouse")
    assert exit_code(main, "predict", "baseline", "median_22", *some, *flags, folder / "part") == 0
    return {name: str(folder / name) for name in ("built", "all", "part")}


def output_of(command: Sequence[str], places: dict[str, str], **environment: str) -> str:
    arguments = [each.format(**places) for each in command]
    done = FORKS.run(
        ["-m", "bagen_data", *arguments, "--dataset", places["built"]],
        {**os.environ, "COLUMNS": "80", "LINES": "40", **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_output_is_plain_and_fits(name: str, places: dict[str, str]) -> None:
    piped = output_of(COMMANDS[name], places)
    terminal = output_of(COMMANDS[name], places, TTY_COMPATIBLE="1", NO_COLOR="1")
    for text in (piped, terminal.partition("\x1b[?25l")[0]):  # a progress bar redraws its line
        assert "\x1b" not in text
        assert "\u2026" not in text
        assert not re.search("[\u2500-\u257f]", text)
        assert [line for line in table_lines(text) if len(line) > 80] == []
    is_listed = name == "list a config"  # in a pipe it is ids alone
    assert bool(list(table_lines(terminal))) == (name in TABLES)
    assert bool(list(table_lines(piped))) == (name in TABLES and not is_listed)


def table_lines(text: str) -> list[str]:
    """The lines of all tables: from the one above a line of dashes to the next blank one."""
    lines = text.splitlines()
    own = []
    for place, line in enumerate(lines):
        if re.fullmatch("-+", line):
            end = next((n for n in range(place, len(lines)) if not lines[n]), len(lines))
            own += lines[place - 1 : end]
    return own


def test_numbers_of_a_family_are_whole_at_80_columns(places: dict[str, str]) -> None:
    narrow = output_of(COMMANDS["by family"], places)
    wide = output_of(COMMANDS["by family"], places, COLUMNS="300")
    numbers = re.compile(r"-?\d+\.\d+")
    assert sorted(numbers.findall(narrow)) == sorted(numbers.findall(wide))


def test_a_text_is_printed_where_the_encoding_lacks_a_character(places: dict[str, str]) -> None:
    command = ("show", "sokoban/scripted/45c0b061a6720bde/1", "--full", "--dataset")
    done = subprocess.run(
        [sys.executable, "-m", "bagen_data", *command, places["built"]],
        cwd=REPO,
        env={**os.environ, "PYTHONIOENCODING": "ascii:strict"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.isascii()
    assert r"\u221a" in done.stdout  # the mark of a box in its place
