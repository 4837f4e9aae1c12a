"""Texts of others on Rich's consoles: shown as they stand, whatever they hold."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from bagen_data.console import shown, stdout_console
from bagen_data.progress_bar import progress_bar
from tests.making import REPO

FOREIGN = (":100:", "[red]", "[/]", "[/x]", "a\\[b]", "\\", "[link=x]", "@", ":smile:[bold")


@given(st.lists(st.sampled_from([*FOREIGN, "[", "]", " ", "\u202e", "é"]), max_size=5).map("".join))
def test_a_text_is_shown_as_it_stands(text: str) -> None:
    assert shown(text).plain == text.replace("\u202e", "\\u202e")


@pytest.mark.parametrize("code", ["\x1b", "\x07", "\r", "\x9b", "\u202e", "\udcff"])
def test_what_a_terminal_obeys_is_shown_as_an_escape(code: str) -> None:
    assert shown(f"a{code}b\n\tc").plain == f"a{ascii(code)[1:-1]}b\n\tc"


@pytest.mark.parametrize("text", FOREIGN)
def test_tables_rules_and_bars_show_it_too(text: str) -> None:
    console = stdout_console(file=io.StringIO(), width=200)
    table = Table(title=shown(text))
    table.add_column(shown(text))
    table.add_row(shown(text))
    console.print(table)
    console.rule(shown(text))
    bar = progress_bar()
    bar.add_task(text, total=1)
    console.print(bar.make_tasks_table(bar.tasks))
    assert isinstance(console.file, io.StringIO)
    assert console.file.getvalue().count(text) >= 5


def test_no_console_is_made_elsewhere() -> None:
    assert not Console(emoji=False)._emoji  # the flag that every console here sets
    made = [
        path.relative_to(REPO).as_posix()
        for package in ("bagen_data", "builders", "collect", "leaderboard", "train", "metrics")
        for path in (REPO / package).rglob("*.py")
        if any(
            f"{name}(" in path.read_text("utf-8")
            for name in (" Console", "rich.print", "escape(f", "from_markup")
        )
    ]
    assert made == ["bagen_data/console.py"]
