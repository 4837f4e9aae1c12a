"""`bagen submit`."""

from pathlib import Path
from typing import Annotated

import typer

from bagen_data.cli.command_options import Dataset, Revision
from bagen_data.published import HUB_ID, SUBMISSIONS_ID


def submit_command(
    folder: Annotated[Path, typer.Argument(help="The folder of the submission.")],
    to: Annotated[
        str, typer.Option(metavar="ORG/NAME", help="Dataset repository of submissions on the Hub.")
    ] = SUBMISSIONS_ID,
    dataset: Dataset = HUB_ID,
    revision: Revision = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDERNAME",
            help="Name of the submission's folder in the repository [default: that of FOLDER].",
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace a submission of the same name.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check, and say what would be sent; needs no token.")
    ] = False,
) -> None:
    """Check a submission as the leaderboard does, and open a pull request that adds it."""
    import os

    from bagen_data.console import STDERR, shown
    from bagen_data.held_folder import put_right
    from bagen_data.repositories.dataset_names import at_revision
    from bagen_data.repositories.dataset_places import pinned
    from bagen_data.repositories.handing_in import files_to_send, hand_in, submission_path
    from bagen_data.repositories.hub_repository import check_repository_id
    from bagen_data.repositories.publishing import Watch
    from bagen_data.submission_check import check_submission
    from bagen_data.wording import numbered

    check_repository_id("--to", to)
    path = Path(os.path.abspath(folder))
    put_right(path)
    checked = check_submission(path, pinned(at_revision(dataset, revision)), name)
    submission = checked.folder
    print(
        f"{folder}: {numbered(checked.predictions, 'prediction')} of "
        f"{submission.metadata.estimator}: answers to {', '.join(checked.answered)}"
    )
    if checked.invalid:
        print(f"invalid answers, which count as wrong: {checked.invalid:,}")
    if submission.hidden is not None:
        print(
            f"{submission.hidden.path.name} is handed in as it is; 'bagen validate {folder} "
            "--dataset HIDDEN' checks it against the public part of a hidden split"
        )
    if dry_run:
        print(f"a pull request to {to} would add:")
        for file, size in files_to_send(submission).items():
            bytes_ = "" if size is None else f", {numbered(size, 'byte')}"
            print(f"  {submission_path(submission.name)}{file}{bytes_}")
        return
    watch = Watch(say=lambda text: STDERR.print(shown(text)))
    handed = hand_in(path, submission, to, replaces=replace, watch=watch)
    print("opened a pull request:" if handed.is_new else "these files are there already:")
    print(handed.address)
