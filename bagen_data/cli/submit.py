"""`bagen submit`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagen_data.cli.command_options import Dataset, Revision
from bagen_data.published import HUB_ID, SUBMISSIONS_ID

if TYPE_CHECKING:
    from bagen_data.submission_check import CheckedFolder


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
        bool,
        typer.Option(
            "--dry-run",
            help="Check, and say what would be sent; needs no token, and no network if --dataset "
            "is a folder.",
        ),
    ] = False,
) -> None:
    """Check a submission as the leaderboard does, and open a pull request that adds it."""
    import os

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
    named = at_revision(dataset, revision)
    if dry_run:
        checked = _check_dry(path, named, name)
    else:
        checked = check_submission(path, pinned(named), name)
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
    watch = Watch(say=_say)
    handed = hand_in(path, submission, to, replaces=replace, watch=watch)
    print("opened a pull request:" if handed.is_new else "these files are there already:")
    print(handed.address)


def _check_dry(path: Path, dataset: str, name: str | None) -> "CheckedFolder":
    """Check a submission that is not sent; what is wrong with its metadata needs no network.

    Raises:
        as `check_submission`; where the Hub does not answer, the message names the option that does
        without it.
    """
    from bagen_data.errors import StoreError
    from bagen_data.repositories.dataset_names import parse_dataset
    from bagen_data.repositories.dataset_places import pinned
    from bagen_data.repositories.revisions import is_offline
    from bagen_data.submission_check import check_submission
    from bagen_data.submissions import METADATA, read_metadata

    metadata = read_metadata(path / METADATA)
    if not parse_dataset(dataset).is_on_hub:
        return check_submission(path, dataset, name)
    if not is_offline():
        _say(f"asking the Hub for {dataset}; with --dataset FOLDER a dry run needs no network")
    try:
        return check_submission(path, pinned(dataset), name)
    except StoreError as error:
        raise StoreError(
            f"{error}; a dry run of {path.name} needs no Hub with --dataset FOLDER, the dataset "
            f"that it answers, whose build.json has the revision {metadata.dataset_revision}"
        ) from error


def _say(text: str) -> None:
    from bagen_data.console import STDERR, shown

    STDERR.print(shown(text))
