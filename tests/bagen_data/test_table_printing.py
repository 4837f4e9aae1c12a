"""Tables of the command line: within the screen, in plain text, and with nothing cut."""

from contextlib import redirect_stdout
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

from bagen_data.console import shown
from bagen_data.table_printing import print_table

NAMES = st.text("abcdefghij-_/", min_size=1, max_size=30)


def printed(table: Table, columns: int, capsys: pytest.CaptureFixture[str]) -> list[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", str(columns))
        print_table(table)
    return capsys.readouterr().out.splitlines()


def table_of(headings: list[str], rows: list[list[str]], **options: object) -> Table:
    table = Table(**options)  # type: ignore[arg-type]
    for heading in headings:
        table.add_column(shown(heading), no_wrap=True)
    for row in rows:
        table.add_row(*map(shown, row))
    return table


def test_a_wide_table_goes_on_below_with_its_first_column(
    capsys: pytest.CaptureFixture[str],
) -> None:
    table = table_of(["score", "value", "interval"], [["brier", "0.1", "[0.0, 0.2]"]])
    assert printed(table, 80, capsys) == [
        "score  value  interval",
        "------------------------",
        "brier  0.1    [0.0, 0.2]",
        "",
    ]
    assert printed(table, 20, capsys) == [
        "score  value",
        "------------",
        "brier  0.1",
        "",
        "score  interval",
        "-----------------",
        "brier  [0.0, 0.2]",
        "",
    ]


@given(
    st.integers(2, 6).flatmap(
        lambda width: st.lists(st.lists(NAMES, min_size=width, max_size=width), min_size=2)
    )
)
def test_every_cell_is_there_and_no_line_is_wider_than_the_screen(rows: list[list[str]]) -> None:
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as out:
        patch.setenv("COLUMNS", "80")
        print_table(table_of(rows[0], rows[1:]))
    lines = out.getvalue().splitlines()
    words = {word for line in lines for word in line.split()}
    assert {cell for row in rows for cell in row} <= words
    assert max(map(len, lines)) <= 80


def test_a_first_column_that_leaves_no_room_folds_and_loses_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = "swebench/" + "a" * 100
    lines = printed(table_of(["family", "n"], [[name, "12"]]), 40, capsys)
    assert max(map(len, lines)) <= 40
    assert "".join(line.split()[0] for line in lines[2:] if line) == name
    assert "12" in lines[2]


def test_titles_stay_whole_and_captions_are_wrapped(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/a/folder/" + "x" * 100
    table = table_of(["n"], [["1"]], title=path, caption="a word " * 20)
    title, *_, caption, last, end = printed(table, 80, capsys)
    assert title == path
    assert len(caption) <= 80
    assert last.endswith("word")
    assert end == ""


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}, {}])
def test_no_escape_is_printed_where_none_is_wanted(
    environment: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1" if environment else "0")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    lines = printed(table_of(["n"], [["1"]], title="a title"), 80, capsys)
    assert lines == ["a title", "n", "-", "1", ""]


def test_a_terminal_with_colours_has_a_bold_head(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in (("TTY_COMPATIBLE", "1"), ("TERM", "xterm"), ("COLORTERM", "truecolor")):
        monkeypatch.setenv(name, value)
    assert "\x1b[1m" in printed(table_of(["n"], [["1"]]), 80, capsys)[0]
