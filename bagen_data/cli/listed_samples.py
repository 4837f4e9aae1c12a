"""The list of ids that `bagen show` prints for the beginning of an id."""

from collections.abc import Sequence
from itertools import groupby

from rich.table import Table

from bagen_data.console import shown, stdout_console
from bagen_data.sample_ids import ListedSample
from bagen_data.table_printing import print_table
from bagen_data.wording import numbered

_LEAST_ROWS = 10
_OTHER_LINES = 8
"""Lines of a screen beside the rows of the list: head, count, hint, and the prompts of a shell."""


def print_listed(prefix: str, samples: Sequence[ListedSample], *, full: bool) -> None:
    """Print ids: in a terminal a table with a row a rollout, or a sample if there is one rollout.

    In a pipe each id is a line, and nothing else is printed.

    Args:
        prefix: the beginning of all of the ids, or the config that they are of.
        samples: the samples, those of a rollout together.
        full: True to print all rows, also those that a screen has no room for.
    """
    console = stdout_console()
    if not console.is_terminal:
        for sample in samples:
            print(sample.sample_id)
        return
    rollouts = [list(own) for _, own in groupby(samples, key=lambda sample: sample.rollout)]
    table = _of_rollout(samples) if len(rollouts) == 1 else _of_rollouts(rollouts)
    rows = table.row_count
    room = max(_LEAST_ROWS, console.height - _OTHER_LINES)
    if rows > room and not full:
        table = _of_rollout(samples[:room]) if len(rollouts) == 1 else _of_rollouts(rollouts[:room])
    count = f"{numbered(len(samples), 'sample')} of {numbered(len(rollouts), 'rollout')}"
    table.title = shown(f"{prefix}: {count}")
    print_table(table)
    if table.row_count < rows:
        print(f"These are {table.row_count:,} of {rows:,} rows; pass --full to see all of them.")
    print("Pass one id, with its k, to see that sample; in a pipe each id is a line.")


def _of_rollouts(rollouts: Sequence[Sequence[ListedSample]]) -> Table:
    table = _table("rollout", "k", "outcome")
    for own in rollouts:
        turns = f"{own[0].turn} to {own[-1].turn}" if len(own) > 1 else str(own[0].turn)
        table.add_row(shown(own[0].rollout), turns, own[0].outcome)
    return table


def _of_rollout(samples: Sequence[ListedSample]) -> Table:
    table = _table("sample", "k", "config", "split")
    for sample in samples:
        cells = sample.sample_id, str(sample.turn), sample.config, sample.split
        table.add_row(*map(shown, cells))
    return table


def _table(*headings: str) -> Table:
    table = Table()
    for heading in headings:
        table.add_column(heading, no_wrap=True)
    return table
