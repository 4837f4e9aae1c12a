"""`bagen merge`."""

from pathlib import Path
from typing import Annotated

import typer

from bagen_data.cli.command_options import Out


def merge_command(
    shards: Annotated[
        list[Path],
        typer.Argument(
            help="The folders that `bagen predict model --shard I/N` wrote, all N in any order.",
        ),
    ],
    out: Out,
) -> None:
    """Merge the shards of a run into one submission, as the run gives it without shards."""
    from bagen_data.shard_merging import merge_shards
    from bagen_data.submission_writer import PREDICTIONS

    merged = merge_shards(shards, out)
    written = out / PREDICTIONS
    print(f"{merged.predictions:,} predictions of {merged.metadata.estimator} are in {written}")
