"""`bagen ceiling`."""

from pathlib import Path
from typing import Annotated

import typer

from bagen_data.cli.command_options import Dataset, Revision
from bagen_data.errors import OutputError
from bagen_data.wording import in_a_clone

Continuations = Annotated[
    str,
    typer.Argument(
        help="A dataset built of rollouts recorded by "
        f"{in_a_clone('python -m collect --resume-from')}.",
    ),
]


def ceiling_command(
    continuations: Continuations,
    dataset: Dataset,
    config: Annotated[
        str | None, typer.Option(help="A task; every task of the continuations if left out.")
    ] = None,
    revision: Revision = None,
    json: Annotated[Path | None, typer.Option(help="Write every score to this file.")] = None,
    resamples: Annotated[
        int, typer.Option(min=0, help="Resamples of instances, for 95% intervals.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resampling.")] = 0,
) -> None:
    """Score a forecaster that knows how runs can go on: the noise ceiling of a dataset.

    Each probe's continuations are other ways in which the same run could have gone on. The
    part of each score that no forecast of them can know is chance.
    """
    from bagen_data.ceiling.ceiling_report import ceiling_of
    from bagen_data.replaced_file import write_file
    from bagen_data.repositories.dataset_names import at_revision
    from bagen_data.scoring.resampling import Resampling
    from bagen_data.table_printing import print_table
    from bagen_data.tables import to_json
    from bagen_data.terminal_tables import ceiling_tables

    named = at_revision(dataset, revision)
    report = ceiling_of(continuations, named, config, Resampling(resamples, seed))
    if json:
        try:
            write_file(json, to_json(report.to_dict(), indent=1) + "\n")
        except OSError as error:
            raise OutputError(f"{json}: cannot be written: {error.strerror}") from error
    for table in ceiling_tables(report):
        print_table(table)
    if json:
        print(f"every score is in {json}")
