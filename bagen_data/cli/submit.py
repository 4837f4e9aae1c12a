"""`bagen submit`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagen_data.cli.command_options import Dataset, Revision
from bagen_data.published import HUB_ID, SUBMISSIONS_ID

if TYPE_CHECKING:
    from bagen_data.repositories.dataset_names import DatasetName
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
        checked = _check_without_need(path, named, name)
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


def _check_without_need(path: Path, dataset: str, name: str | None) -> "CheckedFolder":
    """Check a submission, and do without the Hub where that is possible.

    Raises:
        as `check_submission`; where the Hub has no answer, the message names the option that does
        without it.
    """
    from bagen_data.errors import InputError, StoreError
    from bagen_data.repositories.dataset_names import parse_dataset
    from bagen_data.submission_check import check_submission
    from bagen_data.submissions import METADATA, read_metadata

    metadata = read_metadata(path / METADATA)  # what is wrong with it is said at once
    named = parse_dataset(dataset)
    if not named.is_on_hub:
        return check_submission(path, dataset, name)
    advice = (
        f"to check {path.name} without the Hub, give --dataset FOLDER, the dataset that it "
        f"answers, whose build.json has the revision {metadata.dataset_revision}"
    )
    _say(f"asking the Hub for {dataset}; with --dataset FOLDER a dry run needs no network")
    try:
        commit = _commit_or_kept(named)
    except InputError as error:
        raise InputError(f"{error}; {advice}") from error
    except StoreError as error:
        raise StoreError(f"{error}; {advice}") from error
    try:
        return check_submission(path, f"{named.place}@{commit}", name)
    except StoreError as error:
        raise StoreError(f"{error}; {advice}") from error


def _commit_or_kept(named: "DatasetName") -> str:
    """Return the commit of a dataset of the Hub: where nobody answers, the one that was read last.

    Raises:
        as `commit_of`, where the cache has not seen the revision either.
    """
    from bagen_data.errors import StoreError
    from bagen_data.repositories.revisions import cached_commit, commit_of

    try:
        return commit_of(named.place, named.revision)
    except StoreError:
        commit = cached_commit(named.place, named.revision)
        if commit is None:
            raise
    _say(f"note: the Hub does not answer; {named.place} is checked against as last read: {commit}")
    return commit


def _say(text: str) -> None:
    from bagen_data.console import STDERR, shown

    STDERR.print(shown(text))
