"""Options that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

Predictions = Annotated[
    Path, typer.Argument(help="A .jsonl, .jsonl.gz or .parquet file, or the folder it is in.")
]
Dataset = Annotated[str, typer.Option(help="A folder that `build` wrote, or a Hub id.")]
Config = Annotated[
    str | None, typer.Option(help="A task, or a <task>_train; every task's benchmark if left out.")
]
Split = Annotated[str, typer.Option(help="test; sft, rl or heldout of a <task>_train.")]
