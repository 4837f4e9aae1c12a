"""The options of the commands that build a board."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

Resamples = Annotated[
    int, typer.Option(min=0, help="Number of resamples of instances for 95% intervals.")
]
Seed = Annotated[int, typer.Option(min=0, help="Seed of the resampling.")]


@dataclass(frozen=True)
class BoardOptions:
    """Everything that decides a board, except its submissions and its dataset."""

    earlier: Annotated[
        list[Path] | None,
        typer.Option(help="results.json of another version or revision, to be shown apart."),
    ] = None
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of processes; all cores if left out.")
    ] = None
    cache: Annotated[
        Path | None, typer.Option(help="Folder that keeps scored submissions, by hash.")
    ] = None
    use_cache: Annotated[
        bool, typer.Option("--use-cache/--no-cache", help="Take what was scored before from there.")
    ] = True
    resamples: Resamples = 1000
    seed: Seed = 0
    ceiling: Annotated[
        Path | None,
        typer.Option(
            help="Noise ceiling of this dataset, as 'bagen ceiling --json FILE' wrote it, to be "
            "shown as a line."
        ),
    ] = None
    hidden: Annotated[
        Path | None,
        typer.Option(
            metavar="KEY",
            help="The key of a hidden split, for a verified score of each submission with a file "
            "hidden.jsonl (docs/hidden-split.md).",
        ),
    ] = None
    allow_empty: Annotated[
        bool,
        typer.Option(
            "--allow-empty",
            help="Write a board on which no submission is ranked, such as the first one.",
        ),
    ] = False
