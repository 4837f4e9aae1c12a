"""Tables on stdout that can be read at 80 columns, in a pipe, and without colours.

A table has no frame: its columns are apart by two blanks, its head is above a line of dashes. One
that is wider than the screen goes on in tables below it, which repeat its first column: no line
wraps into nonsense, and nothing is cut.
"""

import sys
from collections.abc import Iterator, Sequence
from textwrap import fill

from rich.box import Box
from rich.console import RenderableType
from rich.table import Column, Table
from rich.text import Text, TextType

from bagen_data.console import stdout_console

_DASHES_BELOW_HEAD = Box("    \n    \n -- \n    \n    \n -- \n    \n    \n", ascii=True)
"""The lines of a table: dashes below its head, a blank line between rows or sections."""
_APART = 2
"""Blanks between two columns."""
_UNBOUNDED = 10_000
"""Columns of a screen on which every table fits."""


def print_table(table: Table) -> None:
    """Print a table within the width of the screen: title, columns, caption, and a blank line.

    Args:
        table: its texts are printed; its frame is not.
    """
    sys.stdout.write(table_text(table, stdout_console().width) + "\n")


def table_text(table: Table, width: int) -> str:
    """Return a table as lines of at most so many characters: title, columns and caption.

    A part whose first two columns are wider keeps its full width.

    Args:
        table: its texts are taken; its frame is not.
        width: characters of a line.
    """
    text = "\n".join(_text(part, "", max(width, least)) for part, least in _parts(table, width))
    if table.title:
        text = _text(_wrapped(table.title, width), "table.title", _UNBOUNDED) + text
    if table.caption:
        text += _text(_wrapped(table.caption, width), "table.caption", _UNBOUNDED)
    return text


def _parts(table: Table, width: int) -> Iterator[tuple[Table, int]]:
    """Yield tables that are at most so wide and have all columns, each with the first one.

    Each comes with its least width, which is larger where two columns leave no choice.
    """
    first, *rest = table.columns
    widths = [_APART + _width(table, column) for column in rest]
    own = _width(table, first)
    room = width - own - max(widths, default=width - own)
    if room < 0:  # the first column folds
        first.no_wrap, first.overflow = False, "fold"
        first.max_width = max(width // 3, own + room)
        own = _width(table, first)
    columns, least = [first], own
    for column, added in zip(rest, widths, strict=True):
        if len(columns) > 1 and least + added > width:
            yield _part(table, columns), least
            columns, least = [first], own
        columns.append(column)
        least += added
    yield _part(table, columns), least


def _part(table: Table, columns: Sequence[Column]) -> Table:
    """Return a table of some columns of another one, without its title and caption."""
    part = Table(
        box=_DASHES_BELOW_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        show_lines=table.show_lines,
    )
    for column in columns:
        part.add_column(
            column.header,
            justify=column.justify,
            overflow=column.overflow,
            no_wrap=column.no_wrap,
            max_width=column.max_width,
        )
    cells = zip(*(column.cells for column in columns), strict=True)
    for row, texts in zip(table.rows, cells, strict=True):
        part.add_row(*texts, end_section=row.end_section)
    return part


def _width(table: Table, column: Column) -> int:
    """Return the least width of a column: that of its longest word where its texts may wrap."""
    measured = stdout_console(width=_UNBOUNDED).measure(_part(table, [column]))
    return measured.maximum if column.no_wrap else measured.minimum


def _wrapped(text: TextType, width: int) -> Text:
    """Wrap a title or caption, and leave words whole: a path that is cut cannot be copied."""
    lines = str(text).split("\n")
    filled = (fill(line, width, break_long_words=False, break_on_hyphens=False) for line in lines)
    return Text("\n".join(filled))


def _text(content: RenderableType, style: str, width: int) -> str:
    """Return what a console prints, without the blanks at the ends of lines."""
    console = stdout_console(width=width)
    with console.capture() as captured:
        console.print(content, style=style or None)
    lines = captured.get().rstrip("\n").split("\n")
    return "".join(f"{line.rstrip()}\n" for line in lines)
