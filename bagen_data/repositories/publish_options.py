"""Options of the commands that publish."""

from typing import Annotated

import typer

To = Annotated[
    str, typer.Option(metavar="ORG/NAME", help="Id of the repository, which is made if absent.")
]
Tag = Annotated[
    str | None, typer.Option(metavar="NAME", help="Tag that the commit gets, such as v2.0.")
]
Private = Annotated[
    bool, typer.Option("--private", help="Create a private repository; a public one is refused.")
]
CreatePr = Annotated[
    bool,
    typer.Option("--create-pr", help="Open a pull request, and leave the branch main as it is."),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Send nothing, and say what would be; needs no token.")
]
