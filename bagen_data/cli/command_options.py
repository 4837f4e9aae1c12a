"""Options that several commands take."""

import re
from pathlib import Path
from typing import Annotated, Literal

import typer

from bagen_data.command_line import parse_variant
from bagen_data.errors import WrongUsageError
from bagen_data.prompt_variants import VARIANTS, Variant

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/.*", re.DOTALL)
"""A URL as a path has it: with one slash of two."""


def refuse_url(out: Path) -> Path:
    """Return a folder of this machine, or refuse a URL, which would be made a folder like `s3:`.

    Raises:
        WrongUsageError: it is a URL.
    """
    if _URL.fullmatch(str(out)):
        raise WrongUsageError(
            f"--out {out}: is a URL, and predictions are written to a folder of this machine; "
            "give a folder, and copy it to the store"
        )
    return out


Predictions = Annotated[
    Path,
    typer.Argument(help="A .jsonl, .jsonl.gz or .parquet file, or the folder of one submission."),
]
Dataset = Annotated[
    str,
    typer.Option(
        help="Folder of a dataset, its URL, or its id on the Hub: ORG/NAME, or ORG/NAME@REV as "
        "with --revision."
    ),
]
Revision = Annotated[
    str | None,
    typer.Option(
        metavar="REV",
        help="Revision of the Hub's dataset: a branch, tag or commit, `revision` of its "
        "build.json, or the first 7 characters or more of these two [default: main].",
    ),
]
Config = Annotated[
    str | None,
    typer.Option(
        help="Config: a task, <task>_start or <task>_train [default: every task's benchmark]."
    ),
]
Split = Annotated[str, typer.Option(help="Split: test; or sft, rl, heldout of a <task>_train.")]

Prompt = Annotated[
    Variant | None,
    typer.Option(
        parser=parse_variant,
        metavar="VARIANT",
        help=f"Variant of the question: {', '.join(VARIANTS)} [default: that of the dataset].",
    ),
]
Out = Annotated[
    Path,
    typer.Option(callback=refuse_url, help="The folder for predictions.jsonl and metadata.yaml."),
]
Name = Annotated[str | None, typer.Option(help="The estimator's name, as it is shown.")]
Link = Annotated[
    str | None, typer.Option(help="Address of a page about the estimator [default: the dataset's].")
]
TrainedOn = Annotated[
    Literal["none", "train", "benchmark", "other"],
    typer.Option(help="Data that the model learned estimating from."),
]


def check_labels(name: str | None, link: str | None) -> None:
    """Refuse a name or a link that metadata cannot have, before anything is asked.

    Raises:
        WrongUsageError: naming the option.
    """
    from pydantic import ValidationError

    from bagen_data.field_problems import problems
    from bagen_data.redaction import check_no_secret
    from bagen_data.submissions import Labels

    for flag, value in (("--name", name), ("--link", link)):
        check_no_secret(flag, value)
    try:
        Labels.model_validate({"name": name, "link": link}, strict=False)
    except ValidationError as error:
        raise WrongUsageError("\n".join(f"--{problem}" for problem in problems(error))) from error
