"""A comparison of families as tables that people read in a terminal."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from rich.table import Table

from bagen_data.console import shown
from bagen_data.scoring.resampling import FEWEST_INSTANCES
from bagen_data.wording import numbered
from collect.comparison.paired_comparison import ComparedFamilies, Estimate

_DECIMALS = {"success": 3, "cost_usd": 6, "tokens": 0}
"""Digits after the point of a measure; 2 of tool calls."""


def comparison_tables(compared: ComparedFamilies) -> list[Table]:
    """Return a table of what families came to, and one of differences where there are several."""
    rows = compared.rows
    names = list(rows[0].means)
    tables = [
        _table(
            f"{compared.task}: means over the rollouts of "
            f"{numbered(compared.instances, 'shared instance')}",
            ["family", "rollouts", "stopped", *names, "front"],
            (
                [
                    row.name,
                    f"{row.rollouts:,}",
                    f"{row.stopped:,}",
                    *_cells(row.means, _number),
                    "*" if row.is_on_front else "",
                ]
                for row in rows
            ),
        )
    ]
    if len(rows) > 1:
        tables.append(
            _table(
                f"differences to {rows[0].name}, paired by instance, with 95% intervals",
                ["family", *names],
                ([row.name, *_cells(row.differences, _signed)] for row in rows[1:]),
            )
        )
    tables[-1].caption = _caption(compared)
    return tables


def _table(title: str, columns: Sequence[str], rows: Iterator[list[str]]) -> Table:
    table = Table(title=shown(title), title_justify="left", caption_justify="left")
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(shown, row))
    return table


def _cells(
    estimates: Mapping[str, Estimate], written: Callable[[float, int], str]
) -> Iterator[str]:
    for name, estimate in estimates.items():
        digits = _DECIMALS.get(name, 2)
        ends = estimate.interval
        interval = f"\n[{', '.join(written(end, digits) for end in ends)}]" if ends else ""
        yield written(estimate.value, digits) + interval


def _number(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}"


def _signed(value: float, digits: int) -> str:
    return f"{value:+,.{digits}f}"


def _caption(compared: ComparedFamilies) -> str:
    front = ", ".join(row.name for row in compared.front)
    lines = [f"Pareto front of success and cost_usd, the cheapest first: {front}"]
    if compared.left_out:
        listed = ", ".join(f"{number} of {name}" for name, number in compared.left_out.items())
        lines.append(f"left out, as not all families have them: instances, {listed}")
    if compared.instances < FEWEST_INSTANCES:
        lines.append(f"no intervals: fewer than {FEWEST_INSTANCES} instances")
    return "\n".join(lines)
