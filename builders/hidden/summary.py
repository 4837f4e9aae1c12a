"""The summary of a hidden split, for its builder."""

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from bagen_data.console import STDERR, shown, stdout_console
from bagen_data.reading.family_index import FamilyIndex
from bagen_data.reading.refusal_lines import refusal_lines
from bagen_data.table_printing import print_table
from builders.hidden.hidden_build import KEY, PUBLIC, HiddenOptions, HiddenTask

_FEW = 10
"""Samples of a task below which scores have no interval."""
_SHOWN = 10
"""Reasons that are shown of each family."""
_HEADINGS = ("rollouts", "refused", "public", "one turn", "samples")


def print_hidden_summary(tasks: Sequence[HiddenTask], options: HiddenOptions) -> None:
    """Print what each family gave, what was left out, and where the two parts are."""
    out = options.build.out
    table = Table(title=shown(str(out)), title_justify="left")
    table.add_column("family", no_wrap=True)
    labels = any(family.index.unusable_labels for task in tasks for family in task.families)
    for heading in (*_HEADINGS, *(["unusable labels"] if labels else [])):
        table.add_column(heading, justify="right", no_wrap=True)
    for task in tasks:
        for family in task.families:
            index = family.index
            counts = (
                *(len(index.entries), len(index.refused), family.published),
                *(family.without_probe, family.drawn, len(index.unusable_labels)),
            )
            table.add_row(
                escape(index.family.name),
                *(f"{n:,}" for n in counts[: len(table.columns) - 1]),
            )
    print_table(table)
    for task in tasks:
        feasible = sum(sample.target.feasible for sample in task.samples)
        samples = len(task.samples)
        if feasible in (0, samples):
            whole = "all" if feasible else "none"
            STDERR.print(
                f"{escape(task.task)}: {whole} of the {samples:,} samples are feasible, so judging "
                "them can be learned from this alone; give another range with --budget"
            )
        if samples < _FEW:
            STDERR.print(
                f"{escape(task.task)}: {samples:,} samples are few: a verified score of fewer than "
                f"{_FEW} has no interval"
            )
        for family in task.families:
            _print_unused(family.index)
    if not options.apart_from:
        STDERR.print(
            "nothing says that these rollouts are not public; name what is public with --apart-from"
        )
    console = stdout_console(soft_wrap=True)
    console.print(f"to hand out:  {out / PUBLIC}", markup=False)
    console.print(f"to keep:      {out / KEY}", markup=False)


def _print_unused(index: FamilyIndex) -> None:
    name = index.family.name
    if not index.entries:
        STDERR.print(shown(f"{name}: has no rollout that can be used; built without it"))
    lines = refusal_lines(index.unused(), name, verb="not used")
    for line in lines[:_SHOWN]:
        STDERR.print(shown(line))
    if len(lines) > _SHOWN:
        more = len(lines) - _SHOWN
        STDERR.print(shown(f"{name}: not used for {more} more reasons: see the key's build.json"))
