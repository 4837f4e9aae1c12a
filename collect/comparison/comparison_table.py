"""A comparison of families as tables that people read in a terminal."""

from collections.abc import Callable, Mapping, Sequence

from rich.table import Table

from bagen_data.console import shown
from bagen_data.family_name import parse_family_name
from bagen_data.scoring.resampling import FEWEST_INSTANCES
from bagen_data.wording import numbered
from collect.comparison.paired_comparison import ComparedFamilies, MeanEstimate

_DECIMALS = {"success": 3, "cost_usd": 6, "tokens": 0}
"""Digits after the point of a measure; 2 of tool calls."""
_FAMILY_WIDTH = 22
"""Most columns of a family's name, beyond which it goes on in the next line."""


def comparison_tables(compared: ComparedFamilies) -> list[Table]:
    """Return tables of the families, their means, and where there are several the differences."""
    rows = compared.rows
    names = _short_names([row.name for row in rows])
    families = _table(
        f"{compared.task}: {numbered(compared.instances, 'shared instance')}",
        ["family", "rollouts", "stopped", "on the front"],
    )
    for row, name in zip(rows, names, strict=True):
        _add_row(
            families, name, f"{row.rollouts:,}", f"{row.stopped:,}", "*" if row.is_on_front else ""
        )
    means = _estimates_table(
        "means over rollouts", "mean", names, [row.means for row in rows], _number
    )
    tables = [families, means]
    if len(rows) > 1:
        differences = [row.differences for row in rows[1:]]
        title = f"differences to {names[0]}, paired by instance"
        tables.append(_estimates_table(title, "difference", names[1:], differences, _signed))
    tables[-1].caption = shown(_caption(compared, names))
    return tables


def _short_names(names: Sequence[str]) -> list[str]:
    """Return names without the `TASK-origin-` or `TASK-train-` that all families have.

    >>> _short_names(["searchr1-origin-told", "searchr1-origin-capped"])
    ['told', 'capped']
    >>> _short_names(["a/searchr1-origin-m", "b/searchr1-origin-m"])
    ['a/m', 'b/m']
    """
    parts = [name.rpartition("/") for name in names]
    families = [parse_family_name(last) for _, _, last in parts]
    if len({family and (family.task, family.role) for family in families}) > 1:
        return list(names)
    return [
        f"{parents}{slash}{family.rollout_model if family else last}"
        for (parents, slash, last), family in zip(parts, families, strict=True)
    ]


def _table(title: str, columns: Sequence[str]) -> Table:
    table = Table(title=shown(title), title_justify="left", caption_justify="left")
    for name in columns:
        if name == "family":
            table.add_column(name, max_width=_FAMILY_WIDTH, overflow="fold")
        else:
            table.add_column(name, justify="left" if name == "" else "right", no_wrap=True)
    return table


def _add_row(table: Table, *cells: str) -> None:
    table.add_row(*map(shown, cells))


def _estimates_table(
    title: str,
    value: str,
    families: Sequence[str],
    estimates: Sequence[Mapping[str, MeanEstimate]],
    written: Callable[[float, int], str],
) -> Table:
    """Return a table with a section a measure, and a row a family in it."""
    table = _table(title, ["", "family", value, "95% interval"])
    for measure in estimates[0]:
        digits = _DECIMALS.get(measure, 2)
        for rank, (family, own) in enumerate(zip(families, estimates, strict=True)):
            estimate = own[measure]
            ends = [written(end, digits) for end in estimate.interval or ()]
            _add_row(
                table,
                "" if rank else measure,
                family,
                written(estimate.value, digits),
                f"[{', '.join(ends)}]" if ends else "",
            )
        table.add_section()
    return table


def _number(value: float, digits: int) -> str:
    return f"{value:,.{digits}f}"


def _signed(value: float, digits: int) -> str:
    return f"{value:+,.{digits}f}"


def _caption(compared: ComparedFamilies, names: Sequence[str]) -> str:
    short = dict(zip([row.name for row in compared.rows], names, strict=True))
    front = ", ".join(short[row.name] for row in compared.front)
    lines = [f"Pareto front of success and cost_usd, the cheapest first: {front}"]
    if compared.left_out:
        listed = ", ".join(
            f"{number} of {short[name]}" for name, number in compared.left_out.items()
        )
        lines.append(f"left out, as not all families have them: instances, {listed}")
    if compared.instances < FEWEST_INSTANCES:
        lines.append(f"no intervals: fewer than {FEWEST_INSTANCES} instances")
    return "\n".join(lines)
